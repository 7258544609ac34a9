"""The type stubs, which the build writes from the specs, and what checkers make of them."""

from __future__ import annotations

import ast
import importlib
import json
import runpy
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

import vekt as vk
from vekt._spec.families import ALL, specs
from vekt._spec.spec import Spec

PROGRAMS = Path(__file__).parent / "typed"
TOOL = Path(__file__).parents[2] / "tools" / "stubs.py"
STUBBED = """
activations autograd choosing dlpack elementwise gates jit linalg losses reductions reference rows
ufuncs
"""


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the package as it is installed; an editable one with the stubs of a build."""
    installed = Path(vk.__file__).parent
    if installed.with_name("vekt").joinpath("__init__.pyi").exists():
        return installed
    made = tmp_path_factory.mktemp("tree") / "vekt"
    shutil.copytree(installed, made, ignore=shutil.ignore_patterns("__pycache__"))
    subprocess.run([sys.executable, TOOL, made], check=True)
    return made


def stub_of(package: Path, name: str) -> Path:
    folder = package / name
    return folder / "__init__.pyi" if folder.is_dir() else package / f"{name}.pyi"


def names_in(stub: Path) -> set[str]:
    """Names that other modules see."""
    names: set[str] = set()
    for node in ast.parse(stub.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Assign):
            names |= {target.id for target in node.targets if isinstance(target, ast.Name)}
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            names.add(node.target.id)
        elif isinstance(node, ast.ImportFrom):
            names |= {alias.asname for alias in node.names if alias.asname}
    return names


@pytest.mark.parametrize("name", ["", *STUBBED.split()])
def test_stubs_name_everything_public(package: Path, name: str) -> None:
    module = importlib.import_module(f"vekt.{name}" if name else "vekt")
    public = set(module.__all__)
    if name == "dlpack":  # of functions of arrays
        public |= set(vk.rows.__all__) | set(vk.activations.__all__) - {"get"} | {"matmul", "sum"}
    found = names_in(stub_of(package, name))
    assert found >= public
    own = {n for n in found if not n.startswith("_")}
    assert [n for n in own if not hasattr(module, n)] == []


@lru_cache
def parsed(stub: Path) -> list[ast.stmt]:
    return ast.parse(stub.read_text(encoding="utf-8")).body


def last_call(package: Path, spec: Spec, kind: str) -> ast.arguments | None:
    """Return what the widest overload of a function of `vekt` takes; None of a ufunc."""
    name, stub = spec.name + kind, stub_of(package, "")
    while True:
        nodes = parsed(stub)
        made = [n for n in nodes if isinstance(n, ast.FunctionDef) and n.name == name]
        if made:
            return made[-1].args
        for node in nodes:
            if isinstance(node, ast.ImportFrom) and name in {a.name for a in node.names}:
                home = str(node.module).removeprefix("vekt.").replace(".", "/")
                stub = Path(vk.__file__).parent / f"{home}.pyi"
                break
            if isinstance(node, ast.AnnAssign) and ast.unparse(node.target) == name:
                kinds = {n.name: n for n in nodes if isinstance(n, ast.ClassDef)}
                if ast.unparse(node.annotation).startswith("_Ufunc"):
                    return None
                own = kinds[ast.unparse(node.annotation)].body
                return [n for n in own if isinstance(n, ast.FunctionDef)][-1].args
        else:
            raise AssertionError(f"no stub of {name}")


@pytest.mark.parametrize(
    ("spec", "kind"),
    [(s, k) for s in ALL if s.family != "optim" for k in s.kinds],
    ids=[s.name + k for s in ALL if s.family != "optim" for k in s.kinds],
)
def test_stubs_take_what_specs_say(package: Path, spec: Spec, kind: str) -> None:
    takes = last_call(package, spec, kind)
    wanted = list(spec.signature(kind).parameters.values())
    if takes is None:
        assert not spec.params
        return
    first, both = ([a.arg for a in some] for some in (takes.posonlyargs, takes.args))
    many = [takes.vararg.arg] if takes.vararg else []
    if many:  # of which a call has at least one
        first = []
    by_name = [a.arg for a in takes.kwonlyargs]
    assert [n for n in (*first, *both, *many, *by_name) if n != "self"] == [p.name for p in wanted]
    assert [n for n in first if n != "self"] == [
        p.name for p in wanted if p.kind is p.POSITIONAL_ONLY
    ]
    assert [a.arg for a in takes.kwonlyargs] == [p.name for p in wanted if p.kind is p.KEYWORD_ONLY]


# ---- what checkers make of programs; one process of each for all

START = """
from typing import assert_type

import numpy as np
from numpy.typing import NDArray

import vekt as vk

def ones() -> NDArray[np.float32]:
    return np.ones((2, 2), np.float32)


x = ones()
"""
FORMS = [spec.form(kind) for spec in ALL for kind in spec.kinds]
FLOATS = {
    name
    for family in ("activations", "gates", "losses", "rows")
    for spec in specs(family)
    for name in spec.public_names
    if not name.startswith("softmax_cross")
}
"""Functions that keep the dtype of floats."""

NAMESPACES = ("vk", "vk.jit", "vk.reference", "vk.autograd", "vk.dlpack")


def functions() -> Iterator[tuple[str, Any]]:
    """Yield each function of a spec in each namespace, and how it is called."""
    for space in NAMESPACES:
        module = importlib.import_module(space.replace("vk", "vekt"))
        public = vk.__all__ if space == "vk.dlpack" else module.__all__
        yield from ((f"{space}.{form.name}", form) for form in FORMS if form.name in public)


ELEMENTWISE = {
    name
    for spec in specs("elementwise")
    if not (spec.facts.get("compares") or spec.name.startswith("logical") or spec.name == "where")
    for name in spec.public_names
}


def right() -> str:
    """Return a call of each function, and its type: float32 where the operands are."""
    lines = []
    for name, form in functions():
        if form.name not in FLOATS | ELEMENTWISE:
            continue
        result = "NDArray[np.float32]"
        if form.name == "prelu_backward":
            result = f"tuple[{result}, Any]"
        elif form.nout == 2:
            result = f"tuple[{result}, {result}]"
        operands = ", ".join("x" for _ in form.operands)
        if form.name == "logsumexp" and "dlpack" not in name:
            operands, result = "x, None", "np.float32"
        lines.append(f"assert_type({name}({operands}), {result})")
        if form.nout == 1 and name == f"vk.{form.name}":
            # The type must not come from all that NumPy would take beside x.
            lines.append(f"y{len(lines)}: NDArray[np.float32] = x + {name}({operands})")
    return START.replace("assert_type", "Any, assert_type") + "\n".join(lines)


def wrong() -> str:
    """Return wrong calls of each function: an unknown keyword, nothing, one operand too many.

    For those of floating point numbers also a result taken for one of another dtype.
    One in `vekt`, and of every third one in another namespace: checkers take long over what is
    wrong.
    """
    lines = []
    for i, (name, form) in enumerate(functions()):
        space = NAMESPACES.index(name.rpartition(".")[0])
        k, others = FORMS.index(form), len(NAMESPACES) - 1
        if space and (k % 3 or space != 1 + k // 3 % others):
            continue
        operands = ", ".join("x" for _ in form.operands)
        by_position = len(form.operands) + len(form.params)
        most = by_position if form.name in FLOATS else len(form.signature.parameters)
        places = ", ".join("x" for _ in range(1 + most))
        mistakes = [f"{name}({operands}, nonsense=1)", f"{name}()"]
        if all(p.kind is not p.VAR_POSITIONAL for p in form.signature.parameters.values()):
            mistakes.append(f"{name}({places})")
        lines.append(mistakes[i % len(mistakes)])
        if form.name in (FLOATS | ELEMENTWISE) - {"logsumexp"} and form.nout == 1:
            lines.append(f"vk_{i}: NDArray[np.float64] = {name}({operands})")
    for space in NAMESPACES:
        lines += [f"{space}.{spec.name}_of_no_kind(x)" for spec in ALL]
    return START.replace("from typing import assert_type\n", "") + "\n".join(lines)


def copied(folder: Path, package: Path) -> None:
    for program in PROGRAMS.glob("*.py"):
        shutil.copy(program, folder)
    (folder / "right.py").write_text(right(), encoding="utf-8")
    (folder / "wrong.py").write_text(wrong(), encoding="utf-8")
    if "site-packages" not in package.parts:
        (folder / "vekt").symlink_to(package, target_is_directory=True)


def mypy(folder: Path) -> dict[str, list[tuple[int, str]]]:
    """Errors by file."""
    files = sorted(path.name for path in folder.glob("*.py"))
    command = [sys.executable, "-m", "mypy", "--strict", "--follow-imports=silent", "--output=json"]
    command += ["--cache-dir", str(folder / "cache"), *files]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder)
    assert not done.stderr
    found: dict[str, list[tuple[int, str]]] = {name: [] for name in files}
    for line in done.stdout.splitlines():
        said = json.loads(line)
        assert said["file"] in found, said  # no errors in the stubs themselves
        if said["severity"] == "error":
            found[said["file"]].append((said["line"], said["message"]))
    return found


def pyright(folder: Path) -> dict[str, list[tuple[int, str]]]:
    """Errors by file."""
    if find_spec("pyright") is None:
        pytest.skip("types by pyright: not installed (extra `lint`)")
    files = sorted(path.name for path in folder.glob("*.py"))
    settings = {"typeCheckingMode": "strict", "include": files, "reportMissingModuleSource": False}
    (folder / "pyrightconfig.json").write_text(json.dumps(settings), encoding="utf-8")
    command = [sys.executable, "-m", "pyright", "--pythonpath", sys.executable, "--outputjson"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder)
    assert done.stdout.startswith("{"), done
    found: dict[str, list[tuple[int, str]]] = {name: [] for name in files}
    for said in json.loads(done.stdout)["generalDiagnostics"]:
        if said["severity"] == "error":
            where = said["range"]["start"]["line"] + 1
            found[Path(said["file"]).name].append((where, said["message"]))
    return found


@pytest.fixture(scope="module", params=[mypy, pyright], ids=lambda checker: checker.__name__)
def errors(
    request: pytest.FixtureRequest, package: Path, tmp_path_factory: pytest.TempPathFactory
) -> Mapping[str, list[tuple[int, str]]]:
    """Return what a checker says of all programs."""
    folder = tmp_path_factory.mktemp("programs")
    copied(folder, package)
    found: Mapping[str, list[tuple[int, str]]] = request.param(folder)
    return found


@pytest.mark.parametrize("name", ["script.py", "calls.py", "results.py", "right.py"])
def test_strict_checkers_pass_what_is_right(errors: Any, name: str) -> None:
    assert errors[name] == []


def test_checkers_find_each_mistake(errors: Any) -> None:
    lines = (PROGRAMS / "mistakes.py").read_text(encoding="utf-8").splitlines()
    first = lines.index("# Each line from here on is a mistake.") + 2
    found = {where for where, _ in errors["mistakes.py"]}
    missed = [lines[i - 1] for i in range(first, len(lines) + 1) if i not in found]
    assert missed == []
    assert min(found) >= first, errors["mistakes.py"]


def test_checkers_find_wrong_calls_of_every_function(errors: Any) -> None:
    lines = enumerate(wrong().splitlines(), 1)
    found = {where for where, _ in errors["wrong.py"]}
    assert [text for where, text in lines if text.startswith("vk") and where not in found] == []


def test_the_script_runs() -> None:
    assert runpy.run_path(str(PROGRAMS / "script.py"))["main"]() > 0
