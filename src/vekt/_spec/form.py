"""How a public function is called, the same in `vekt`, `vekt.jit` and `vekt.reference`.

One rule for all: operands by position, parameters by position or by name, options by name.
Functions with an axis take their operands by name, too, as NumPy's do; those that work element by
element do not, as ufuncs do not.  A row's `form` of a kind is where the function, its stub, its
docstring and the tests have it from.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from inspect import Parameter, Signature
from typing import Any

inf = float("inf")

OPTIONS: Mapping[str, Any] = {"out": None, "where": True, "dtype": None}
"""The options of functions that compute element by element, and their defaults."""


@dataclass(frozen=True, eq=False, repr=False, match_args=False)
class Param:
    """A parameter of a public function.

    An "array" parameter is an input of the kernel and broadcasts against `x`; None stands for
    `none_means`, where that is given.  A "flag" is a bool that selects the kernel; an "axis" is for
    the function itself.  Numbers below `least` are refused.
    """

    name: str
    default: float | bool | None
    doc: str
    kind: str = "array"
    none_means: float | None = None
    least: float = -inf

    @property
    def value(self) -> float | bool | None:
        """The default as the kernel gets it."""
        return self.none_means if self.default is None else self.default


@dataclass(frozen=True, eq=False, repr=False, match_args=False)
class Choice:
    """A kernel, by its full name, with the parameters that it takes and the flags it is for."""

    kernel: str
    params: tuple[str, ...] = ()
    flags: Mapping[str, bool] | None = None

    def requires(self, flag: str) -> bool | None:
        """Return what a flag must be, or None."""
        return (self.flags or {}).get(flag)


@dataclass(frozen=True, eq=False, repr=False, match_args=False)
class Form:
    """One public function: its name, what it takes, and the kernels among which it chooses.

    A call runs the first of `choices` whose flags match and which takes every parameter that is not
    at its default.  Functions with other than one output take and return a tuple.
    """

    name: str
    operands: tuple[str, ...]
    params: tuple[Param, ...] = ()
    choices: tuple[Choice, ...] = ()
    options: Mapping[str, Any] | tuple[str, ...] = tuple(OPTIONS)
    nout: int = 1

    @property
    def signature(self) -> Signature:
        """The signature of the function, without annotations."""
        options = self.options
        along = any(p.kind == "axis" for p in self.params)
        by_position = Parameter.POSITIONAL_OR_KEYWORD if along else Parameter.POSITIONAL_ONLY
        named = options if isinstance(options, Mapping) else {o: OPTIONS[o] for o in options}
        return Signature(
            [
                *_parameters(by_position, dict.fromkeys(self.operands, _NONE)),
                *_parameters(
                    Parameter.POSITIONAL_OR_KEYWORD, {p.name: p.default for p in self.params}
                ),
                *_parameters(Parameter.KEYWORD_ONLY, named),
            ]
        )


_NONE = Parameter.empty


def _parameters(kind: Any, defaults: Mapping[str, Any]) -> Iterable[Parameter]:
    return (Parameter(name, kind, default=default) for name, default in defaults.items())
