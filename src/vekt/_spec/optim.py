"""Optimisers."""

from __future__ import annotations

from vekt._spec.form import Param
from vekt._spec.spec import Spec
from vekt._spec.written import written

_SHARED = {
    p.name: p
    for p in (
        Param(
            "lr",
            doc="Learning rate, the notes' alpha; it may be changed between steps.  A schedule, "
            "such as ``lambda t: 0.1 / (t + 1)``, is called with the number of steps taken and "
            "returns the rate of the next one, which ``rate`` tells.",
            type="float or callable",
        ),
        Param(
            "momentum",
            doc="How much of the last step's direction is kept.",
            type="float, default 0",
        ),
        Param(
            "weight_decay",
            doc="How much of the parameters is added to their gradients.",
            type="float, default 0",
        ),
        Param(
            "max_norm",
            doc="Gradients are scaled down to this norm, taken over all of them together.",
            type="float or None, optional",
        ),
        Param(
            "betas",
            doc="How much of the running means is kept in each step.",
            type="pair of float, default (0.9, 0.999)",
        ),
        Param("eps", doc="Added to the root of the mean square.", type="float, default 1e-8"),
    )
}

_TEXTS = (
    """\
SGD(lr=0.01, *, momentum=0.0, nesterov=False, weight_decay=0.0, max_norm=None)

Gradient descent, with momentum if you like.

Parameters
----------
nesterov : bool, default False
    Whether the gradient counts as if it came a step later (Nesterov's momentum).

Notes
-----
m := momentum m + g; w := w - lr m, with Nesterov's w := w - lr (g + momentum m).  As in torch.

Examples
--------
>>> w = np.array([1.0, 2.0])
>>> {f}(lr=0.5).step([w], [np.array([1.0, -1.0])])
>>> w
array([0.5, 2.5])""",
    """\
RMSProp(lr=0.01, *, alpha=0.99, eps=1e-8, momentum=0.0, weight_decay=0.0, max_norm=None)

Gradients divided by a running root of their mean square.

Parameters
----------
alpha : float, default 0.99
    How much of the mean square is kept in each step.

Notes
-----
v := alpha v + (1 - alpha) g^2; m := momentum m + g / (sqrt(v) + eps); w := w - lr m.  As in torch.

Examples
--------
>>> w = np.array([1.0, 2.0])
>>> {f}(lr=0.1).step([w], [np.array([3.0, -5.0])])
>>> w.round(4)
array([0., 3.])""",
    """\
Adam(lr=0.001, *, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0, max_norm=None)

Adam: running means of the gradients and of their squares.

Notes
-----
m := beta1 m + (1 - beta1) g; v := beta2 v + (1 - beta2) g^2; w := w - lr m' / (sqrt(v') + eps),
where m' = m / (1 - beta1^t) and v' = v / (1 - beta2^t).  As in torch.

References
----------
D. P. Kingma, J. Ba, arXiv:1412.6980 (2014).

Examples
--------
>>> w = np.array([1.0, 2.0])
>>> adam = {f}(lr=0.1)
>>> adam.step([w], [np.array([3.0, -5.0])])
>>> w.round(4)
array([0.9, 2.1])""",
    """\
AdamW(lr=0.001, *, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01, max_norm=None)

Adam whose weight decay bypasses the means.

Parameters
----------
weight_decay : float, default 0.01
    Parameters are multiplied by 1 - lr weight_decay before each step.

References
----------
I. Loshchilov, F. Hutter, arXiv:1711.05101 (2017).

Examples
--------
>>> w = np.array([1.0, 2.0])
>>> {f}(lr=0.1, weight_decay=0.5).step([w], [np.zeros(2)])
>>> w
array([0.95, 1.9 ])""",
    """\
clip_by_global_norm(grads, max_norm)

Scale gradients down, in place, so that their norm taken together is at most `max_norm`.

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
As torch's `clip_grad_norm_`: if an element is NaN, so is the norm, and all become NaN; if one is
infinite, it becomes NaN and the finite ones 0.  An optimiser's own `max_norm` does the same without
writing the gradients.

Examples
--------
>>> g = [np.array([3.0, 4.0])]
>>> {f}(g, 1.0), g[0].round(4).tolist()
(5.0, [0.6, 0.8])""",
)

OPTIM: dict[str, Spec] = {
    spec.name: spec for spec in (written(text, "vekt.optim", _SHARED) for text in _TEXTS)
}
