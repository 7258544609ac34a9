"""Statistics along axes and running sums: gradients by formulas, which have theirs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import autograd.numpy as np
from autograd.extend import defvjp, primitive
from numpy.lib.array_utils import normalize_axis_tuple

import vekt as vk
from vekt._spec.reductions import NOTHING

Function = Callable[..., Any]

__all__ = [
    "cumprod",
    "cumsum",
    "moments",
    "nanmean",
    "nanstd",
    "nansum",
    "nanvar",
    "prod",
    "std",
    "var",
]


def _axes(x: Any, axis: Any) -> tuple[int, ...]:
    n = np.ndim(x)
    return tuple(range(n)) if axis is None else normalize_axis_tuple(axis, n)


def _kept(g: Any, x: Any, axis: Any, keepdims: Any) -> Any:
    """Return the gradient of a result with the axes that were reduced."""
    if not keepdims:
        for i in sorted(_axes(x, axis)):
            g = np.expand_dims(g, i)
    return g


def _refuse(name: str, where: Any) -> None:
    if where is not True:
        raise TypeError(f"{name}: no gradient with where=")


def _sum(x: Any, axis: Any) -> Any:
    return np.sum(x, axis=axis, keepdims=True)


def _numbers(x: Any, skips: bool) -> tuple[Any, Any]:
    """Return 1 for what counts, and those elements, 0 for others."""
    counts = (x == x) if skips else np.ones(np.shape(x))
    return counts, np.where(counts, x, 0)


def _variance(name: str) -> Function:
    """Return `var` or its kin: with respect to x 2 (x - m) / (n - ddof)."""
    value: Function = primitive(getattr(vk, name))

    def rule(
        y: Any,
        x: Any,
        axis: Any = None,
        dtype: Any = None,
        out: Any = None,
        ddof: Any = 0,
        keepdims: Any = False,
        *,
        where: Any = True,
        correction: Any = NOTHING,
    ) -> Function:
        _refuse(name, where)
        ddof = ddof if correction is NOTHING else correction

        def vjp(g: Any) -> Any:
            counts, known = _numbers(x, name[:3] == "nan")
            n = _sum(counts, axis)
            slope = 2 * np.where(counts, known - _sum(known, axis) / n, 0) / (n - ddof)
            if name[-3:] == "std":
                g = g / (2 * y)
            return _kept(g, x, axis, keepdims) * slope

        return vjp

    defvjp(value, rule, argnums=(0,))
    return value


def _total(name: str) -> Function:
    """Return a sum or a mean of what is not NaN, or of all."""
    value: Function = primitive(getattr(vk, name))

    def rule(
        y: Any,
        x: Any,
        axis: Any = None,
        dtype: Any = None,
        out: Any = None,
        keepdims: Any = False,
        initial: Any = NOTHING,
        where: Any = True,
    ) -> Function:
        _refuse(name, where)

        def vjp(g: Any) -> Any:
            counts, _ = _numbers(x, name[:3] == "nan")
            n = _sum(counts, axis) if name[-4:] == "mean" else 1
            return _kept(g, x, axis, keepdims) * counts / n

        return vjp

    defvjp(value, rule, argnums=(0,))
    return value


var, std, nanvar, nanstd = map(_variance, ("var", "std", "nanvar", "nanstd"))
nansum, nanmean, _mean = map(_total, ("nansum", "nanmean", "mean"))


def moments(
    a: Any,
    axis: Any = None,
    dtype: Any = None,
    ddof: Any = 0,
    keepdims: Any = False,
    *,
    where: Any = True,
    correction: Any = NOTHING,
) -> tuple[Any, Any]:
    """Return `vekt.mean` and `vekt.var`, each with its gradient."""
    options = {"dtype": dtype, "keepdims": keepdims, "where": where}
    return _mean(a, axis, **options), var(a, axis, ddof=ddof, correction=correction, **options)


def _before(x: Any, turn: int) -> Any:
    """Products of what comes before each element along the last axis, or after it."""
    shifted = np.concatenate([np.ones_like(x[..., :1]), x[..., ::turn][..., :-1]], -1)
    return cumprod(shifted, -1)[..., ::turn]


cumsum: Function = primitive(vk.cumsum)
cumprod: Function = primitive(vk.cumprod)
prod: Function = primitive(vk.prod)


def _along_last(g: Any, x: Any, axis: Any, of_lines: Function) -> Any:
    """Apply a function of two arrays along their last axis along another one, or all."""
    if axis is None:
        return np.reshape(of_lines(np.ravel(g), np.ravel(x)), np.shape(x))
    g, x = np.moveaxis(g, axis, -1), np.moveaxis(x, axis, -1)
    return np.moveaxis(of_lines(g, x), -1, axis)


def _sums_after(g: Any, x: Any) -> Any:
    return cumsum(g[..., ::-1], -1)[..., ::-1]


def _products_after(g: Any, x: Any) -> Any:
    """Go back from the end: s_i = g_i + x_(i+1) s_(i+1) times all that comes before x_i."""
    n = np.shape(x)[-1]
    sums = [g[..., n - 1]]
    for i in range(n - 2, -1, -1):
        sums.append(g[..., i] + x[..., i + 1] * sums[-1])
    return _before(x, 1) * np.stack(sums[::-1], -1)


def _prod_vjp(
    y: Any,
    x: Any,
    axis: Any = None,
    dtype: Any = None,
    out: Any = None,
    keepdims: Any = False,
    initial: Any = 1,
    where: Any = True,
) -> Function:
    _refuse("prod", where)

    def vjp(g: Any) -> Any:
        axes = _axes(x, axis)
        last = tuple(range(-len(axes), 0))
        moved = np.moveaxis(x, axes, last)
        lines = np.reshape(moved, (*np.shape(moved)[: np.ndim(x) - len(axes)], -1))
        others = np.reshape(_before(lines, 1) * _before(lines, -1), np.shape(moved))
        first = 1 if initial is NOTHING else initial
        return _kept(g, x, axis, keepdims) * np.moveaxis(others, last, axes) * first

    return vjp


def _running_vjp(of_lines: Function) -> Function:
    def rule(y: Any, x: Any, axis: Any = None, dtype: Any = None, out: Any = None) -> Function:
        return lambda g: _along_last(g, x, axis, of_lines)

    return rule


defvjp(cumsum, _running_vjp(_sums_after), argnums=(0,))
defvjp(cumprod, _running_vjp(_products_after), argnums=(0,))
defvjp(prod, _prod_vjp, argnums=(0,))
