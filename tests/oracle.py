"""Inputs and parameters for comparisons with `vekt.cli.accuracy.oracle`, the rows' formulas."""

from __future__ import annotations

from typing import Any

import numpy as np

from vekt._spec.activations import OPS
from vekt._spec.spec import Kernel
from vekt.cli.accuracy.oracle import digits, exact, true_gradient, true_value
from vekt.cli.accuracy.samples import kinks

__all__ = [
    "around_roots",
    "digits",
    "exact",
    "example_params",
    "kinks",
    "sample",
    "true_gradient",
    "true_value",
]


def example_params(kernel: Kernel) -> tuple[float, ...]:
    """Parameters that are exact in float32 and away from the defaults."""
    op = next(op for op in OPS.values() if kernel in op.kernels)
    values = {p.name: 1.5 if p.default is None else p.default + 0.125 for p in op.array_params}
    return tuple(float(np.float32(values[name])) for name in kernel.params)


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


def in_domain(kernel: Kernel, x: np.ndarray, margin: float = 0) -> np.ndarray:
    """Return those of `x` inside the kernel's domain and further than `margin` from its ends."""
    low, high = kernel.domain
    return x[(low + margin < x) & (x < high - margin)]


def around_roots(kernel: Kernel, dtype: Any) -> np.ndarray:
    """Return the gradient's roots rounded, their neighbours, and points at growing distances."""
    points: list[np.ndarray] = [np.empty(0, dtype)]
    for root in kernel.roots:
        centre = np.asarray(root, dtype=np.longdouble).astype(dtype)
        distances = 2.0 ** -np.arange(1, 30, 2.0)
        points += [np.nextafter(centre, [-np.inf, 0.0], dtype=dtype), np.atleast_1d(centre)]
        points += [(centre + distances).astype(dtype), (centre - distances).astype(dtype)]
    return np.concatenate(points)
