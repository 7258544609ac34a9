"""The layout tells the architecture: arrows between rooms point down, and there are no circles."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("importlinter")

ROOT = Path(__file__).parents[2]
BRIDGE = ROOT / "csrc" / "bridge"

# The tree's own package, in front of one that is installed.
LINT = """
import importlib.machinery, sys
sys.meta_path.insert(0, importlib.machinery.PathFinder)
from importlinter import cli
sys.exit(cli.lint_imports("../pyproject.toml", no_cache=True, no_logo=True))
"""
IMPORTS = """
import importlib.machinery, sys
sys.meta_path.insert(0, importlib.machinery.PathFinder)
import grimp
graph = grimp.build_graph("vekt", cache_dir=None, exclude_type_checking_imports=True)
for module in graph.modules:
    for target in graph.find_modules_directly_imported_by(module):
        print(module, target)
"""


def run(script: str, tree: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", script],
        cwd=tree / "src",
        capture_output=True,
        text=True,
        timeout=300,
    )


@pytest.fixture
def copy(tmp_path):
    """Return a copy of the Python tree, to be spoilt."""
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "src", tmp_path / "src", ignore=ignored)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def test_the_contracts_hold():
    done = run(LINT, ROOT)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("room", "line"),
    [
        ("_core/axes.py", "from vekt._spec import spec"),
        ("_spec/spec.py", "from vekt import losses"),
        ("losses/__init__.py", "from vekt import layers"),
        ("linalg/_tensordot.py", "from vekt._dask import blocks"),
        ("_fuse/graph.py", "from vekt.jit import gelu"),
        ("network/_layers.py", "def late():\n    from vekt.models import MLPClassifier"),
    ],
)
def test_an_import_from_a_room_above_fails_lint(copy, room, line):
    path = copy / "src" / "vekt" / room
    path.write_text(path.read_text() + f"\n\n{line}\n")
    done = run(LINT, copy)
    assert done.returncode == 1
    assert "A room imports only from rooms below it BROKEN" in done.stdout


def test_a_new_room_has_a_place_in_the_layers(copy):
    (copy / "src" / "vekt" / "convolution.py").write_text('"""Convolution."""\n')
    done = run(LINT, copy)
    assert done.returncode == 1
    assert "convolution" in done.stdout


def test_no_files_import_each_other():
    done = run(IMPORTS, ROOT)
    assert done.returncode == 0, done.stderr
    below: dict[str, set[str]] = {}
    for line in done.stdout.splitlines():
        module, target = line.split()
        below.setdefault(module, set()).add(target)
        below.setdefault(target, set())
    while below:
        free = {module for module, targets in below.items() if not targets & below.keys()}
        assert free, f"a circle among {sorted(below)}"
        below = {module: targets for module, targets in below.items() if module not in free}


def test_compiled_modules_are_met_in_one_file():
    touching = re.compile(
        r"^\s*(from vekt import .*\b_(kernels|ufuncs)\b|from vekt\._(kernels|ufuncs)\b)", re.M
    )
    found = [p for p in (ROOT / "src").rglob("*.py") if touching.search(p.read_text())]
    assert [p.name for p in found] == ["native.py"]


def test_only_the_bridge_knows_python():
    knowing = re.compile(r"#include\s*[<\"](Python\.h|numpy/|bridge)")
    files = [p for p in (ROOT / "csrc").rglob("*.[ch]") if knowing.search(p.read_text())]
    assert files
    assert {p.parent for p in files} == {BRIDGE}


def test_the_bridge_imports_no_module():
    for path in BRIDGE.glob("*.c"):
        assert "PyImport_Import" not in path.read_text(), path.name


def test_c_files_include_no_circle():
    """A header may come again with another element type, but no file is its own ancestor."""
    csrc = ROOT / "csrc"
    including = {}
    for path in csrc.rglob("*.[ch]"):
        names = re.findall(r'#include "([^"]+)"', path.read_text())
        beside = [path.parent / name for name in names]
        including[path] = {
            p if p.exists() else csrc / name for p, name in zip(beside, names, strict=True)
        } - {path}
    assert all(target.exists() for targets in including.values() for target in targets)
    while including:
        free = {path for path, targets in including.items() if not targets & including.keys()}
        assert free, f"a circle among {sorted(p.name for p in including)}"
        including = {path: targets for path, targets in including.items() if path not in free}
