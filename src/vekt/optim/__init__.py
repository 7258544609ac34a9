"""Optimisers: each step is one pass over a tensor, in place.

The notes' gradient descent is ``SGD(lr=alpha)``: w := w - alpha dw.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vekt.optim._base import (
    ADAM_KERNEL,
    RMSPROP_KERNEL,
    Optimizer,
    between,
    global_norm,
    scale_for,
)

__all__ = ["SGD", "Adam", "AdamW", "Optimizer", "RMSProp", "clip_by_global_norm", "get"]

Array = NDArray[Any]


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

    momentum: float
    nesterov: bool

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
        self.momentum, self.nesterov = momentum, bool(nesterov)
        if self.nesterov and not self.momentum:
            raise ValueError("nesterov: it needs momentum")

    @property
    def _states(self) -> tuple[bool, bool]:
        return self.momentum > 0, False

    def _numbers(self, scale: float) -> tuple[float, ...]:
        return (self.lr, scale, self.weight_decay, self.momentum, float(self.nesterov))


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

    alpha: float
    eps: float
    momentum: float
    _kind = RMSPROP_KERNEL

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
        self.alpha, self.eps, self.momentum = alpha, eps, momentum

    @property
    def _states(self) -> tuple[bool, bool]:
        return self.momentum > 0, True

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

    betas: tuple[float, float]
    eps: float
    _kind = ADAM_KERNEL
    _decoupled = False

    @property
    def _states(self) -> tuple[bool, bool]:
        return True, True

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
        self.betas, self.eps = betas, eps

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


def clip_by_global_norm(grads: Iterable[Array], max_norm: float) -> float:
    """Scale gradients down, in place, so that their norm taken together is at most `max_norm`.

    Parameters
    ----------
    grads : iterable of ndarray
        The gradients of all parameters, of floats or complex numbers.
    max_norm : float
        The largest norm that stays as it is.

    Returns
    -------
    norm : float
        The norm before; 0 if there are no gradients.

    Raises
    ------
    TypeError
        If one is not an array of floats or complex numbers, which alone can be scaled in place.
    ValueError
        If one is read-only, or `max_norm` is negative or NaN.  Nothing is changed then.

    Notes
    -----
    As torch's clip_grad_norm_: if an element is NaN, so is the norm, and all become NaN; if one is
    infinite, it becomes NaN and the finite ones 0.  An optimiser's own `max_norm` does the same
    without writing the gradients.

    Examples
    --------
    >>> import numpy as np
    >>> from vekt import optim
    >>> g = [np.array([3.0, 4.0])]
    >>> optim.clip_by_global_norm(g, 1.0), g[0].round(4).tolist()
    (5.0, [0.6, 0.8])
    """
    limit = between("max_norm", max_norm, math.inf)
    arrays = list(grads)
    for i, g in enumerate(arrays):
        if not isinstance(g, np.ndarray) or not (g.dtype.kind in "fc" or g.dtype == "bfloat16"):
            kind = g.dtype if isinstance(g, np.ndarray) else type(g).__name__
            raise TypeError(
                f"clip_by_global_norm: grads[{i}] must be an array of floats or complex numbers, "
                f"not {kind}"
            )
        if not g.flags.writeable:
            raise ValueError(f"clip_by_global_norm: grads[{i}] is read-only")
    total = global_norm(arrays)
    scale = scale_for(total, limit)
    if scale != 1:
        from vekt.elementwise import multiply

        for g in arrays:
            multiply(g, scale if g.dtype.kind in "fc" else g.dtype.type(scale), out=g)
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
