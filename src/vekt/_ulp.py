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
        exponent = np.maximum(np.frexp(expected)[1] - 1, info.minexp)
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
