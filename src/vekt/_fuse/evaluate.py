"""`vekt.evaluate` and what goes with it: NumExpr's functions on vekt's engine."""

from __future__ import annotations

import sys
import threading
import weakref
from collections.abc import Mapping
from functools import lru_cache
from types import FrameType
from typing import Any

import numpy as np

from vekt._core.axes import unmasked
from vekt._fuse.parse import DivisionByZeroError, compiled

_PYTHONS = (bool, int, float, complex)
_ALLOWED = {
    "order": ("C", "F", "A", "K"),
    "casting": ("no", "equiv", "safe", "same_kind", "unsafe"),
    "sanitize": (None, True, False),
    "truediv": (True, False, "auto"),
    "optimization": ("none", "moderate", "aggressive"),
    "disable_cache": (True, False),
}


def evaluate(
    ex: str,
    local_dict: Mapping[str, Any] | None = None,
    global_dict: Mapping[str, Any] | None = None,
    out: Any = None,
    order: str = "K",
    casting: str = "same_kind",
    sanitize: bool | None = None,
    *,
    dtype: Any = None,
    truediv: bool | str = "auto",
    optimization: str = "aggressive",
    disable_cache: bool = False,
    _frame_depth: int = 1,
) -> Any:
    """Return the value of an expression in a string, in one pass over memory.

    NumExpr's function of the same name on vekt's engine, which takes its arguments.
    Results have NumPy's dtypes; functions of `vekt.elementwise` are vekt's own.

    Parameters
    ----------
    ex : str
        Python's operators on arrays and numbers, comparisons, ``.real`` and ``.imag``, and the
        functions ``where``, ``sin``, ``cos``, ``tan``, ``arcsin``, ``arccos``, ``arctan``,
        ``arctan2``, ``sinh``, ``cosh``, ``tanh``, ``arcsinh``, ``arccosh``, ``arctanh``, ``log``,
        ``log2``, ``log10``, ``log1p``, ``exp``, ``exp2``, ``expm1``, ``sqrt``, ``cbrt``,
        ``square``, ``reciprocal``, ``hypot``, ``abs``, ``sign``, ``floor``, ``ceil``, ``trunc``,
        ``rint``, ``round``, ``maximum``, ``minimum``, ``clip``, ``fmod``, ``copysign``,
        ``nextafter``, ``isnan``, ``isfinite``, ``isinf``, ``signbit``, ``copy``, ``ones_like``,
        ``conj``, ``real``, ``imag``, ``complex``, ``contains`` of text, and ``sum``, ``mean``,
        ``prod``, ``min``, ``max``, ``any`` and ``all`` with an axis and keepdims.  Text may be
        compared.  It is never executed as Python.
    local_dict, global_dict : mapping, optional
        Where variables are looked up; by default the caller's local and global ones.
    out : array, optional
        Where the result goes.
    order : {'K', 'C', 'F', 'A'}
        How a result without `out` lies in memory: 'K' as the operands do, 'A' as 'F' where all
        arrays lie so, else as 'C'.
    casting : {'same_kind', 'no', 'equiv', 'safe', 'unsafe'}
        Which conversions of the result to the dtype of `out` are allowed.
    sanitize, truediv, optimization : optional
        Taken for NumExpr's sake, without effect: every expression is checked, ``/`` divides as
        Python's does, and there is one way to compile.
    dtype : dtype, optional
        What arrays are converted to first.
    disable_cache : bool
        Whether `re_evaluate` is to know nothing of this call.

    Returns
    -------
    array or scalar
        The value.

    Raises
    ------
    ValueError
        If there is anything else in the expression, or a function has too many arguments or few.
    OverflowError
        If an integer of Python's is out of bounds of the dtype that it meets, as in NumPy.
    KeyError
        If a variable is missing.
    TypeError
        If the result may not be converted to the dtype of `out`, or text meets numbers.

    Examples
    --------
    >>> import numpy as np
    >>> import vekt as vk
    >>> a, b, c = np.array([4.0, 9.0]), 1.0, 2.0
    >>> vk.evaluate("(a - b) / c")
    array([1.5, 4. ])
    >>> vk.evaluate("a.size")
    Traceback (most recent call last):
        ...
    ValueError: expression: Attribute is not allowed: 'a.size'
    """
    key = (ex, order, casting, dtype, sanitize, truediv, optimization, disable_cache)
    expression = _expression(*key)
    values = expression.values(local_dict, global_dict, sys._getframe(_frame_depth))
    if not disable_cache:
        _remember(expression, out)
    return expression(values, out)


def validate(
    ex: str,
    local_dict: Mapping[str, Any] | None = None,
    global_dict: Mapping[str, Any] | None = None,
    out: Any = None,
    order: str = "K",
    casting: str = "safe",
    sanitize: bool | None = None,
    *,
    dtype: Any = None,
    truediv: bool | str = "auto",
    optimization: str = "aggressive",
    _frame_depth: int = 1,
) -> Exception | None:
    """Check an expression and its variables without computing it, for `re_evaluate`.

    Parameters
    ----------
    ex, local_dict, global_dict, out, order, casting, sanitize, dtype, truediv, optimization
        As those of `evaluate`.

    Returns
    -------
    Exception or None
        What `evaluate` would raise of the expression, its variables and their dtypes; None if
        nothing.

    Examples
    --------
    >>> import numpy as np
    >>> import vekt as vk
    >>> a = np.array([4.0, 9.0])
    >>> vk.validate("a + b")
    KeyError('there is no variable b')
    >>> vk.validate("a + 1")
    >>> vk.re_evaluate()
    array([ 5., 10.])
    """
    try:
        expression = _expression(ex, order, casting, dtype, sanitize, truediv, optimization)
        frame = sys._getframe(_frame_depth)
        expression.check(expression.values(local_dict, global_dict, frame))
    except Exception as error:
        return error
    _remember(expression, out)
    return None


def re_evaluate(
    local_dict: Mapping[str, Any] | None = None,
    global_dict: Mapping[str, Any] | None = None,
    *,
    _frame_depth: int = 1,
) -> Any:
    """Evaluate the expression of the last `evaluate` or `validate` of this thread again.

    Parameters
    ----------
    local_dict, global_dict : mapping, optional
        Where variables are looked up; by default the caller's local and global ones.

    Returns
    -------
    array or scalar
        The value, in the same `out` as before if that still exists.

    Raises
    ------
    RuntimeError
        If there was no such call.

    Examples
    --------
    >>> import vekt as vk
    >>> [vk.evaluate("a * a", {"a": 3.0}), vk.re_evaluate({"a": 4.0})]
    [np.float64(9.0), np.float64(16.0)]
    """
    call = getattr(_last, "call", None)
    if call is None:
        raise RuntimeError("re_evaluate: there was no evaluate or validate in this thread")
    expression, out = call
    values = expression.values(local_dict, global_dict, sys._getframe(_frame_depth))
    return expression(values, None if out is None else out())


_last = threading.local()


def _remember(expression: _Expression, out: Any) -> None:
    """Keep an expression for `re_evaluate`, which keeps no result alive."""
    _last.call = expression, weakref.ref(out) if isinstance(out, np.ndarray) else None


class _Expression:
    """An expression with the options that it is evaluated with."""

    def __init__(self, ex: str, order: str, casting: str, dtype: Any) -> None:
        self.names, self.function = compiled(ex)
        self.order, self.casting = order, casting
        self.options = {} if dtype is None else {"dtype": dtype}

    def values(
        self,
        local_dict: Mapping[str, Any] | None,
        global_dict: Mapping[str, Any] | None,
        frame: FrameType,
    ) -> list[Any]:
        """Return the values of the variables, of a frame where no others are given."""
        if local_dict is None:
            local_dict = frame.f_locals
        if global_dict is None:
            global_dict = frame.f_globals
        values = []
        for name in self.names:
            if name in local_dict:
                x = local_dict[name]
            elif name in global_dict:
                x = global_dict[name]
            else:
                raise KeyError(f"there is no variable {name}")
            if type(x) is not np.ndarray and type(x) not in _PYTHONS:
                x = np.asarray(unmasked("evaluate", name, x))
            values.append(x)
        return values

    def __call__(self, values: list[Any], out: Any) -> Any:
        """Return the value of the expression, in `out` if it is given."""
        if out is None:
            return self._in_order(self._run(values), values)
        if self.casting == "same_kind" or not isinstance(out, np.ndarray):
            return self._run(values, out=out)
        result = np.asarray(self._run(values))
        if result.shape != out.shape:
            raise ValueError(f"out: expected an array of shape {result.shape}, got {out.shape}")
        if self.casting == "unsafe" and result.dtype.kind == "c" and out.dtype.kind in "iufV":
            result = result.real  # it was asked for: no warning, whose filters all threads share
        with np.errstate(all="ignore"):
            np.copyto(out, result, casting=self.casting)  # type: ignore[arg-type]
        return out

    def check(self, values: list[Any]) -> None:
        """Raise what is wrong with dtypes."""
        try:
            self.function.graph(*values, **self.options)
        except TypeError:  # there is none of text and the like, or an error is on its way
            self._run(values)

    def _run(self, values: list[Any], **out: Any) -> Any:
        try:
            return self.function(*values, **self.options, **out)
        except ZeroDivisionError as error:
            raise DivisionByZeroError(f"expression: {error}") from None

    def _in_order(self, result: Any, values: list[Any]) -> Any:
        if self.order == "K" or not isinstance(result, np.ndarray):
            return result
        order = self.order
        if order == "A":
            arrays = [x for x in values if isinstance(x, np.ndarray) and x.ndim]
            order = "F" if arrays and all(x.flags.f_contiguous for x in arrays) else "C"
        return np.asarray(result, order=order)  # type: ignore[call-overload]


@lru_cache(256)
def _expression(
    ex: str,
    order: str,
    casting: str,
    dtype: Any,
    sanitize: Any,
    truediv: Any,
    optimization: Any,
    disable_cache: Any = False,
) -> _Expression:
    """Check the options of a call, and prepare it."""
    given = locals()
    for name, allowed in _ALLOWED.items():
        if given[name] not in allowed:
            raise ValueError(f"{name}: expected one of {allowed}, got {given[name]!r}")
    return _Expression(ex, order, casting, dtype)
