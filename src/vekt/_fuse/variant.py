"""What a fused function does for calls that give arrays in the same places."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .graph import UnfusableError
from .passes import Tier
from .plan import Plan, Traced

if TYPE_CHECKING:
    from .fused import Fused


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
        self.plans: dict[Any, Plan | None] = {}

    @property
    def recipe(self) -> tuple[Any, ...]:
        """What makes the same variant in another process."""
        return self.function, self.key, self.tier.compile

    def arguments(self, operands: Any) -> tuple[list[Any], dict[str, Any]]:
        """Return arguments of the function, with these operands."""
        left = iter(operands)
        positional = [next(left) if x is None else x[1] for x in self.positional]
        return positional, {name: next(left) if x is None else x[1] for name, x in self.named}

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
        key = signature, before and self.dtype is not None
        if key in self.plans:
            return self.plans[key]
        with self.lock:
            if key not in self.plans:
                try:
                    plan = Plan(Traced(self.call, signature, self.dtype, before), self.tier)
                    if plan.is_elementwise and self.dispatcher is not None:
                        self._dispatch(signature, plan)
                    self.plans[key] = plan
                except UnfusableError:
                    self.plans[key] = None
        return self.plans[key]

    def _dispatch(self, signature: Any, plan: Plan) -> None:
        """Let calls go straight to the one pass of a plan, as it is now."""
        outputs = tuple(y.dtype for y in plan.traced.outputs)
        if plan.traced.is_tuple != (len(outputs) > 1):
            return
        step = plan.forward[0]

        def promote() -> None:
            step.promote()
            self._dispatch(signature, plan)

        after: Any = {} if step.left is None else {"after": (step.left, promote)}
        self.dispatcher.add(signature, step.program.capsule, outputs, **after)


def prepare(
    variant: Variant, operands: list[Any], before: bool = False
) -> tuple[Plan | None, list[Any]]:
    """Return the plan for operands, and those as it takes them; None leaves them as they are."""
    if any(_is_foreign(x) for x in operands):
        return None, operands
    taken = [x if type(x) in (int, float, np.ndarray) else np.asarray(x) for x in operands]
    if any(type(x) is int and not -(2**63) <= x < 2**63 for x in taken):
        return None, operands
    signature = tuple(
        x.dtype.newbyteorder("=") if isinstance(x, np.ndarray) else type(x) for x in taken
    )
    for x, d in zip(taken, signature, strict=True):
        cast = variant.dtype is not None and isinstance(x, np.ndarray)
        if cast and not np.can_cast(d, variant.dtype, "same_kind"):
            raise TypeError(f"cannot cast {d} to {variant.dtype} by the rule 'same_kind'")
    return variant.plan(signature, before), taken


def _is_foreign(x: Any) -> bool:
    """Whether an array of another library wants to have its own way with NumPy's functions."""
    if type(x) in (np.ndarray, int, float, list) or isinstance(x, np.generic):
        return False
    return isinstance(x, np.ndarray) or hasattr(x, "__array_ufunc__")
