"""Elementwise operations on arrays of any shape, layout and dtype, named as NumPy's ufuncs.

Each is made at its first use, and learns the dtypes that it is called with one after the other.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from vekt._core import native
from vekt._core.names import no_attribute
from vekt._spec.docstrings import headed
from vekt._spec.elementwise import OPS, PUBLIC_NAMES
from vekt._spec.spec import Spec
from vekt.elementwise import _numpy
from vekt.elementwise._types import (
    dtype_of,
    find_operation,
    is_weak,
    keeps_numbers,
    resolve,
    signature_of,
)

__all__ = [*PUBLIC_NAMES]


class _Fallback:
    """What a dispatcher calls with what it has no operation for: to learn one, or for NumPy."""

    def __init__(self, op: Spec, isa: str) -> None:
        self.op = op
        self.isa = isa
        self.known: set[Any] = set()
        self.numpy: Callable[..., Any] = _numpy.function(op)

    @property
    def types(self) -> list[str]:
        """Types of the inputs and the output, where NumPy has no ufunc to tell them."""
        inputs = ["?" if name == "condition" else "" for name in self.op.inputs]
        letters = dict.fromkeys(t[0] for t in np.add.types if set(t) == {t[0], "-", ">"})
        return [f"{''.join(i or k for i in inputs)}->{k}" for k in letters if k not in "OmM"]

    @property
    def ufunc(self) -> np.ufunc | None:
        """The ufunc whose methods are this function's: of two operands, or of the same bits."""
        own = self.op.facts["rounds_alone"] and len(self.op.inputs) != 2
        return None if own or not isinstance(self.numpy, np.ufunc) else self.numpy

    @property
    def rounds_alone(self) -> bool:
        """Whether results may differ from the ufunc's in their last digits."""
        return bool(self.op.facts["rounds_alone"])

    def __call__(self, dispatcher: Any, args: tuple[Any, ...], options: dict[str, Any]) -> Any:
        for x in args:
            if hasattr(type(x), "__vekt_function__"):  # a symbol, while `vekt.fuse` traces
                return x.__vekt_function__(self.op.kernel.name, self.numpy, args, options)
        signature = signature_of(args[: dispatcher.nin])
        if signature is not None and len(signature) == dispatcher.nin:
            key = signature, dtype_of(options.get("dtype"))
            if key not in self.known:
                learnt = self._learn(dispatcher, *key)
                self.known.add(key)
                if learnt:
                    return dispatcher(*args, **options)
        if self.op.name == "clip":
            limited = _numpy.by_one_limit(args, options)
            if limited is not NotImplemented:
                return limited
        with np.errstate(all="ignore"):
            if self.op.facts["rounds_alone"]:
                result = _numpy.by_parts(dispatcher, self.op, args, options)
                if result is not NotImplemented:
                    return result
            if self.op.facts["compares"] and options.get("where", True) is not True:
                args = _numpy.with_arrays_of_large_numbers(args)
            return self.numpy(*args, **options)

    def _learn(self, dispatcher: Any, signature: Any, dtype: Any) -> bool:
        try:
            *inputs, result = resolve(self.op, signature, dtype)
            operation = find_operation(self.op, (*inputs, result), self.isa)
            if operation is None or not keeps_numbers(signature, inputs, dtype):
                return False
            weak = [
                d for t, d in zip(signature, inputs, strict=True) if is_weak(t) and d != np.bool_
            ]
            dispatcher.add(signature, operation, (result,), weak[0] if weak else None, dtype)
        except TypeError:  # NumPy has no loop, or the engine not this dtype: NumPy says so
            return False
        return True


def build(name: str, isa: str = native.SELECTED) -> Any:
    """Return a new function of this name over a supported target's kernels."""
    op = OPS[name]
    made = native.build_dispatcher(
        name,
        len(op.inputs),
        1,
        _Fallback(op, isa),
        headed(op),
        isa=isa,
        options="dtype" in op.signature().parameters,
    )
    made.keeps_arrays = name == "where"  # as NumPy's, which is no ufunc
    made.refuses_negative = name == "power"
    made.__module__ = __name__
    made.__signature__ = op.signature()
    return made


def __getattr__(name: str) -> Any:
    if name not in OPS:
        raise no_attribute(__name__, name, __all__)
    return globals().setdefault(name, build(name))


def __dir__() -> list[str]:
    return __all__
