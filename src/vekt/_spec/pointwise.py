"""Kinds of functions that compute element by element with kernels of vekt's own, and options."""

from __future__ import annotations

from typing import Any

from vekt._spec.form import Param
from vekt._spec.spec import Kernel, Kind, Spec

_PAIR = "tuple of two ndarrays or None, optional"
OUT = Param(
    "out",
    None,
    "Where the result goes; may be the memory of an input.",
    "option",
    type="ndarray or None, optional",
)
OUTS = Param("out", None, "Where the results go; None for new arrays.", "option", type=_PAIR)
WHERE = Param(
    "where",
    True,
    "Elements that are computed; others stay untouched.",
    "option",
    type="array_like of bool, optional",
)
DTYPE = Param(
    "dtype",
    None,
    "float16, bfloat16, float32 or float64: dtype of the computation and the result, but 16 bits "
    "compute as float32.",
    "option",
    type="dtype or None, optional",
)
OPTIONS, PAIR_OPTIONS = (OUT, WHERE, DTYPE), (OUTS, WHERE, DTYPE)

REAL = (
    "float16, bfloat16 (of ml_dtypes), float32 and float64 keep their dtype; 16 bits compute as "
    "float32, integers and bool as float64."
)
ELEMENT, BROADCAST = (
    "ndarray or scalar",
    "In the broadcast shape of the operands; scalars for scalars.",
)

X = Param("x", doc=f"Input. {REAL}")
DY = Param(
    "dy",
    doc="Gradient of the loss with respect to the output; broadcasts against `{last}`. It is "
    "multiplied with the derivative as rounded: an infinite one times 0 is NaN.",
)
_Y = Param("y", doc="Output of `{name}`; for numbers that are none the result is undefined.")
_DX = Param("dx", doc=BROADCAST, type=ELEMENT)

_ACTIVATION = {
    "": Kind(
        "{summary}",
        (X,),
        (Param("y", doc=BROADCAST, type=ELEMENT),),
        OPTIONS,
        example="""\
>>> x = np.array([-1.0, 0.0, 2.0])
>>> {f}(x).round(4).tolist()
{value}""",
    ),
    "_backward": Kind(
        "Gradient of a loss through `{name}`: `dy * f'(x)` in one pass.",
        (DY, X),
        (_DX,),
        OPTIONS,
        example="""\
>>> x = np.array([-1.0, 0.0, 2.0])
>>> {f}(np.ones(3), x).round(4).tolist()
{slope}""",
    ),
    "_value_and_grad": Kind(
        "Value and derivative of `{name}` in one pass.",
        (X,),
        (
            Param(
                "value", doc="`{name}(x)`, in the broadcast shape of the operands.", type=ELEMENT
            ),
            Param("gradient", doc="The derivative there, of the same shape.", type=ELEMENT),
        ),
        PAIR_OPTIONS,
        example="""\
>>> x = np.array([-1.0, 0.0, 2.0])
>>> value, gradient = {f}(x)
>>> value.round(4).tolist()
{value}
>>> gradient.round(4).tolist()
{slope}""",
    ),
}
_FROM_OUTPUT = {
    "_backward_from_output": Kind(
        "Gradient of a loss through `{name}`, from its output `y` alone.",
        (DY, _Y),
        (_DX,),
        OPTIONS,
        example="""\
>>> x = np.array([-1.0, 0.0, 2.0])
>>> y = {base}(x)
>>> {f}(np.ones(3), y).round(4).tolist()
{slope}""",
    ),
}
_EITHER = _ACTIVATION | _FROM_OUTPUT


_OF_KERNELS = frozenset(Kernel.__dataclass_fields__) - {"name", "params"}


def activation(
    name: str, *, kernels: tuple[Kernel, ...] = (), params: tuple[Param, ...] = (), **facts: Any
) -> Spec:
    """Make the spec of an activation; `facts` are other fields of it.

    Without `kernels` there is one, of the same name and with all parameters, and fields of it are
    among the facts.
    """
    if not kernels:
        of_kernel = {key: facts.pop(key) for key in _OF_KERNELS & facts.keys()}
        kernels = (Kernel(name, params=tuple(p.name for p in params), **of_kernel),)
    kinds = _ACTIVATION if kernels[0].from_output is None else _EITHER
    return Spec(
        name=name, kinds=kinds, home="vekt.activations", kernels=kernels, params=params, **facts
    )


def _gate_operand(name: str) -> Param:
    text = f"The operand that goes through the activation, and the other; they broadcast. {REAL}"
    return Param(name, doc=text)


_AB = (_gate_operand("a"), _gate_operand("b"))
GATE = {
    "": Kind(
        "{summary}",
        _AB,
        (Param("y", doc=BROADCAST, type=ELEMENT),),
        OPTIONS,
        (
            ("vekt", "The bits are those of `{activation}({gate})` times {other}, rounded."),
            ("vekt", "The bound holds where no factor is subnormal."),
        ),
        example="""\
>>> round(float({f}(2.0, 3.0)), 4)
{value}""",
    ),
    "_backward": Kind(
        "Gradients of a loss through `{name}` for both operands, in one pass.",
        (DY, *_AB),
        tuple(Param(d, doc=BROADCAST, type=ELEMENT) for d in ("da", "db")),
        PAIR_OPTIONS,
        (
            "d{gate} is `{activation}_backward(dy * {other}, {gate})` and d{other} is "
            "`dy * {activation}({gate})`, each product rounded.",
            ("vekt", "The bits are those of these calls."),
            (
                "vekt",
                "The bound holds where no factor is subnormal, away from the derivative's roots.",
            ),
        ),
        example="""\
>>> [round(float(d), 4) for d in {f}(1.0, 2.0, 3.0)]
{slope}""",
    ),
}
"""Kinds of the products of an activation of one operand with the other."""


def loss_kinds(first: str) -> dict[str, Kind]:
    """Kinds of an elementwise loss of a prediction, of this name, and a target."""
    operands = tuple(
        Param(name, doc=f"Prediction and target; they broadcast. {REAL}") for name in (first, "t")
    )
    loss, slope = (Param(n, doc=BROADCAST, type=ELEMENT) for n in ("loss", f"d{first}"))
    upstream = Param("dl", doc="Gradient with respect to the loss; broadcasts.")
    targets: tuple[str, ...] = ("Targets: {targets}",)
    return {
        "": Kind(
            "{summary}",
            operands,
            (loss,),
            OPTIONS,
            targets,
            example="""\
>>> round(float({f}({at[0]}, {at[1]})), 4)
{value}""",
        ),
        "_backward": Kind(
            "Gradient of a sum through `{name}`, for the prediction: `dl` times its slope.",
            (upstream, *operands),
            (slope,),
            OPTIONS,
            (*targets, "The bound of the gradient holds before it is multiplied by `dl`."),
            example="""\
>>> round(float({f}(1.0, {at[0]}, {at[1]})), 4)
{slope}""",
        ),
        "_value_and_grad": Kind(
            "Value and gradient of `{name}` for the prediction, in one pass.",
            operands,
            (loss, slope),
            PAIR_OPTIONS,
            targets,
            example="""\
>>> loss, slope = {f}({at[0]}, {at[1]})
>>> round(float(loss), 4), round(float(slope), 4)
({value}, {slope})""",
        ),
    }
