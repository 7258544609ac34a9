"""Calls of the C drivers from compiled functions, by names that survive in Numba's caches.

An address in compiled code holds for one process.  So code refers to symbols, and each object file
with such code names a hook that Numba runs before it links the file again: there the symbols get
the addresses of the process and of the instruction set in use.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any
from zlib import crc32

import llvmlite.binding as llvm
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from vekt._core.native import SELECTED, TARGETS, _address, ffi, kernels, lib

_POINTER = ir.IntType(8).as_pointer()
_PREFIX = "vekt_jit_"
_FUNCTIONS = tuple(name for name in dir(lib) if name.startswith(_PREFIX))
_TARGET = "vekt_target"
# Untyped.
_intrinsic: Any = intrinsic
_utilities: Any = cgutils
_types: Any = types


def kernel_symbol(name: str, dtype: Any) -> str:
    """Symbol of a kernel in the table."""
    return f"vekt_kernel_{name}_{dtype}"


@cache
def addresses() -> dict[str, int]:
    """Addresses in this process, by symbol."""
    target = TARGETS[SELECTED]
    found = {name: _address(ffi.addressof(lib, name)) for name in _FUNCTIONS}
    found[_TARGET] = _address(target)
    for i, kernel in enumerate(kernels()):
        found[kernel_symbol(kernel["name"], kernel["dtype"])] = _address(
            ffi.addressof(target.kernels[i])
        )
    return found


@cache
def _bind() -> None:
    for name, address in addresses().items():
        llvm.add_symbol(name, address)


@cache
def _interface() -> int:
    """Digest of all that compiled code takes for granted."""
    signatures = [str(ffi.typeof(getattr(lib, name))) for name in _FUNCTIONS]
    return crc32("\n".join([*sorted(addresses()), *signatures]).encode())


class _Hook:
    """What Numba pickles with compiled code, and calls before it is linked."""

    def __call__(self) -> None:
        _bind()

    def __reduce__(self) -> Any:
        return _hook_for, (_interface(),)


_HOOK = _Hook()


def _hook_for(interface: int) -> _Hook:
    if interface != _interface():
        # To Numba the file is not there, and it compiles anew.
        raise FileNotFoundError("compiled for another version of vekt")
    return _HOOK


def _refer(context: Any) -> None:
    """Bind the symbols, now and before the code that is being made is linked again."""
    _bind()
    context.active_code_library._reload_init.add(_HOOK)


def _symbol(context: Any, builder: Any, name: str) -> Any:
    """Address of what the symbol stands for."""
    _refer(context)
    variable = builder.module.globals.get(name)
    if variable is None:
        variable = _utilities.add_global_variable(builder.module, ir.IntType(8), name)
    return builder.bitcast(variable, _POINTER)


def _argument(context: Any, builder: Any, expected: Any, kind: Any, value: Any) -> Any:
    """Convert a value to what C expects: numbers, addresses, arrays' data, tuples as C arrays."""
    if isinstance(kind, types.Array):
        data = context.make_array(kind)(context, builder, value).data
        return builder.bitcast(data, _POINTER)
    if isinstance(kind, _types.BaseTuple):
        if not len(kind):
            return ir.Constant(_POINTER, None)
        real = any(isinstance(t, types.Float) for t in kind)
        item: Any = types.float64 if real else types.intp
        items = [
            context.cast(builder, builder.extract_value(value, i), t, item)
            for i, t in enumerate(kind)
        ]
        space = _utilities.alloca_once_value(builder, _utilities.pack_array(builder, items))
        return builder.bitcast(space, _POINTER)
    if isinstance(kind, types.NoneType):
        return ir.Constant(_POINTER, None)
    number = context.cast(builder, value, kind, types.intp)
    if isinstance(expected, ir.PointerType):
        return builder.inttoptr(number, expected)
    return builder.trunc(number, expected) if expected.width < 64 else number


def driver(name: str, returns: Any = None) -> Callable[..., Any]:
    """Make the function of nopython mode that calls the C function `vekt_jit_NAME`.

    It takes a tuple of the arguments but the first, which is the target in use, and returns the
    status; where `returns` is a type also the value of that type to which the last argument of the
    C function points.
    """
    symbol = _PREFIX + name
    expected = [
        _POINTER if t.kind == "pointer" else ir.IntType(8 * ffi.sizeof(t))
        for t in ffi.typeof(getattr(lib, symbol)).args
    ]

    def call(typing_context: Any, arguments: Any) -> Any:
        def code(context: Any, builder: Any, signature: Any, packed: Any) -> Any:
            _refer(context)
            values = _utilities.unpack_tuple(builder, packed[0])
            passed = [_symbol(context, builder, _TARGET)]
            for slot, kind, value in zip(expected[1:], arguments, values, strict=False):
                passed.append(_argument(context, builder, slot, kind, value))
            if returns is not None:
                result = _utilities.alloca_once(builder, context.get_value_type(returns))
                passed.append(builder.bitcast(result, _POINTER))
            kind = ir.FunctionType(ir.IntType(32), expected)
            function = _utilities.get_or_insert_function(builder.module, kind, symbol)
            status = builder.call(function, passed)
            if returns is None:
                return status
            return context.make_tuple(
                builder, signature.return_type, [status, builder.load(result)]
            )

        if returns is None:
            return types.int32(arguments), code
        return _types.Tuple((types.int32, returns))(arguments), code

    made: Callable[..., Any] = _intrinsic(call)
    return made


def address_of(symbol: str) -> Callable[..., Any]:
    """Make the function of nopython mode that returns the address of a symbol."""

    def address(typing_context: Any) -> Any:
        def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            pointer = _symbol(context, builder, symbol)
            return builder.ptrtoint(pointer, context.get_value_type(types.uintp))

        return types.uintp(), code

    made: Callable[..., Any] = _intrinsic(address)
    return made
