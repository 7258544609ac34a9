"""What a fused function does for calls that give arrays in the same places."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from vekt._core.axes import is_dask
from vekt._core.foreign import on_dask
from vekt._fuse.graph import UnfusableError
from vekt._fuse.numbers import Fixed
from vekt._fuse.operands import in_native_order
from vekt._fuse.passes import Tier
from vekt._fuse.plan import Plan, Traced
from vekt._fuse.symbols import TraceError

if TYPE_CHECKING:
    from vekt._fuse.fused import Fused

_MOST_PLANS = 64


class Variant:
    """Calls that give arrays in the same places and the same values elsewhere."""

    def __init__(self, fused: Fused, key: Any, dispatcher: Any = None) -> None:
        self.key = key
        self.positional, self.named, self.dtype = key
        self.function = fused.function
        self.count = sum(x is None for x in self.positional)
        self.count += sum(x is None for _, x in self.named)
        self.dispatcher = dispatcher
        self.lock, self.tier = fused.lock, Tier(fused.compile)
        self._plans = lru_cache(_MOST_PLANS)(self._plan)

    @property
    def recipe(self) -> tuple[Any, ...]:
        """What makes the same variant in another process."""
        return self.function, self.key, self.tier.compile

    def arguments(self, operands: Any) -> tuple[list[Any], dict[str, Any]]:
        """Return arguments of the function, with these operands."""
        left = iter(operands)
        positional = [next(left) if x is None else x.value for x in self.positional]
        return positional, {name: next(left) if x is None else x.value for name, x in self.named}

    def call(self, *operands: Any) -> Any:
        """Call the function itself."""
        positional, named = self.arguments(operands)
        return self.function(*positional, **named)

    def run(self, operands: list[Any]) -> Any:
        """Return the one result for operands."""
        plan, taken = prepare(self, operands)
        if plan is None:
            return self.call(*operands)
        (result,) = plan(taken, ())
        return result

    def plan(self, signature: Any, before: bool = False) -> Plan | None:
        """Return what calls of a signature do; None where only NumPy knows.

        `before` tells when arrays are converted, as for `Traced`.
        """
        return self._plans(signature, before and self.dtype is not None)

    def _plan(self, signature: Any, before: bool) -> Plan | None:
        with self.lock.held():
            try:
                plan = Plan(Traced(self.call, signature, self.dtype, before), self.tier)
            except TraceError:
                raise
            except (UnfusableError, TypeError, ValueError, ArithmeticError):
                return None  # NumPy does it, or says why not
            fixed = any(isinstance(x, Fixed) for x in signature)
            if not fixed and plan.is_elementwise and self.dispatcher is not None:
                self._dispatch(signature, plan)
            return plan

    def plan_for(self, operands: Any, before: bool = False) -> Plan | None:
        """Return what a call with these arrays and numbers does.

        Where the dtypes do not hold what Python computes of integers, or results are of another
        type than usual, as powers, the function is traced with the numbers themselves.
        """
        signature: tuple[Any, ...] = tuple(
            in_native_order(x.dtype) if hasattr(x, "dtype") else type(x) for x in operands
        )
        plan = self.plan(signature, before)
        for kind in (int, float):
            if plan is None or plan.foresees(operands):
                break
            signature = tuple(
                Fixed(x) if s is kind else s for x, s in zip(operands, signature, strict=True)
            )
            plan = self.plan(signature, before)
        return plan

    def _dispatch(self, signature: Any, plan: Plan) -> None:
        """Let calls go straight to the one pass of a plan, as it is now."""
        outputs = tuple(y.dtype for y in plan.traced.outputs)
        if plan.traced.is_tuple != (len(outputs) > 1):
            return
        step = plan.forward[0]
        places = [x.args[0] if x.op == "number" else x for x in step.inputs]
        if places != plan.traced.inputs or len(step.results) != len(outputs) or not step.only:
            return

        def promote() -> None:
            step.promote()
            self._dispatch(signature, plan)

        after: Any = {} if step.left is None else {"after": (step.left, promote)}
        self.dispatcher.add(signature, step.only.capsule, outputs, **after)


def prepare(
    variant: Variant, operands: list[Any], before: bool = False
) -> tuple[Plan | None, list[Any]]:
    """Return the plan for operands, and those as it takes them; None leaves them as they are."""
    if any(is_foreign(x) for x in operands):
        return None, operands
    taken = [x if type(x) in (int, float, np.ndarray) else np.asarray(x) for x in operands]
    for x in taken:
        cast = variant.dtype is not None and isinstance(x, np.ndarray)
        if cast and not np.can_cast(x.dtype, variant.dtype, "same_kind"):
            raise TypeError(f"cannot cast {x.dtype} to {variant.dtype} by the rule 'same_kind'")
    return variant.plan_for(taken, before), taken


def is_foreign(x: Any) -> bool:
    """Whether an array of another library wants to have its own way with NumPy's functions."""
    if type(x) in (np.ndarray, int, float, list) or isinstance(x, np.generic):
        return False
    return isinstance(x, np.ndarray) or hasattr(x, "__array_ufunc__")


def step_by_step(variant: Variant, operands: list[Any], out: Any, dtype: Any) -> Any:
    """Return what the function itself gives for operands, converted and without warnings."""
    if out is None and dtype is None and any(is_dask(x) for x in operands):
        plan = variant.plan_for(operands)
        if plan is not None and plan.is_elementwise and not plan.traced.is_tuple:
            return on_dask("fused")(variant, operands, plan.traced.outputs[0].dtype)
    if dtype is not None:
        operands = [x.astype(dtype) if hasattr(x, "astype") else x for x in operands]
    with np.errstate(all="ignore"):
        results = variant.call(*operands)
    if out is None:
        return results
    outs = out if isinstance(out, tuple) else (out,)
    values = results if isinstance(results, tuple) else (results,)
    for target, value in zip(outs, values, strict=True):
        if target is not None:
            np.copyto(target, value, casting="same_kind")
    return out if isinstance(results, tuple) else outs[0]
