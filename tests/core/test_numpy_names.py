"""Functions that have the name of one of NumPy's take what NumPy's take."""

from __future__ import annotations

import inspect
from itertools import product
from typing import Any

import ml_dtypes
import numpy as np
import pytest

import vekt as vk
from vekt._spec.elementwise import OPS
from vekt._spec.rows import ROW_OPS

UFUNCS = ["tanh", *(name for name, op in OPS.items() if op.numpy)]
ARRAY_FUNCTIONS = ["all", "any", "argmax", "argmin", "broadcast_to", "clip", "max", "mean", "min",
                   "outer", "sum", "tensordot", "where"]  # fmt: skip
REALS = ["?", "i1", "u1", "i2", "u2", "i4", "i8", "u8", "f2", "f4", "f8", "bfloat16"]


@pytest.mark.parametrize("dtype", ["c8", "c16", ">c8", ">c16"])
@pytest.mark.parametrize("name", UFUNCS)
def test_complex_numbers(name: str, dtype: str, rng: np.random.Generator) -> None:
    x, y = rng.normal(size=(2, 40)).astype("f4").view("c8").astype(dtype)
    ours, theirs = getattr(vk, name), getattr(np, name)
    operands = [x, y][: theirs.nin]
    if not any("F" in loop for loop in theirs.types):
        with pytest.raises((TypeError, AttributeError)):  # by what NumPy was called with before
            ours(*operands)
        return
    for given in (operands, [v[::-2] for v in operands], [v[3] for v in operands]):
        expected, result = theirs(*given), ours(*given)
        assert result.dtype == expected.dtype
        assert type(result) is type(expected)
        np.testing.assert_allclose(result, expected, rtol=1e-6 if "8" in dtype else 1e-14)


def test_complex_tanh_is_a_ufunc() -> None:
    z = np.array([1 + 2j, complex(np.inf, 1), complex(-0.0, 0.0), complex(np.nan, 0)])
    out = np.zeros_like(z)
    assert vk.tanh(z, out=out, where=[True, True, True, False]) is out
    np.testing.assert_array_equal(out[:3], np.tanh(z[:3]))
    np.testing.assert_array_equal(vk.tanh(z), np.tanh(z))
    assert type(vk.tanh(1j)) is np.complex128
    for name in ("gelu", "sigmoid", "silu", "tanh_backward"):
        with pytest.raises(TypeError):
            getattr(vk, name)(*[z] * (2 if "back" in name else 1))


def _without_dimensions(name: str) -> tuple[Any, ...]:
    x = np.array(2.0)
    if name == "where":
        return np.array(True), x, x
    if name == "clip":
        return x, 0, 1
    if name == "broadcast_to":
        return x, ()
    if name in ("outer", "tensordot"):
        return (x, x) if name == "outer" else (x, x, 0)
    return (x,) * (getattr(np, name).nin if name in UFUNCS else 1)


@pytest.mark.parametrize("name", [*UFUNCS, *ARRAY_FUNCTIONS])
def test_no_dimensions_give_numpys_kind(name: str) -> None:
    arguments = _without_dimensions(name)
    expected, result = getattr(np, name)(*arguments), getattr(vk, name)(*arguments)
    assert type(result) is type(expected)
    # Without AVX-512 NumPy calls the C library, whose last digit is its own.
    np.testing.assert_allclose(result, expected, rtol=1e-15)


@pytest.mark.parametrize("name", [n for n in ARRAY_FUNCTIONS if n not in ("where", "clip")])
def test_keywords_are_numpys(name: str) -> None:
    theirs, ours = (set(inspect.signature(getattr(m, name)).parameters) for m in (np, vk))
    assert theirs - ours <= ({"array", "subok"} if name == "broadcast_to" else set())


@pytest.mark.parametrize("pair", list(product(REALS, REALS)), ids="-".join)
def test_row_gradients_promote_as_ufuncs(pair: tuple[str, str]) -> None:
    dy, x = (np.ones(4, ml_dtypes.bfloat16 if d == "bfloat16" else d) for d in pair)
    expected = vk.gelu_backward(dy, x).dtype
    for op in ROW_OPS.values():
        for namespace in (vk, vk.reference):
            backward = getattr(namespace, op.public_names[1])
            result = backward(dy[0] if op.reduces else dy, x)
            assert result.dtype == expected, (op.name, namespace.__name__)
