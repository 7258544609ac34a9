"""What all optimisers share: checks, state, and a step over the tensors."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ._ufuncs import optim_step

Array = NDArray[Any]

SGD_KERNEL, RMSPROP_KERNEL, ADAM_KERNEL = range(3)


def between(name: str, value: float, low: float, high: float, below: bool = False) -> float:
    """Return a number of this range; `below` leaves its upper end out."""
    number = float(value)
    if not (low <= number <= high) or (below and number == high):
        raise ValueError(
            f"{name}: expected a number from {low:g} to {high:g}"
            f"{' (exclusive)' if below else ''}, got {value!r}"
        )
    return number


class Optimizer:
    """What all optimisers share: `step`, and state for each parameter.

    Parameters
    ----------
    lr : float
        Learning rate; it may be changed between steps.
    weight_decay : float, default 0
        How much of the parameters is added to their gradients.
    max_norm : float or None, optional
        Gradients are scaled down to this norm, taken over all of them together.

    Attributes
    ----------
    iterations : int
        Steps taken.
    """

    _kernel: Callable[..., None] = staticmethod(optim_step)
    _kind = SGD_KERNEL
    _states = (False, False)

    def __init__(
        self, lr: float, *, weight_decay: float = 0.0, max_norm: float | None = None
    ) -> None:
        self.lr = between("lr", lr, 0, math.inf, below=True)
        self.weight_decay = between("weight_decay", weight_decay, 0, math.inf, below=True)
        self.max_norm = None if max_norm is None else between("max_norm", max_norm, 0, math.inf)
        self.iterations = 0
        self._state: list[tuple[Array | None, Array | None]] = []

    def step(self, params: Sequence[Array], grads: Sequence[Array]) -> None:
        """Change the parameters, in place, by one step.

        Parameters
        ----------
        params : sequence of ndarray
            float32 or float64; the same ones in each step.
        grads : sequence of ndarray
            Their gradients, in the same shapes.

        Raises
        ------
        TypeError
            If a dtype is not float32 or float64.
        ValueError
            If numbers or shapes do not match, a parameter is read-only, or they are not those of
            the steps before.  Nothing is changed then.
        """
        self._begin(params, grads)
        numbers = self._next(grads)
        for p, g, (m, v) in zip(params, grads, self._state, strict=True):
            _apply(self._kernel, self._kind, p, g, m, v, numbers)

    def _bound(self, params: Sequence[Array], grads: Sequence[Array]) -> Callable[[], None]:
        """Return `step` for these arrays, checked once for as long as they stay as they are."""
        self._begin(params, grads)
        if type(self).step is not Optimizer.step or not all(map(_lie_alike, params, grads)):
            return partial(self.step, params, grads)
        kernel, kind = self._kernel, self._kind
        operands = [(p, g, *state) for p, g, state in zip(params, grads, self._state, strict=True)]

        def step() -> None:
            numbers = self._next(grads)
            for p, g, m, v in operands:
                kernel(kind, p, g, m, v, numbers)

        return step

    def _begin(self, params: Sequence[Array], grads: Sequence[Array]) -> None:
        self._check(params, grads)
        if not self._state:
            self._state = [self._zeros(p) for p in params]

    def _next(self, grads: Sequence[Array]) -> tuple[float, ...]:
        """Count a step, and return the kernel's numbers for it."""
        scale = 1.0 if self.max_norm is None else scale_for(global_norm(grads), self.max_norm)
        self.iterations += 1
        return self._numbers(scale)

    def _check(self, params: Sequence[Array], grads: Sequence[Array]) -> None:
        if len(params) != len(grads):
            raise ValueError(f"step: {len(params)} parameters, but {len(grads)} gradients")
        for i, (p, g) in enumerate(zip(params, grads, strict=True)):
            if not isinstance(p, np.ndarray) or p.dtype.char not in "fd":
                kind = p.dtype if isinstance(p, np.ndarray) else type(p).__name__
                raise TypeError(f"step: params[{i}] must be a float32 or float64 array, not {kind}")
            if np.shape(g) != p.shape:
                raise ValueError(f"step: expected grads[{i}] of shape {p.shape}, got {np.shape(g)}")
            if not p.flags.writeable:
                raise ValueError(f"step: params[{i}] is read-only")
        if self._state:
            shapes = [self._shape(state, p) for state, p in zip(self._state, params, strict=False)]
            if len(self._state) != len(params) or shapes != [p.shape for p in params]:
                raise ValueError("step: not the parameters of the steps before")

    @staticmethod
    def _shape(state: tuple[Array | None, Array | None], p: Array) -> tuple[int, ...]:
        return next((s.shape for s in state if s is not None), p.shape)

    def _zeros(self, p: Array) -> tuple[Array | None, Array | None]:
        native = p.dtype.newbyteorder("=")
        order: Any = "K" if p.flags.forc else "C"
        first, second = (
            np.zeros_like(p, native, order, subok=False) if s else None for s in self._states
        )
        return first, second

    def _numbers(self, scale: float) -> tuple[float, ...]:
        raise TypeError("Optimizer itself takes no steps; use SGD, RMSProp, Adam or AdamW")


def _lie_alike(p: Array, g: Array) -> bool:
    """Tell whether the kernels can read and write them where they are."""
    if not (p.flags.forc and type(g) is np.ndarray and g.dtype == p.dtype and p.dtype.isnative):
        return False
    alike = p.flags.c_contiguous == g.flags.c_contiguous
    return bool(alike and g.flags.forc and not np.may_share_memory(p, g))


def _apply(
    kernel: Callable[..., None],
    kind: int,
    p: Array,
    g: Array,
    m: Array | None,
    v: Array | None,
    numbers: tuple[float, ...],
) -> None:
    """One tensor; what does not lie in memory as the kernels want is copied there and back."""
    if _lie_alike(p, g):
        kernel(kind, p, g, m, v, numbers)
        return
    state = m if m is not None else v
    order: Any = "C" if state is None or state.flags.c_contiguous else "F"
    native = p.dtype.newbyteorder("=")
    copies = [np.array(a, native, order=order, copy=True) for a in (p, g)]
    kernel(kind, *copies, m, v, numbers)
    p[...] = copies[0]


def global_norm(grads: Sequence[Array]) -> float:
    """Root of the sum of the squares of all elements of all gradients."""
    from .vectors import norm

    return math.hypot(*(float(norm(np.asarray(g))) for g in grads))


def scale_for(norm: float, max_norm: float) -> float:
    """Return what gradients of this norm are multiplied by; torch adds the same 1e-6."""
    return min(1.0, max_norm / (norm + 1e-6))
