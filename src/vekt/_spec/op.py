"""What a row of the registry says: the facts of one public operation and of its kernels."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from inspect import Signature
from types import MappingProxyType
from typing import Any

from vekt._spec.form import Choice, Form, Param, inf

__all__ = ["INPUTS", "Kernel", "Kink", "Op", "Param", "inf", "ulp"]

INPUTS = {
    "": "x",
    "_backward": "dy, x",
    "_value_and_grad": "x",
    "_backward_from_output": "dy, y",
}
"""Operands before the parameters, by what follows the operation's name."""

# Rows are compared by identity, and each method that dataclass writes delays `import vekt`.


def ulp(float32: float, float64: float) -> Mapping[str, float]:
    """Bounds for an error in units of the last place, by dtype."""
    return MappingProxyType({"float32": float32, "float64": float64})


@dataclass(frozen=True, eq=False, repr=False, match_args=False)
class Kink:
    """A point where the gradient jumps, and the gradient there.

    A str names a parameter, after a minus sign its negative.
    """

    at: float | str
    gradient: float | str


@dataclass(frozen=True, eq=False, repr=False, match_args=False)
class Kernel:
    """The mathematics of one kernel NAME, which also has NAME_backward and NAME_value_and_grad.

    `value` and `gradient` are the reference: NumPy functions of (x, *params), all of one float
    dtype, of which they use the full precision.  They never see less than 1-d arrays, and floating
    point warnings are off.

    `formula` is the definition as a Python expression of x and the parameters, which tests evaluate
    in any precision; beyond `domain`, a closed interval, results are NaN.  `range`, `limits` (at
    -inf and +inf) and `gradient_limits` hold for the default parameters, as do the examples: the
    results at x = -1, 0, 2 to four decimals.  `from_output` gives the gradient as a function of
    (y, *params), y the value.  `roots` are the zeros, as decimal numbers, through which the
    gradient passes; within `root_radius` of them the bound for float64 is an absolute error of
    2**-53 instead (2**-52 in `vekt.jit`).
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
    domain: tuple[float, float] = (-inf, inf)
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
    not at its default.  NAME_backward_from_output, where there is one, belongs to the first kernel.
    `aliases` are other names of the same functions.
    """

    name: str
    summary: str
    kernels: tuple[Kernel, ...]
    source: str
    use: str
    cost: str
    params: tuple[Param, ...] = ()
    compat: str = ""
    aliases: tuple[str, ...] = ()

    @property
    def array_params(self) -> tuple[Param, ...]:
        """The parameters that are inputs of a kernel."""
        return tuple(p for p in self.params if p.kind == "array")

    @property
    def flags(self) -> tuple[Param, ...]:
        """The parameters that select a kernel."""
        return tuple(p for p in self.params if p.kind == "flag")

    @property
    def kinds(self) -> tuple[str, ...]:
        """What follows the operation's name in the names of its functions."""
        from_output = ("_backward_from_output",) * (self.kernels[0].from_output is not None)
        return ("", "_backward", "_value_and_grad", *from_output)

    @property
    def public_names(self) -> tuple[str, ...]:
        """The names that this operation has in `vekt`, `vekt.jit` and `vekt.reference`."""
        return tuple(self.name + kind for kind in self.kinds)

    @property
    def alias_names(self) -> dict[str, str]:
        """Other names of these functions, and which they stand for."""
        return {a + kind: self.name + kind for a in self.aliases for kind in self.kinds}

    def kernels_of(self, kind: str) -> tuple[Kernel, ...]:
        """Return the kernels among which the function of this kind chooses."""
        return self.kernels[:1] if kind == "_backward_from_output" else self.kernels

    def params_of(self, kind: str) -> tuple[Param, ...]:
        """Return the parameters of the function of this kind."""
        if kind != "_backward_from_output":
            return self.params
        return tuple(p for p in self.params if p.name in self.kernels[0].params)

    def form(self, kind: str) -> Form:
        """Return how the function of this kind is called."""
        kernels = self.kernels_of(kind)
        return Form(
            self.name + kind,
            tuple(INPUTS[kind].split(", ")),
            self.params_of(kind),
            tuple(Choice(k.name + kind, k.params, k.flags) for k in kernels),
            nout=2 if kind == "_value_and_grad" else 1,
        )

    def signature(self, kind: str) -> Signature:
        """Return the signature of the function of this kind, in every namespace."""
        return self.form(kind).signature
