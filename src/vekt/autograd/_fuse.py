"""Functions made by `vekt.fuse` as primitives."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ParamSpec, TypeVar

from autograd.extend import defvjp_argnums, primitive

import vekt as vk

__all__ = ["fuse"]


P = ParamSpec("P")
R = TypeVar("R")


def fuse(function: Callable[P, R], *, nin: int = 0) -> Callable[P, R]:
    """Make one pass over memory of a function of arrays, and one of its gradient.

    Parameters
    ----------
    function, nin
        As for `vekt.fuse`; inside, use NumPy's and vekt's own functions.

    Returns
    -------
    callable
        Takes arrays and numbers by position, constants by keyword.  It can be differentiated once.

    Examples
    --------
    >>> import numpy as np
    >>> from autograd import grad
    >>> import vekt as vk
    >>> from vekt import autograd as va
    >>> cost = va.fuse(lambda w, x: vk.sum(vk.mish(w * x)))
    >>> grad(cost)(np.zeros(2), np.array([1.0, 2.0]))
    array([0.6, 1.2])
    """
    fused = vk.fuse(function, nin=nin)
    value: Callable[P, R] = primitive(fused)
    backward = primitive(fused.backward)

    def vjp(argnums: Sequence[int], ans: Any, args: Any, options: Any) -> Any:
        def gradients(g: Any) -> Any:
            found = backward(g, *args, **options)
            found = found if isinstance(found, tuple) else (found,)
            return tuple(found[i] for i in argnums)

        return gradients

    defvjp_argnums(value, vjp)
    return value
