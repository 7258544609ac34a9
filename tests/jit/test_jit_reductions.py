"""Reductions in compiled functions: the bits of vekt, for every one of them."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pytest
from numba import njit
from numba.core.errors import TypingError
from numpy.testing import assert_array_equal

import vekt as vk
from vekt import jit
from vekt.jit._reductions import FUNCTIONS

SCANS = ("cumsum", "cumprod")
POSITIONS = ("argmax", "argmin")
VARIANCES = ("var", "std", "moments", "nanvar", "nanstd")


@cache
def compiled(call: str) -> Callable[..., Any]:
    """Compile a call of functions of vekt on an array `a` and a number `n`."""
    scope: dict[str, Any] = {"vk": vk, "jit": jit, "np": np}
    exec(f"def f(a, n=0): return {call}", scope)
    made: Callable[..., Any] = njit(scope["f"])
    return made


def same(got: Any, want: Any) -> None:
    """Equal in every bit, shape and dtype; each of two results."""
    if isinstance(want, tuple):
        for one, other in zip(got, want, strict=True):
            same(one, other)
        return
    assert_array_equal(got, want, strict=isinstance(want, np.ndarray))  # Numba's scalars are float
    if want.dtype.kind in "fc":
        signs = [np.signbit(np.real(x)) & (np.real(x) == 0) for x in (got, want)]
        assert_array_equal(*signs)


def numbers(rng: np.random.Generator, dtype: str, shape: tuple[int, ...]) -> Any:
    x = rng.normal(size=shape) * 3
    if dtype[0] in "fc":
        x[rng.random(shape) < 0.1] = np.nan
    return (
        (x > 0) if dtype == "?" else np.abs(x).astype(dtype) if dtype[0] == "u" else x.astype(dtype)
    )


@pytest.mark.parametrize("name", FUNCTIONS)
def test_bits_of_vekt(name: str, rng: np.random.Generator) -> None:
    """Along each axis of a view of any strides."""
    x = numbers(rng, "f4", (9, 130, 5))[::-2, ::3].transpose(2, 0, 1)
    function, call = getattr(vk, name), compiled(f"vk.{name}(a, n)")
    for axis in (0, 1, -1):
        same(call(x, axis), function(x, axis))
    same(getattr(jit, name)(x, axis=1), function(x, axis=1))


@pytest.mark.parametrize("name", ["mean", "max", "moments", "any"])
def test_several_axes_and_kept_ones(name: str, rng: np.random.Generator) -> None:
    x = numbers(rng, "f8", (4, 5, 6, 7))
    ddof = {"ddof": 1} if name in VARIANCES else {}
    axis = "axis=(0, -2), keepdims=True" + (", ddof=n" if ddof else "")
    same(
        compiled(f"jit.{name}(a, {axis})")(x, 1),
        getattr(vk, name)(x, (0, -2), keepdims=True, **ddof),
    )


def test_corrections(rng: np.random.Generator) -> None:
    x = numbers(rng, "f8", (4, 5))
    same(compiled("jit.nanvar(a, correction=1.5)")(x), vk.nanvar(x, correction=1.5))


@pytest.mark.parametrize("dtype", ["?", "u1", "c8"])
def test_dtypes(dtype: str, rng: np.random.Generator) -> None:
    x = numbers(rng, dtype, (6, 7))
    real = ("sum", "max", "cumprod", "nanmean")
    names = ("sum", "mean", "cumsum") if dtype[0] == "c" else real
    calls = ", ".join(f"jit.{name}(a, 1)" for name in names)
    for name, got in zip(names, compiled(f"({calls})")(x), strict=True):
        same(got, getattr(vk, name)(x, 1))


def test_arrays_of_no_axes_and_of_no_elements() -> None:
    point, none = np.array(-2.5), np.zeros((0, 3))
    for name in ("max", "argmin", "prod", "cumsum"):
        call = compiled(f"jit.{name}(a)")
        if name in SCANS:
            same(compiled(f"jit.{name}(a, 0)")(point), getattr(np, name)(point, 0))
        else:
            same(call(point), np.asarray(getattr(np, name)(point))[()])
        if name in ("max", "argmin"):
            with pytest.raises(ValueError, match="no elements"):
                call(none)
            continue
        with np.errstate(all="ignore"), pytest.MonkeyPatch.context() as patch:
            patch.setattr("warnings.warn", lambda *args, **options: None)
            for axis in (0, 1):
                want = getattr(vk, name)(none, axis)
                same(compiled(f"jit.{name}(a, n)")(none, axis), want)


def test_variance_of_no_more_elements_than_ddof() -> None:
    x = np.array([[1.0, 2.0]])
    assert_array_equal(compiled("jit.var(a, 1, ddof=2)")(x), [np.inf])
    assert_array_equal(compiled("jit.var(a, 0, ddof=n)")(x, 3), [np.nan, np.nan])
    assert_array_equal(compiled("jit.var(a, 1, ddof=n)")(x, np.nan), [np.nan])


def test_kinds_of_axes(rng: np.random.Generator) -> None:
    x = numbers(rng, "f8", (3, 4, 5))
    same(compiled("jit.max(a, n)")(x, np.uint64(1)), vk.max(x, 1))
    same(compiled("jit.max(a, (n, 2))")(x, np.int8(0)), vk.max(x, (0, 2)))
    same(compiled("jit.mean(a, keepdims=True)")(np.array(3.0)), np.float64(3))


def test_errors() -> None:
    x = np.ones((3, 4))
    with pytest.raises(ValueError, match="out of bounds"):
        compiled("jit.sum(a, n)")(x, 2)
    with pytest.raises(ValueError, match="duplicate"):
        compiled("jit.sum(a, (0, -2))")(x)
    for call, text in {
        "jit.sum(a, axis=1.5)": "axis must be",
        "jit.sum(a, ())": "axis must be",
        "jit.sum(a, True)": "axis must be",
        "jit.argmax(a, (0, 1))": "axis",
        "jit.cumsum(a, (0,))": "axis must be",
        "jit.sum(a, (0, 1, 2))": "of an array of 2 dimensions",
        "jit.sum(a, keepdims=n > 0)": "keepdims must be a constant",
        "jit.sum(a, 0, np.float32)": "no dtype",
        "jit.max(a, 0, a)": "no out",
        "jit.prod(a + 1j)": "complex128 is not supported",
        "jit.var(a, ddof=1, correction=1)": "simultaneously",
        "jit.sum(3)": "expected an array",
    }.items():
        with pytest.raises(TypingError, match=text):
            compiled(call)(x)


@pytest.mark.parametrize("parallel", [False, True])
def test_inside_loops_of_ones_own(parallel: bool, rng: np.random.Generator) -> None:
    """A row at a time, on this thread, also where loops are parallel."""
    from numba import prange

    @njit(parallel=parallel)
    def rows(x: Any) -> Any:
        out = np.empty(x.shape[0])
        for i in prange(x.shape[0]):
            out[i] = vk.var(x[i])
        return out

    x = rng.normal(size=(50, 700))
    assert_array_equal(rows(x), [vk.var(row) for row in x])
