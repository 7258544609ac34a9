"""What all optimisers share: checks, state, and a step over the tensors."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from inspect import signature
from typing import Any

import numpy as np
from numpy.lib.array_utils import byte_bounds
from numpy.typing import ArrayLike, NDArray

from vekt._core.axes import unmasked
from vekt._core.native import optim_step
from vekt.linalg._vectors import norm

Array = NDArray[Any]
Rate = float | Callable[[int], float]

# Elements at a time of tensors that kernels cannot read where they are: blocks stay in the cache.
# Few are quicker copied at once.
_BLOCK, _FEW = 65_536, 2048

SGD_KERNEL, RMSPROP_KERNEL, ADAM_KERNEL = range(3)


def between(name: str, value: Any, high: float, below: bool = False) -> float:
    """Return a number from 0 to `high`; `below` leaves that end out."""
    try:
        number = math.nan if isinstance(value, str | bytes) else float(value)
    except TypeError:
        number = math.nan
    if not (0 <= number <= high) or (below and number == high):
        raise ValueError(
            f"{name}: expected a number from 0 to {high:g}"
            f"{' (exclusive)' if below else ''}, got {value!r}"
        )
    return number


_HIGHEST = {
    "lr": (math.inf, True),
    "weight_decay": (math.inf, True),
    "momentum": (1.0, True),
    "alpha": (1.0, True),
    "betas[0]": (1.0, True),
    "betas[1]": (1.0, True),
    "eps": (math.inf, False),
    "max_norm": (math.inf, False),
}
"""Where the numbers of the optimisers end, and whether that end is left out."""


class Optimizer:
    """What all optimisers share: `step`, and state for each parameter.

    Parameters
    ----------
    lr : float or callable
        Learning rate; it may be changed between steps.  A schedule is called with the number of
        steps taken, 0 first, and returns the rate of the next one.
    weight_decay : float, default 0
        How much of the parameters is added to their gradients.
    max_norm : float or None, optional
        Gradients are scaled down to this norm, taken over all of them together.

    Attributes
    ----------
    iterations : int
        Steps taken.
    """

    lr: Rate
    weight_decay: float
    max_norm: float | None
    _kernel: Callable[..., None] = staticmethod(optim_step)
    _kind: int = SGD_KERNEL

    def __init__(
        self, lr: Rate, *, weight_decay: float = 0.0, max_norm: float | None = None
    ) -> None:
        self.lr, self.weight_decay, self.max_norm = lr, weight_decay, max_norm
        self.iterations = 0
        self._state: list[tuple[Array | None, Array | None]] = []
        self._made = False, False

    def __repr__(self) -> str:
        """Say what was chosen beside the defaults."""
        chosen = (
            f"{name}={getattr(self, name)!r}"
            for name, param in signature(type(self)).parameters.items()
            if getattr(self, name, param.default) != param.default
        )
        return f"{type(self).__name__}({', '.join(chosen)})"

    def __setattr__(self, name: str, value: Any) -> None:
        """Check the numbers of an optimiser, which may be changed between steps."""
        if name == "betas":
            first, second = value
            value = self._checked("betas[0]", first), self._checked("betas[1]", second)
        elif (
            name in _HIGHEST
            and not (name == "max_norm" and value is None)
            and not (name == "lr" and callable(value))
        ):
            value = self._checked(name, value)
        super().__setattr__(name, value)

    @staticmethod
    def _checked(name: str, value: Any) -> float:
        return between(name, value, *_HIGHEST[name])

    @property
    def rate(self) -> float:
        """Learning rate of the next step."""
        lr = self.lr
        if not callable(lr):
            return lr
        return between(f"lr({self.iterations})", lr(self.iterations), *_HIGHEST["lr"])

    def step(self, params: Iterable[Array], grads: Iterable[ArrayLike]) -> None:
        """Change the parameters, in place, by one step.

        Parameters
        ----------
        params : iterable of ndarray
            float32 or float64; the same ones in each step.
        grads : iterable of array_like
            Their gradients, in the same shapes, of real numbers.  They may share memory with
            parameters: all are as they were before the step.

        Raises
        ------
        TypeError
            If a dtype is not float32 or float64, or that of a gradient cannot be cast to it.
        ValueError
            If numbers or shapes do not match, a parameter is read-only or shares memory with
            another, they are not those of the steps before, or a schedule gives no rate.

            Nothing is changed then, of no parameter.
        """
        params, slopes = self._begin(params, grads)
        numbers = self._next(slopes)
        for p, g, (m, v) in zip(params, slopes, self._given(), strict=True):
            _apply(self._kernel, self._kind, p, g, m, v, numbers)

    def _bound(self, params: Sequence[Array], grads: Sequence[Array]) -> Callable[[], None]:
        """Return `step` for these arrays, checked once for as long as they stay as they are."""
        params, slopes = self._begin(params, grads)
        operands = [(p, g, *s) for p, g, s in zip(params, slopes, self._given(), strict=True)]
        own = type(self).step is not Optimizer.step
        copied = any(g is not slope for g, slope in zip(grads, slopes, strict=True))
        if own or copied or not all(_lie_alike(*each) for each in operands):
            return partial(self.step, params, grads)
        kernel, kind = self._kernel, self._kind

        def step() -> None:
            numbers = self._next(slopes)
            for p, g, m, v in operands:
                kernel(kind, p, g, m, v, numbers)

        return step

    def _begin(
        self, params: Iterable[Array], grads: Iterable[ArrayLike]
    ) -> tuple[list[Array], list[Array]]:
        """Check, and see that there is state; return lists of arrays."""
        params, slopes = list(params), list(grads)
        found = self._check(params, slopes)
        if not self._state or self._made != self._states:
            states = self._state or [(None, None)] * len(params)
            self._state = [self._with_zeros(*each) for each in zip(states, params, strict=True)]
            self._made = self._states
        return params, found

    def _given(self) -> list[tuple[Array | None, Array | None]]:
        """Return what of the state the kernels take: no directions where there is no momentum."""
        momentum, squares = self._states
        if momentum == self._made[0]:
            return self._state
        return [(m if momentum else None, v if squares else None) for m, v in self._state]

    def _next(self, grads: Sequence[Array]) -> tuple[float, ...]:
        """Count a step, and return the kernel's numbers for it."""
        lr = self.lr
        rate = self.rate if callable(lr) else lr  # past the property, in half of the time
        scale = 1.0 if self.max_norm is None else scale_for(global_norm(grads), self.max_norm)
        vars(self)["iterations"] += 1  # past __setattr__, in half of the time
        return self._numbers(rate, scale)

    def _check(self, params: list[Array], grads: list[Any]) -> list[Array]:
        """Raise what there is to raise, and return the gradients as arrays."""
        if len(params) != len(grads):
            raise ValueError(f"step: {len(params)} parameters, but {len(grads)} gradients")
        if type(self)._numbers is Optimizer._numbers:
            raise TypeError("Optimizer itself takes no steps; use SGD, RMSProp, Adam or AdamW")
        found = []
        for i, (p, g) in enumerate(zip(params, grads, strict=True)):
            if not isinstance(p, np.ndarray) or p.dtype.char not in "fd":
                kind = p.dtype if isinstance(p, np.ndarray) else type(p).__name__
                raise TypeError(f"step: params[{i}] must be a float32 or float64 array, not {kind}")
            unmasked("step", f"params[{i}]", p)
            if type(g) is not np.ndarray:
                g = np.asarray(unmasked("step", f"grads[{i}]", g))
            if g.shape != p.shape:
                raise ValueError(f"step: expected grads[{i}] of shape {p.shape}, got {g.shape}")
            if g.dtype != p.dtype and not np.can_cast(g.dtype, p.dtype, "same_kind"):
                raise TypeError(f"step: grads[{i}] must hold real numbers, not {g.dtype}")
            if not p.flags.writeable:
                raise ValueError(f"step: params[{i}] is read-only")
            found.append(g)
        if self._state and (
            len(self._state) != len(params) or not all(map(_belongs, self._state, params))
        ):
            raise ValueError("step: not the parameters of the steps before")
        return apart(params, found)

    def _with_zeros(
        self, state: tuple[Array | None, Array | None], p: Array
    ) -> tuple[Array | None, Array | None]:
        """Return the state of a parameter, zeros for what of it is wanted and missing."""
        like = next((s for s in state if s is not None), p)
        order: Any = "K" if like.flags.forc else "C"
        first, second = (
            np.zeros_like(like, p.dtype.newbyteorder("="), order, subok=False)
            if s is None and wanted
            else s
            for s, wanted in zip(state, self._states, strict=True)
        )
        return first, second

    @property
    def _states(self) -> tuple[bool, bool]:
        """Whether there are running means of the gradients, and of their squares."""
        return False, False

    def _numbers(self, rate: float, scale: float) -> tuple[float, ...]:
        raise NotImplementedError


def _belongs(state: tuple[Array | None, Array | None], p: Array) -> bool:
    """Tell whether a state can be one of this parameter."""
    first, second = state
    s = second if first is None else first
    return s is None or (s.shape == p.shape and s.dtype.char == p.dtype.char)


def _lie_alike(p: Array, g: Array, m: Array | None, v: Array | None) -> bool:
    """Tell whether the kernels can read and write them where they are."""
    if not (p.flags.forc and type(g) is np.ndarray and g.dtype == p.dtype and p.dtype.isnative):
        return False
    order, state = p.flags.c_contiguous, v if m is None else m
    alike = order == g.flags.c_contiguous and g.flags.forc
    if state is not None and state.flags.c_contiguous != order:
        return False
    if p.base is None and g.base is None:  # in half of the time
        return bool(alike and p is not g)
    return bool(alike and not np.may_share_memory(p, g))


def _apply(
    kernel: Callable[..., None],
    kind: int,
    p: Array,
    g: Array,
    m: Array | None,
    v: Array | None,
    numbers: tuple[float, ...],
) -> None:
    """One tensor; what does not lie in memory as the kernels want passes through small blocks."""
    if _lie_alike(p, g, m, v):
        kernel(kind, p, g, m, v, numbers)
        return
    native = p.dtype.newbyteorder("=")
    if p.size <= _FEW:
        state = v if m is None else m
        order: Any = "C" if state is None or state.flags.c_contiguous else "F"
        copy, slope = (np.array(a, native, order=order) for a in (p, g))
        kernel(kind, copy, slope, m, v, numbers)
        p[...] = copy
        return
    given = [a for a in (p, g, m, v) if a is not None]
    access: list[Any] = [["readwrite", "contig", "aligned"] for _ in given]
    access[1] = ["readonly", "contig", "aligned"]
    with np.nditer(
        given,
        ["external_loop", "buffered", "copy_if_overlap"],
        access,
        [native] * len(given),
        casting="same_kind",
        buffersize=_BLOCK,
    ) as blocks:
        for block in blocks:
            first, slope, *states = block
            directions = None if m is None else states.pop(0)
            kernel(kind, first, slope, directions, states.pop() if states else None, numbers)


def apart(params: list[Array], grads: list[Array]) -> list[Array]:
    """Return the gradients, copied where a parameter before theirs has memory of them.

    ValueError if parameters share memory.
    """
    arrays = params + grads
    if [a for a in arrays if a.base is not None] == [] and len(set(map(id, arrays))) == len(arrays):
        return grads
    # By where they begin: what lies behind the end of all before shares memory with none of them.
    bounds = [byte_bounds(a) if a.size else (0, 0) for a in arrays]
    late: set[int] = set()
    open_: list[int] = []
    n = len(params)
    for i in sorted((i for i, a in enumerate(arrays) if a.size), key=bounds.__getitem__):
        if i < n and bounds[i][1] - bounds[i][0] < arrays[i].nbytes:
            raise ValueError(f"step: elements of params[{i}] share memory")
        open_ = [j for j in open_ if bounds[j][1] > bounds[i][0]]
        for j in open_:
            first, second = min(i, j), max(i, j)
            if first >= n or second - n == first or not np.shares_memory(arrays[i], arrays[j]):
                continue
            if second < n:
                raise ValueError(f"step: params[{first}] and params[{second}] share memory")
            if first < second - n:
                late.add(second - n)
        open_.append(i)
    return [g.copy() if i in late else g for i, g in enumerate(grads)]


def global_norm(grads: Sequence[Array]) -> float:
    """Root of the sum of the squares of all elements of all gradients; NaN if one is NaN."""
    norms = [_norm(g if type(g) is np.ndarray else np.asarray(g)) for g in grads]
    total = math.hypot(*norms)
    return math.nan if total == math.inf and any(map(math.isnan, norms)) else total


def _norm(g: Array) -> float:
    length = float(norm(g if g.dtype.itemsize > 2 else g.astype(np.float32)))
    if math.isinf(length) and g.dtype.kind == "f":  # float64 may hold it
        length = float(norm(g.astype(np.float64)))
    return length


def scale_for(norm: float, max_norm: float) -> float:
    """Return what gradients of this norm are multiplied by, at most 1; torch adds the same 1e-6."""
    scale = max_norm / (norm + 1e-6)
    return 1.0 if scale > 1 else scale  # NaN stays, which min would not promise
