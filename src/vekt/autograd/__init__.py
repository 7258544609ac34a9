"""vekt's functions as primitives of HIPS autograd, so that its chain rule runs through them.

``vekt.autograd.NAME`` takes what `vekt.NAME` takes, positional and keyword, but for `out`, and can
be differentiated with respect to every array operand, targets of losses too, any number of times;
labels and parameters such as `negative_slope` are constants.  Gradients of complex numbers follow
autograd's convention.  First derivatives of activations and softmax are the fused backward kernels.
Use it in place of `autograd.numpy` where vekt has the function.

Examples
--------
>>> from autograd import elementwise_grad, grad
>>> import autograd.numpy as np
>>> from vekt import autograd as va
>>> def cost(w, x, t):
...     return np.sum((va.sigmoid(va.matmul(x, w)) - t) ** 2)
>>> x, t = np.array([[1.0, 2.0], [3.0, -1.0]]), np.array([1.0, 0.0])
>>> grad(cost)(np.zeros(2), x, t)
array([ 0.5 , -0.75])
>>> second = elementwise_grad(elementwise_grad(va.gelu))
>>> second(np.array([0.0, 1.0])).round(4)
array([0.7979, 0.242 ])
"""

from __future__ import annotations

from typing import Any

from vekt._core.extras import require
from vekt._core.names import no_attribute

require("vekt.autograd", "autograd", "autograd")

from vekt.autograd import (
    _activations,
    _choosing,
    _einsum,
    _elementwise,
    _fuse,
    _gates,
    _linalg,
    _losses,
    _norms,
    _rows,
    _statistics,
)

_MODULES = (
    _activations,
    _choosing,
    _einsum,
    _elementwise,
    _fuse,
    _gates,
    _linalg,
    _losses,
    _norms,
    _rows,
    _statistics,
)

__all__ = [name for module in _MODULES for name in module.__all__]

for _module in _MODULES:
    globals().update({name: getattr(_module, name) for name in _module.__all__})


def __getattr__(name: str) -> Any:
    raise no_attribute(__name__, name, __all__)
