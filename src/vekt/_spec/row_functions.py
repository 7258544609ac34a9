"""Public functions of rows: signatures, docstrings and Dask arrays, the same in each namespace."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from typing import Any

import numpy as np

from vekt._core.containers import by_container, is_container
from vekt._core.operands import result_dtype
from vekt._spec.rows import ROW_OPS, RowOp, constant_rule

Rows = Callable[..., Any]
_ndarray = np.ndarray
_WEAK = (bool, int, float)
"""rows(name, x, y, axis, keepdims, where, out, dtype): `vekt._ufuncs.rows` and its twins."""


def row_functions(rows: Rows, module: str, gradients: bool = True) -> dict[str, Callable[..., Any]]:
    """Make the public functions over `rows`, as attributes of the module of this name."""
    functions: dict[str, Callable[..., Any]] = {}
    for op in ROW_OPS.values():
        made = [_reduction(rows, op.name) if op.reduces else _elements(rows, op.name)]
        if gradients:
            gradient = op.public_names[1]
            made.append((_from_input if op.reduces else _from_output)(rows, gradient))
        for name, function in zip(op.public_names, made, strict=False):
            function.__name__ = function.__qualname__ = name
            function.__module__ = module
            function.__doc__ = _docstring(op, name != op.name, module)
            functions[name] = function
    return functions


def _elements(rows: Rows, name: str) -> Callable[..., Any]:
    def function(
        x: Any, axis: Any = -1, *, where: Any = None, out: Any = None, dtype: Any = None
    ) -> Any:
        if type(x) is not _ndarray and is_container(x):
            return by_container(function, (x,), axis, where, out, dtype=dtype)
        return rows(name, x, None, axis, False, where, out, dtype)

    return function


def _reduction(rows: Rows, name: str) -> Callable[..., Any]:
    def function(
        x: Any,
        axis: Any = -1,
        keepdims: bool = False,
        *,
        where: Any = None,
        out: Any = None,
        dtype: Any = None,
    ) -> Any:
        if type(x) is not _ndarray and is_container(x):
            return by_container(function, (x,), axis, where, out, bool(keepdims), dtype=dtype)
        return rows(name, x, None, axis, keepdims, where, out, dtype)

    return function


def _from_output(rows: Rows, name: str) -> Callable[..., Any]:
    def function(dy: Any, y: Any, axis: Any = -1, *, out: Any = None) -> Any:
        if type(dy) is not _ndarray or type(y) is not _ndarray:
            if _contained(dy, y):
                return by_container(function, (dy, y), axis, None, out)
            dy, y = _with_dtypes(dy, y)
        return rows(name, dy, y, axis, False, None, out, None)

    return function


def _from_input(rows: Rows, name: str) -> Callable[..., Any]:
    def function(
        dy: Any,
        x: Any,
        axis: Any = -1,
        keepdims: bool = False,
        *,
        where: Any = None,
        out: Any = None,
    ) -> Any:
        if type(dy) is not _ndarray or type(x) is not _ndarray:
            if _contained(dy, x):
                return by_container(function, (dy, x), axis, where, out, bool(keepdims))
            dy, x = _with_dtypes(dy, x)
        return rows(name, dy, x, axis, keepdims, where, out, None)

    return function


def _with_dtypes(*operands: Any) -> tuple[Any, ...]:
    """Give Python's numbers the dtype that they have beside the others."""
    if not any(type(x) in _WEAK for x in operands) or all(type(x) in _WEAK for x in operands):
        return operands
    dtype = result_dtype(None, *operands)
    return tuple(np.asarray(x, dtype) if type(x) in _WEAK else x for x in operands)


def _contained(dy: Any, x: Any) -> bool:
    return is_container(dy) or is_container(x)


_DOCS = {
    "x": ("array_like", "Input. Real dtypes up to float64; integers and bool compute in float64."),
    "dy": ("array_like", "Gradient of the loss with respect to the output. {dy}"),
    "y": ("array_like", "Output of `{name}`."),
    "axis": (
        "int, tuple of ints or None, default -1",
        "Axes along which the elements of a row lie; None means all of them.",
    ),
    "keepdims": ("bool, default False", "Whether the reduced axes stay, with size 1."),
    "where": (
        "array_like of bool or None, optional",
        "Elements that take part, the others counting as {lowest}; broadcasts to the shape of `x`.",
    ),
    "out": ("ndarray or None, optional", "Where the result goes; may be the memory of an input."),
    "dtype": (
        "dtype or None, optional",
        "float16, bfloat16, float32 or float64: dtype of the computation and the result. Both "
        "16-bit dtypes compute in float32.",
    ),
}
_RAISES = """\
AxisError
    If an axis is out of bounds.
TypeError
    For complex, object, string and other dtypes that are not real numbers up to float64.
ValueError
    For a repeated axis, shapes that do not fit, and a read-only `out`."""


def _docstring(op: RowOp, gradient: bool, module: str) -> str:
    names = _parameters(op, gradient)
    own = {
        "name": op.name,
        "lowest": "+inf" if op.name == "softmin" else "-inf",
        "dy": "Broadcasts to the shape of " + ("the result." if op.reduces else "`y`."),
    }
    parameters = "\n".join(
        f"{name} : {_DOCS[name][0]}\n{_indented(_DOCS[name][1].format(**own))}" for name in names
    )
    summary = f"Gradient of a loss through `{op.name}`." if gradient else op.summary
    formula = op.backward_formula if gradient else op.formula
    notes = [f"Formula: {formula}; sums go over a row."]
    notes.append(constant_rule(op) if gradient and not op.reduces else op.special)
    if module == "vekt":
        notes.append(f"Error: {op.backward_bound if gradient else op.bound}.")
        notes.append(
            "The bits are the same for any layout in memory, thread count and mask of the same "
            "elements, and on AVX2, AVX-512 and NEON; NaN is NaN, of either sign."
        )
    notes += [f"Use: {op.use}", f"Compatibility: {op.compat}"]
    sections = [
        summary,
        f"Parameters\n----------\n{parameters}",
        f"Returns\n-------\n{_returns(op, gradient)}",
        f"Raises\n------\n{_RAISES}",
        "Notes\n-----\n" + "\n\n".join(_wrapped(note) for note in notes),
        f"References\n----------\n{_wrapped(op.source)}",
        f"Examples\n--------\n{_examples(op, gradient, module)}",
    ]
    return "\n\n".join(sections) + "\n"


def _parameters(op: RowOp, gradient: bool) -> tuple[str, ...]:
    return tuple(op.signature("_backward" if gradient else "").parameters)


def _returns(op: RowOp, gradient: bool) -> str:
    if op.reduces and not gradient:
        return "y : ndarray or scalar\n    In the shape of `x` without the reduced axes."
    of = "x" if op.reduces or not gradient else "y"
    return f"{'dx' if gradient else 'y'} : ndarray\n    In the shape of `{of}`."


def _examples(op: RowOp, gradient: bool, module: str) -> str:
    space = module.replace("vekt", "vk")
    lines = [
        ">>> import numpy as np",
        ">>> import vekt as vk",
        ">>> x = np.array([1.0, 2.0, 4.0])",
    ]
    call, result = f"{space}.{op.name}(x)", op.example
    if gradient:
        dy = "1.0" if op.reduces else "[1.0, 0.0, 0.0]"
        of = "x" if op.reduces else "y"
        lines += [] if op.reduces else [f">>> y = {call}"]
        call, result = f"{space}.{op.public_names[1]}({dy}, {of})", op.backward_example
    shown = list(result) if isinstance(result, tuple) else result
    return "\n".join([*lines, f">>> {call}.round(4).tolist()", f"{shown}"])


def _wrapped(text: str) -> str:
    return textwrap.fill(text, 88, break_long_words=False, break_on_hyphens=False)


def _indented(text: str) -> str:
    return textwrap.indent(textwrap.fill(text, 84, break_on_hyphens=False), "    ")
