"""Which operation a signature of types wants, and what its results are: NumPy's rules."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from vekt._core import native
from vekt._spec.elementary import ELEMENTARY
from vekt._spec.spec import Spec
from vekt.elementwise._ufuncs import TYPED_AS, ufunc_of

_SLOW_OF_COMPLEX = {*(op.name for op in ELEMENTARY), "power", "sqrt"}
_COST_OF_COMPLEX = 20_000
"""Picoseconds that NumPy takes at least for an element of these: they want threads early."""

Signature = tuple[Any, ...]
"""Of each input a dtype, or the type of a number of Python."""


def signature_of(inputs: tuple[Any, ...]) -> Signature | None:
    """Types of plain arrays and numbers; None if there are others."""
    types: list[Any] = []
    for x in inputs:
        if type(x) in (bool, int, float, complex):
            types.append(type(x))
        elif type(x) is np.ndarray or isinstance(x, np.generic):
            types.append(x.dtype)
        else:
            return None
    return tuple(types)


def dtype_of(asked: Any) -> Any:
    """Return what `dtype` asks for; None for nothing, and for what is none."""
    try:
        return None if asked is None else np.dtype(asked)
    except TypeError:
        return None


def keeps_numbers(types: Signature, inputs: Sequence[Any], dtype: Any) -> bool:
    """Return whether it is all one if operands become what a loop takes before it or in it.

    16-bit floats compute in float32: what they were asked to become loses its digits first.
    """
    return not (
        dtype is not None
        and any(_is_narrow(d) and t != d for t, d in zip(types, inputs, strict=True))
    )


def _is_narrow(dtype: Any) -> bool:
    """Return whether it is computed in float32, with one rounding to its 16 bits."""
    return dtype.name in ("float16", "bfloat16")


def is_weak(kind: Any) -> bool:
    """Return whether a type is of numbers that take the dtype of others; int64 equals int."""
    return kind is int or kind is float or kind is complex


def common_dtype(types: Signature) -> Any:
    """Dtype that `numpy.result_type` gives these types; with bfloat16, NumPy's arithmetic."""
    strong = [np.dtype(t) if t is bool else t for t in types if not is_weak(t)]
    weak = [t(0) for t in types if is_weak(t)]
    if not any(t.name == "bfloat16" for t in strong):
        return np.result_type(*strong, *weak)
    common = strong[0]
    for other in [*strong[1:], *map(type, weak)]:
        common = np.add.resolve_dtypes((common, other, None))[-1]
    return common


def resolve(
    op: Spec, types: Signature, dtype: Any = None, casting: Any = "same_kind"
) -> tuple[Any, ...]:
    """Dtypes of the operands of the loop that NumPy would run, the result's last.

    `dtype` is what the call asks the result to be computed in, and `casting` what may become of
    the operands on the way.
    """
    types = tuple(t.newbyteorder("=") if isinstance(t, np.dtype) else t for t in types)
    if op.name == "where":
        common = common_dtype(types[1:])
        return (np.dtype(bool), common, common, common)
    if ufunc_of(op) is not None:
        first = np.dtype(types[0]) if op.name == "clip" else types[0]  # as np.clip takes it
        types = tuple(np.dtype(t) if t is bool else t for t in (first, *types[1:]))
        asked = (*(None for _ in types), dtype)
        resolved: tuple[Any, ...] = ufunc_of(op).resolve_dtypes(
            (*types, None), signature=asked, casting=casting
        )
        return resolved
    if dtype is None:
        return (common_dtype(types),) * 4
    for t in types:
        t = np.dtype(t) if t is bool else t
        np.add.resolve_dtypes((t, dtype, None), signature=(None, None, dtype), casting=casting)
    return (dtype,) * 4


def find_operation(op: Spec, loop: tuple[Any, ...], isa: str) -> Any:
    """Operation for a loop on these dtypes; None if the engine has none."""
    result = loop[-1]
    if op.name == "absolute" and result.name == "float16":  # a bit that needs no computing
        return native.numpy_operation(ufunc_of(op), loop, op.facts["cost"])
    wide = tuple(np.dtype("f4") if _is_narrow(d) else d for d in loop)
    moves_bits = op.name == "where"
    same = moves_bits or all(
        d == result or (op.name == "divide" and d.kind in "biu") for d in loop[:-1]
    )
    if op.kernel.name and same:
        try:
            return native.kernel_operation(op.kernel.name, result if moves_bits else wide[-1], isa)
        except KeyError:
            pass
    if ufunc_of(op) is None or op.name in TYPED_AS:
        return None
    is_slow = result.kind == "c" and op.name in _SLOW_OF_COMPLEX
    cost = _COST_OF_COMPLEX if is_slow else op.facts["cost"]
    found = native.numpy_operation(ufunc_of(op), wide, cost)
    return None if found is NotImplemented else found
