"""The kernels of `vekt.jit`, made from the scalar functions."""

from __future__ import annotations

from collections.abc import Callable
from inspect import signature
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np
from numba import types

from vekt._core.containers import with_masks
from vekt._core.operands import computing_dtype, outs_of, result_dtype, stored
from vekt._spec import math
from vekt._spec.activations import KERNELS
from vekt.jit import _library, _math, _normal, _powers
from vekt.jit._elementwise import elementwise
from vekt.jit._jitable import entry, jitable
from vekt.jit._scalars import FROM_OUTPUT, SCALARS
from vekt.jit._single import single

Function = Callable[..., Any]

_F4, _F8 = np.dtype("f4"), np.dtype("f8")
_ndarray = np.ndarray

MATHEMATICS: dict[str, Function] = {
    "exp": _math.exp,
    "expm1": _math.expm1,
    "exp2": _math.exp2,
    "log": _math.log,
    "log2": _math.log2,
    "log10": _math.log10,
    "log1p": _math.log1p,
    "sinh": _math.sinh,
    "cosh": _math.cosh,
    "erf": _normal.erf,
    "erfc": _normal.erfc,
    "arctan": _powers.arctan,
    "cbrt": _powers.cbrt,
    "rsqrt": _powers.rsqrt,
    "sin": _library.sine,
    "cos": _library.cosine,
    "tan": _library.tangent,
}
"""Functions of one operand that are no activations; tanh is one."""

BINARY: dict[str, Function] = {
    "power": _powers.power,
    "arctan2": _powers.arctan2,
    "hypot": _powers.hypot,
    "logaddexp": _powers.logaddexp,
}
"""Functions of two operands, the same code for float32: what they sum may nearly cancel."""


def _suited(function: Function, kind: Any) -> Function:
    """Return the twin of a scalar function for results of this type."""
    return single(function) if kind == types.float32 else function


def _gradient(name: str, pair: Function, kind: Any) -> Function:
    """Return the twin that serves for the gradient: near a root it wants all digits of float64."""
    rooted = name in KERNELS and KERNELS[name].roots
    return pair if rooted else _suited(pair, kind)


def _value(name: str, pair: Function) -> Function:
    def of(kind: Any) -> Function:
        pair_of = _suited(pair, kind)
        return jitable(lambda x, *params: kind(pair_of(x, *params)[0]))

    return of


def _value_and_grad(name: str, pair: Function) -> Function:
    def of(kind: Any) -> Function:
        value_of, gradient_of = _suited(pair, kind), _gradient(name, pair, kind)

        @jitable
        def element(x: Any, *params: Any) -> Any:
            return kind(value_of(x, *params)[0]), kind(gradient_of(x, *params)[1])

        return element

    return of


# The derivative is rounded before it is multiplied, as in the C kernels: dx is exactly
# dy * value_and_grad(x)[1].


def _backward(name: str, pair: Function) -> Function:
    def of(kind: Any) -> Function:
        gradient_of = _gradient(name, pair, kind)
        return jitable(lambda dy, x, *params: kind(kind(dy) * kind(gradient_of(x, *params)[1])))

    return of


def _exponential_backward(kind: Any) -> Function:
    """Multiply by halves of e^x where it leaves the range of its dtype."""
    wide = SCALARS["exponential"]
    gradient_of = _suited(wide, kind)
    info = np.finfo(np.float32 if kind == types.float32 else np.float64)
    least, most = float(info.tiny), float(info.max)

    @jitable
    def element(dy: Any, x: Any) -> Any:
        slope = kind(gradient_of(x)[1])
        if least <= slope <= most:
            return kind(kind(dy) * slope)
        half = wide(0.5 * x)[1]
        return kind(kind(dy) * half * half)

    return element


def _backward_from_output(derivative: Function) -> Function:
    def of(kind: Any) -> Function:
        gradient_of = _suited(derivative, kind)
        return jitable(lambda dy, y, *params: kind(kind(dy) * kind(gradient_of(y, *params))))

    return of


def _plain(function: Function) -> Function:
    def of(kind: Any) -> Function:
        function_of = _suited(function, kind)
        return jitable(lambda x: kind(function_of(x)))

    return of


def _of_two(function: Function) -> Function:
    return lambda kind: jitable(lambda x, y: kind(function(x, y)))


def _compiled() -> dict[str, Function]:
    kernels: dict[str, Function] = {}
    for name, pair in SCALARS.items():
        for suffix, element, inputs, outputs in (
            ("", _value, 1, 1),
            ("_backward", _backward, 2, 1),
            ("_value_and_grad", _value_and_grad, 1, 2),
        ):
            full = name + suffix
            made = element(name, pair)
            if full == "exponential_backward":
                made = _exponential_backward
            kernels[full] = elementwise(full, __name__, made, inputs, outputs)
    for name, derivative in FROM_OUTPUT.items():
        full = f"{name}_backward_from_output"
        kernels[full] = elementwise(full, __name__, _backward_from_output(derivative), 2, 1)
    for name, function in MATHEMATICS.items():
        kernels[name] = elementwise(name, __name__, _plain(function), 1, 1)
    for name, function in BINARY.items():
        kernels[name] = elementwise(name, __name__, _of_two(function), 2, 1)
    return kernels


COMPILED = _compiled()
"""The kernels for nopython mode, by kernel name."""

# Numba's cache knows an entry by its own code and by what it refers to, which is these names.
globals().update(COMPILED)


def _fingerprint() -> str:
    """Digest of the sources that go into a compiled entry."""
    paths = [*sorted(Path(__file__).parent.rglob("*.py")), Path(math.__file__)]
    return f"{crc32(b''.join(path.read_bytes() for path in paths)):08x}"


_FINGERPRINT = _fingerprint()


def _operands(name: str) -> int:
    """How many operands a kernel has."""
    kernel, _, kind = name.partition("_backward")
    kernel = kernel.removesuffix("_value_and_grad")
    if kernel in MATHEMATICS or kernel in BINARY:
        return 2 if kernel in BINARY else 1
    params = len(signature((FROM_OUTPUT if kind else SCALARS)[kernel]).parameters) - 1
    return params + (2 if "_backward" in name else 1)


# The entries from Python differ by their count of operands: a starred one costs twice the call.


def _one(kernel: Function) -> Function:
    def call(a):  # type: ignore[no-untyped-def]
        return kernel(a)

    return call


def _two(kernel: Function) -> Function:
    def call(a, b):  # type: ignore[no-untyped-def]
        return kernel(a, b)

    return call


def _any(kernel: Function) -> Function:
    def call(*operands):  # type: ignore[no-untyped-def]
        return kernel(*operands)

    return call


def _entry(name: str, kernel: Function) -> Function:
    """Compile the entry from Python to a kernel."""
    call = {1: _one, 2: _two}.get(_operands(name), _any)(kernel)
    # Numba names its cache files after these, and looks at this file's age but no other's.
    call.__name__ = call.__qualname__ = f"{name}-{_FINGERPRINT}"
    return entry(call)


def _raw(name: str, kernel: Function) -> Function:
    """Make the function that stands where `vekt` has its ufunc."""
    run = _entry(name, kernel)
    n_data = 2 if "_backward" in name or name in BINARY else 1

    def call(*operands: Any, out: Any = None, where: Any = True, dtype: Any = None) -> Any:
        if out is None and where is True and dtype is None:
            for x in operands:
                # What the compiled entry takes as it is; other ranks and layouts, each of which it
                # would compile anew, are flattened first.  A scalar alone would come back as float.
                if type(x) is _ndarray:
                    if ((kind := x.dtype) is _F8 or kind is _F4) and x.ndim == 1 and x.flags.carray:
                        continue
                elif type(x) is float and x is not operands[0]:
                    continue
                break
            else:
                return run(*operands)
        return _general(run, operands, n_data, out, where, dtype)

    return call


def _flat(array: Any, shape: tuple[int, ...]) -> Any:
    """Return an array broadcast to a shape, contiguous and in one dimension."""
    if array.shape == shape and array.flags.carray:
        return array.reshape(-1)
    return np.broadcast_to(array, shape).flatten()


def _flat_or_number(array: Any, shape: tuple[int, ...]) -> Any:
    return _flat(array, shape) if array.ndim else float(array)


def _general(
    run: Function, operands: tuple[Any, ...], n_data: int, out: Any, where: Any, dtype: Any
) -> Any:
    """Call with any operands and options, as a ufunc would take them.

    Parameters, all operands but the first n_data, that are Python's numbers are not rounded to 16
    bits.
    """
    kept, narrow = result_dtype(dtype, *operands), computing_dtype(dtype, *operands)
    arrays = [np.asarray(x) for x in operands]
    shape = np.broadcast_shapes(*(a.shape for a in arrays))
    with np.errstate(over="ignore"):
        arrays = [
            (a if k >= n_data and type(x) in (int, float) else a.astype(kept, copy=False)).astype(
                narrow, copy=False
            )
            for k, (a, x) in enumerate(zip(arrays, operands, strict=True))
        ]
        results = run(_flat(arrays[0], shape), *(_flat_or_number(a, shape) for a in arrays[1:]))
        results = results if isinstance(results, tuple) else (results,)
        results = tuple(r.reshape(shape).astype(kept, copy=False) for r in results)
    if len(results) == 1:
        return with_masks(operands, stored(results[0], out, where), out)
    outs = outs_of(out, len(results))
    return tuple(
        with_masks(operands, stored(r, to, where), to) for r, to in zip(results, outs, strict=True)
    )


RAW = {name: _raw(name, kernel) for name, kernel in COMPILED.items()}
"""The kernels for Python, by kernel name."""
