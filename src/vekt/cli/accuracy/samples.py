"""Inputs on which errors are measured, and the errors."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vekt import reference
from vekt._spec.spec import Kernel

PATTERNS = 1 << 32  # of a float32
# 2**64 over the golden ratio: its multiples, modulo 2**64, spread evenly however many one takes.
_STEP = np.uint64(0x9E3779B97F4A7C15)


def float32_patterns(begin: int, end: int, total: int) -> NDArray[np.float32]:
    """Numbers `begin` to `end` of `total` float32 values, spread over all bit patterns.

    With `total` equal to `PATTERNS` they are all the values there are.
    """
    step = PATTERNS // total
    if step > 1:
        step |= 1  # an even step would always leave the same low bits
    bits = np.arange(end - begin, dtype=np.uint32)
    bits *= np.uint32(step % PATTERNS)
    bits += np.uint32(begin * step % PATTERNS)
    return bits.view(np.float32)


def float64_patterns(begin: int, end: int) -> NDArray[np.float64]:
    """Numbers `begin` to `end` of an endless sequence of float64 values.

    One in four is any bit pattern; the others have magnitudes from 2**-40 to 2**11, as nearly all
    bit patterns are so small or so large that a kernel has nothing to do.
    """
    index = np.arange(begin, end, dtype=np.uint64)
    bits = index * _STEP
    exponent = np.uint64(1023 - 40) + (bits >> np.uint64(52)) % np.uint64(51)
    kept = bits & np.uint64(0x800FFFFFFFFFFFFF)
    near = (exponent << np.uint64(52)) | kept
    return np.where(index % np.uint64(4) == 0, bits, near).view(np.float64)


def mixed_sample(dtype: Any, n: int) -> NDArray[Any]:
    """About `n` values: bit patterns, the tails densely, the middle densely, and special ones."""
    rng = np.random.default_rng(1)
    info = np.finfo(dtype)
    tail = 110.0 if np.dtype(dtype) == np.float32 else 760.0
    special = np.array([0.0, info.smallest_subnormal, info.tiny, 1.0, info.max, np.inf, np.nan])
    patterns = (
        float32_patterns(0, n // 2, n // 2)
        if np.dtype(dtype) == np.float32
        else float64_patterns(0, n // 2)
    )
    return np.concatenate(
        [
            special.astype(dtype),
            -special.astype(dtype),
            patterns,
            rng.uniform(-tail, tail, n // 4).astype(dtype),
            rng.standard_normal(n // 4).astype(dtype),
        ]
    )


def finite_patterns(
    dtype: np.dtype[Any], begin: int, end: int, total: int
) -> NDArray[np.floating[Any]]:
    """Numbers `begin` to `end` of `total` finite values other than 0, as `float64_patterns`.

    Of float32 values too, one in four is any bit pattern.
    """

    def usable(x: NDArray[Any]) -> NDArray[np.bool_]:
        result: NDArray[np.bool_] = np.isfinite(x) & (x != 0)
        return result

    with np.errstate(all="ignore"):  # too large or too small for float32; signalling NaN
        x = float64_patterns(begin, end).astype(dtype)
        if dtype == np.float32:
            x = np.where(usable(x), x, float32_patterns(begin, end, total))
        return np.where(usable(x), x, dtype.type(1.5))


def kinks(kernel: Kernel, params: Iterable[Any] = ()) -> list[tuple[float, float]]:
    """Return the kinks and the gradients there, with parameters put in for their names."""
    values: dict[Any, Any] = dict(zip(kernel.params, params, strict=True))
    values |= {f"-{name}": -value for name, value in values.items()}
    return [
        (float(values.get(kink.at, kink.at)), float(values.get(kink.gradient, kink.gradient)))
        for kink in kernel.kinks
    ]


def near_roots(kernel: Kernel, x: NDArray[Any]) -> NDArray[np.bool_]:
    """Where `x` is so close to a root of the gradient that its absolute error is bounded."""
    near = np.zeros(x.shape, bool)
    for root in kernel.roots:
        with np.errstate(invalid="ignore"):  # a signalling NaN
            near |= np.abs(x - float(root)) < kernel.root_radius
    return near


def value_errors(
    kernel: Kernel, params: tuple[float, ...], x: NDArray[Any], *results: NDArray[Any]
) -> NDArray[np.float64]:
    """Errors of values in ULP; of several results for the same input, the larger ones."""
    wide = reference.wide(kernel.name, x, *typed(params, x))
    errors: NDArray[np.float64] = np.maximum.reduce(
        [reference.ulp_error(result, wide) for result in results]
    )
    return errors


def gradient_errors(
    kernel: Kernel, params: tuple[float, ...], x: NDArray[Any], *results: NDArray[Any]
) -> NDArray[np.float64]:
    """Errors of gradients in ULP, as `value_errors`; see `gradient_error`."""
    wide = reference.wide_gradient(kernel.name, x, *typed(params, x))
    errors: NDArray[np.float64] = np.maximum.reduce(
        [gradient_error(kernel, x, result, wide) for result in results]
    )
    return errors


def gradient_error(
    kernel: Kernel, x: NDArray[Any], result: NDArray[Any], wide: NDArray[Any]
) -> NDArray[np.float64]:
    """Errors of gradients in ULP.

    Around a root of the gradient the spec bounds the absolute error of float64 results;
    there the error counts in units of that bound.
    """
    errors = reference.ulp_error(result, wide)
    if x.dtype == np.float64 and kernel.roots:
        near = near_roots(kernel, x)
        errors[near] = np.abs(result[near] - wide[near]) / 2.0**-53
    return errors


def typed(params: tuple[float, ...], x: NDArray[Any]) -> list[Any]:
    """Return the parameters in the dtype of `x`, as the kernels get them."""
    return [x.dtype.type(p) for p in params]
