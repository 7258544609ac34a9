"""The registry's formulas in as many digits as it takes: what the reference is checked against."""

from __future__ import annotations

import re
from typing import Any

import mpmath
import numpy as np
from mpmath import mp

from vekt._registry import OPS, Kernel

_NUMBER = re.compile(r"(?<![\w.])\d+\.\d+")
_NAMES = {"exp": mp.exp, "erf": mp.erf, "tanh": mp.tanh, "sqrt": mp.sqrt, "max": max, "pi": mp.pi}
_NAMES |= {"expm1": mp.expm1}
_NAMES |= {"min": min}


def exact(value: Any) -> Any:
    """Return a NumPy float as the very number that it is."""
    value = np.asarray(value)[()]
    if not np.isfinite(value):
        return mp.mpf(float(value))
    numerator, denominator = value.as_integer_ratio()
    return mp.mpf(numerator) / denominator


def true_value(kernel: Kernel, x: Any, params: tuple[Any, ...] = ()) -> Any:
    """Value at x by the formula, in the working precision."""
    formula = _NUMBER.sub(lambda literal: f"mpf('{literal[0]}')", kernel.formula)
    names = dict(zip(kernel.params, map(exact, params), strict=True))
    return mp.mpf(eval(formula, {**_NAMES, "mpf": mp.mpf, **names, "x": mp.mpf(x)}))


def true_gradient(kernel: Kernel, x: Any, params: tuple[Any, ...] = ()) -> Any:
    """Differentiate formula at x, by differences far below the working precision."""
    return mpmath.diff(lambda t: true_value(kernel, t, params), x)


def digits(dtype: Any) -> int:
    """Decimal digits in which formulas and differences lose none to cancellation in this dtype."""
    return 2 * int(-np.log10(float(np.finfo(dtype).tiny))) + 60


def example_params(kernel: Kernel) -> tuple[float, ...]:
    """Parameters that are exact in float32 and away from the defaults."""
    op = next(op for op in OPS.values() if kernel in op.kernels)
    values = {p.name: 1.5 if p.default is None else p.default + 0.125 for p in op.array_params}
    return tuple(float(np.float32(values[name])) for name in kernel.params)


def kinks(kernel: Kernel, params: tuple[Any, ...] = ()) -> list[tuple[float, float]]:
    """Return the kinks and the gradients there, with parameters put in for their names."""
    values = dict(zip(kernel.params, params, strict=True))
    values |= {f"-{name}": -value for name, value in values.items()}
    return [
        (float(values.get(kink.at, kink.at)), float(values.get(kink.gradient, kink.gradient)))
        for kink in kernel.kinks
    ]


def sample(dtype: Any, count: int, seed: int = 0) -> np.ndarray:
    """Finite inputs of every kind: bit patterns, tails, numbers around 0 and 1, subnormal ones."""
    rng = np.random.default_rng(seed)
    info: Any = np.finfo(dtype)
    part = count // 5
    magnitudes = 2.0 ** rng.uniform(-60, 9, part)
    far = 1.1 * float(-np.log(info.smallest_subnormal))
    parts = [
        rng.uniform(-far, far / 8, part),
        rng.uniform(-np.sqrt(2 * far), 8, part),
        rng.normal(0, 1, part),
        magnitudes * rng.choice([-1, 1], part),
        rng.uniform(-1, 1, count - 4 * part) * float(info.tiny),
        [0.0, -0.0, info.smallest_subnormal, -info.smallest_subnormal, 1.0, -1.0, 1e4, -1e4],
    ]
    return np.concatenate(parts).astype(dtype)


def around_roots(kernel: Kernel, dtype: Any) -> np.ndarray:
    """Return the gradient's roots rounded, their neighbours, and points at growing distances."""
    points: list[np.ndarray] = [np.empty(0, dtype)]
    for root in kernel.roots:
        centre = np.asarray(root, dtype=np.longdouble).astype(dtype)
        distances = 2.0 ** -np.arange(1, 30, 2.0)
        points += [np.nextafter(centre, [-np.inf, 0.0], dtype=dtype), np.atleast_1d(centre)]
        points += [(centre + distances).astype(dtype), (centre - distances).astype(dtype)]
    return np.concatenate(points)
