"""The few instructions that Numba does not offer as such."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

_REAL: Any = types.float64


def _instruction(function: Callable[..., Any]) -> Callable[..., float]:
    made: Callable[..., float] = intrinsic(function)
    return made


def _fuses(context: Any) -> bool:
    """Whether the machine that is compiled for multiplies and adds in one instruction."""
    triple, _, features = context.codegen().magic_tuple()
    return "+fma" in features.split(",") or triple.startswith(("aarch64", "arm64"))


def _multiply_add(fused: bool, builder: Any, a: Any, b: Any, c: Any) -> Any:
    if fused:
        return builder.fma(a, b, c)
    return builder.fadd(builder.fmul(a, b), c)


@_instruction
def mad(typing_context: Any, a: Any, b: Any, c: Any) -> Any:
    """Return `a * b + c` in float64, with one rounding where the machine can."""

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        wide = [
            context.cast(builder, value, kind, _REAL)
            for value, kind in zip(arguments, signature.args, strict=True)
        ]
        return _multiply_add(_fuses(context), builder, *wide)

    return _REAL(a, b, c), code


@_instruction
def has_fma(typing_context: Any) -> Any:
    """Whether `mad` rounds once: a constant, so that the code of the other case disappears."""

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return ir.Constant(ir.IntType(1), int(_fuses(context)))

    return types.boolean(), code


@_instruction
def polynomial(typing_context: Any, x: Any, coefficients: Any) -> Any:
    """Polynomial, lowest coefficient first: Horner's rule in x**2 for pairs of terms.

    The chain of operations that wait for each other is half as long, for one multiplication more;
    pairs of pairs make it no faster and less accurate.  As straight code: LLVM does not unroll
    longer loops, and vectorises around none.
    """

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        x, values = arguments
        fused = _fuses(context)
        terms = [builder.extract_value(values, k) for k in range(len(coefficients))]
        pairs = [
            _multiply_add(fused, builder, high, x, low)
            for low, high in zip(terms[::2], terms[1::2], strict=False)
        ]
        *rest, total = pairs + terms[len(terms) - len(terms) % 2 :]
        square = builder.fmul(x, x)
        for term in reversed(rest):
            total = _multiply_add(fused, builder, total, square, term)
        return total

    return _REAL(_REAL, coefficients), code
