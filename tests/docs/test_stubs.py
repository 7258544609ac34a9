"""The type stubs, which the build writes from the rows, and what checkers make of them."""

from __future__ import annotations

import ast
import importlib
import json
import runpy
import shutil
import subprocess
import sys
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

import vekt as vk

PROGRAMS = Path(__file__).parent / "typed"
TOOL = Path(__file__).parents[2] / "tools" / "stubs.py"
STUBBED = (
    "activations autograd dlpack elementwise gates jit losses reductions reference rows ufuncs"
)


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


# ---- what checkers make of programs; one process of each for all


def copied(folder: Path, package: Path) -> None:
    for program in PROGRAMS.glob("*.py"):
        shutil.copy(program, folder)
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


@pytest.mark.parametrize("name", ["script.py", "calls.py", "results.py"])
def test_strict_checkers_pass_what_is_right(errors: Any, name: str) -> None:
    assert errors[name] == []


def test_checkers_find_each_mistake(errors: Any) -> None:
    lines = (PROGRAMS / "mistakes.py").read_text(encoding="utf-8").splitlines()
    first = lines.index("# Each line from here on is a mistake.") + 2
    found = {where for where, _ in errors["mistakes.py"]}
    missed = [lines[i - 1] for i in range(first, len(lines) + 1) if i not in found]
    assert missed == []
    assert min(found) >= first, errors["mistakes.py"]


def test_the_script_runs() -> None:
    assert runpy.run_path(str(PROGRAMS / "script.py"))["main"]() > 0
