"""Optimisers: each step is one pass over a tensor, in place.

The notes' gradient descent is ``SGD(lr=alpha)``: w := w - alpha dw.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vekt._core.axes import unmasked
from vekt._spec.docstrings import documented
from vekt._spec.optim import OPTIM
from vekt.optim._base import (
    ADAM_KERNEL,
    RMSPROP_KERNEL,
    Optimizer,
    Rate,
    between,
    global_norm,
    scale_for,
)

__all__ = ["SGD", "Adam", "AdamW", "Optimizer", "RMSProp", "clip_by_global_norm", "get"]

Array = NDArray[Any]


def __dir__() -> list[str]:
    return __all__


@documented(OPTIM["SGD"], "", __name__)
class SGD(Optimizer):
    """Gradient descent, with momentum if you like."""

    momentum: float
    nesterov: bool

    def __init__(
        self,
        lr: Rate = 0.01,
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

    def _numbers(self, rate: float, scale: float) -> tuple[float, ...]:
        return (rate, scale, self.weight_decay, self.momentum, float(self.nesterov))


@documented(OPTIM["RMSProp"], "", __name__)
class RMSProp(Optimizer):
    """Gradients divided by a running root of their mean square."""

    alpha: float
    eps: float
    momentum: float
    _kind = RMSPROP_KERNEL

    def __init__(
        self,
        lr: Rate = 0.01,
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

    def _numbers(self, rate: float, scale: float) -> tuple[float, ...]:
        head = (rate, scale, self.weight_decay, self.momentum)
        return (*head, self.alpha, 1 - self.alpha, self.eps)


@documented(OPTIM["Adam"], "", __name__)
class Adam(Optimizer):
    """Adam: running means of the gradients and of their squares."""

    betas: tuple[float, float]
    eps: float
    _kind = ADAM_KERNEL
    _decoupled = False

    @property
    def _states(self) -> tuple[bool, bool]:
        return True, True

    def __init__(
        self,
        lr: Rate = 0.001,
        *,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        max_norm: float | None = None,
    ) -> None:
        super().__init__(lr, weight_decay=weight_decay, max_norm=max_norm)
        self.betas, self.eps = betas, eps

    def _numbers(self, rate: float, scale: float) -> tuple[float, ...]:
        (first, second), t = self.betas, self.iterations
        decay = 0.0 if self._decoupled else self.weight_decay
        left = 1 - rate * self.weight_decay if self._decoupled else 1.0
        rate, root = rate / (1 - first**t), 1 / math.sqrt(1 - second**t)
        return (rate, scale, decay, first, 1 - first, second, 1 - second, self.eps, root, left)


@documented(OPTIM["AdamW"], "", __name__)
class AdamW(Adam):
    """Adam whose weight decay bypasses the means."""

    _decoupled = True

    def __init__(
        self,
        lr: Rate = 0.001,
        *,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.01,
        max_norm: float | None = None,
    ) -> None:
        super().__init__(lr, betas=betas, eps=eps, weight_decay=weight_decay, max_norm=max_norm)


@documented(OPTIM["clip_by_global_norm"], "", __name__)
def clip_by_global_norm(grads: Iterable[Array], max_norm: float) -> float:
    """Scale gradients down, in place, so that their norm taken together is at most `max_norm`."""
    limit = between("max_norm", max_norm, math.inf)
    arrays = list(grads)
    for i, g in enumerate(arrays):
        if not isinstance(g, np.ndarray) or not (g.dtype.kind in "fc" or g.dtype == "bfloat16"):
            kind = g.dtype if isinstance(g, np.ndarray) else type(g).__name__
            raise TypeError(
                f"clip_by_global_norm: grads[{i}] must be an array of floats or complex numbers, "
                f"not {kind}"
            )
        unmasked("clip_by_global_norm", f"grads[{i}]", g)
        if not g.flags.writeable:
            raise ValueError(f"clip_by_global_norm: grads[{i}] is read-only")
    total = global_norm(arrays)
    scale = scale_for(total, limit)
    if scale != 1:
        from vekt.elementwise import multiply

        for g in arrays:
            # 16 bits have too few digits for the scale, and may not reach down to it
            multiply(g, np.float32(scale) if g.dtype.itemsize == 2 else scale, out=g)
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
    if not isinstance(name, str) or name not in _BY_NAME:
        raise ValueError(f"optimizer: no {name!r}; choose one of {', '.join(_BY_NAME)}")
    return _BY_NAME[name](**options)
