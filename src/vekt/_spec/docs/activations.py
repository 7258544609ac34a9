"""NumPy-style docstrings, written from the rows of the registry."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable

from vekt._spec.activations import OPS
from vekt._spec.docs.gates import kernel_docstring
from vekt._spec.docs.losses import loss_docstring
from vekt._spec.losses import LOSS_KERNELS
from vekt._spec.op import Kernel, Op, Param

_SUMMARIES = {
    "": "{summary}",
    "_backward": "Gradient of a loss through `{name}`: `dy * f'(x)` in one pass.",
    "_value_and_grad": "Value and derivative of `{name}` in one pass.",
    "_backward_from_output": "Gradient of a loss through `{name}`, from its output `y` alone.",
}
_INPUTS = {
    "x": (
        "Input. float16, bfloat16 (of ml_dtypes), float32 and float64 keep their dtype; 16 bits "
        "compute as float32, integers and bool as float64."
    ),
    "dy": (
        "Gradient of the loss with respect to the output; broadcasts against `{other}`. It is "
        "multiplied with the derivative as rounded: an infinite one times 0 is NaN."
    ),
    "y": "Output of `{name}`; for numbers that are none the result is undefined.",
}
_OPTIONS = {
    "out": ("ndarray or None, optional", "Where the result goes; may be the memory of an input."),
    "outs": (
        "tuple of two ndarrays or None, optional",
        "Where the value and the gradient go; None for a new array.",
    ),
    "where": ("array_like of bool, optional", "Elements that are computed; others stay untouched."),
    "dtype": ("dtype, optional", "Dtype of the result and of the computation; 16 bits as above."),
}


def docstring(kernel_name: str) -> str:
    """Docstring of the raw function, or ufunc, of this name, such as "gelu_tanh_backward".

    The line with the signature is left to NumPy.
    """
    for op in OPS.values():
        for kernel in op.kernels:
            for kind in sorted(_SUMMARIES, key=len, reverse=True):
                if kernel_name == kernel.name + kind:
                    params = [p for p in op.params if p.name in kernel.params]
                    return _document(op, kind, (kernel,), params, (), "vekt", optional=False)
    if kernel_name in LOSS_KERNELS:
        return loss_docstring(kernel_name, ufunc=True)
    return kernel_docstring(kernel_name)


def function_docstring(op: Op, kind: str, module: str = "vekt") -> str:
    """Docstring of a public function of `vekt`, `vekt.jit` or `vekt.reference`.

    `kind` is what follows the operation's name in the function's name.
    """
    form = op.form(kind)
    return _document(op, kind, op.kernels_of(kind), form.params, tuple(form.options), module)


def _document(
    op: Op,
    kind: str,
    kernels: tuple[Kernel, ...],
    params: Iterable[Param],
    options: tuple[str, ...],
    module: str,
    optional: bool = True,
) -> str:
    sections = [
        _SUMMARIES[kind].format(name=op.name, summary=op.summary),
        "Parameters\n----------\n" + "\n".join(_parameters(op, kind, params, options, optional)),
        "Returns\n-------\n" + _returns(op, kind),
        "Raises\n------\n" + _RAISES,
        "Notes\n-----\n" + "\n\n".join(_notes(op, kind, kernels, module)),
        f"References\n----------\n{op.source}",
    ]
    if kernels[0].name == op.name:
        sections.append("Examples\n--------\n" + _examples(op, kind, module))
    return "\n\n".join(sections) + "\n"


def _parameters(
    op: Op, kind: str, params: Iterable[Param], options: tuple[str, ...], optional: bool
) -> list[str]:
    inputs = {"_backward": ("dy", "x"), "_backward_from_output": ("dy", "y")}.get(kind, ("x",))
    lines = []
    for name in inputs:
        text = _INPUTS[name].format(name=op.name, other=inputs[-1])
        lines.append(_entry(f"{name} : array_like", text))
    for param in params:
        kind_of = "bool" if param.kind == "flag" else "array_like"
        none = " or None" if param.default is None else ""
        suffix = f", default {param.default}" if optional else ""
        doc = param.doc + (" Broadcasts against `x`." if param.kind == "array" else "")
        lines.append(_entry(f"{param.name} : {kind_of}{none if optional else ''}{suffix}", doc))
    for option in options:
        pair = option == "out" and kind == "_value_and_grad"
        kind_of, doc = _OPTIONS["outs" if pair else option]
        lines.append(_entry(f"{option} : {kind_of}", doc))
    return lines


def _returns(op: Op, kind: str) -> str:
    shape = "broadcast shape of the operands; a scalar for scalars."
    if kind == "_value_and_grad":
        return "\n".join(
            [
                _entry("value : ndarray or scalar", f"`{op.name}(x)`, in the {shape}"),
                _entry("gradient : ndarray or scalar", "The derivative there, of the same shape."),
            ]
        )
    name = "dx" if kind else "y"
    return _entry(f"{name} : ndarray or scalar", f"In the {shape}")


_RAISES = """\
TypeError
    For complex, object, string and other dtypes that are not real numbers up to float64.
ValueError
    For shapes that do not broadcast, and for a read-only `out`."""


def _notes(op: Op, kind: str, kernels: tuple[Kernel, ...], module: str) -> Iterable[str]:
    for kernel in kernels:
        when = " and ".join(f"{name}={value}" for name, value in kernel.flags.items())
        default = len(kernels) > 1 and not when and not kernel.params
        label = f" for {when}" if when else " at the defaults" if default else ""
        yield _wrap(f"Formula{label}: {kernel.formula}.")
    kernel = kernels[0]
    low, high = kernel.limits
    gradient_low, gradient_high = kernel.gradient_limits
    yield _wrap(
        f"Limits at -inf and inf: {low:g} and {high:g}; of the derivative {gradient_low:g} and "
        f"{gradient_high:g}. NaN gives NaN. Range: {kernel.range[0]:.6g} to {kernel.range[1]:.6g}."
    )
    for kink in kernels[-1].kinks:
        yield _wrap(f"The derivative jumps at x = {kink.at}, where it is {kink.gradient}.")
    for kernel in kernels:
        yield _wrap(_accuracy(kernel, kind, module))
    yield _wrap(f"Use: {op.use}")
    yield _wrap(f"Cost: {op.cost}")
    if op.compat:
        yield _wrap(f"Compatibility: {op.compat}")


def _accuracy(kernel: Kernel, kind: str, module: str) -> str:
    if module == "vekt.reference":
        return f"{kernel.name}: computed in a wider dtype and rounded once."
    if module == "vekt.jit":
        value, gradient, root_error = kernel.jit_max_ulp, kernel.jit_gradient_max_ulp, "2**-52"
    else:
        value, gradient, root_error = kernel.max_ulp, kernel.gradient_max_ulp, "2**-53"
    bounds = {"value": value} if kind in ("", "_value_and_grad") else {}
    bounds |= {"derivative": gradient} if kind else {}
    parts = [
        f"error of the {what} at most {bound['float32']:g} ULP in float32 and "
        f"{bound['float64']:g} ULP in float64"
        for what, bound in bounds.items()
    ]
    if kind and kernel.roots:
        roots = ", ".join(f"{float(root):.6f}" for root in kernel.roots)
        parts.append(
            f"in float64 within {kernel.root_radius:g} of the derivative's root at {roots}, its "
            f"error is at most {root_error} instead"
        )
    return f"{kernel.name}: {'; '.join(parts)}. Subnormal results are no exception."


def _examples(op: Op, kind: str, module: str) -> str:
    kernel = op.kernels[0]
    value, gradient = list(kernel.example), list(kernel.gradient_example)
    lines = [
        ">>> import numpy as np",
        ">>> import vekt as vk",
        ">>> x = np.array([-1.0, 0.0, 2.0])",
    ]
    space = module.replace("vekt", "vk")
    call = f"{space}.{op.name}{kind}"
    if kind == "_value_and_grad":
        lines += [
            f">>> value, gradient = {call}(x)",
            ">>> value.round(4).tolist()",
            f"{value}",
            ">>> gradient.round(4).tolist()",
            f"{gradient}",
        ]
    else:
        arguments = {
            "": "x",
            "_backward": "np.ones(3), x",
            "_backward_from_output": "np.ones(3), y",
        }
        lines += [f">>> y = {space}.{op.name}(x)"] * (kind == "_backward_from_output")
        lines += [
            f">>> {call}({arguments[kind]}).round(4).tolist()",
            f"{gradient if kind else value}",
        ]
    return "\n".join(lines)


def _entry(head: str, text: str) -> str:
    return f"{head}\n{textwrap.indent(_wrap(text, 4), '    ')}"


def _wrap(text: str, indent: int = 0) -> str:
    lines, line = [], ""
    for word in text.split():
        if line and len(line) + 1 + len(word) > 88 - indent:
            lines.append(line)
            line = word
        else:
            line = f"{line} {word}" if line else word
    return "\n".join([*lines, line])
