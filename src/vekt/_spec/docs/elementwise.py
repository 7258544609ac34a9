"""NumPy-style docstrings of the elementwise operations, from their rows."""

from __future__ import annotations

import textwrap

from vekt._spec.elementwise import ElementwiseOp

_OPERANDS = (
    "Numbers of any dtype, shape and layout that broadcast together; numbers of Python take the "
    "dtype of the others."
)
_OPTIONS = {
    "out": (
        "ndarray, tuple of it or None, optional",
        "Where the result goes; may overlap an input in any way.",
    ),
    "where": ("array_like of bool, optional", "Elements that are computed; others stay untouched."),
    "dtype": ("dtype, optional", "Dtype of the computation and of the result."),
    "casting": ("str, optional", "Casts that are allowed, as in `numpy.can_cast`."),
    "order": ("{'C', 'F', 'A', 'K'}, optional", "Layout of a new array."),
    "subok": ("bool, optional", "Let subclasses of ndarray stay what they are."),
}
_SPECIAL = {
    "condition": ("array_like", "Where it is true, or not zero, `x` is taken."),
    "min": ("array_like or None, optional", "Lower limits."),
    "max": ("array_like or None, optional", "Upper limits."),
}
_KERNEL_NOTES = (
    "One pass over memory in any layout, on all threads for large arrays; the same bits for any "
    "number of them. Kernels of vekt's own have the same bits in any layout, alignment and byte "
    "order, with any option, and on any instruction set with fused multiply-adds; where NumPy's "
    "loops run (complex numbers, `power`), their bits may depend on both."
)
_REFERENCE_NOTES = (
    "Floats are computed by NumPy in a wider dtype and rounded once: the oracle of the tests."
)


def docstring(op: ElementwiseOp, module: str = "vekt") -> str:
    """Docstring of the public function of `vekt` or `vekt.reference`."""
    operands = [name for name in op.inputs if name not in _SPECIAL]
    lines = [op.summary, "", "Parameters", "----------"]
    for name in op.inputs:
        if name in _SPECIAL:
            lines += _entry(name, *_SPECIAL[name])
        elif name == operands[0]:
            lines += _entry(", ".join(operands), "array_like", _OPERANDS)
    for name, (kind, text) in _OPTIONS.items():
        if f"{name}=" in op.signature:
            lines += _entry(name, kind, text)
    lines += ["", "Returns", "-------", "ndarray" if op.name == "where" else "ndarray or scalar"]
    result = "Of NumPy's dtype for these operands; a NumPy scalar if all of them are scalars."
    if op.name == "where":
        result = "Of NumPy's dtype for these operands."
    lines += textwrap.wrap(result, 90, initial_indent="    ", subsequent_indent="    ")
    lines += ["", "Raises", "------", "ValueError"]
    lines += ["    If the shapes do not broadcast, or `out` has another one or is read-only."]
    lines += [
        "TypeError",
        "    If the dtypes have no such operation, or `out` cannot take its results.",
    ]
    lines += ["", "Notes", "-----", f".. math:: {op.formula}", ""]
    notes = _KERNEL_NOTES if module == "vekt" else _REFERENCE_NOTES
    if op.name == "power":
        notes = notes.partition(";")[0].rstrip(".") + "."
    if module == "vekt":
        notes = f"{op.notes}  {notes}".strip()
        if op.kernel and op.name != "where":
            notes += "  float16 and bfloat16 compute in float32 and are rounded once."
    lines += textwrap.wrap(notes, 95)
    reference = op.numpy or {"where": "where", "clip": "clip"}.get(op.name, "")
    if reference:
        lines += ["", "See Also", "--------", f"numpy.{reference}"]
    call, result = op.example
    lines += ["", "Examples", "--------", *_example(call, result, module)]
    return "\n".join(lines) + "\n"


def _example(call: str, result: str, module: str) -> list[str]:
    if module == "vekt":
        return [">>> import vekt as vk", f">>> {call}", result]
    call = call.replace("vk.", f"{module.rpartition('.')[2]}.")
    return [f">>> from vekt import {module.rpartition('.')[2]}", f">>> {call}", result]


def _entry(name: str, kind: str, text: str) -> list[str]:
    return [
        f"{name} : {kind}",
        *textwrap.wrap(text, 90, initial_indent="    ", subsequent_indent="    "),
    ]
