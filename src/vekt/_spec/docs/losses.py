"""Docstrings of the losses, in each namespace."""

from __future__ import annotations

import textwrap

from vekt._spec.losses import LOSSES, Loss

_DTYPES = (
    "float16, bfloat16, float32 and float64 keep their dtype; 16 bits compute as float32, integers "
    "and bool as float64."
)
_SUMMARIES = {
    "": "{summary}",
    "_backward": "Gradient of a sum through `{name}`, for the prediction: `dl` times its slope.",
    "_value_and_grad": "Value and gradient of `{name}` for the prediction, in one pass.",
}
_OUT = [("out", "ndarray or None, optional", "Where the result goes.")]
_PAIR = [
    (
        "out",
        "tuple of two ndarrays or None, optional",
        "Where the results go; None for a new array.",
    )
]
_OPTIONS = [
    ("where", "array_like of bool, optional", "Elements that are computed."),
    ("dtype", "dtype, optional", "Dtype of the computation and of the results."),
]
_RESULTS = {
    "": ("loss",),
    "_backward": ("d{operand}",),
    "_value_and_grad": ("loss", "d{operand}"),
}


def loss_docstring(name: str, module: str = "vekt", ufunc: bool = False) -> str:
    """Docstring of a public function, or of a ufunc; KeyError where it is no loss's."""
    for loss in LOSSES.values():
        if name in loss.public_names:
            return _docstring(loss, name.removeprefix(loss.name), module, ufunc)
    raise KeyError(name)


def _docstring(loss: Loss, kind: str, module: str, ufunc: bool) -> str:
    first, second = loss.operands
    parameters = [
        (f"{first}, {second}", "array_like", f"Prediction and target; they broadcast. {_DTYPES}")
    ]
    if kind == "_backward":
        text = "Gradient with respect to the loss; broadcasts."
        parameters.insert(0, ("dl", "array_like", text))
    if loss.param:
        default = "" if ufunc else ", default 1"
        text = "Where the loss becomes linear, not negative."
        parameters.append((loss.param, f"array_like{default}", text))
    if not ufunc:
        parameters += _PAIR if kind == "_value_and_grad" else _OUT
        parameters += _OPTIONS
    results = ", ".join(_RESULTS[kind]).format(operand=first)
    notes = [f"Formula: {loss.formula}; its gradient: {loss.gradient_formula}."]
    notes.append(f"Targets: {loss.targets}")
    if module == "vekt":
        notes.append(_bounds(loss))
    notes += [f"Use: {loss.use}", f"Compatibility: {loss.compat}"]
    sections = [
        _wrap(_SUMMARIES[kind].format(name=loss.name, summary=loss.summary)),
        "Parameters\n----------\n"
        + "\n".join(f"{names} : {kinds}\n{_indent(text)}" for names, kinds, text in parameters),
        f"Returns\n-------\n{results} : ndarray or scalar\n"
        "    In the broadcast shape of the operands; scalars for scalars.",
        "Raises\n------\nTypeError\n    For dtypes that are not real numbers up to float64.\n"
        "ValueError\n    For shapes that do not fit each other, and a read-only `out`.",
        "Notes\n-----\n" + "\n\n".join(map(_wrap, notes)),
        f"References\n----------\n{loss.source}",
        f"Examples\n--------\n>>> import vekt as vk\n{_example(loss, kind, module, ufunc)}",
    ]
    return "\n\n".join(sections) + "\n"


def _bounds(loss: Loss) -> str:
    value, gradient = loss.max_ulp, loss.gradient_max_ulp
    floor = " or, where it cancels, 2**-49 and 2**-52," if any(loss.gradient_floor) else ""
    return (
        f"Errors: at most {value[0]:g} ULP in float32 and {value[1]:g} ULP in float64; of the "
        f"gradient {gradient[0]:g} and {gradient[1]:g} ULP{floor} before it is multiplied by `dl`."
    )


def _example(loss: Loss, kind: str, module: str, ufunc: bool) -> str:
    y, t, value, slope = loss.example
    space = module.replace("vekt", "vk")
    dl = "1.0, " if kind == "_backward" else ""
    param = ", 1.0" if loss.param and ufunc else ""
    call = f"{space}.{loss.name}{kind}({dl}{y}, {t}{param})"
    if kind != "_value_and_grad":
        return f">>> round(float({call}), 4)\n{slope if kind else value}"
    return f">>> loss, slope = {call}\n>>> round(float(loss), 4), round(float(slope), 4)\n" + repr(
        (value, slope)
    )


def _wrap(text: str) -> str:
    return textwrap.fill(text, 92, break_long_words=False, break_on_hyphens=False)


def _indent(text: str) -> str:
    return textwrap.indent(textwrap.fill(text, 84, break_on_hyphens=False), "    ")
