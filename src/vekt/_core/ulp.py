"""Distance between a computed result and the true one, in units of the last place."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray


def ulp_error(computed: ArrayLike, wide: ArrayLike) -> NDArray[np.float64]:
    """Error of `computed` in units of the last place of its dtype at the true value.

    Parameters
    ----------
    computed : array_like of float32 or float64
        The results to be judged.
    wide : array_like
        The true values, in a wider dtype.

    Returns
    -------
    ndarray of float64
        0.5 or less where `computed` is correctly rounded.  Among subnormal values the unit is the
        smallest subnormal number.  An infinite result counts as the power of two that follows the
        largest finite number, and so does a true value beyond it.  Two NaN agree; one NaN, or
        infinities of different sign, give inf.

    Examples
    --------
    >>> import numpy as np
    >>> from vekt.reference import ulp_error
    >>> ulp_error(np.float32(1.0), 1.0 + 2.0**-24)
    array(0.5)
    """
    computed = np.asarray(computed)
    true = np.asarray(wide)
    info: Any = np.finfo(computed.dtype)
    work = np.promote_types(true.dtype, computed.dtype)
    beyond = np.ldexp(work.type(1), info.maxexp) if _holds(work, info) else work.type(np.inf)
    with np.errstate(all="ignore"):
        got = np.clip(computed.astype(work), -beyond, beyond)
        expected = np.clip(true.astype(work), -beyond, beyond)
        exponent = np.where(expected == 0, info.minexp, np.frexp(expected)[1] - 1)
        exponent = np.maximum(exponent, info.minexp)
        exponent = np.minimum(exponent, info.maxexp - 1)
        # The scaling is in two steps: the unit itself may underflow in `work`.
        difference = np.ldexp(np.ldexp(np.abs(got - expected), -exponent), info.nmant)
        error = np.where(got == expected, 0, difference).astype(np.float64)
    nan = np.isnan(computed), np.isnan(true)
    error = np.where(nan[0] & nan[1], 0.0, np.where(nan[0] | nan[1], np.inf, error))
    opposite = np.isinf(computed) & np.isinf(true) & (np.signbit(computed) != np.signbit(true))
    return np.where(opposite, np.inf, error)


def _holds(work: np.dtype[Any], info: Any) -> bool:
    """Whether `work` can represent the power of two beyond the range that `info` describes."""
    return bool(np.finfo(work).maxexp > info.maxexp)


class Float32Errors:
    """`ulp_error` of float32 results against float64 values, for many blocks of one size.

    Six times as fast: the unit comes from the bits of the true value instead of `frexp` and
    `ldexp`, and all passes are over the same few arrays, which stay in the cache.  Where a result
    is NaN or off by more than the fast formula tells apart, `ulp_error` does the block.

    Parameters
    ----------
    size : int
        Largest number of elements in a block.
    """

    _BEYOND = 2.0**128  # counts as the value of what is too large for float32
    _SMALLEST, _LARGEST = 2.0**-126, np.nextafter(2.0**128, 0)  # of the normal numbers
    _EXPONENT = np.uint64(0x7FF << 52)
    # Less the bits of 2.0**e, the bits of 2.0**(23 - e): one over the unit.
    _INVERSE = np.uint64((2 * 1023 + 23) << 52)
    # Above all that clipped numbers give, but for infinities of opposite sign.
    _FAST_UP_TO = 2.0**25 - 1

    def __init__(self, size: int) -> None:
        self._true = np.empty(size)
        self._per_unit = np.empty(size)
        self._error = np.empty(size)
        self._wide: NDArray[np.float64] = self._true[:0]

    def against(self, wide: NDArray[np.float64]) -> None:
        """Take the true values of a block: one-dimensional, at most `size`."""
        self._wide = wide
        true, scale = self._true[: wide.size], self._per_unit[: wide.size]
        np.clip(wide, -self._BEYOND, self._BEYOND, out=true)
        np.abs(true, out=scale)
        np.clip(scale, self._SMALLEST, self._LARGEST, out=scale)
        bits = scale.view(np.uint64)
        np.bitwise_and(bits, self._EXPONENT, out=bits)
        np.subtract(self._INVERSE, bits, out=bits)

    def __call__(self, computed: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return the errors of the block's results; the next call may overwrite them."""
        size = self._wide.size
        error = self._error[:size]
        with np.errstate(invalid="ignore"):  # signalling NaN
            np.copyto(error, computed)
            np.clip(error, -self._BEYOND, self._BEYOND, out=error)
            np.subtract(error, self._true[:size], out=error)
            np.abs(error, out=error)
            np.multiply(error, self._per_unit[:size], out=error)
            if size == 0 or error.max() <= self._FAST_UP_TO:  # not so if there is a NaN
                return error
        return ulp_error(computed, self._wide)
