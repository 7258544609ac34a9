"""The activations' kernels as cases to measure, with operands."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from difflib import get_close_matches
from types import MappingProxyType, ModuleType
from typing import TYPE_CHECKING, Any

import click
import numpy as np
from numpy.typing import NDArray

from vekt._spec.activations import OPS
from vekt._spec.spec import Kernel, Spec

# Kernels whose defaults are another kernel's special case are measured with these.
_ARGUMENTS: dict[str, dict[str, float]] = {
    "relu_general": {"max_value": 6.0},
    "softplus_general": {"beta": 2.0},
}


@dataclass(frozen=True)
class Case:
    """One kernel, and the keywords with which its public function runs it.

    `forms` are those of it that `vekt accuracy` measures.
    """

    op: Spec
    kernel: Kernel
    keywords: dict[str, Any]
    forms: tuple[str, ...] = ("value", "gradient")

    @property
    def name(self) -> str:
        """The kernel's name."""
        return self.kernel.name

    @property
    def label(self) -> str:
        """The name to show."""
        shown = _ARGUMENTS.get(self.name)
        if not shown:
            return self.name
        return f"{self.op.name}({', '.join(f'{k}={v:g}' for k, v in shown.items())})"

    @property
    def params(self) -> tuple[float, ...]:
        """The kernel's parameters in their order."""
        values = {p.name: p.value for p in self.op.array_params} | {
            p.name: self.keywords[p.name] for p in self.op.array_params if p.name in self.keywords
        }
        return tuple(float(values[name] or 0.0) for name in self.kernel.params)

    def function(self, namespace: ModuleType, form: str = "") -> Callable[..., Any]:
        """Return the public function of a form: "", "_backward" or "_value_and_grad"."""
        function: Callable[..., Any] = getattr(namespace, self.op.name + form)
        if not self.keywords:
            return function
        return lambda *operands, **options: function(*operands, **self.keywords, **options)


def all_cases() -> list[Case]:
    """One case for every kernel of an activation."""
    return [
        Case(op, kernel, {**kernel.flags, **_ARGUMENTS.get(kernel.name, {})})
        for op in OPS.values()
        for kernel in op.kernels
    ]


def select_cases(names: Iterable[str]) -> list[Case]:
    """Select the cases of the named operations or kernels; all of them without names."""
    wanted = set(names)
    return [c for c in all_cases() if not wanted or {c.name, c.op.name} & wanted]


def case_of(kernel: str) -> Case:
    """Return the case of the kernel of this name."""
    return next(case for case in all_cases() if case.name == kernel)


def case_names() -> list[str]:
    """Every name that `select_cases` knows."""
    return list(dict.fromkeys(name for c in all_cases() for name in (c.op.name, c.name)))


if TYPE_CHECKING:
    _ListType = click.ParamType[list[Any]]
else:  # generic for type checkers only, in older versions of click
    _ListType = click.ParamType


_GRADIENTS = ("_backward", "_value_and_grad", "_backward_from_output")


class Named(click.Choice):  # type: ignore[type-arg]
    """A choice of names, which says which one was meant: the nearest, or that of an alias."""

    def __init__(self, choices: Iterable[str], aliases: Mapping[str, str] = MappingProxyType({})):
        super().__init__(list(choices))
        self.aliases = aliases

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Convert, or fail with a suggestion."""
        names = list(self.choices)
        if value in names:
            return value
        # Others' names of each, and its gradients, are measured with it.
        meant = {name + kind: name for name in names for kind in ("", *_GRADIENTS)}
        meant = {**self.aliases, **meant}
        meant = {alias: name for alias, name in meant.items() if name in names}
        if near := get_close_matches(value, meant, n=1, cutoff=0.7):
            few = len(names) <= 20
            choices = f" is not one of {', '.join(map(repr, names))}." if few else " is not there."
            self.fail(f"{value!r}{choices} Did you mean {meant[near[0]]!r}?", param, ctx)
        return super().convert(value, param, ctx)


class Count(click.IntRange):
    """A number of elements, also as 1e6."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Convert what is written as a float, if it is a whole number."""
        if isinstance(value, str):
            with suppress(ValueError):
                number = float(value)
                value = int(number) if number.is_integer() else value
        return super().convert(value, param, ctx)


class CommaList(_ListType):
    """A comma-separated list of one type's values."""

    name = "list"

    def __init__(self, item: Any) -> None:
        self.item = item

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:
        """Name the value in the help."""
        return f"{self.item.name.upper()},..."

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> list[Any]:
        """Convert each item."""
        if isinstance(value, list):
            return value
        items = [item.strip() for item in str(value).split(",")]
        return list(dict.fromkeys(self.item.convert(item, param, ctx) for item in items))


def _meant() -> dict[str, str]:
    """Return the names by which an operation is measured under other public names of it."""
    return {
        alias + kind: op.name for op in OPS.values() for alias in op.aliases for kind in op.kinds
    }


def op_option(extra: Iterable[str] = ()) -> Callable[..., Any]:
    """Option --op: which operations or kernels."""
    return click.option(
        "--op",
        "ops",
        multiple=True,
        type=CommaList(Named([*case_names(), *extra], _meant())),
        help="Operation or kernel, or several separated by commas. Default: all.",
    )


def standard_normal(shape: Any, dtype: Any, seed: int = 0) -> NDArray[Any]:
    """Return the data that the kernels are timed on."""
    data: NDArray[Any] = np.random.default_rng(seed).standard_normal(shape).astype(dtype)
    return data
