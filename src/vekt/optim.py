"""Optimisers: each step is one pass over a tensor, in place.

The notes' gradient descent is ``SGD(lr=alpha)``: w := w - alpha dw.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ._ufuncs import optim_step

__all__ = ["SGD", "Adam", "AdamW", "Optimizer", "RMSProp", "clip_by_global_norm", "get"]

Array = NDArray[Any]

_SGD, _RMSPROP, _ADAM = range(3)


def _between(name: str, value: float, low: float, high: float, below: bool = False) -> float:
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
    _kind = _SGD
    _states = (False, False)

    def __init__(
        self, lr: float, *, weight_decay: float = 0.0, max_norm: float | None = None
    ) -> None:
        self.lr = _between("lr", lr, 0, math.inf, below=True)
        self.weight_decay = _between("weight_decay", weight_decay, 0, math.inf, below=True)
        self.max_norm = None if max_norm is None else _between("max_norm", max_norm, 0, math.inf)
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
        self._check(params, grads)
        if not self._state:
            self._state = [self._zeros(p) for p in params]
        scale = 1.0 if self.max_norm is None else _scale(global_norm(grads), self.max_norm)
        self.iterations += 1
        numbers = self._numbers(scale)
        for p, g, (m, v) in zip(params, grads, self._state, strict=True):
            _apply(self._kernel, self._kind, p, g, m, v, numbers)

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


class SGD(Optimizer):
    """Gradient descent, with momentum if you like.

    Parameters
    ----------
    lr : float, default 0.01
        Learning rate, the notes' alpha.
    momentum : float, default 0
        How much of the last step's direction is kept.
    nesterov : bool, default False
        Whether the gradient counts as if it came a step later (Nesterov's momentum).
    weight_decay, max_norm
        As for `Optimizer`.

    Notes
    -----
    m := momentum m + g; w := w - lr m, with Nesterov's w := w - lr (g + momentum m).  As in torch.

    Examples
    --------
    >>> import numpy as np
    >>> from vekt import optim
    >>> w = np.array([1.0, 2.0])
    >>> optim.SGD(lr=0.5).step([w], [np.array([1.0, -1.0])])
    >>> w
    array([0.5, 2.5])
    """

    def __init__(
        self,
        lr: float = 0.01,
        *,
        momentum: float = 0.0,
        nesterov: bool = False,
        weight_decay: float = 0.0,
        max_norm: float | None = None,
    ) -> None:
        super().__init__(lr, weight_decay=weight_decay, max_norm=max_norm)
        self.momentum = _between("momentum", momentum, 0, 1, below=True)
        self.nesterov = bool(nesterov)
        if self.nesterov and not self.momentum:
            raise ValueError("nesterov: it needs momentum")
        self._states = (self.momentum > 0, False)

    def _numbers(self, scale: float) -> tuple[float, ...]:
        by = (self.momentum, 1.0) if self.nesterov else (1.0, 0.0)
        return (self.lr, scale, self.weight_decay, self.momentum, *by)


class RMSProp(Optimizer):
    """Gradients divided by a running root of their mean square.

    Parameters
    ----------
    lr : float, default 0.01
        Learning rate.
    alpha : float, default 0.99
        How much of the mean square is kept in each step.
    eps : float, default 1e-8
        Added to the root.
    momentum : float, default 0
        How much of the last step's direction is kept.
    weight_decay, max_norm
        As for `Optimizer`.

    Notes
    -----
    v := alpha v + (1 - alpha) g^2; m := momentum m + g / (sqrt(v) + eps); w := w - lr m.  As in
    torch.

    Examples
    --------
    >>> import numpy as np
    >>> from vekt import optim
    >>> w = np.array([1.0, 2.0])
    >>> optim.RMSProp(lr=0.1).step([w], [np.array([3.0, -5.0])])
    >>> w.round(4)
    array([0., 3.])
    """

    _kind = _RMSPROP

    def __init__(
        self,
        lr: float = 0.01,
        *,
        alpha: float = 0.99,
        eps: float = 1e-8,
        momentum: float = 0.0,
        weight_decay: float = 0.0,
        max_norm: float | None = None,
    ) -> None:
        super().__init__(lr, weight_decay=weight_decay, max_norm=max_norm)
        self.alpha = _between("alpha", alpha, 0, 1, below=True)
        self.eps = _between("eps", eps, 0, math.inf)
        self.momentum = _between("momentum", momentum, 0, 1, below=True)
        self._states = (self.momentum > 0, True)

    def _numbers(self, scale: float) -> tuple[float, ...]:
        head = (self.lr, scale, self.weight_decay, self.momentum)
        return (*head, self.alpha, 1 - self.alpha, self.eps)


class Adam(Optimizer):
    """Adam: running means of the gradients and of their squares.

    Parameters
    ----------
    lr : float, default 0.001
        Learning rate.
    betas : pair of float, default (0.9, 0.999)
        How much of the means is kept in each step.
    eps : float, default 1e-8
        Added to the root of the mean square.
    weight_decay, max_norm
        As for `Optimizer`.

    Notes
    -----
    m := beta1 m + (1 - beta1) g; v := beta2 v + (1 - beta2) g^2;
    w := w - lr m' / (sqrt(v') + eps), where m' = m / (1 - beta1^t) and v' = v / (1 - beta2^t).  As
    in torch.

    References
    ----------
    D. P. Kingma, J. Ba, arXiv:1412.6980 (2014).

    Examples
    --------
    >>> import numpy as np
    >>> from vekt import optim
    >>> w = np.array([1.0, 2.0])
    >>> adam = optim.Adam(lr=0.1)
    >>> adam.step([w], [np.array([3.0, -5.0])])
    >>> w.round(4)
    array([0.9, 2.1])
    """

    _kind = _ADAM
    _states = (True, True)
    _decoupled = False

    def __init__(
        self,
        lr: float = 0.001,
        *,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        max_norm: float | None = None,
    ) -> None:
        super().__init__(lr, weight_decay=weight_decay, max_norm=max_norm)
        first, second = betas
        self.betas = (
            _between("betas[0]", first, 0, 1, below=True),
            _between("betas[1]", second, 0, 1, below=True),
        )
        self.eps = _between("eps", eps, 0, math.inf)

    def _numbers(self, scale: float) -> tuple[float, ...]:
        (first, second), t = self.betas, self.iterations
        decay = 0.0 if self._decoupled else self.weight_decay
        left = 1 - self.lr * self.weight_decay if self._decoupled else 1.0
        rate, root = self.lr / (1 - first**t), 1 / math.sqrt(1 - second**t)
        return (rate, scale, decay, first, 1 - first, second, 1 - second, self.eps, root, left)


class AdamW(Adam):
    """Adam whose weight decay bypasses the means.

    Parameters
    ----------
    lr, betas, eps, max_norm
        As for `Adam`.
    weight_decay : float, default 0.01
        Parameters are multiplied by 1 - lr weight_decay before each step.

    References
    ----------
    I. Loshchilov, F. Hutter, arXiv:1711.05101 (2017).

    Examples
    --------
    >>> import numpy as np
    >>> from vekt import optim
    >>> w = np.array([1.0, 2.0])
    >>> optim.AdamW(lr=0.1, weight_decay=0.5).step([w], [np.zeros(2)])
    >>> w
    array([0.95, 1.9 ])
    """

    _decoupled = True

    def __init__(
        self,
        lr: float = 0.001,
        *,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.01,
        max_norm: float | None = None,
    ) -> None:
        super().__init__(lr, betas=betas, eps=eps, weight_decay=weight_decay, max_norm=max_norm)


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
    if p.flags.forc and type(g) is np.ndarray and g.dtype == p.dtype and p.dtype.isnative:
        lies_alike = p.flags.c_contiguous == g.flags.c_contiguous
        if lies_alike and g.flags.forc and not np.may_share_memory(p, g):
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


def _scale(norm: float, max_norm: float) -> float:
    """Return what gradients of this norm are multiplied by; torch adds the same 1e-6."""
    return min(1.0, max_norm / (norm + 1e-6))


def clip_by_global_norm(grads: Sequence[Array], max_norm: float) -> float:
    """Scale gradients down, in place, so that their norm taken together is at most `max_norm`.

    Parameters
    ----------
    grads : sequence of ndarray
        The gradients of all parameters.
    max_norm : float
        The largest norm that stays as it is.

    Returns
    -------
    norm : float
        The norm before.

    Notes
    -----
    As torch's clip_grad_norm_.  An optimiser's own `max_norm` does the same without writing the
    gradients.

    Examples
    --------
    >>> import numpy as np
    >>> from vekt import optim
    >>> g = [np.array([3.0, 4.0])]
    >>> optim.clip_by_global_norm(g, 1.0), g[0].round(4).tolist()
    (5.0, [0.6, 0.8])
    """
    limit = _between("max_norm", max_norm, 0, math.inf)
    total = global_norm(grads)
    scale = _scale(total, limit)
    if scale < 1:
        for g in grads:
            np.multiply(g, g.dtype.type(scale), out=g)
    return total


_BY_NAME: dict[str, Callable[..., Optimizer]] = {
    "sgd": SGD,
    "momentum": lambda *args, momentum=0.9, **options: SGD(*args, momentum=momentum, **options),
    "nesterov": lambda *args, momentum=0.9, **options: SGD(
        *args, momentum=momentum, nesterov=True, **options
    ),
    "rmsprop": RMSProp,
    "adam": Adam,
    "adamw": AdamW,
}


def get(name: str | Optimizer, **options: Any) -> Optimizer:
    """Return an optimiser by its name.

    Parameters
    ----------
    name : {"sgd", "momentum", "nesterov", "rmsprop", "adam", "adamw"} or Optimizer
        An optimiser itself is returned as it is.
    **options
        What its class takes.

    Returns
    -------
    Optimizer
        A new one.

    Raises
    ------
    ValueError
        If there is none of this name.

    Examples
    --------
    >>> from vekt import optim
    >>> optim.get("nesterov", lr=0.1).momentum
    0.9
    """
    if isinstance(name, Optimizer):
        return name
    if name not in _BY_NAME:
        raise ValueError(f"optimizer: no {name!r}; choose one of {', '.join(_BY_NAME)}")
    return _BY_NAME[name](**options)
