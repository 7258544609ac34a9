"""NumPy's functions that are no ufuncs, of symbols."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from vekt._core.clip import CLIP
from vekt._fuse.graph import REDUCTIONS, UnfusableError
from vekt._fuse.operands import broadcast_shape
from vekt._fuse.symbols import FUNCTIONS, Symbol, graph_of, is_number, node_of, python, refuse


def _where(condition: Any, x: Any = None, y: Any = None) -> Symbol:
    if x is None or y is None:
        refuse("np.where of a condition alone finds indices and cannot be fused")
    graph = graph_of(condition, x, y)
    return Symbol(graph, graph.where(*(node_of(graph, v) for v in (condition, x, y))))


def _clip(x: Any, *limits: Any, **named: Any) -> Any:
    low = limits[0] if limits else named.pop("a_min", named.pop("min", None))
    high = limits[1] if len(limits) > 1 else named.pop("a_max", named.pop("max", None))
    if any(value is not None for value in named.values()):
        refuse(f"np.clip: {', '.join(named)} cannot be fused")
    graph = graph_of(x, low, high)
    x = Symbol(graph, graph.strong(node_of(graph, x if isinstance(x, Symbol) else np.asarray(x))))
    if x.dtype.kind in "iu":  # as NumPy: limits beyond the dtype's own limit nothing
        info = np.iinfo(x.dtype)
        low, high = _limit(x, low, high), _limit(x, high, low)
        low = None if type(low) is int and low <= info.min else low
        high = None if type(high) is int and high >= info.max else high
    if low is None and high is None:
        return np.positive(x)
    if low is None:
        return np.minimum(x, high)
    if high is None:
        return np.maximum(x, low)
    return CLIP(x, low, high)


def _is_whole(x: Any) -> bool:
    """Whether it is one of Python's integers, or stands for one."""
    return (x._node.weak if isinstance(x, Symbol) else type(x)) is int


def _limit(x: Symbol, limit: Any, other: Any) -> Any:
    """Return a limit of integers; one of Python's beside one of another dtype is to lie within."""
    if other is None or _is_whole(other) or not (isinstance(limit, Symbol) and _is_whole(limit)):
        return limit
    graph = x._graph
    return Symbol(graph, graph.number_in(limit._node, x.dtype, "limit"))


def _index(axis: Any) -> int:
    """Take an axis as NumPy does, which is no bool."""
    if isinstance(axis, bool):
        raise TypeError("axis: expected an integer, got a bool")
    return operator.index(axis)


def _reduce(
    name: str,
    x: Any,
    axis: Any = None,
    dtype: Any = None,
    out: Any = None,
    keepdims: Any = False,
    **others: Any,
) -> Symbol:
    if out is not None:
        refuse(f"{name}: out= cannot be fused inside; give it to the fused function")
    for key, value in others.items():
        if (
            value is not None
            and value is not np._NoValue
            and not (key == "where" and value is True)
        ):
            refuse(f"{name}: {key}= cannot be fused")
    if axis is not None:
        axis = tuple(map(_index, axis)) if isinstance(axis, tuple) else _index(axis)
    graph = graph_of(x)
    node = node_of(graph, x)
    if dtype is not None:
        if name == "mean" and np.dtype(dtype).kind in "biu":
            raise UnfusableError(f"mean in {dtype}")
        node = graph.cast(node, np.dtype(dtype))
    if node.dtype.kind not in "biufc" and node.dtype.name != "bfloat16":
        raise UnfusableError(f"{name} of {node.dtype}")
    keeps = keepdims is not np._NoValue and bool(keepdims)
    return Symbol(graph, graph.reduce(name, node, axis, keeps))


def _reduction(name: str) -> Callable[..., Symbol]:
    def of_three(x: Any, axis: Any = None, *rest: Any, **named: Any) -> Symbol:
        sums = name in ("sum", "mean", "prod")
        keys = (*(("dtype",) if sums else ()), "out", "keepdims", "initial", "where")
        if len(rest) > len(keys):
            raise TypeError(f"{name} takes at most {len(keys) + 2} arguments")
        return _reduce(name, x, axis, **dict(zip(keys, rest, strict=False)), **named)

    return of_three


def _counted(
    name: str, x: Any, dtype: Any, out: Any, ddof: Any, correction: Any, others: Any
) -> tuple[Symbol, Any]:
    """Return what a variance is taken of, in its dtype, and how many degrees are lost."""
    for key, value in {"out": out, **others}.items():
        if (
            value is not None
            and value is not np._NoValue
            and not (key == "where" and value is True)
        ):
            refuse(f"{name}: {key}= cannot be fused")
    if correction is not np._NoValue:
        if ddof != 0:
            raise ValueError("ddof and correction can't be provided simultaneously.")
        ddof = correction
    if not is_number(ddof):
        refuse(f"{name}: ddof is a number that is known when the function is traced")
    graph = graph_of(x)
    node = graph.strong(node_of(graph, x))
    wide = np.dtype("f8") if node.dtype.kind in "biu" else node.dtype
    node = graph.cast(node, wide if dtype is None else np.dtype(dtype))
    if node.dtype.kind != "f" and node.dtype.name != "bfloat16":
        raise UnfusableError(f"{name} of {node.dtype}")
    return Symbol(graph, node), ddof


def _var(
    x: Any,
    axis: Any = None,
    dtype: Any = None,
    out: Any = None,
    ddof: Any = 0,
    keepdims: Any = False,
    *,
    correction: Any = np._NoValue,
    **others: Any,
) -> Any:
    """Two passes over memory, as sums of squared deviations; so is the gradient."""
    x, ddof = _counted("var", x, dtype, out, ddof, correction, others)
    deviation = x - np.mean(x, axis=axis, keepdims=True)
    squares = deviation * deviation
    if ddof == 0:
        return np.mean(squares, axis=axis, keepdims=keepdims)
    count = np.sum(np.ones_like(x), axis=axis, keepdims=keepdims)
    return np.sum(squares, axis=axis, keepdims=keepdims) / (count - ddof)


def _count_nonzero(x: Any, axis: Any = None, *, keepdims: Any = False) -> Any:
    return np.sum(x != 0, axis=axis, keepdims=keepdims)


def _nansum(x: Any, axis: Any = None, dtype: Any = None, *rest: Any, **options: Any) -> Any:
    return np.sum(np.where(x == x, x, 0), axis, dtype, *rest, **options)


def _nanmean(x: Any, axis: Any = None, dtype: Any = None, *rest: Any, **options: Any) -> Any:
    total = np.sum(np.where(x == x, x, 0), axis, dtype, *rest, **options)
    return total / np.sum(x == x, axis, total.dtype, *rest, **options)


def _complex_part(name: str) -> Callable[[Any], Any]:
    return lambda x: getattr(x, name)


def _round(x: Any, decimals: int = 0, out: Any = None) -> Any:
    if out is not None:
        refuse("np.round: out cannot be fused")
    x = Symbol(x._graph, x._graph.strong(x._node))
    if decimals >= 0 and x.dtype.kind in "iu":
        return np.positive(x)
    if decimals == 0:
        return np.rint(x)
    if x.dtype.kind != "f":
        raise UnfusableError(f"round of {x.dtype} to {decimals} decimals")
    scale = 10.0 ** abs(decimals)
    return np.rint(x * scale) / scale if decimals > 0 else np.rint(x / scale) * scale


def _full_like(x: Any, value: Any, dtype: Any = None) -> Symbol:
    graph = x._graph
    value = node_of(graph, value) if isinstance(value, Symbol) else value
    return Symbol(graph, graph.like(value, x._node, None if dtype is None else np.dtype(dtype)))


def _copy(x: Any, order: Any = "K", subok: Any = False) -> Symbol:
    return Symbol(x._graph, x._graph.strong(x._node))


def of_parts(real: Any, imaginary: Any) -> Any:
    """Return complex numbers of their two parts."""
    symbols = isinstance(real, Symbol) or isinstance(imaginary, Symbol)
    if is_number(real) and is_number(imaginary):
        return python("complex", real, imaginary) if symbols else complex(real, imaginary)
    if symbols:
        graph = graph_of(real, imaginary)
        return Symbol(graph, graph.complex(node_of(graph, real), node_of(graph, imaginary)))
    dtype = np.result_type(real, imaginary, np.complex64)
    result = np.empty(broadcast_shape(np.shape(real), np.shape(imaginary)), dtype)
    result.real, result.imag = real, imaginary
    return result


FUNCTIONS |= {
    "where": _where,
    "clip": _clip,
    "real": _complex_part("real"),
    "imag": _complex_part("imag"),
    "round": _round,
    "around": _round,
    "copy": _copy,
    "full_like": _full_like,
    "zeros_like": lambda x, dtype=None: _full_like(x, 0, dtype),
    "ones_like": lambda x, dtype=None: _full_like(x, 1, dtype),
    **{name: _reduction(name) for name in REDUCTIONS},
    "amax": _reduction("max"),
    "amin": _reduction("min"),
    "var": _var,
    "std": lambda x, *args, **named: np.sqrt(_var(x, *args, **named)),
    "count_nonzero": _count_nonzero,
    "nansum": _nansum,
    "nanmean": _nanmean,
}
