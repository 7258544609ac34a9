"""What a row of the registry says: the facts of one public operation and of its kernels."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from types import MappingProxyType
from typing import Any

inf = float("inf")

# Rows are compared by identity, and each method that dataclass writes delays `import vekt`.


def ulp(float32: float, float64: float) -> Mapping[str, float]:
    """Bounds for an error in units of the last place, by dtype."""
    return MappingProxyType({"float32": float32, "float64": float64})


@dataclass(frozen=True, eq=False, repr=False, match_args=False)
class Param:
    """A parameter of a public function.

    An "array" parameter is an input of the kernel and broadcasts against `x`; None stands for
    `none_means`, where that is given.  A "flag" is a bool that selects the kernel.
    """

    name: str
    default: float | bool | None
    doc: str
    kind: str = "array"
    none_means: float | None = None

    @property
    def value(self) -> float | bool | None:
        """The default as the kernel gets it."""
        return self.none_means if self.default is None else self.default


@dataclass(frozen=True, eq=False, repr=False, match_args=False)
class Kink:
    """A point where the gradient jumps, and the gradient there; a str names a parameter."""

    at: float | str
    gradient: float | str


@dataclass(frozen=True, eq=False, repr=False, match_args=False)
class Kernel:
    """The mathematics of one kernel NAME, which also has NAME_backward and NAME_value_and_grad.

    `value` and `gradient` are the reference: NumPy functions of (x, *params), all of one float
    dtype, of which they use the full precision.  They never see less than 1-d arrays, and floating
    point warnings are off.

    `formula` is the definition as a Python expression of x and the parameters, which tests evaluate
    in any precision.  `range`, `limits` (at -inf and +inf) and `gradient_limits` hold for the
    default parameters, as do the examples: the results at x = -1, 0, 2 to four decimals.  `roots`
    are the zeros, as decimal numbers, through which the gradient passes; within `root_radius` of
    them the bound for float64 is an absolute error of 2**-53 instead (2**-52 in `vekt.jit`).
    """

    name: str
    value: Callable[..., Any]
    gradient: Callable[..., Any]
    formula: str
    range: tuple[float, float]
    limits: tuple[float, float]
    gradient_limits: tuple[float, float]
    example: tuple[float, float, float]
    gradient_example: tuple[float, float, float]
    params: tuple[str, ...] = ()
    flags: Mapping[str, bool] = field(default_factory=lambda: MappingProxyType({}))
    kinks: tuple[Kink, ...] = ()
    roots: tuple[str, ...] = ()
    root_radius: float = 0.0625
    from_output: Callable[..., Any] | None = None
    max_ulp: Mapping[str, float] = field(default_factory=partial(ulp, 1, 2))
    gradient_max_ulp: Mapping[str, float] = field(default_factory=partial(ulp, 1, 4))
    jit_max_ulp: Mapping[str, float] = field(default_factory=partial(ulp, 1, 2))
    jit_gradient_max_ulp: Mapping[str, float] = field(default_factory=partial(ulp, 1, 4))


@dataclass(frozen=True, eq=False, repr=False, match_args=False)
class Op:
    """One public operation: NAME, NAME_backward and NAME_value_and_grad in every namespace.

    A call runs the first of `kernels` whose `flags` match and which takes every parameter that is
    not at its default.
    """

    name: str
    summary: str
    kernels: tuple[Kernel, ...]
    source: str
    use: str
    cost: str
    params: tuple[Param, ...] = ()
    compat: str = ""

    @property
    def array_params(self) -> tuple[Param, ...]:
        """The parameters that are inputs of a kernel."""
        return tuple(p for p in self.params if p.kind == "array")

    @property
    def flags(self) -> tuple[Param, ...]:
        """The parameters that select a kernel."""
        return tuple(p for p in self.params if p.kind == "flag")

    @property
    def has_from_output(self) -> bool:
        """Whether there is a NAME_backward_from_output."""
        return self.kernels[0].from_output is not None

    @property
    def public_names(self) -> tuple[str, ...]:
        """The names that this operation has in `vekt`, `vekt.jit` and `vekt.reference`."""
        names = (self.name, f"{self.name}_backward", f"{self.name}_value_and_grad")
        return names + (f"{self.name}_backward_from_output",) * self.has_from_output
