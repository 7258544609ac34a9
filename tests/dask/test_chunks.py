"""Arrays that do not fit in memory: the parts of `vekt.stream`, and memory maps."""

from __future__ import annotations

import json
from math import prod

import numpy as np
import pytest
from interpreters import run

import vekt as vk
from vekt.chunks import _parts
from vekt.cli import main


@pytest.mark.parametrize("elements", [1, 7, 24, 60, 10_000])
@pytest.mark.parametrize("shape", [(), (0, 3), (100,), (5, 4, 3), (2, 1, 30, 4)])
def test_parts_cover_everything_once(shape, elements):
    seen = np.zeros(shape, int)
    parts = list(_parts(shape, elements))
    for part in parts:
        assert seen[part].size <= max(elements, 1)
        seen[part] += 1
    assert np.all(seen == 1)
    assert len(parts) <= 2 * prod(shape) / elements + 1 + prod(shape[:-1])
    flat = [np.arange(seen.size).reshape(shape)[part].ravel() for part in parts]
    if flat:
        np.testing.assert_array_equal(np.concatenate(flat), np.arange(seen.size))


@pytest.mark.parametrize("chunk_bytes", [1, 100, 5000, 1 << 20])
def test_elementwise(chunk_bytes, rng):
    x, row, column = rng.normal(size=(20, 6, 5)), rng.normal(size=5), rng.normal(size=(20, 1, 1))
    expected = x * row + column
    result = vk.stream(lambda a, b, c: a * b + c, x, row, column, chunk_bytes=chunk_bytes)
    np.testing.assert_array_equal(result, expected)
    out = np.empty(x.shape, "f4")
    assert vk.stream(lambda a, b: a * b, x, row, out=out, chunk_bytes=chunk_bytes) is out
    np.testing.assert_array_equal(out, (x * row).astype("f4"))


def test_in_place(rng):
    x = rng.normal(size=(50, 7))
    expected = vk.gelu(x)
    assert vk.stream(vk.gelu, x, out=x, chunk_bytes=200) is x
    np.testing.assert_array_equal(x, expected)


def test_combine_in_order(rng):
    x = rng.integers(0, 9, (30, 4))
    seen = vk.stream(lambda a: a.ravel().tolist(), x, combine=list.__add__, chunk_bytes=40)
    assert seen == x.ravel().tolist()
    assert vk.stream(vk.sum, x, combine=lambda a, b: a + b, chunk_bytes=64) == x.sum()


def test_progress(rng):
    calls = []
    x = rng.normal(size=(10, 6))
    vk.stream(vk.tanh, x, chunk_bytes=200, progress=lambda done, total: calls.append((done, total)))
    assert [total for _, total in calls] == [60] * len(calls)
    assert [done for done, _ in calls] == sorted({done for done, _ in calls})
    assert len(calls) > 2
    assert calls[-1] == (60, 60)


def test_memory_maps(tmp_path, rng):
    x = rng.integers(0, 255, (40, 30, 3), "u1")
    source = np.memmap(tmp_path / "x", "u1", "w+", shape=x.shape)
    source[...] = x
    out = np.memmap(tmp_path / "y", "f4", "w+", shape=x.shape)
    scale = np.array([0.5, 0.25, 0.125], "f4")
    private = np.memmap(tmp_path / "x", "u1", "c", shape=x.shape)
    private[0] = 7  # which no file holds
    vk.stream(lambda a, s: a * s, source, scale, out=out, chunk_bytes=1000)
    np.testing.assert_array_equal(out, x * scale)
    del out
    np.testing.assert_array_equal(np.fromfile(tmp_path / "y", "f4").reshape(x.shape), x * scale)
    vk.stream(lambda a: a + np.uint8(0), private[::2], chunk_bytes=500)
    assert np.all(private[0] == 7)
    vk.stream(lambda a: a + np.uint8(1), source[1:3], out=source[1:3], chunk_bytes=50)
    np.testing.assert_array_equal(source[1:3], x[1:3] + np.uint8(1))


RESIDENT = """
import os, resource
import numpy as np, vekt as vk

def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize()

source = np.memmap(os.environ["VEKT_TEST_MAPS"] + "/x", "u1", "w+", shape=(60, 1_000_000))
out = np.memmap(os.environ["VEKT_TEST_MAPS"] + "/y", "f4", "w+", shape=source.shape)
most = 0
def watch(done, total):
    global most
    most = max(most, resident())
def convert(x):
    return vk.add(x, np.float32(1))
vk.stream(convert, source[:1], out=out[:1])
before = resident()
vk.stream(convert, source, out=out, chunk_bytes=10_000_000, progress=watch)
print(most - before, float(out.min()), float(out.max()))
"""


def test_memory_is_bounded(tmp_path):
    done = run(RESIDENT, VEKT_TEST_MAPS=str(tmp_path))
    more, *extremes = done.stdout.split()
    assert extremes == ["1.0", "1.0"]
    assert int(more) < 60_000_000  # of 300 MB


@pytest.mark.parametrize(
    ("arguments", "options", "error", "match"),
    [
        (((3, 4), (5,)), {}, ValueError, "broadcast"),
        (((3, 4),), {"out": np.empty((4, 3))}, ValueError, r"out: expected shape \(3, 4\)"),
        (((3, 4),), {"out": [0]}, TypeError, "out: expected an ndarray"),
        (((3, 4),), {"out": np.broadcast_to(1.0, (3, 4))}, ValueError, "read-only"),
        (((3, 4),), {"out": np.empty((3, 4)), "combine": np.add}, TypeError, "exclude"),
        (((0, 4),), {"combine": np.add}, ValueError, "no elements"),
        (((3, 4),), {"out": np.empty((3, 4), "i4")}, TypeError, "cast"),
        (((3, 4),), {"chunk_bytes": 0}, ValueError, "chunk_bytes"),
    ],
)
def test_bad_arguments(arguments, options, error, match):
    with pytest.raises(error, match=match):
        vk.stream(lambda *a: a[0] * 1.0, *(np.ones(shape) for shape in arguments), **options)


def test_other_shape_of_results():
    with pytest.raises(ValueError, match=r"function: expected a result of shape \(3, 4\)"):
        vk.stream(vk.sum, np.ones((3, 4)))


def test_no_elements():
    assert vk.stream(vk.gelu, np.ones((0, 4))).shape == (0, 4)


@pytest.mark.parametrize("dtype", ["u1", "f4", "f8"])
def test_normalise_a_file(dtype, tmp_path, rng, capsys):
    x = rng.integers(0, 255, (50, 40, 3)).astype(dtype)
    x[..., 2] = 9  # whose deviation is 0
    source, target = str(tmp_path / "x.npy"), str(tmp_path / "y.npy")
    np.save(source, x)
    arguments = ["normalise", source, target, "--chunk-bytes", "5000", "--json", "-"]
    assert main(arguments) == 0
    told = json.loads(capsys.readouterr().out)
    wide = x.astype("f8")
    np.testing.assert_allclose(told["mean"], wide.mean((0, 1)), rtol=1e-13)
    np.testing.assert_allclose(told["deviation"], wide.std((0, 1)), rtol=1e-13)
    y = np.load(target)
    assert y.dtype == np.float32
    np.testing.assert_allclose(y.mean((0, 1), "f8"), 0, atol=1e-6)
    np.testing.assert_allclose(y.std((0, 1), "f8"), [1, 1, 0], atol=1e-6)
    assert main(["normalise", source, source]) == 2
    (tmp_path / "z.npy").write_text("nothing")
    assert main(["normalise", str(tmp_path / "z.npy"), target]) == 2
