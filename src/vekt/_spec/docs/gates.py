"""Docstrings of the gated units and of prelu, in each namespace."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from vekt._spec.gates import GATE_OPS, PRELU, Gate, GateOp

Function = TypeVar("Function", bound=Callable[..., Any])

_INPUT = "float16, float32 and float64 keep their dtype; integers and bool compute in float64."
_OUT = "out : ndarray or None, optional\n    Where the result goes; may be the memory of an input."
_OUT_PAIR = "out : tuple of two ndarrays or None, optional\n    Where the results go."
_WHERE_DTYPE = """where : array_like of bool, optional
    Elements that are computed; others stay untouched.
dtype : dtype, optional
    float16, float32 or float64: dtype of the computation and the result."""
_OPTIONS = f"{_OUT}\n{_WHERE_DTYPE}"
_APPROXIMATE = """
approximate : bool, default False
    Whether to use gelu's tanh form in place of erf."""
_AXIS = "axis : int, default -1\n    Axis whose two halves are a and b."
_RAISES = """TypeError
    For complex, object, string and other dtypes that are not real numbers up to float64.
ValueError
    For shapes that do not fit each other{odd}, and a read-only `out`."""


def documented(module: str) -> Callable[[Function], Function]:
    """Decorate a public function with the docstring of its name, and say where it lives."""

    def decorate(function: Function) -> Function:
        function.__module__ = module
        function.__doc__ = gate_docstring(function.__name__, module)
        return function

    return decorate


def gate_docstring(name: str, module: str = "vekt") -> str:
    """Docstring of a public function; of a raw kernel too, where its name is no other's."""
    base = name.removesuffix("_backward")
    backward = base != name
    if base == "prelu":
        return _prelu(backward, module)
    if base == "glu":
        return _glu(GATE_OPS[base], backward, module)
    return _gate(GATE_OPS[base], backward, module)


def kernel_docstring(name: str) -> str:
    """Docstring of the raw ufunc of this name; KeyError where it is no gate's."""
    base = name.removesuffix("_backward")
    for op in GATE_OPS.values():
        for gate in op.gates:
            if gate.name == base:
                if op.name in ("swiglu", "reglu"):
                    return _gate(op, base != name, "vekt", ufunc=True)
                return _kernel(gate, base != name)
    raise KeyError(name)


def _kernel(gate: Gate, backward: bool) -> str:
    if backward:
        return f"Gradients of a loss through {gate.name}(a, b) = {gate.formula}: da, db.\n"
    return f"{gate.formula}.\n"


def _document(summary: str, sections: Mapping[str, str]) -> str:
    parts = [f"{title}\n{'-' * len(title)}\n{text.strip()}" for title, text in sections.items()]
    return "\n\n".join([_wrap(summary), *parts]) + "\n"


def _gate(op: GateOp, backward: bool, module: str, ufunc: bool = False) -> str:
    flag = _APPROXIMATE if len(op.gates) > 1 else ""
    options = "" if ufunc else f"{_OUT_PAIR if backward else _OUT}\n{_WHERE_DTYPE}"
    dy = "dy : array_like\n    Gradient of the loss with respect to the output.\n"
    parameters = f"""{dy if backward else ""}a, b : array_like
    The operand that goes through the activation, and the other.  All broadcast.
    {_INPUT}{flag}
{options}"""
    shape = "    In the broadcast shape of the operands; scalars for scalars."
    returns = (
        f"da, db : ndarray or scalar\n{shape}" if backward else f"y : ndarray or scalar\n{shape}"
    )
    summary = (
        f"Gradients of a loss through `{op.name}` for both operands, in one pass."
        if backward
        else op.summary
    )
    space = module.replace("vekt", "vk")
    call = f"{space}.{op.name}{'_backward' if backward else ''}"
    value, *gradients = op.gates[0].example
    example = (
        f">>> da, db = {call}(1.0, 2.0, 3.0)\n"
        f">>> round(float(da), 4), round(float(db), 4)\n{tuple(gradients)}"
        if backward
        else f">>> round(float({call}(2.0, 3.0)), 4)\n{value}"
    )
    return _document(
        summary,
        {
            "Parameters": parameters,
            "Returns": returns,
            "Raises": _RAISES.format(odd=""),
            "Notes": _notes(op, backward, module),
            "References": op.source,
            "Examples": f">>> import vekt as vk\n{example}",
        },
    )


def _glu(op: GateOp, backward: bool, module: str) -> str:
    dy = "dy : array_like\n    Gradient of the loss with respect to the output; broadcasts to it.\n"
    space = module.replace("vekt", "vk")
    value, *gradients = op.gates[0].example
    example = (
        f">>> {space}.glu_backward([1.0], [2.0, 3.0]).round(4).tolist()\n{gradients}"
        if backward
        else f">>> {space}.glu([2.0, 3.0]).round(4).tolist()\n{[value]}"
    )
    return _document(
        "Gradient of a loss through `glu`, both halves in one pass." if backward else op.summary,
        {
            "Parameters": f"""{dy if backward else ""}x : array_like
    Input.  {_INPUT}
{_AXIS}
{_OUT if backward else _OPTIONS}""",
            "Returns": (
                "dx : ndarray\n    In the shape of `x`."
                if backward
                else "y : ndarray\n    `x` with half the length along the axis."
            ),
            "Raises": _RAISES.format(odd=" or an axis of odd length"),
            "Notes": _notes(op, backward, module),
            "References": op.source,
            "Examples": f">>> import vekt as vk\n{example}",
        },
    )


def _notes(op: GateOp, backward: bool, module: str) -> str:
    lines = [f"Formula: {gate.formula}." for gate in op.gates]
    f, gate, other = op.gates[0].activation, op.gates[0].gate, "ab".replace(op.gates[0].gate, "")
    if module == "vekt.reference":
        lines.append("Computed in a wider dtype and rounded once.")
    elif backward:
        bounds = op.gates[0].gradient_ulp
        lines.append(
            f"d{gate} is `{f}_backward(dy * {other}, {gate})` and d{other} is `dy * {f}({gate})`, "
            f"each product rounded."
        )
    else:
        bounds = op.gates[0].ulp
        lines.append(f"The result is the rounded product of `{f}({gate})` with {other}.")
    if module == "vekt":
        lines.append(
            f"The bits are those of these calls.  The error is at most {bounds['float32']:g} ULP "
            f"in float32 and {bounds['float64']:g} ULP in float64 where no factor is subnormal"
            + (f", and d{gate} is not near a root of the derivative." if backward else ".")
        )
    lines += [f"Use: {op.use}", f"Compatibility: {op.compat}"]
    return "\n\n".join(map(_wrap, lines))


def _prelu(backward: bool, module: str) -> str:
    dy = "dy : array_like\n    Gradient of the loss with respect to the output.\n"
    space = module.replace("vekt", "vk")
    options = _OUT_PAIR if backward else _OPTIONS
    sums = (
        "dalpha is summed in longdouble and rounded once."
        if module == "vekt.reference"
        else "dalpha is summed in float64 in short stretches, these pairwise, and rounded once"
        + (
            "; the order depends on the shapes alone, so its bits are the same for any number of "
            "threads and any layout in memory."
            if module == "vekt"
            else "."
        )
    )
    notes = [
        "x where x > 0, else alpha * x; 0 where alpha is 0, at -inf too. NaN gives NaN.",
        *(
            [
                "dx is dy where x > 0, else dy * alpha.  dalpha is the sum of dy * x over the "
                "elements that are not positive and have that slope.",
                sums,
            ]
            if backward
            else []
        ),
        *(
            ["Arrays that are not contiguous in C order are copied first."]
            if backward and module == "vekt"
            else []
        ),
        f"Use: {PRELU.use}",
        f"Compatibility: {PRELU.compat}",
    ]
    returns = (
        """dx : ndarray or scalar
    In the broadcast shape of the operands.
dalpha : ndarray or scalar
    In the shape of `alpha`."""
        if backward
        else "y : ndarray or scalar\n    In the broadcast shape of `x` and `alpha`."
    )
    example = (
        f""">>> dx, dalpha = {space}.prelu_backward(np.ones((2, 2)), x, alpha)
>>> dx.tolist()
[[0.25, 1.0], [1.0, 0.5]]
>>> dalpha.tolist()
[-1.0, -2.0]"""
        if backward
        else f">>> {space}.prelu(x, alpha).tolist()\n[[-0.25, 4.0], [3.0, -1.0]]"
    )
    return _document(
        "Gradients of a loss through `prelu`, for x and the slopes, in one pass."
        if backward
        else PRELU.summary,
        {
            "Parameters": f"""{dy if backward else ""}x : array_like
    Input.  {_INPUT}
alpha : array_like
    Slopes for x <= 0; they broadcast against `x`.
axis : int or None, optional
    Axis of `x` along which a 1-d `alpha` runs; None: NumPy's rules, so the last.
{options}""",
            "Returns": returns,
            "Raises": _RAISES.format(odd=", an `alpha` not 1-d beside `axis`"),
            "Notes": "\n\n".join(map(_wrap, notes)),
            "References": PRELU.source,
            "Examples": f""">>> import numpy as np
>>> import vekt as vk
>>> x, alpha = np.array([[-1.0, 4.0], [3.0, -2.0]]), np.array([0.25, 0.5])
{example}""",
        },
    )


def _wrap(text: str) -> str:
    return textwrap.fill(text, 92, break_long_words=False, break_on_hyphens=False)
