"""Write the type stubs of `vekt` from the specs: `python tools/stubs.py FOLDER`.

Runs from the source tree, before anything is compiled.  What no spec describes is written by hand
in src/vekt/_typing.
"""

from __future__ import annotations

import ast
import importlib.machinery
import os
import re
import sys
import types
from collections.abc import Iterable, Mapping
from inspect import Parameter
from pathlib import Path
from typing import Any

from stub_calls import Call

SOURCE = Path(__file__).resolve().parent.parent / "src" / "vekt"

HEADER = '''\
"""Type stub of {module}, written by tools/stubs.py from the specs."""

from collections.abc import Callable
from typing import Any, Literal, Protocol, SupportsIndex, TypeVar, overload

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from vekt._typing import (
    A, Axes, Casting, Complex, D, Exact, F, Floats, Function, L, Lists, Numbers, Order, Other,
    Output, Outputs, Precise, Scalar, T,
)
'''


def load_rows(family: str) -> Any:
    """Import a module of `vekt._spec` without `vekt`, which needs the compiled modules."""
    sys.meta_path.insert(0, importlib.machinery.PathFinder)  # before an editable install of vekt
    if "vekt" not in sys.modules:
        package = types.ModuleType("vekt")
        package.__path__ = [str(SOURCE)]
        sys.modules["vekt"] = package
    return importlib.import_module(f"vekt._spec.{family}")


def named(family: str) -> str:
    """Return the names of the functions of a family."""
    return " ".join(n for spec in load_rows("families").specs(family) for n in spec.public_names)


def plain_reductions() -> str:
    """Return the names of the reductions that are no statistics."""
    return " ".join(name for name in named("reductions").split() if name not in statistics())


def statistics() -> tuple[str, ...]:
    """Return the names of statistics and of what runs along an axis."""
    return (*load_rows("statistics").STATISTICS, *load_rows("scans").SCANS)


# Of `vekt`, beside the functions of rows: where they are defined, for type checkers.
STATIC = {
    "vekt._typing.choosing": named("choosing"),
    "vekt._typing.fuse": "evaluate fuse re_evaluate stream validate",
    "vekt._typing.layers": (
        f"{named('layers')} softmax_cross_entropy softmax_cross_entropy_value_and_grad"
    ),
    "vekt._typing.linalg": named("linalg"),
    "vekt._typing.reductions": f"{plain_reductions()} where",
    "vekt._typing.statistics": " ".join(statistics()),
    "vekt.config": "show_config",
    "vekt.layers._packed_weights": "PackedWeights",
    "vekt.threading": "get_num_threads num_threads set_num_threads",
    "vekt.upcasts": "UpcastWarning warn_upcasts",
}
MODULES = (
    "activations autograd choosing config dlpack elementwise gates jit linalg losses models "
    "network optim reductions reference rows threading ufuncs"
)
WRITTEN = {
    name for module, names in STATIC.items() if "_typing" in module for name in names.split()
}
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
                family != "elementwise",
            )
    return found


def overloaded(lines: Iterable[str]) -> str:
    """Return functions of one name."""
    lines = list(lines)
    return "".join(f"@overload\n{line}\n" if len(lines) > 1 else f"{line}\n" for line in lines)


def as_function(call: Call, containers: bool = False) -> str:
    """Return the stub of a function of Python."""
    overloads = call.overloads(containers)
    return overloaded(f"def {call.name}({a}) -> {r}: ..." for a, r in overloads)


def as_class(name: str, base: str, call: Call) -> str:
    """Return the class of objects with this call."""
    methods = overloaded(f"def __call__(self, {a}) -> {r}: ..." for a, r in call.overloads(True))
    body = "".join(f"    {line}\n" for line in methods.splitlines())
    final = "  # type: ignore[misc]" if base == "np.ufunc" else ""  # NumPy calls it final
    return f"class {name}({base}):{final}\n{body}"


def as_object(call: Call) -> str:
    """Return the stub of a function of C that is no ufunc."""
    if call.along:
        return as_function(call, containers=True)
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


def by_hand(module: str) -> dict[str, list[ast.FunctionDef]]:
    """Return the functions of a module of vekt._typing, each with its overloads."""
    path = SOURCE / "_typing" / f"{module}.pyi"
    found: dict[str, list[ast.FunctionDef]] = {}
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef):
            found.setdefault(node.name, []).append(node)
    return found


def renamed(annotation: ast.expr | None, names: Mapping[str, str]) -> ast.expr:
    """Return an annotation with other types in place of some."""
    text = ast.unparse(annotation) if annotation else "Any"
    for known, other in names.items():
        text = re.sub(rf"\b(?:{known})(?![\w])", other, text)
    return ast.parse(text, mode="eval").body


def by_hand_on_tensors(module: str) -> str:
    """Return the stubs in `vekt.dlpack` of functions whose types are written by hand."""
    tensors = {
        "ArrayLike|Other": "_Tensor | ArrayLike",
        "Output": "_Tensor | tuple[_Tensor] | None",
        "Outputs": "tuple[_Tensor | None, _Tensor | None] | None",
        r"NDArray\[Any\]": "_Tensor",
    }
    text = ""
    for *_, node in by_hand(module).values():  # the last has every parameter
        node.decorator_list = []
        for i, default in enumerate(node.args.kw_defaults):  # overloads may ask for an option
            if default is None and (asked := node.args.kwonlyargs[i].annotation):
                node.args.kwonlyargs[i].annotation = ast.BinOp(
                    asked, ast.BitOr(), ast.Constant(None)
                )
                node.args.kw_defaults[i] = ast.Constant(None)
        for first in (node.args.posonlyargs + node.args.args)[:1]:
            first.annotation = ast.Name("_Tensor")
        others = (node.args.posonlyargs + node.args.args)[1:]
        for argument in (*others, *node.args.kwonlyargs):
            alone = argument.arg == "out" and ast.unparse(argument.annotation or node) == "None"
            argument.annotation = renamed(
                ast.Name("Output") if alone else argument.annotation, tensors
            )
        results = r"NDArray\[(?:Any|np\.intp)\]|Any|A"
        node.returns = renamed(node.returns, {results: "_Tensor"})
        text += ast.unparse(node) + "\n"
    return text


def by_hand_without_out(module: str, names: Iterable[str]) -> str:
    """Return the stubs in `vekt.autograd` of functions whose types are written by hand."""
    text = ""
    for name, nodes in by_hand(module).items():
        if name not in names:
            continue
        kept = [node for node in nodes if not needs_out(node)]
        for node in kept:
            if node.args.args and node.args.args[-1].arg == "out":
                del node.args.args[-1], node.args.defaults[-1]
            named = [
                (p, d)
                for p, d in zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True)
                if p.arg != "out"
            ]
            node.args.kwonlyargs, node.args.kw_defaults = (
                [p for p, _ in named],
                [d for _, d in named],
            )
            node.decorator_list = node.decorator_list if len(kept) > 1 else []
            text += ast.unparse(node) + "\n"
    return text


def needs_out(node: ast.FunctionDef) -> bool:
    """Return whether an overload is for calls with `out`."""
    arguments = node.args.posonlyargs + node.args.args + node.args.kwonlyargs
    kinds = [ast.unparse(p.annotation) for p in arguments if p.arg == "out" and p.annotation]
    return any(kind in ("A", "A | tuple[A]") for kind in kinds)


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
    public = sorted(name for name in names if name[0] != "_" and name not in HIDDEN)
    return ["call"] if "call" in public else public  # vekt.dlpack, whose others are as in vekt


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
    elementary, binary = load_rows("elementary").ELEMENTARY, load_rows("binary").BINARY
    in_jit |= {op.name: unary._replace(name=op.name) for op in elementary}
    gate, renamed = families["gates"]["swiglu"], {"a": "x1", "b": "x2"}
    taken = tuple(p.replace(name=renamed.get(p.name, p.name)) for p in gate.parameters)
    of_two = gate._replace(operands=("x1", "x2"), parameters=taken)
    in_jit |= {op.name: of_two._replace(name=op.name) for op in binary}
    jit = "".join(map(as_function, in_jit.values())) + aliased(in_jit)
    jit += imports("vekt._typing.layers", ("dense", "dense_backward"))
    jit += imports("vekt._typing.linalg", static["vekt._typing.linalg"])
    jit += imports(
        "vekt._typing.reductions",
        [n for n in plain_reductions().split() if n not in load_rows("reductions").SHAPING],
    )
    jit += imports("vekt._typing.statistics", static["vekt._typing.statistics"])
    jit += imports("vekt._typing.choosing", static["vekt._typing.choosing"])

    reference = "".join(map(as_function, functions.values())) + aliased(functions)
    reference += "from vekt.reference import _optim as optim\n"
    for module in (name for name in static if "_typing" in name and name != "vekt._typing.fuse"):
        reference += imports(module, static[module])
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
    second |= {op.name: functions[op.name] for op in (*elementary, *binary)}
    autograd = "from collections.abc import Sequence\nfrom vekt._typing import Reduction\n"
    autograd += "".join(as_function(call.without("out")) for call in second.values())
    autograd += aliased(second)
    autograd += imports("vekt.autograd._fuse", ("fuse",))
    own = ("matvec", "vecdot", "vecmat")
    autograd += imports("vekt.autograd._linalg", ("dense", *own))
    others = [name for name in static["vekt._typing.linalg"] if name not in own]
    autograd += by_hand_without_out("linalg", others)
    autograd += by_hand_without_out("choosing", static["vekt._typing.choosing"])
    autograd += by_hand_without_out("layers", ("softmax_cross_entropy",))
    without = ("count_nonzero", "nanmax", "nanmin")
    autograd += by_hand_without_out(
        "statistics", [name for name in statistics() if name not in without]
    )

    dlpack = "from collections.abc import Sequence\n"
    dlpack += "from vekt._typing import Activation, Reduction, SupportsDLPack\n"
    dlpack += "from vekt.layers._packed_weights import PackedWeights\n"
    dlpack += '_Tensor = TypeVar("_Tensor", bound=SupportsDLPack)\n'
    dlpack += "def call(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any: ...\n"
    dlpack += "".join(map(on_tensors, functions.values())) + aliased(functions)
    for module in ("choosing", "layers", "linalg", "reductions", "statistics"):
        dlpack += by_hand_on_tensors(module)

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
        "choosing/__init__.pyi": imports("vekt", static["vekt._typing.choosing"]),
        "elementwise/__init__.pyi": imports("vekt", [*families["elementwise"], "where"])
        + "def build(name: str, isa: str = ...) -> Any: ...\n",
        "gates/__init__.pyi": imports(
            "vekt", (name for name in families["gates"] if not name.startswith("prelu"))
        ),
        "losses/__init__.pyi": imports(
            "vekt", [*families["losses"], *static["vekt._typing.layers"][2:]]
        ),
        "linalg/__init__.pyi": imports(
            "vekt", ("dot", "matmul", "matvec", "tensordot", "vecdot", "vecmat")
        ),
        "rows.pyi": imports("vekt", families["rows"]),
        "reductions/__init__.pyi": imports(
            "vekt", (*static["vekt._typing.reductions"][:-1], *static["vekt._typing.statistics"])
        ),
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
