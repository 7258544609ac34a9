"""How a public function is called, the same in `vekt`, `vekt.jit` and `vekt.reference`.

One rule for all: operands by position, parameters by position or by name, options by name.
Functions with an axis take their operands by name, too, as NumPy's do; those that work element by
element do not, as ufuncs do not.  A spec's `form` of a kind is where the function, its stub, its
docstring and the tests have it from.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from inspect import Parameter, Signature
from typing import Any

inf = float("inf")
REQUIRED = Parameter.empty


@dataclass(eq=False, repr=False, match_args=False)
class Param:
    """Anything that a public function takes or returns.

    An "array" parameter is an input of the kernel and broadcasts against `x`; None stands for
    `none_means`, where that is given.  A "flag" is a bool that selects the kernel; an "axis", like
    any other kind, is for the function itself.  Numbers below `least` are refused.  `type` is what
    docstrings say where that is not told by the kind and the default; `doc` may name fields of the
    spec in braces.  "any" stands for any number of operands.
    """

    name: str
    default: Any = REQUIRED
    doc: str = ""
    kind: str = "array"
    none_means: float | None = None
    least: float = -inf
    type: str = ""

    @property
    def value(self) -> Any:
        """The default as the kernel gets it."""
        return self.none_means if self.default is None else self.default


@dataclass(eq=False, repr=False, match_args=False)
class Choice:
    """A kernel, by its full name, with the parameters that it takes and the flags it is for."""

    kernel: str
    params: tuple[str, ...] = ()
    flags: Mapping[str, bool] | None = None

    def requires(self, flag: str) -> bool | None:
        """Return what a flag must be, or None."""
        return (self.flags or {}).get(flag)


@dataclass(eq=False, repr=False, match_args=False)
class Form:
    """One public function: its name, what it takes, and the kernels among which it chooses.

    A call runs the first of `choices` whose flags match and which takes every parameter that is not
    at its default.  `options` are the keywords with their defaults.  Functions with other than one
    output take and return a tuple.  With `any_number` one operand stands for any number of them.
    """

    name: str
    operands: tuple[str, ...]
    params: tuple[Param, ...] = ()
    choices: tuple[Choice, ...] = ()
    options: Mapping[str, Any] | None = None
    nout: int = 1
    by_name: bool = False
    any_number: bool = False

    @property
    def signature(self) -> Signature:
        """The signature of the function, without annotations."""
        both, first = Parameter.POSITIONAL_OR_KEYWORD, Parameter.POSITIONAL_ONLY
        of_operands: Any = both if self.by_name else first
        if self.any_number:
            of_operands = Parameter.VAR_POSITIONAL
        return Signature(
            [
                *(Parameter(n, of_operands) for n in self.operands),
                *(Parameter(p.name, both, default=p.default) for p in self.params),
                *(
                    Parameter(n, Parameter.KEYWORD_ONLY, default=default)
                    for n, default in (self.options or {}).items()
                ),
            ]
        )
