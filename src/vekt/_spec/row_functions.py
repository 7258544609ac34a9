"""Public functions of rows over containers too, the same in each namespace."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from vekt._core.axes import unmasked
from vekt._core.containers import by_container, is_container
from vekt._core.operands import result_dtype
from vekt._spec.functions import python_function
from vekt._spec.rows import ROW_OPS
from vekt._spec.spec import Spec

Rows = Callable[..., Any]
"""rows(name, x, y, axis, keepdims, where, out, dtype): `vekt._ufuncs.rows` and its twins."""

_WEAK = (bool, int, float)


def row_functions(rows: Rows, module: str, gradients: bool = True) -> dict[str, Callable[..., Any]]:
    """Make the public functions over `rows`, as attributes of the module of this name."""
    scope = {
        "_rows": rows,
        "_ndarray": np.ndarray,
        "_is_container": is_container,
        "_by_container": by_container,
        "_with_dtypes": _with_dtypes,
        "_unmasked": unmasked,
    }
    return {
        spec.name + kind: python_function(spec, kind, module, _body(spec, kind), scope)
        for spec in ROW_OPS.values()
        for kind in spec.kinds
        if gradients or not kind
    }


def _body(spec: Spec, kind: str) -> list[str]:
    form = spec.form(kind)
    name, operands, options = form.name, form.operands, form.options or {}
    where, dtype = ("where" if "where" in options else None), "dtype" in options
    keepdims = ("keepdims", "bool(keepdims)") if spec.reduces else (False, None)
    arrays = " and ".join(f"type({x}) is _ndarray" for x in operands)
    contained = " or ".join(f"_is_container({x})" for x in operands)
    more = f"{where}, out, {keepdims[1]}{', dtype=dtype' if dtype else ''}"
    both = ", ".join(operands)
    return [
        f"if not ({arrays}):",
        f"    if {contained}:",
        f"        return _by_container({name}, ({both},), axis, {more})",
        *(f"    _unmasked({name!r}, {x!r}, {x})" for x in operands),
        *([f"    {both} = _with_dtypes({both})"] if len(operands) > 1 else []),
        f"return _rows({name!r}, {both if len(operands) > 1 else f'{both}, None'}, axis, "
        f"{keepdims[0]}, {where}, out, {'dtype' if dtype else None})",
    ]


def _with_dtypes(*operands: Any) -> tuple[Any, ...]:
    """Give Python's numbers the dtype that they have beside the others."""
    if not any(type(x) in _WEAK for x in operands) or all(type(x) in _WEAK for x in operands):
        return operands
    dtype = result_dtype(None, *operands)
    return tuple(np.asarray(x, dtype) if type(x) in _WEAK else x for x in operands)
