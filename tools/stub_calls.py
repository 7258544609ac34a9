"""How functions are called, as the type stubs say it: the overloads of each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from inspect import Parameter
from typing import Any, NamedTuple

WIDE = {
    "out": "Output",
    "where": "ArrayLike",
    "dtype": "DTypeLike | None",
    "casting": "Casting",
    "order": "Order",
    "subok": "bool",
    "keepdims": "bool",
}
"""What options may be; operands and parameters that are no flags are array_like."""


class Call(NamedTuple):
    """How a function is called, and what it returns."""

    name: str
    operands: tuple[str, ...]
    parameters: tuple[Parameter, ...]
    nout: int = 1
    is_ufunc: bool = False
    of_rows: bool = False
    result: str = ""
    is_float: bool = True  # of integers, too

    @property
    def along(self) -> bool:
        """Whether there is an axis."""
        return any(p.name == "axis" for p in self.parameters)

    @property
    def reduces(self) -> bool:
        """Whether the result has fewer dimensions."""
        names = {p.name for p in self.parameters}
        return "keepdims" in names and self.operands == ("x",)

    def each(self, result: str) -> str:
        """Return the type of as many results."""
        if self.name == "prelu_backward":  # the slopes' may be a number
            return f"tuple[{result}, Any]"
        return result if self.nout == 1 else f"tuple[{', '.join([result] * self.nout)}]"

    def arguments(self, own: Mapping[str, str] = {}, *required: str) -> str:
        """Return the parameters, of which some have types of their own; without those of ""."""
        parts: list[str] = []
        kind: Any = None
        for p in self.parameters:
            wanted = own.get(p.name, self.wide(p))
            if not wanted:
                continue
            if kind is Parameter.POSITIONAL_ONLY and p.kind is not kind:
                parts.append("/")
            is_late = p.name in required and " = " in "".join(parts)
            if kind is not Parameter.KEYWORD_ONLY:
                if is_late or p.kind is Parameter.KEYWORD_ONLY:
                    parts.append("*")
                kind = Parameter.KEYWORD_ONLY if is_late else p.kind
            default = "" if p.default is p.empty or p.name in required else f" = {p.default!r}"
            parts.append(f"{p.name}: {wanted}{default}")
        return ", ".join([*parts, "/"] if kind is Parameter.POSITIONAL_ONLY else parts)

    def wide(self, p: Parameter) -> str:
        """Return all that a parameter may be."""
        if p.name == "axis":
            return "Axes" if self.of_rows else "int | None" if p.default is None else "int"
        if p.name == "out" and self.nout == 2:
            return "Outputs"
        wide = "ArrayLike" if p.name in self.operands else "Numbers"
        wide = WIDE.get(p.name, "bool" if isinstance(p.default, bool) else wide)
        optional = p.default is None and p.name not in ("out", "dtype")
        return f"{wide} | None" if optional else wide

    def is_option(self, p: Parameter) -> bool:
        """Return whether a parameter is for the function itself, not for its kernels."""
        return p.name in WIDE or p.name == "axis"

    def overloads(self, containers: bool = False) -> Iterator[tuple[str, str]]:
        """Yield arguments and result of each overload, the narrowest first.

        Floating point arrays give such of their dtype beside Python's numbers, which are weak;
        arrays of dtypes that are not known give such in each overload that takes them, as mypy
        would make Any of different ones.  Containers are other libraries' arrays.
        """
        if self.reduces:
            own = self.narrow | {"x": "NDArray[F]", "axis": "None", "keepdims": "Literal[False]"}
            yield self.arguments(own, "axis"), "F"
            own |= {"axis": "Axes", "keepdims": "Literal[True]"}
            yield self.arguments(own, "keepdims"), "NDArray[F]"
            if self.takes_out:
                yield self.arguments({"out": "A | tuple[A]"}, "out"), "A"
            own = {"axis": "int | tuple[int, ...]", "keepdims": "Literal[False]"}
            yield self.arguments(own), "Any"
            yield self.arguments({"x": "Other"}), "Any"
            return
        if not self.along:
            yield from self.of_numbers()
        yield from self.of_parameters()
        yield from self.of_known()
        if self.takes_out:
            given = "A | tuple[A]" if self.nout == 1 else self.each("A")
            yield self.arguments({"out": given}, "out"), self.each("A")
        if containers and not self.result:
            for i, name in enumerate(self.operands):
                own = dict.fromkeys(self.operands[i + 1 :], "NDArray[Any] | Scalar")
                yield self.arguments(own | {name: "L", "out": "None"}), self.each("L")
        yield from self.of_others()

    def of_known(self) -> Iterator[tuple[str, str]]:
        """Yield the overloads of floating point arrays: all of one dtype, or one of float64."""
        known = self.each(f"NDArray[{self.result or 'F'}]")
        count = len(self.operands)
        if count > 1 and not self.result:
            wide, others = "NDArray[D]", "Floats | float"
            if count == 2 and not self.along:
                wide, others = "NDArray[D] | D", "Floats"
            for name in self.operands:
                own = dict.fromkeys(self.operands, others) | {name: wide}
                yield self.arguments(self.narrow | own), self.each("NDArray[D]")
        for i in range(count):
            kinds = ["F | float"] * i + ["NDArray[F]"]
            kinds += ["NDArray[F] | F | float"] * (count - i - 1)
            own = self.narrow | dict(zip(self.operands, kinds, strict=True))
            yield self.arguments(own), known

    def of_numbers(self) -> Iterator[tuple[str, str]]:
        """Yield the overloads of numbers alone."""
        without = {p.name: "" for p in self.parameters if p.kind is p.KEYWORD_ONLY} | {"out": ""}
        kinds = [("F", "F"), ("float", "np.float64")]
        for number, result in kinds if self.is_float or self.result else kinds[:1]:
            own = self.numbers | dict.fromkeys(self.operands, number) | without
            yield self.arguments(own), self.each(self.result or result)
        for name in self.operands:
            own = dict.fromkeys(self.operands, "Scalar") | {name: "Exact", "out": "None"}
            yield self.arguments(own), self.each("Any")
        if any(p.name == "dtype" for p in self.parameters) and not self.result:
            own = dict.fromkeys(self.operands, "Scalar") | {"dtype": "DTypeLike", "out": "None"}
            yield self.arguments(own, "dtype"), self.each("Any")

    def of_others(self) -> Iterator[tuple[str, str]]:
        """Yield the overloads whose result's dtype is not known.

        Each asks for what makes it so: a dtype, or an operand that is no floating point array.
        To one for all mypy would turn where the dtype is not the one that the caller expects.
        """
        unknown = self.each(f"NDArray[{self.result or 'Any'}]")
        if self.result:
            yield self.arguments(), unknown
            return
        if any(p.name == "dtype" for p in self.parameters):
            yield self.arguments({"dtype": "DTypeLike"}, "dtype"), unknown
        for name in reversed(self.operands):
            yield self.arguments({name: "Other" if self.is_float else "Other | Complex"}), unknown

    def of_parameters(self) -> Iterator[tuple[str, str]]:
        """Yield the overloads of arrays as parameters, whose dtypes count."""
        names = [p.name for p in self.parameters if self.numbers.get(p.name, "b")[0] != "b"]
        for i, name in enumerate([] if self.result else names):
            unknown = self.each("NDArray[Any]")
            yield self.arguments({name: "Precise"}, name), unknown
            if i:
                yield self.arguments({name: "Precise"}, *names[: i + 1]), unknown

    @property
    def takes_out(self) -> bool:
        """Whether results can be written to arrays."""
        return any(p.name == "out" for p in self.parameters)

    @property
    def numbers(self) -> dict[str, str]:
        """Parameters as Python's numbers."""
        kinds = {}
        for p in self.parameters:
            if p.name not in self.operands and not self.is_option(p):
                kind = "bool" if isinstance(p.default, bool) else "float"
                kinds[p.name] = f"{kind} | None" if p.default is None else kind
        return kinds

    @property
    def narrow(self) -> dict[str, str]:
        """What leaves the dtype to the operands."""
        return self.numbers | {"out": "None", "dtype": "None"}

    def without(self, *names: str) -> Call:
        """Return the call without some parameters."""
        return self._replace(parameters=tuple(p for p in self.parameters if p.name not in names))
