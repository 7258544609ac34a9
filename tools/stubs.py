"""Write the type stubs of `vekt` from the rows: `python tools/stubs.py FOLDER`.

Runs from the source tree, before anything is compiled.  What no row describes is written by hand
in src/vekt/_typing.
"""

from __future__ import annotations

import ast
import importlib.machinery
import os
import re
import sys
import types
from collections.abc import Iterable, Iterator, Mapping
from inspect import Parameter
from pathlib import Path
from typing import Any, NamedTuple

SOURCE = Path(__file__).resolve().parent.parent / "src" / "vekt"

HEADER = '''\
"""Type stub of {module}, written by tools/stubs.py from the rows."""

from collections.abc import Callable
from typing import Any, Literal, Protocol, TypeVar, overload

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from vekt._typing import A, Axes, Casting, F, Function, Order, Output, Outputs, Scalar
'''

# Of `vekt`, beside the functions of rows: where they are defined, for type checkers.
STATIC = {
    "vekt._typing.fuse": "evaluate fuse stream",
    "vekt._typing.layers": (
        "dense dense_backward softmax_cross_entropy softmax_cross_entropy_value_and_grad"
    ),
    "vekt._typing.linalg": (
        "cosine_similarity dot matmul matvec norm outer tensordot transpose_copy vecdot vecmat"
    ),
    "vekt._typing.reductions": (
        "all any argmax argmin broadcast_to max mean min sum sum_to_shape where"
    ),
    "vekt.config": "show_config",
    "vekt.layers._packed_weights": "PackedWeights",
    "vekt.threading": "get_num_threads num_threads set_num_threads",
}
MODULES = (
    "activations autograd config dlpack elementwise gates jit losses models network optim "
    "reductions reference rows ufuncs"
)
WRITTEN = {
    name for module, names in STATIC.items() if "_typing" in module for name in names.split()
}
ELEMENTARY = "erf erfc exp expm1 log log1p"  # of vekt.jit

HIDDEN = {*MODULES.split(), "build", "build_ufunc", "build_ufuncs"} - {"activations", "ufuncs"}
"""What modules have beside their public names."""

GET = """
_Activation = TypeVar("_Activation", bound=Callable[..., Any])
@overload
def get(identifier: str) -> Callable[..., Any]: ...
@overload
def get(identifier: _Activation) -> _Activation: ...
"""

WIDER = """\
def wide(kernel: Any, x: ArrayLike, *params: ArrayLike) -> NDArray[Any]: ...
def wide_gradient(kernel: Any, x: ArrayLike, *params: ArrayLike) -> NDArray[Any]: ...
def wide_from_output(kernel_name: str, y: ArrayLike, *params: ArrayLike) -> NDArray[Any]: ...
"""

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


def load_rows(family: str) -> Any:
    """Import a module of `vekt._spec` without `vekt`, which needs the compiled modules."""
    sys.meta_path.insert(0, importlib.machinery.PathFinder)  # before an editable install of vekt
    if "vekt" not in sys.modules:
        package = types.ModuleType("vekt")
        package.__path__ = [str(SOURCE)]
        sys.modules["vekt"] = package
    return importlib.import_module(f"vekt._spec.{family}")


class Call(NamedTuple):
    """How a function is called, and what it returns."""

    name: str
    operands: tuple[str, ...]
    parameters: tuple[Parameter, ...]
    nout: int = 1
    is_ufunc: bool = False
    of_rows: bool = False
    result: str = ""

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
        return result if self.nout == 1 else f"tuple[{', '.join([result] * self.nout)}]"

    def arguments(self, own: Mapping[str, str] = {}, required: str = "") -> str:
        """Return the parameters, of which some have types of their own; without those of ""."""
        parts: list[str] = []
        kind: Any = None
        for p in self.parameters:
            wanted = own.get(p.name, self.wide(p))
            if not wanted:
                continue
            if kind is Parameter.POSITIONAL_ONLY and p.kind is not kind:
                parts.append("/")
            is_late = p.name == required and " = " in "".join(parts)
            if kind is not Parameter.KEYWORD_ONLY:
                if is_late or p.kind is Parameter.KEYWORD_ONLY:
                    parts.append("*")
                kind = Parameter.KEYWORD_ONLY if is_late else p.kind
            default = "" if p.default is p.empty or p.name == required else f" = {p.default!r}"
            parts.append(f"{p.name}: {wanted}{default}")
        return ", ".join([*parts, "/"] if kind is Parameter.POSITIONAL_ONLY else parts)

    def wide(self, p: Parameter) -> str:
        """Return all that a parameter may be."""
        if p.name == "axis":
            return "Axes" if self.of_rows else "int | None" if p.default is None else "int"
        if p.name == "out" and self.nout == 2:
            return "Outputs"
        wide = "bool" if isinstance(p.default, bool) else "ArrayLike"
        wide = WIDE.get(p.name, wide)
        return f"{wide} | None" if p.default is None and wide == "ArrayLike" else wide

    def is_option(self, p: Parameter) -> bool:
        """Return whether a parameter is for the function itself, not for its kernels."""
        return p.name in WIDE or p.name == "axis"

    def overloads(self) -> Iterator[tuple[str, str]]:
        """Yield arguments and result of each overload, the narrowest first.

        Floating point arrays give such of their dtype beside Python's numbers, which are weak.
        """
        parameters = [
            p for p in self.parameters if p.name not in self.operands and not self.is_option(p)
        ]
        numbers = {
            p.name: "bool"
            if isinstance(p.default, bool)
            else "float | None"
            if p.default is None
            else "float"
            for p in parameters
        }
        alone = {p.name: "" for p in self.parameters if p.kind is Parameter.KEYWORD_ONLY}
        kept = numbers | {"out": "None", "dtype": "None"}
        result = self.result or "F"
        if self.reduces:
            whole = {**kept, "x": "NDArray[F]", "axis": "None"}
            yield self.arguments(whole | {"keepdims": "Literal[False]"}, "axis"), "F"
        else:
            for i, _ in enumerate(self.operands):
                kinds = ["float"] * i + ["NDArray[F]"] + ["NDArray[F] | float"] * len(self.operands)
                own = kept | dict(zip(self.operands, kinds, strict=False))
                results = self.each(f"NDArray[{result}]")
                if self.name == "prelu_backward":  # the slope's may be a number
                    results = "tuple[NDArray[F], Any]"
                yield self.arguments(own), results
        if not self.along:
            for number in ("F", "float"):
                own = numbers | dict.fromkeys(self.operands, number) | alone
                is_float = number == "float" and not self.result
                yield self.arguments(own), self.each("np.float64" if is_float else result)
        if any(p.name == "out" for p in self.parameters):
            given = "A | tuple[A]" if self.nout == 1 else self.each("A")
            yield self.arguments({"out": given}, "out"), self.each("A")
        if not self.reduces and self.name != "prelu_backward":
            own = dict.fromkeys([*self.operands[1:], *numbers], "NDArray[Any] | Scalar")
            own |= {p.name: "bool" for p in parameters if isinstance(p.default, bool)}
            own |= {p.name: own[p.name] + " | None" for p in parameters if p.default is None}
            own |= {self.operands[0]: "NDArray[Any]", "out": "None"}
            yield self.arguments(own), self.each(f"NDArray[{self.result or 'Any'}]")
        yield self.arguments(), self.each("Any")

    def without(self, *names: str) -> Call:
        """Return the call without some parameters."""
        return self._replace(parameters=tuple(p for p in self.parameters if p.name not in names))


def calls(family: str) -> dict[str, Call]:
    """Return the functions of a family, but for those whose types are written by hand."""
    found: dict[str, Call] = {}
    for spec in load_rows("families").specs(family):
        for kind in spec.kinds:
            form = spec.form(kind)
            if form.name in WRITTEN:
                continue
            truth = spec.facts.get("compares") or form.name.startswith("logical")
            found[form.name] = Call(
                form.name,
                form.operands,
                tuple(form.signature.parameters.values()),
                form.nout,
                bool(form.choices) and not spec.params,
                family == "rows",
                "np.bool_" if truth else "",
            )
    return found


def overloaded(lines: Iterable[str]) -> str:
    """Return functions of one name."""
    lines = list(lines)
    return "".join(f"@overload\n{line}\n" if len(lines) > 1 else f"{line}\n" for line in lines)


def as_function(call: Call) -> str:
    """Return the stub of a function of Python."""
    return overloaded(f"def {call.name}({a}) -> {r}: ..." for a, r in call.overloads())


def as_class(name: str, base: str, call: Call) -> str:
    """Return the class of objects with this call."""
    methods = overloaded(f"def __call__(self, {a}) -> {r}: ..." for a, r in call.overloads())
    body = "".join(f"    {line}\n" for line in methods.splitlines())
    final = "  # type: ignore[misc]" if base == "np.ufunc" else ""  # NumPy calls it final
    return f"class {name}({base}):{final}\n{body}"


def as_object(call: Call) -> str:
    """Return the stub of a function of C that is no ufunc."""
    if call.along:
        return as_function(call)
    return f"{as_class(f'_{call.name}', 'Function, Protocol', call)}{call.name}: _{call.name}\n"


def ufuncs(functions: Mapping[str, Call]) -> str:
    """Return the stubs of ufuncs, by their numbers of operands and results one class for all."""
    text = ""
    known: set[str] = set()
    options = tuple(
        Parameter(name, Parameter.KEYWORD_ONLY, default=default)
        for name, default in (("casting", "same_kind"), ("order", "K"), ("subok", True))
    )
    for call in functions.values():
        name = f"_Ufunc{len(call.operands)}{call.nout}"
        if name not in known:
            known.add(name)
            full = call._replace(parameters=(*call.parameters, *options))
            text += as_class(name, "np.ufunc", full)
        text += f"{call.name}: {name}\n"
    return text


def on_tensors(call: Call) -> str:
    """Return the stub of a function of `vekt.dlpack`."""
    own = {}
    for p in call.parameters:
        wide = call.wide(p)
        own[p.name] = wide.replace("ArrayLike", "_Tensor | ArrayLike")
    own[call.operands[0]] = "_Tensor"
    own["out"] = (
        "_Tensor | tuple[_Tensor] | None"
        if call.nout == 1
        else ("tuple[_Tensor | None, _Tensor | None] | None")
    )
    return f"def {call.name}({call.arguments(own)}) -> {call.each('_Tensor')}: ...\n"


def static_on_tensors(module: str) -> str:
    """Return the stubs in `vekt.dlpack` of functions whose types are written by hand."""
    path = SOURCE / "_typing" / f"{module.rpartition('.')[2]}.pyi"
    found = {
        node.name: node
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.FunctionDef)
    }
    text = ""
    for node in found.values():  # the last overload, which takes all
        node.decorator_list = []
        first, *others = node.args.posonlyargs + node.args.args
        first.annotation = ast.Name("_Tensor")
        for argument in (*others, *node.args.kwonlyargs):
            wide = ast.unparse(argument.annotation) if argument.annotation else "Any"
            for known, tensors in (
                (r"\bArrayLike\b", "_Tensor | ArrayLike"),
                (r"\bOutput\b", "_Tensor | tuple[_Tensor] | None"),
                (r"\bOutputs\b", "tuple[_Tensor | None, _Tensor | None] | None"),
                (r"\bNDArray\[Any\]", "_Tensor"),
            ):
                wide = re.sub(known, tensors, wide)
            argument.annotation = ast.parse(wide, mode="eval").body
        result = ast.unparse(node.returns) if node.returns else "Any"
        result = result.replace("NDArray[Any]", "_Tensor").replace("Any", "_Tensor")
        node.returns = ast.parse(result, mode="eval").body
        text += ast.unparse(node) + "\n"
    return text


def imports(module: str, names: Iterable[str]) -> str:
    """Return lines that make the names of another module those of this one."""
    return "".join(f"from {module} import {name} as {name}\n" for name in names)


def listed(text: str) -> list[str]:
    """Return the public names that a stub defines."""
    names = set()
    for node in ast.parse(text).body:
        if isinstance(node, ast.FunctionDef):
            names.add(node.name)
        elif isinstance(node, ast.ImportFrom):
            names |= {alias.asname for alias in node.names if alias.asname}
        elif isinstance(node, ast.AnnAssign | ast.Assign):
            target = node.target if isinstance(node, ast.AnnAssign) else node.targets[0]
            names |= {target.id} if isinstance(target, ast.Name) else set()
    return sorted(name for name in names if name[0] != "_" and name not in HIDDEN)


def stubs() -> dict[str, str]:
    """Return the texts by file."""
    families = {
        name: calls(name) for name in ("activations", "gates", "losses", "elementwise", "rows")
    }
    functions = {name: call for family in families.values() for name, call in family.items()}
    aliases = {
        alias: name
        for op in load_rows("activations").OPS.values()
        for alias, name in op.alias_names.items()
    }

    def aliased(names: Iterable[str]) -> str:
        present = set(names)
        return "".join(f"{alias} = {name}\n" for alias, name in aliases.items() if name in present)

    static = {module: names.split() for module, names in STATIC.items()}
    main = "".join(f"from vekt import {name} as {name}\n" for name in MODULES.split())
    main += "".join(imports(module, names) for module, names in static.items())
    main += "\n__version__: str\n\n"
    main += ufuncs({name: call for name, call in functions.items() if call.is_ufunc})
    main += "".join(as_object(call) for call in functions.values() if not call.is_ufunc)
    main += aliased(functions)

    in_jit = {**families["activations"], **families["gates"]}
    in_jit |= {n: call for n, call in families["rows"].items() if not n.endswith("_backward")}
    unary = families["activations"]["silu"]
    in_jit |= {name: unary._replace(name=name) for name in ELEMENTARY.split()}
    jit = "".join(map(as_function, in_jit.values())) + aliased(in_jit)
    jit += imports("vekt.jit._dense", ("dense", "dense_backward"))
    jit += imports("vekt.jit._dot", ("dot",))
    jit += imports("vekt.jit._linalg", ["matmul", "matvec", "tensordot", "vecdot", "vecmat"])
    jit += imports("vekt.jit._vectors", ["cosine_similarity", "norm", "outer", "transpose_copy"])

    reference = "".join(map(as_function, functions.values())) + aliased(functions)
    reference += "from vekt.reference import _optim as optim\n"
    reference += imports("vekt.reference._dense", ("dense", "dense_backward"))
    reference += imports(
        "vekt.reference._linalg", ["dot", "matmul", "matvec", "tensordot", "vecdot", "vecmat"]
    )
    reference += imports(
        "vekt.reference._vectors", ["cosine_similarity", "norm", "outer", "transpose_copy"]
    )
    reference += imports("vekt._typing.reductions", static["vekt._typing.reductions"])
    reference += imports("vekt._typing.layers", static["vekt._typing.layers"][2:])
    reference += imports("vekt._core.ulp", ("ulp_error",))
    reference += imports("vekt.reference._rows", ("wide_rows",))
    reference += WIDER

    second = {
        name: call
        for name, call in families["activations"].items()
        if not name.endswith(("_value_and_grad", "_from_output"))
    }
    second |= {
        name: call
        for name, call in functions.items()
        if name not in families["activations"]
        and name not in families["elementwise"]
        and not name.endswith(("_backward", "_value_and_grad"))
    }
    autograd = "".join(as_function(call.without("out")) for call in second.values())
    autograd += aliased(second)
    autograd += imports("vekt.autograd._fuse", ("fuse",))
    autograd += imports(
        "vekt.autograd._linalg",
        [
            "dense",
            "dot",
            "matmul",
            "matvec",
            "outer",
            "tensordot",
            "transpose_copy",
            "vecdot",
            "vecmat",
        ],
    )
    autograd += imports("vekt.autograd._losses", ("softmax_cross_entropy",))
    autograd += imports("vekt.autograd._norms", ("cosine_similarity", "norm"))

    dlpack = "from collections.abc import Sequence\n"
    dlpack += "from vekt._typing import Activation, Reduction, SupportsDLPack\n"
    dlpack += "from vekt.layers._packed_weights import PackedWeights\n"
    dlpack += '_Tensor = TypeVar("_Tensor", bound=SupportsDLPack)\n'
    dlpack += "def call(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any: ...\n"
    dlpack += "".join(map(on_tensors, functions.values())) + aliased(functions)
    for module in ("layers", "linalg", "reductions"):
        dlpack += static_on_tensors(module)

    kernels = load_rows("kernels").TABLE
    raw = "def build_ufunc(name: str, isa: str = ...) -> np.ufunc: ...\n"
    raw += "def build_ufuncs(isa: str) -> dict[str, np.ufunc]: ...\n"
    raw += "".join(f"{name}: np.ufunc\n" for name in sorted(kernels))
    files = {
        "__init__.pyi": main,
        "jit/__init__.pyi": jit,
        "reference/__init__.pyi": reference,
        "autograd/__init__.pyi": autograd,
        "dlpack.pyi": dlpack,
        "ufuncs.pyi": raw,
        "activations.pyi": imports("vekt", [*families["activations"], *aliases]) + GET,
        "elementwise/__init__.pyi": imports("vekt", [*families["elementwise"], "where"])
        + "def build(name: str, isa: str = ...) -> Any: ...\n",
        "gates/__init__.pyi": imports(
            "vekt", (name for name in families["gates"] if not name.startswith("prelu"))
        ),
        "losses/__init__.pyi": imports(
            "vekt", [*families["losses"], *static["vekt._typing.layers"][2:]]
        ),
        "rows.pyi": imports("vekt", families["rows"]),
        "reductions/__init__.pyi": imports("vekt", static["vekt._typing.reductions"][:-1]),
    }
    return {
        name: HEADER.format(module=f"vekt/{name}") + f"\n__all__ = {listed(text)}\n\n" + text
        for name, text in files.items()
    }


def main(folder: Path) -> None:
    """Write all stubs below a folder."""
    for name, text in stubs().items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    os.utime(folder)  # the build looks at the folder's time


if __name__ == "__main__":
    main(Path(sys.argv[1]))
