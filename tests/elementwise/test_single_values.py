"""Numbers, columns and limits beside arrays: NumPy's results, types and errors."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from operands import PAIRS

import vekt as vk
from vekt._spec.elementwise import OPS

TWO = tuple(name for name, op in OPS.items() if len(op.inputs) == 2 and op.numpy == name)
WHOLE = ("?", "i1", "u1", "i2", "u4", "i4", "i8", "u8")


def same(name, *args, **options):
    """NumPy's result, dtype and strides; or its error."""
    with np.errstate(all="ignore"):
        try:
            expected = getattr(np, name)(*args, **options)
        except (TypeError, ValueError, OverflowError) as error:
            with pytest.raises(type(error)):
                getattr(vk, name)(*args, **options)
            return
        result = getattr(vk, name)(*args, **options)
    assert result.dtype == expected.dtype
    if name in PAIRS and result.dtype.kind in "fc":
        np.testing.assert_allclose(result, expected, rtol=1e-3 if result.dtype == "f2" else 1e-6)
    else:
        assert_array_equal(result, expected)


@pytest.mark.parametrize("name", [*TWO, "where"])
@pytest.mark.parametrize("dtype", [*WHOLE, "f4", "f8", "c8", "c16"])
def test_numbers_of_python(rng, name, dtype):
    """Complex ones too, first and second, once they are learnt and before."""
    x = rng.integers(0, 3, 12).astype(dtype)
    numbers = [True, False, 2, 0, 300, -1, 2**63, 1.5, -0.0, np.nan, 2j, 0j, complex(np.nan, 1)]
    for number in [n for n in numbers for _ in range(2)]:
        before = (x > 1,) if name == "where" else ()
        same(name, *before, x, number)
        same(name, *before, number, x)
    if name == "where":
        for condition in (0, 1, 2.5, 1j, np.nan):
            same(name, condition, 2.5, x)
            same(name, condition, x, 3)


@pytest.mark.parametrize("name", TWO)
@pytest.mark.parametrize("dtype", WHOLE)
def test_columns_and_rows(rng, name, dtype):
    """Of whole numbers and truth values, in any place and layout; long ones too."""
    high = 2 if dtype == "?" else 100
    x = rng.integers(0, high, (7, 3000)).astype(dtype)
    for y in (x, np.repeat(x, 2, 1)[:, ::2], np.asfortranarray(x), x[::-1, ::-1]):
        for other in (y[:, 1:2], y[3:4], y[2, 5], y[3:4, 3:4], y[:, :1].astype(">i8")):
            small = other % 3 if dtype != "?" else other
            same(name, y, small)
            same(name, small, y)


@pytest.mark.parametrize("dtype", WHOLE[1:])
def test_powers_of_numbers_of_numpy(dtype):
    """Negative exponents are an error, of any integer type."""
    x = np.arange(5, dtype=dtype)
    for exponent in (np.int8(2), np.uint8(3), np.int64(0), np.bool_(True), np.uint64(2)):
        same("power", x, exponent)
    for exponent in (np.int8(-1), np.int64(-3)):
        same("power", x, exponent)


@pytest.mark.parametrize("dtype", [*WHOLE, "f2", "f4", "f8", "c8", "c16", ">i4", ">f8"])
def test_clip_by_one_limit(rng, dtype):
    """By position and by name, beyond the range of the dtype, and with an `out`."""
    x = rng.integers(0, 2 if dtype == "?" else 9, (4, 6)).astype(dtype)
    for limit in (3, 2.5, -1, 300, True, np.int8(4), x[0], x.T[:4, :1], np.nan):
        same("clip", x, limit, None)
        same("clip", x, None, limit)
        same("clip", x[0, 0], None, limit)
        for name in ("min", "max", "a_min", "a_max"):
            rest = {"a_min": "a_max", "a_max": "a_min"}.get(name)
            same("clip", x, **{name: limit}, **({rest: None} if rest else {}))
        out, expected = np.empty_like(x), np.empty_like(x)
        try:
            np.clip(x, limit, None, out=expected)
        except (TypeError, OverflowError):
            continue
        assert vk.clip(x, limit, None, out=out) is out
        assert_array_equal(out, expected)
    same("clip", x, None, None)
    for bad in [(x, 1, None, None, None), (x, "a", None)]:
        with pytest.raises(TypeError):
            vk.clip(*bad)
    with pytest.raises(TypeError):
        vk.clip(x, None, 2, max=3)


def test_absolute_of_half_precision():
    """A bit of each, of all there are."""
    bits = np.arange(1 << 16, dtype="u2")
    for x in (bits, np.repeat(bits, 2)[::2], bits[::-1], bits.astype(">u2")):
        half = x.view(x.dtype.str.replace("u", "f"))
        result = vk.absolute(half)
        assert result.dtype == "f2"
        assert_array_equal(result.view("u2"), x & 0x7FFF)


@pytest.mark.parametrize("source", ["?", "i1", "u1"])
def test_bytes_become_bytes(source):
    """Bytes that hold no truth value but count as true."""
    x = np.arange(256, dtype="u1").view(source)
    truth = x.view("u1") != 0
    assert_array_equal(vk.logical_and(x, True), truth)
    assert_array_equal(vk.where(x, 1, 0), truth)
    out = np.empty(256, "i1")
    assert_array_equal(vk.multiply(truth, truth, out=out), truth.astype("i1"))
    assert_array_equal(vk.square(truth), np.square(truth))
    assert vk.square(truth).dtype == np.square(truth).dtype
