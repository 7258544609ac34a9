"""Warnings of calls that compute wider than their arrays: `vekt.warn_upcasts`."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from types import CodeType, FrameType, FunctionType
from typing import Any

import numpy as np

from vekt._core import native
from vekt._core.locks import Lock
from vekt._core.operands import is_bfloat16, is_half

__all__ = ["UpcastWarning", "warn_upcasts"]


class UpcastWarning(UserWarning):
    """A call computes in a wider floating point dtype than its widest array operand has."""


Lines = set[tuple[str, int]]

_warned: ContextVar[Lines | None] = ContextVar("vekt_upcasts", default=None)
"""Lines that have been warned of, within a context; None outside of one."""

_INTERNAL = ("vekt", "vekt_numba", "numpy", "numba")
_NO_OPERANDS = frozenset(("out", "where", "dtype", "axis", "initial", "signature"))
_PACKAGES = ("vekt", "vekt.jit", "vekt.reference", "vekt.ufuncs", "vekt.autograd", "vekt.network")

_lock = Lock()
_contexts = 0


@contextmanager
def warn_upcasts() -> Iterator[None]:
    r"""Warn of calls in a ``with`` block that compute wider than their widest array operand.

    Under NumPy's rules a scalar of type `numpy.float64` is as strong as an array:
    ``x * np.sqrt(2 / np.pi)`` is float64 where `x` is float32, and so is all that follows.
    Integers compute in float64 where the result is no integer.  Such a call warns once for each
    line, with the line that makes it, and names what widens it.  Python's numbers are weak and do
    not.

    Warned of are vekt's functions and NumPy's ufuncs, operators of arrays among them.  A call that
    asks for the wider dtype, by ``dtype=``, does not warn, nor does one without arrays.  The block
    holds for code of this context (`contextvars`): other threads and tasks go on as ever.  Outside
    of it nothing is watched, and nothing costs time.

    Warns
    -----
    UpcastWarning
        Once for each line.

    See Also
    --------
    matmul : Products of mixed dtypes, which convert the narrower operand on the way.

    Notes
    -----
    Not seen are methods of ufuncs (``np.add.reduce``), calls within NumPy, such as those of
    `numpy.mean`, and what compiled code does.  Functions written in Python, of `vekt.reference`
    among others, are seen in the thread that has entered the block, by `sys.setprofile`; where a
    warning is turned into an error, until then.

    Examples
    --------
    >>> import warnings
    >>> import numpy as np
    >>> import vekt as vk
    >>> x = np.ones(3, np.float32)
    >>> with warnings.catch_warnings(record=True, action="always") as caught, vk.warn_upcasts():
    ...     y = x * np.sqrt(2 / np.pi)
    ...     z = x * float(np.sqrt(2 / np.pi))
    >>> y.dtype, z.dtype
    (dtype('float64'), dtype('float32'))
    >>> print(str(caught[0].message).replace(": ", ":\n"))
    multiply computes in float64, its widest array is of float32:
    a scalar of numpy.float64 is strong, float(scalar) is not
    """
    token = _warned.set(set())
    _begin()
    profile = _Profile(sys.getprofile())
    sys.setprofile(profile)
    try:
        yield
    finally:
        if sys.getprofile() is profile:
            sys.setprofile(profile.former)
        _end()
        _warned.reset(token)


def _begin() -> None:
    global _contexts
    with _lock.held():
        _contexts += 1
        if _contexts == 1:
            native.watch(_check, _ufuncs())


def _end() -> None:
    global _contexts
    with _lock.held():
        _contexts -= 1
        if _contexts == 0:
            native.watch(None, _ufuncs())


def _ufuncs() -> tuple[np.ufunc, ...]:
    """Return NumPy's ufuncs and vekt's."""
    from vekt import ufuncs

    own = (getattr(ufuncs, name) for name in ufuncs.__all__)
    return tuple({id(u): u for u in (*vars(np).values(), *own) if isinstance(u, np.ufunc)}.values())


def _check(function: Any, args: tuple[Any, ...], options: dict[str, Any], result: Any) -> None:
    """Look at a call that C has made, which its caller's frame is still waiting for."""
    lines = _warned.get()
    if lines is None:
        return
    frame: FrameType | None = sys._getframe(1)
    if frame is None or _is_internal(frame):
        return
    nin = getattr(function, "nin", None)
    operands = args if nin is None else args[: nin if isinstance(nin, int) else None]
    name = function if isinstance(function, str) else getattr(function, "__name__", str(function))
    out = options.get("out") if len(args) <= len(operands) else args[len(operands)]
    asked = options.get("dtype", options.get("signature", options.get("sig")))
    if asked is None:
        _judge(name, operands, result, out, frame, lines)


class _Profile:
    """A profile function that looks at calls of functions written in Python."""

    def __init__(self, former: Callable[..., Any] | None) -> None:
        self.former = former
        self.codes = _codes()
        self.calls: dict[int, dict[str, Any]] = {}

    def __call__(self, frame: FrameType, event: str, value: Any) -> None:
        if self.former is not None:
            self.former(frame, event, value)
        if event not in ("call", "return") or frame.f_code not in self.codes:
            return
        if event == "call":
            caller = frame.f_back
            if caller is not None and not _is_internal(caller):
                self.calls[id(frame)] = _arguments(frame)
            return
        arguments, lines = self.calls.pop(id(frame), None), _warned.get()
        if arguments is None or lines is None or value is None or frame.f_back is None:
            return
        if arguments.get("dtype") is None:
            operands = [x for name, x in arguments.items() if name not in _NO_OPERANDS]
            out = arguments.get("out")
            _judge(frame.f_code.co_name, operands, value, out, frame.f_back, lines)


def _codes() -> dict[CodeType, None]:
    """Return the code of vekt's public functions, of modules that have been imported."""
    found: dict[CodeType, None] = {}
    for package in _PACKAGES:
        module = sys.modules.get(package)
        if module is None:
            continue
        for name in module.__all__:
            function = getattr(module, name, None)
            function = getattr(function, "py_func", function)
            if isinstance(function, FunctionType) and name not in __all__:
                found[function.__code__] = None
    return found


def _arguments(frame: FrameType) -> dict[str, Any]:
    """Return what a function was called with, by name; more of it under numbers."""
    code, values = frame.f_code, frame.f_locals
    n = code.co_argcount + code.co_kwonlyargcount
    given = {name: values[name] for name in code.co_varnames[:n] if name in values}
    if code.co_flags & 0x04:  # *args
        given |= {str(i): x for i, x in enumerate(values[code.co_varnames[n]])}
    return given


def _is_internal(frame: FrameType) -> bool:
    name = frame.f_globals.get("__name__")
    return isinstance(name, str) and name.partition(".")[0] in _INTERNAL


def _judge(name: str, operands: Any, result: Any, out: Any, frame: FrameType, lines: Lines) -> None:
    """Warn of a call whose result, or common dtype where that goes to `out`, is too wide."""
    given = [x for x in operands if isinstance(x, np.ndarray | np.generic)]
    arrays = [x for x in given if isinstance(x, np.ndarray) and x.ndim]
    if not arrays:
        return
    results = result if isinstance(result, tuple) else (result,)
    dtypes = [r.dtype for r in results if isinstance(r, np.ndarray | np.generic)]
    if isinstance(out, tuple):
        out = next((x for x in out if x is not None), None)
    if out is not None:
        dtypes = _common(given)
    widest = max(arrays, key=lambda x: (_digits(x.dtype), x.dtype.itemsize)).dtype
    computed = max(dtypes, key=_digits, default=None)
    if computed is None or _digits(computed) <= _digits(widest):
        return
    line = frame.f_code.co_filename, frame.f_lineno
    if line in lines:
        return
    lines.add(line)
    reason = _reason(operands, given, widest)
    warnings.warn_explicit(
        f"{name} computes in {computed}, its widest array is of {widest}: {reason}",
        UpcastWarning,
        *line,
        module=frame.f_globals.get("__name__", "<unknown>"),
        registry={},  # ours says which lines have warned
    )


def _digits(dtype: np.dtype[Any]) -> int:
    """Bits of a floating point number, half of a complex one's; 0 for other dtypes."""
    if is_half(dtype):
        return 16
    return {"f": 8, "c": 4}.get(dtype.kind, 0) * dtype.itemsize


def _common(given: list[Any]) -> list[np.dtype[Any]]:
    known = [np.dtype("f4") if is_bfloat16(x.dtype) else x.dtype for x in given]
    try:
        return [np.result_type(*known)]
    except TypeError:  # no numbers
        return []


def _reason(operands: Any, given: list[Any], widest: np.dtype[Any]) -> str:
    """Say what makes a call wider than its widest array, and what mends it."""
    strong = max((x for x in given if not x.ndim), key=lambda x: _digits(x.dtype), default=None)
    if strong is not None and _digits(strong.dtype) > _digits(widest) > 0:
        return f"a scalar of numpy.{strong.dtype} is strong, float(scalar) is not"
    if not all(_digits(x.dtype) for x in given if x.ndim):
        return "integers compute in float64, astype(numpy.float32) does not"
    if any(isinstance(x, list | tuple) for x in operands):
        return "a list of floats is float64, numpy.array(list, numpy.float32) is not"
    return "a number of float64 within it is strong, float(number) is not"
