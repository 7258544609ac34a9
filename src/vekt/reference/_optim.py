"""The optimisers in plain NumPy: the same classes, whose steps say what is meant.

`vekt.reference` has them as `optim`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from vekt import optim
from vekt.reference._rounding import wider


def _wide(a: Any) -> Any:
    return None if a is None else a.astype(wider(a.dtype))


def optim_step(kind: int, p: Any, g: Any, m: Any, v: Any, numbers: tuple[float, ...]) -> None:
    """Take one step in a wider dtype, and round parameters and states once."""
    wide = wider(p.dtype).type
    x, slope = _wide(p), _wide(g)
    rate, scale, decay, *rest = (wide(number) for number in numbers)
    first = 0 if m is None else _wide(m)
    with np.errstate(all="ignore"):
        slope = slope * scale
        if decay:
            slope = slope + decay * x
        if kind == 0:
            momentum, nesterov = rest
            first = momentum * first + slope
            x = x - rate * (momentum * first + slope if nesterov else first)
        elif kind == 1:
            momentum, alpha, new, eps = rest
            second = alpha * _wide(v) + new * slope * slope
            first = momentum * first + slope / (np.sqrt(second) + eps)
            x = x - rate * first
            v[...] = second
        else:
            beta1, new1, beta2, new2, eps, root, left = rest
            first = beta1 * first + new1 * slope
            second = beta2 * _wide(v) + new2 * slope * slope
            x = x * left - rate * first / (np.sqrt(second) * root + eps)
            v[...] = second
    if m is not None:
        m[...] = first
    p[...] = x


class SGD(optim.SGD):
    """`vekt.optim.SGD` in NumPy."""

    _kernel = staticmethod(optim_step)


class RMSProp(optim.RMSProp):
    """`vekt.optim.RMSProp` in NumPy."""

    _kernel = staticmethod(optim_step)


class Adam(optim.Adam):
    """`vekt.optim.Adam` in NumPy."""

    _kernel = staticmethod(optim_step)


class AdamW(optim.AdamW):
    """`vekt.optim.AdamW` in NumPy."""

    _kernel = staticmethod(optim_step)
