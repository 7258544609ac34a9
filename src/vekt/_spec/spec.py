"""What is true of a public function: its names, parameters, mathematics, bounds and words.

A `Spec` is one operation with its companions, NAME + kind in every namespace.  From it come the
functions, their docstrings and stubs, the tables of the documentation, and what tests, sweeps and
benchmarks walk.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from inspect import Signature
from types import MappingProxyType
from typing import Any

from vekt._spec.form import Choice, Form, Param, inf

__all__ = ["Kernel", "Kind", "Kink", "Note", "Param", "Spec", "formula", "inf", "quoted", "ulp"]

# Specs are compared by identity and never changed; each method that dataclass writes delays
# `import vekt`, those that would refuse changes most of all.

Note = str | tuple[str, str]
"""A paragraph of a docstring; that of one namespace alone after the namespace."""

RAISES = (
    (
        "TypeError",
        "For complex, object, string and other dtypes that are not real numbers up to float64.",
    ),
    ("ValueError", "For shapes that do not broadcast, and for a read-only `out`."),
)


def ulp(float32: float, float64: float) -> Mapping[str, float]:
    """Bounds for an error in units of the last place, by dtype."""
    return MappingProxyType({"float32": float32, "float64": float64})


def formula(latex: str) -> Note:
    """Make a note of a formula, whose braces stand for themselves."""
    return ".. math:: " + quoted(latex)


def quoted(text: str) -> str:
    """Double the braces, which would name fields."""
    return text.replace("{", "{{").replace("}", "}}")


@dataclass(eq=False, repr=False, match_args=False)
class Kink:
    """A point where the gradient jumps, and the gradient there.

    A str names a parameter, after a minus sign its negative.
    """

    at: float | str
    gradient: float | str


@dataclass(eq=False, repr=False, match_args=False)
class Kernel:
    """The mathematics of one kernel, of which the table in C has NAME + kind for each kind.

    `value` and `gradient` are the reference: NumPy functions of the operands and the parameters,
    all of one float dtype, of which they use the full precision.  They never see less than 1-d
    arrays, and floating point warnings are off.

    `formula` is the definition, of an activation as a Python expression of x and the parameters,
    which tests evaluate in any precision; beyond `domain`, a closed interval, results are NaN.
    `gradient_formula` tells the gradient likewise, and may name sigmoid and softplus.
    `curvature` is the gradient's derivative, made of NumPy's functions, activations and, as
    d_NAME(x), their derivatives; where the gradient jumps it is that of one side.
    `range`, `limits` (at -inf and +inf) and `gradient_limits` hold for the default parameters.
    `example` and `gradient_example` are results, to four decimals, for the operands `at`.
    `from_output` gives the gradient as a function of (y, *params), y the value.  `roots` are the
    zeros, as decimal numbers, through which the gradient passes; within `root_radius` of them the
    bound for float64 is an absolute error of 2**-53 instead (2**-52 in `vekt.jit`).  Where a
    difference cancels, `gradient_floor` is an absolute error that may be there beside the bound.

    Of a gate, `activation` is the kernel that one of two operands goes through, `gate` which one.
    """

    name: str = ""
    value: Any = None
    gradient: Any = None
    formula: str = ""
    gradient_formula: str = ""
    curvature: str = "zeros_like(x)"
    range: tuple[float, float] = (-inf, inf)
    limits: tuple[float, ...] = ()
    gradient_limits: tuple[float, ...] = ()
    at: tuple[float, ...] = (-1.0, 0.0, 2.0)
    example: tuple[float, ...] | float = ()
    gradient_example: tuple[float, ...] | float = ()
    params: tuple[str, ...] = ()
    flags: Mapping[str, bool] = field(default_factory=lambda: MappingProxyType({}))
    domain: tuple[float, float] = (-inf, inf)
    kinks: tuple[Kink, ...] = ()
    roots: tuple[str, ...] = ()
    root_radius: float = 0.0625
    from_output: Callable[..., Any] | None = None
    activation: str = ""
    gate: str = ""
    max_ulp: Mapping[str, float] = field(default_factory=partial(ulp, 1, 2))
    gradient_max_ulp: Mapping[str, float] = field(default_factory=partial(ulp, 1, 4))
    gradient_floor: tuple[float, float] = (0.0, 0.0)
    jit_max_ulp: Mapping[str, float] = field(default_factory=partial(ulp, 1, 2))
    jit_gradient_max_ulp: Mapping[str, float] = field(default_factory=partial(ulp, 1, 4))


@dataclass(eq=False, repr=False, match_args=False)
class Kind:
    """One function of a spec: what it takes beside the spec's parameters, and what it returns.

    `params` are those of this function alone.  Texts may name fields of the spec and of its first
    kernel in braces.  `example` is a doctest, in which {f} is the function and {base} the one of
    kind "".
    """

    summary: str
    operands: tuple[Param, ...]
    results: tuple[Param, ...]
    options: tuple[Param, ...] = ()
    notes: tuple[Note, ...] = ()
    example: str = ""
    by_name: bool = False
    raises: tuple[tuple[str, str], ...] = RAISES
    params: tuple[Param, ...] = ()
    see_also: str = ""


@dataclass(eq=False, repr=False, match_args=False)
class Spec:
    """One public operation: NAME + kind for each of its kinds.

    A call runs the first of `kernels` whose `flags` match and which takes every parameter that is
    not at its default.  NAME_backward_from_output, where there is one, belongs to the first kernel.
    `home` is the module that defines it, whose second part is its family.  `aliases` are other
    names of the same functions.  `facts` are those that only this family's texts speak of;
    `numpy` is NumPy's ufunc of the same meaning.
    """

    name: str
    summary: str
    kinds: Mapping[str, Kind]
    home: str
    kernels: tuple[Kernel, ...] = ()
    params: tuple[Param, ...] = ()
    source: str = ""
    use: str = ""
    cost: str = ""
    compat: str = ""
    aliases: tuple[str, ...] = ()
    notes: tuple[Note, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    numpy: str = ""

    @property
    def family(self) -> str:
        """The room that it belongs to."""
        return self.home.split(".")[1]

    @property
    def kernel(self) -> Kernel:
        """The first kernel."""
        return self.kernels[0]

    @property
    def array_params(self) -> tuple[Param, ...]:
        """The parameters that are inputs of a kernel."""
        return tuple(p for p in self.params if p.kind == "array")

    @property
    def flags(self) -> tuple[Param, ...]:
        """The parameters that select a kernel."""
        return tuple(p for p in self.params if p.kind == "flag")

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of what the function of kind "" computes with."""
        return tuple(p.name for p in (*self.kinds[""].operands, *self.array_params))

    @property
    def reduces(self) -> bool:
        """Whether results have lost an axis."""
        return any(p.name == "keepdims" for p in self.params)

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
            return (*self.kinds[kind].params, *self.params)
        return tuple(p for p in self.params if p.name in self.kernel.params)

    def form(self, kind: str = "") -> Form:
        """Return how the function of this kind is called."""
        of = self.kinds[kind]
        return Form(
            self.name + kind,
            tuple(p.name for p in of.operands),
            self.params_of(kind),
            tuple(
                Choice(k.name + kind, k.params, k.flags) for k in self.kernels_of(kind) if k.name
            ),
            {p.name: p.default for p in of.options},
            len(of.results),
            of.by_name,
            any(p.kind == "any" for p in of.operands),
        )

    def signature(self, kind: str = "") -> Signature:
        """Return the signature of the function of this kind, in every namespace."""
        return self.form(kind).signature
