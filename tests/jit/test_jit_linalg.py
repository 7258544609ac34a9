"""Products, norms and transposes in compiled functions: the C kernels' bits, NumPy's shapes."""

from __future__ import annotations

from pathlib import Path
from runpy import run_path

import numpy as np
import pytest
from interpreters import printed
from numba import config, guvectorize, njit, prange
from numba.core.errors import TypingError
from numpy.testing import assert_allclose, assert_array_equal

import vekt as vk
from vekt import jit
from vekt._core import native
from vekt.jit import _native_calls


@njit
def matmul(a, b):  # type: ignore[no-untyped-def]
    return vk.matmul(a, b)


@njit
def matmul_into(a, b, out):  # type: ignore[no-untyped-def]
    return jit.matmul(a, b, out)


def same(got, want) -> None:
    """Equal in every bit, shape and dtype."""
    assert_array_equal(got, want, strict=True)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ((3, 4), (4, 5)),
        ((300, 700), (700, 30)),
        ((4,), (4, 5)),
        ((3, 4), (4,)),
        ((2, 1, 3, 4), (6, 4, 5)),
        ((0, 4), (4, 5)),
        ((3, 0), (0, 5)),
        ((2, 0, 3, 4), (0, 4, 5)),
    ],
)
def test_matmul_has_the_bits_of_vekt(first, second, rng) -> None:
    a, b = rng.normal(size=first), rng.normal(size=second)
    want = vk.matmul(a, b)
    same(matmul(a, b), want)
    same(jit.matmul(a, b), want)


def test_matmul_of_two_vectors(rng) -> None:
    a, b = rng.normal(size=(2, 50))
    assert matmul(a, b) == vk.matmul(a, b)


@pytest.mark.parametrize("dtypes", ["??", "bb", "Hi", "DF"])
def test_result_types_and_wrap_around(dtypes, rng) -> None:
    a, b = ((rng.normal(size=(5, 5)) * 90).astype(c) for c in dtypes[:2])
    want = np.matmul(a, b)
    got = matmul(a, b)
    assert got.dtype == want.dtype
    if want.dtype.kind in "biu":
        same(got, want)
    else:
        assert_allclose(got, want, rtol=1e-5)


def test_layouts_and_out(rng) -> None:
    """Views of any strides are read, and written, as they are; overlap is as if there was none."""
    a, b = rng.normal(size=(2, 12, 14))[..., :12]
    want = vk.matmul(a[::-2, 1::3], b.T[::-3])
    same(matmul(a[::-2, 1::3], b.T[::-3]), want)
    wide = np.zeros((12, 24))
    view = wide[::2, ::-2]
    same(matmul_into(a[::-2, 1::3], b.T[::-3], view), want)
    same(view, want)
    assert not wide[1::2].any()
    want = vk.matmul(a, b)
    same(matmul_into(a, b, a), want)
    same(a, want)
    single = rng.normal(size=(6, 7)).astype("f4")
    raw = np.zeros(single.nbytes + 1, np.uint8)[1:].view("f4").reshape(6, 7)
    raw[...] = single
    same(matmul(raw.T, raw), vk.matmul(single.T, single))


def test_products_of_stacked_vectors(rng) -> None:
    a, u, v = (rng.normal(size=shape) for shape in ((5, 4, 3), (5, 4), (5, 3)))

    @njit
    def run(a, u, v, out):  # type: ignore[no-untyped-def]
        return (
            vk.matvec(a, v, out),
            vk.vecmat(u, a),
            vk.vecdot(v, v, axis=0),
            vk.vecdot(v[0], v[1]),
        )

    out = np.empty((5, 4))
    got = run(a, u, v, out)
    want = (
        vk.matvec(a, v),
        vk.vecmat(u, a),
        vk.vecdot(v, v, axis=0),
        vk.vecdot(v[0], v[1]),
    )
    for x, y in zip(got, want, strict=True):
        assert_array_equal(x, y)
    assert_array_equal(out, want[0])
    from_python = jit.vecdot(v, v, axis=0)
    same(from_python, want[2])
    z = (a + 1j * a[::-1])[0]
    assert_allclose(njit(lambda x, y: jit.vecdot(x, y))(z, z), np.vecdot(z, z), rtol=1e-14)


def test_dot(rng) -> None:
    @njit
    def run(a, b):  # type: ignore[no-untyped-def]
        return vk.dot(a, b)

    a, b = rng.normal(size=(2, 10_000))
    assert abs(run(a, b) - vk.dot(a, b)) <= 1e-11
    same(
        run(a.reshape(100, 100), b.reshape(100, 100)),
        vk.matmul(*(x.reshape(100, -1) for x in (a, b))),
    )
    small = np.arange(-100, 100, dtype="i1")
    assert run(small, small[::-1]) == np.dot(small, small[::-1])
    assert jit.dot(small, small[::-1]) == np.dot(small, small[::-1])
    truth = small > 0
    assert run(truth, truth) is True
    assert run(truth, ~truth) is False
    with pytest.raises(ValueError, match="length"):
        run(a, b[1:])


def test_tensordot(rng) -> None:
    a, b = rng.normal(size=(2, 3, 4)), rng.normal(size=(4, 3, 5))

    @njit
    def run(a, b):  # type: ignore[no-untyped-def]
        return (
            vk.tensordot(a, b, axes=((1, -1), (1, 0))),
            vk.tensordot(a, b, 1),
        )

    for got, axes in zip(run(a, b), [((1, -1), (1, 0)), 1], strict=True):
        same(got, vk.tensordot(a, b, axes))
        same(jit.tensordot(a, b, axes), got)
    full = njit(lambda a, b: vk.tensordot(a, b))(a[0], a[1])
    assert full == vk.tensordot(a[0], a[1])
    with pytest.raises(TypingError, match="axes"):
        njit(lambda a: vk.tensordot(a, a, 4))(a)


def test_parallel_loops_and_gufuncs(rng) -> None:
    """Serial kernels on many threads at once, with the bits of one."""

    @njit(parallel=True)
    def each(a, b, c):  # type: ignore[no-untyped-def]
        for i in prange(a.shape[0]):
            vk.matmul(a[i], b, c[i])

    a, b = rng.normal(size=(40, 30, 70)), rng.normal(size=(70, 20))
    c = np.empty((40, 30, 20))
    each(a, b, c)
    same(c, vk.matmul(a, b))

    @guvectorize(["f8[:,:], f8[:], f8[:]"], "(m,k),(k)->(m)")
    def rows(a, v, out):  # type: ignore[no-untyped-def]
        jit.matvec(a, v, out)

    same(rows(a, b[:, 0]), vk.matvec(a, b[:, 0]))


@pytest.mark.parametrize(
    ("error", "function", "shapes"),
    [
        (ValueError, lambda a, b: vk.matmul(a, b), [(2, 3), (2, 3)]),
        (ValueError, lambda a, b: vk.matmul(a, b, a), [(2, 3), (3, 4)]),
        (ValueError, lambda a, b: vk.matmul(a, b), [(2, 3, 3), (4, 3, 3)]),
        (TypingError, lambda a, b: vk.matmul(a, 2.0), [(2, 3), (3,)]),
        (TypingError, lambda a, b: vk.matvec(a, b), [(3,), (3,)]),
        (TypingError, lambda a, b: vk.matmul(a, b, a), [(2, 3), (3,)]),
        (TypingError, lambda a, b: vk.matmul(a.astype(np.float32), b, a), [(2, 2), (2, 2)]),
    ],
)
def test_errors(error, function, shapes) -> None:
    operands = [np.ones(shape) for shape in shapes]
    if error is TypingError and "astype" in function.__code__.co_names:
        operands[1] = operands[1].astype("f4")
    with pytest.raises(error):
        njit(function)(*operands)


def test_float16_is_for_python_only(rng) -> None:
    a = rng.normal(size=(3, 3)).astype("f2")
    same(jit.matmul(a, a), vk.matmul(a, a))
    with pytest.raises(TypingError):
        matmul(a, a)


IN_PARALLEL = """
import numpy as np
import vekt as vk
from numba import njit, prange

@njit(cache=True, parallel=True)
def run(a, b, c):
    for i in prange(a.shape[0]):
        vk.matmul(a[i], b, c[i])

c = np.empty((4, 3, 5))
run(np.ones((4, 3, 2)), np.ones((2, 5)), c)
hits, total = sum(run.stats.cache_hits.values()), c.sum()
"""
ONE_LAYER = """
import numpy as np
import vekt as vk
from numba import njit

@njit(cache=True)
def layer(x, w):
    return vk.dense(x, w, None, "relu")

total = layer(np.ones((3, 2)), np.ones((2, 5))).sum()
hits = sum(layer.stats.cache_hits.values())
"""


def test_cached_functions_bind_their_symbols_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In another process and on another instruction set; for another C interface they are stale."""
    totals = {"parallel.py": 120.0, "layer.py": 30.0}
    monkeypatch.setattr(config, "CACHE_DIR", str(tmp_path))
    for name, text in zip(totals, (IN_PARALLEL, ONE_LAYER), strict=True):
        (tmp_path / name).write_text(text)
        first = run_path(str(tmp_path / name))
        assert (first["hits"], first["total"]) == (0, totals[name])
    last = native.SUPPORTED[-1]
    again = (
        "import runpy\n"
        f"done = [runpy.run_path({str(tmp_path)!r} + '/' + n) for n in {list(totals)}]\n"
        "from vekt._core import native\n"
        "print(*((d['hits'], d['total']) for d in done), native.SELECTED)"
    )
    printed_again = printed(again, NUMBA_CACHE_DIR=str(tmp_path), VEKT_ISA=last)
    assert printed_again == f"(1, np.float64(120.0)) (1, np.float64(30.0)) {last}\n"
    monkeypatch.setattr(_native_calls, "_interface", lambda: 1)
    assert run_path(str(tmp_path / "layer.py"))["hits"] == 0
