"""Sums of products over labelled axes, by the products and reductions that are there."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from vekt._core.axes import plain, unmasked
from vekt._core.operands import checked_out, is_bfloat16, is_half, natural_dtype
from vekt._spec.docstrings import documented
from vekt._spec.linalg import LINALG
from vekt.linalg._einsum.plans import Contraction, Plan
from vekt.linalg._einsum.subscripts import as_text

__all__ = ["einsum"]

PLANS = 1024
"""How many plans are kept, those used last."""

_CASTINGS = ("no", "equiv", "safe", "same_kind", "unsafe")
_ORDERS = ("K", "C", "F", "A")


class _NoArrayError(Exception):
    """An operand is no plain array."""


@documented(LINALG["einsum"])
def einsum(
    *operands: Any,
    out: Any = None,
    dtype: Any = None,
    order: Any = "K",
    casting: Any = "safe",
    optimize: Any = True,
    deterministic: Any = None,
) -> Any:
    if (
        out is None
        and dtype is None
        and order == "K"
        and casting == "safe"
        and optimize is True
        and deterministic is None
    ):
        layouts: list[Any]
        try:
            if len(operands) == 3:  # without a loop, which takes as long as the rest
                text, x, y = operands
                plan = _plain_plan(
                    text, type(x), x.shape, x.strides, x.dtype, type(y), y.shape, y.strides, y.dtype
                )
            else:
                text, *arrays = operands
                layouts = [v for x in arrays for v in (type(x), x.shape, x.strides, x.dtype)]
                plan = _plain_plan(text, *layouts)
        except (AttributeError, TypeError, ValueError, _NoArrayError):
            pass  # said below, of what the operand is
        else:
            return plan(operands[1:], None)
    return _general(operands, out, dtype, order, casting, optimize, deterministic)


def _plan_of_arrays(text: Any, *of_arrays: Any) -> Plan:
    """Return the plan of a call with plain arrays and without options.

    `of_arrays` are the types, shapes, strides and dtypes, one array after the other.
    """
    if type(text) is not str or any(kind is not np.ndarray for kind in of_arrays[::4]):
        raise _NoArrayError
    layouts = tuple(zip(of_arrays[1::4], of_arrays[2::4], of_arrays[3::4], strict=True))
    return _Call(text.replace(" ", ""), layouts).plan()


_plain_plan: Any = lru_cache(PLANS)(_plan_of_arrays)


def _general(
    arguments: Sequence[Any],
    out: Any,
    dtype: Any,
    order: Any,
    casting: Any,
    optimize: Any,
    deterministic: Any,
) -> Any:
    """Contract operands of any type, with any options."""
    text, given = as_text(arguments)
    operands = [np.asarray(plain("einsum", f"operand {i}", x)) for i, x in enumerate(given)]
    if deterministic is not None and deterministic != "batch":
        raise ValueError(f"einsum: deterministic must be None or 'batch', got {deterministic!r}")
    if casting not in _CASTINGS:
        raise ValueError(f"einsum: casting must be one of {', '.join(_CASTINGS)}, got {casting!r}")
    if not isinstance(order, str) or order.upper() not in _ORDERS:
        raise ValueError(f"einsum: order must be one of {', '.join(_ORDERS)}, got {order!r}")
    if out is not None:
        out = unmasked("einsum", "out", checked_out(out))
    plan = _general_plan(
        text,
        tuple((x.shape, x.strides, x.dtype) for x in operands),
        None if dtype is None else np.dtype(dtype),
        casting,
        _frozen(optimize),
        deterministic,
        None if out is None else (out.shape, out.strides, out.dtype),
    )
    if out is not None:
        plan(operands, np.asarray(out))
        return out
    result = plan(operands, None)
    letter: Any = order.upper()
    if letter == "A":
        letter = "F" if all(x.flags.f_contiguous for x in operands) else "C"
    return result if letter == "K" or np.ndim(result) == 0 else np.asarray(result, order=letter)


def _frozen(optimize: Any) -> Any:
    """Return a strategy or a path as a cache takes it."""
    if optimize is None or isinstance(optimize, bool | str):
        return optimize
    if isinstance(optimize, np.bool):
        return bool(optimize)
    if isinstance(optimize, list | tuple):
        return tuple(tuple(x) if isinstance(x, list | tuple) else x for x in optimize)
    raise TypeError(f"einsum: optimize must be a bool, a str or a path, got {optimize!r}")


@lru_cache(PLANS)
def _general_plan(*given: Any) -> Plan:
    return _Call(*given).plan()


class _Call(NamedTuple):
    """A call without its arrays: shapes, strides and dtypes of the operands and of `out`."""

    text: str
    layouts: tuple[Any, ...]
    dtype: np.dtype[Any] | None = None
    casting: Any = "safe"
    optimize: Any = True
    deterministic: Any = None
    target: Any = None

    def plan(self) -> Plan:
        """Return what computes it; an error for what cannot be."""
        contraction = Contraction(self.text, [shape for shape, _, _ in self.layouts])
        shape, strides, written = self.target or (contraction.shape, None, None)
        if shape != contraction.shape:
            raise ValueError(f"einsum: out has shape {shape}, the result {contraction.shape}")
        kinds = [kind for _, _, kind in self.layouts]
        try:
            # That of `out` counts as an operand's, as in NumPy: sums of int8 may be of int64.
            common = kinds if written is None else [*kinds, written]
            stored = natural_dtype(*(np.empty(0, kind) for kind in common))
            if self.dtype is not None:
                stored = natural_dtype(np.empty(0, self.dtype))
        except TypeError:  # which NumPy's own error tells better
            return _by_numpy(self.text, self.dtype, self.casting)
        if stored.char in "gGO":
            return _by_numpy(self.text, self.dtype, self.casting)
        self._check_casts(kinds, stored)
        halves = is_half(stored) and not contraction.rounds_once
        computed = np.dtype("f4") if halves else stored
        cast = any(kind.newbyteorder("=") != computed for kind in kinds)
        if len(kinds) == 2 and contraction.rounds_once:
            cast &= natural_dtype(*(np.empty(0, kind) for kind in kinds)) != computed
        direct = written == computed
        path = self.optimize
        if isinstance(path, tuple) and path[:1] == ("einsum_path",):
            path = list(path)
        layouts = [layout[:2] for layout in self.layouts]
        plan = contraction.plan(
            layouts, computed, path, self.deterministic, strides if direct else None
        )
        if not cast and stored == computed and (direct or written is None):
            swapped = len(kinds) == 1 and not kinds[0].isnative
            return _with_casts(plan, None, stored, direct) if swapped else plan
        return _with_casts(plan, computed if cast else None, stored, direct)

    def _check_casts(self, kinds: Sequence[np.dtype[Any]], stored: np.dtype[Any]) -> None:
        """Raise TypeError for casts that the rule forbids."""
        if self.dtype is not None or self.casting in ("no", "equiv"):
            for i, kind in enumerate(kinds):
                if not np.can_cast(kind, stored, self.casting):
                    raise TypeError(
                        f"einsum: operand {i} cannot be cast from {kind} to {stored} by the rule "
                        f"{self.casting!r}"
                    )
        if self.target and not np.can_cast(stored, self.target[2], self.casting):
            raise TypeError(
                f"einsum: the result cannot be cast from {stored} to {self.target[2]}, the dtype "
                f"of out, by the rule {self.casting!r}"
            )


def _with_casts(
    plan: Plan, cast: np.dtype[Any] | None, stored: np.dtype[Any], direct: bool
) -> Plan:
    """Return a plan with casts of the operands before it and of the result after it."""

    def run(operands: Sequence[Any], out: Any) -> Any:
        with np.errstate(all="ignore"):
            if cast is not None:
                operands = [x.astype(cast, copy=False) for x in operands]
            if out is None or direct:
                result = plan(operands, out)
                return result if out is not None else result.astype(stored, copy=False)
            result = plan(operands, None).astype(stored, copy=False)
            np.copyto(out, result, casting="unsafe")  # which the rule allows
            return out

    return run


def _by_numpy(text: str, dtype: Any, casting: Any) -> Plan:
    """Return NumPy's contraction, for dtypes without kernels."""

    def run(operands: Sequence[Any], out: Any) -> Any:
        with np.errstate(all="ignore"):  # as quiet as the kernels
            known = [x.astype("f4") if is_bfloat16(x.dtype) else x for x in operands]
            result = np.einsum(
                text, *known, out=out, dtype=dtype, casting=casting, optimize=len(known) > 2
            )
        return result.copy() if isinstance(result, np.ndarray) and out is None else result

    return run
