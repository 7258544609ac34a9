"""Costly functions of complex numbers are computed where a mask holds, and nowhere else."""

from __future__ import annotations

import numpy as np
import pytest

import vekt as vk

NAMES = ("cos", "exp", "log", "power", "sin", "sqrt", "multiply", "negative")


def drawn(rng, shape, dtype):
    return (rng.standard_normal(shape) + 1j * rng.standard_normal(shape)).astype(dtype)


def layouts(x):
    yield x
    yield np.ascontiguousarray(x[::-1])[::-1]
    yield np.asfortranarray(x)
    spread = np.zeros((*x.shape[:-1], 3 * x.shape[-1]), x.dtype)[..., ::3]
    spread[...] = x
    yield spread
    yield x.astype(x.dtype.newbyteorder())
    packed = np.zeros(x.nbytes + 1, "u1")[1:].view(x.dtype).reshape(x.shape)
    packed[...] = x
    yield packed


@pytest.mark.parametrize("share", [0.0, 0.02, 0.5, 0.99, 1.0])
@pytest.mark.parametrize("dtype", ["F", "D"])
@pytest.mark.parametrize("name", NAMES)
def test_as_without_a_mask(name, dtype, share, rng):
    function, nin = getattr(vk, name), getattr(np, name).nin
    for shape in ((1,), (255,), (256,), (257,), (3, 700)):
        base = [drawn(rng, shape, dtype) for _ in range(nin)]
        mask = rng.random(shape) < share
        former = drawn(rng, shape, dtype)
        want = np.where(mask, function(*base), former)
        for operands in zip(*map(layouts, base), strict=True):
            out = former.copy()
            assert function(*operands, where=mask, out=out) is out
            np.testing.assert_array_equal(out, want, strict=True)
        spread = np.repeat(former, 2, axis=-1)[..., ::2]
        function(*base, where=mask, out=spread)
        np.testing.assert_array_equal(spread, want)
        own = base[0].copy()  # in place
        function(own, *base[1:], where=mask, out=own)
        np.testing.assert_array_equal(own, np.where(mask, function(*base), base[0]))


@pytest.mark.parametrize("name", NAMES)
def test_single_values_and_masks_that_broadcast(name, rng):
    function, nin = getattr(vk, name), getattr(np, name).nin
    row, column = rng.random(700) < 0.3, rng.random((5, 1)) < 0.5
    x = drawn(rng, (5, 700), "D")
    for mask in (row, column, np.array(True), np.array(False)):
        for base in ([x] * nin, [x[:1], x][:nin], [x[:, :1], x][:nin], [np.array(2 - 1j), x][:nin]):
            out = drawn(rng, (5, 700), "D")
            want = np.where(mask, function(*base), out)
            function(*base, where=mask, out=out)
            np.testing.assert_array_equal(out, want)
    out = np.zeros((5, 700), "F")
    with np.errstate(all="raise"):  # what the mask leaves out is not looked at
        x[:, ~row] = np.nan
        function(*[x.astype("F")] * nin, where=row, out=out)
    assert not out[:, ~row].any()


def test_threads(rng, set_threads):
    x, mask = drawn(rng, 100_000, "D"), rng.random(100_000) < 0.4
    results = []
    for threads in (1, 2, 3):
        set_threads(threads)
        out = np.zeros_like(x)
        results.append(vk.exp(x, where=mask, out=out))
        np.testing.assert_array_equal(vk.exp(x), np.exp(x))
    for other in results[1:]:
        np.testing.assert_array_equal(other, results[0])
