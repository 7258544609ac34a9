"""Calls that the engine takes itself, without steps that cost many times what small arrays do."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_array_equal

import vekt as vk
from vekt import elementwise
from vekt._spec.elementwise import OPS
from vekt.elementwise import _numpy
from vekt.linalg import _vectors

SIGNED = ["i1", "i2", "i4", "i8"]
NARROW = ["?", "i1", "u1", "f2", "bfloat16"]


def refused(*args, **options):
    raise AssertionError("this call goes the long way")


def layouts(x):
    """Put the same numbers elsewhere in memory."""
    unaligned = np.zeros(x.nbytes + 1, "u1")[1:].view(x.dtype).reshape(x.shape)
    unaligned[...] = x
    return {
        "contiguous": x,
        "reversed": x[::-1].copy()[::-1],
        "strided": np.repeat(x, 3, axis=-1)[..., ::3],
        "transposed": x.T.copy().T,
        "swapped": x.astype(x.dtype.newbyteorder()),
        "unaligned": unaligned,
        "broadcast": np.broadcast_to(x, (2, *x.shape)),
    }


@pytest.mark.parametrize("dtype", NARROW)
@pytest.mark.parametrize("name", [name for name, op in OPS.items() if op.facts["rounds_alone"]])
def test_results_of_16_bits_into_wider_outputs(name, dtype, monkeypatch, rng):
    if dtype == "bfloat16":
        pytest.importorskip("ml_dtypes")
    function, n = getattr(vk, name), len(OPS[name].inputs)
    inputs = [rng.integers(0, 2, 9).astype(dtype) for _ in range(n)]
    expected = function(*inputs)
    monkeypatch.setattr(_numpy, "by_parts", refused)
    for wide in ("f4", "f8", "c8", "c16"):
        if not np.can_cast(expected.dtype, wide):
            continue
        for out in layouts(np.zeros(9, wide)).values():
            if not out.flags.writeable:
                continue
            assert function(*inputs, out=out) is out
            assert_array_equal(out, expected.astype(wide))


def test_such_an_output_may_lie_on_the_input():
    memory = np.zeros(40)
    x = memory.view("f2")[:8]
    x[:] = np.arange(8) / 8
    expected = vk.exp(x.copy()).astype("f8")
    assert_array_equal(vk.exp(x, out=memory[:8]), expected)


@pytest.mark.parametrize("dtype", SIGNED)
def test_exponents_in_any_layout(dtype, monkeypatch, rng):
    vk.power(np.ones(1, dtype), np.ones(1, dtype))
    monkeypatch.setattr(elementwise.power.fallback, "numpy", refused)
    for shape in ((5,), (3, 4), (2, 3, 4), (1, 1), (0, 3)):
        exponents = rng.integers(0, 4, shape).astype(dtype)
        base = rng.integers(-3, 4, shape).astype(dtype)
        for name, view in layouts(exponents).items():
            assert_array_equal(vk.power(base, view), np.power(base, exponents) + 0 * view, name)
    monkeypatch.undo()
    for place in range(12):
        exponents = np.ones((3, 4), dtype)
        exponents.flat[place] = -1
        for name, view in layouts(exponents).items():
            with pytest.raises(ValueError, match="negative integer powers"):
                vk.power(np.full((3, 4), 2, dtype), view)
            assert name


@pytest.mark.parametrize("dtype", ["?", "u1", "i4", "i8", "f2", "f4", "f8"])
@pytest.mark.parametrize("order", [-1, -2, -0.5, -3.5])
def test_norms_of_negative_order_that_an_element_makes_zero(dtype, order, monkeypatch):
    x = np.array([[1, 2, 3], [4, 0, 6], [7, 8, 9]]).astype(dtype)
    monkeypatch.setattr(_vectors, "_scaled_norm", refused)
    with np.errstate(all="ignore"):
        expected = np.linalg.norm(x.astype("f8"), order, axis=1)
    for keepdims in (False, True):
        result = vk.norm(x, order, 1, keepdims)
        assert result.shape == ((3, 1) if keepdims else (3,))
        assert np.ravel(result)[1] == 0
        np.testing.assert_allclose(np.ravel(result), expected, rtol=1e-3 if dtype == "f2" else 1e-6)
    assert vk.norm(x[1], order) == 0


def test_norms_of_negative_order_of_tiny_elements_are_not_zero():
    tiny = np.array([1e-300, 2e-300])
    assert vk.norm(tiny, -2) == pytest.approx(1e-300 / np.sqrt(1.25))
    assert vk.norm(np.array([tiny, [0, 1e-300]]), -2, 1)[1] == 0
