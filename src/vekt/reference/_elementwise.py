"""The functions of `vekt.elementwise` in plain NumPy, with their rounding done once, at the end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from vekt._core.axes import has_mask
from vekt._spec.docstrings import docstring
from vekt._spec.elementwise import OPS
from vekt._spec.spec import Spec
from vekt.elementwise import _numpy
from vekt.elementwise._types import resolve
from vekt.reference._rounding import narrowed, wider


def _types(operands: tuple[Any, ...]) -> tuple[Any, ...]:
    """Of each operand its dtype, or its class for a number of Python."""
    plain = (bool, int, float)
    return tuple(type(x) if type(x) in plain else np.asarray(x).dtype for x in operands)


def _computed(op: Spec, operands: tuple[Any, ...]) -> Any:
    """Compute in a wider dtype where that is a float; as NumPy does elsewhere."""
    *loop, result = resolve(op, _types(operands))
    function = _numpy.function(op)
    with np.errstate(all="ignore"):
        if result.kind not in "fV" or any(dtype.kind == "c" for dtype in loop):
            return function(*operands)  # sizes of complex numbers are real
        if op.name == "where":
            return function(operands[0], *(np.asarray(x).astype(result) for x in operands[1:]))
        arrays = [
            np.asarray(x).astype(dtype).astype(wider(result))
            for x, dtype in zip(operands, loop, strict=True)
        ]
        wide = (op.kernel.value or function)(*map(np.atleast_1d, arrays))
        return narrowed(
            np.asarray(wide).reshape(np.broadcast_shapes(*map(np.shape, arrays))), result
        )[()]


def _make(op: Spec) -> Callable[..., Any]:
    count = len(op.inputs)

    def call(*args: Any, **given: Any) -> Any:
        options = dict(given)
        out = args[count] if len(args) > count else options.pop("out", None)
        operands = [
            *args[:count],
            *(options.pop(n) for n in op.inputs[len(args) :] if n in options),
        ]
        plain = len(operands) == count and not any(x is None or has_mask(x) for x in operands)
        if not plain or options.keys() - {"where"}:
            with np.errstate(all="ignore"):
                return _numpy.function(op)(*args, **given)
        result = _computed(op, tuple(operands))
        where = options.get("where", True)
        if out is None and where is True:
            return result
        if out is None:
            out = np.empty(np.broadcast_shapes(np.shape(result), np.shape(where)), result.dtype)
        target = out[0] if isinstance(out, tuple) else out
        np.copyto(target, result, where=where, casting="same_kind")
        return target

    call.__name__ = call.__qualname__ = op.name
    call.__doc__ = docstring(op, "", "vekt.reference")
    call.__module__ = "vekt.reference"
    call.__signature__ = op.signature()  # type: ignore[attr-defined]
    return call


FUNCTIONS: dict[str, Callable[..., Any]] = {name: _make(op) for name, op in OPS.items()}
