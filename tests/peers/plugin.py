"""A plugin of pytest: a peer's test file sees vekt's functions; outcomes go to a file.

`--peers-outcomes FILE` names it, `--peers-plain` leaves the peer's own functions in place.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from importlib import import_module
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

import pytest

from . import standins


class Loader(SourceFileLoader):
    """Runs a test file with imports that give stand-ins."""

    def exec_module(self, module: ModuleType) -> None:
        module.__dict__["__builtins__"] = standins.builtins_of_tests()
        super().exec_module(module)


class Finder(PathFinder):
    """Finds the test files that are to run, and leaves all else to others."""

    files: frozenset[str] = frozenset()

    @classmethod
    def find_spec(cls, fullname: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        """Return a spec with our loader for the file of a test."""
        if not fullname.rpartition(".")[2].startswith("test_"):
            return None
        spec = super().find_spec(fullname, path, target)
        if spec is None or spec.origin not in cls.files:
            return None
        spec.loader = Loader(fullname, spec.origin)
        return spec

    @classmethod
    def watch(cls, files: frozenset[str]) -> None:
        """Stand before all other finders; a file that the peer has imported is imported again."""
        cls.files = files
        sys.meta_path.insert(0, cls)
        for name, module in list(sys.modules.items()):
            if getattr(module, "__file__", None) in files:
                del sys.modules[name]


class Outcomes:
    """What became of each test, whether it took a function of vekt's, and why it failed."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.of: dict[str, list[Any]] = {}

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        """Note whether a function was looked up, is a parameter, or a name that the file has."""
        before = standins.StandIn.used
        result = yield
        name = _name(item.nodeid)
        if name in self.of:
            self.of[name][1] = standins.StandIn.used > before or _names_ours(item)
        return result

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item, call: Any) -> Iterator[None]:
        """Note the outcome; an error before or after the call is a failure."""
        report = yield
        if report.when == "call" or report.outcome != "passed":
            outcome = "xfailed" if hasattr(report, "wasxfail") else report.outcome
            why = call.excinfo.exconly() if report.failed and call.excinfo else ""
            self.of[_name(item.nodeid)] = [outcome, False, why]
        return report

    def pytest_sessionfinish(self) -> None:
        """Write them."""
        self.path.write_text(json.dumps(self.of, indent=0), encoding="utf-8")


def _name(nodeid: str) -> str:
    return nodeid.partition("::")[2]


def _names_ours(item: Any) -> bool:
    scope = {**vars(item.module), **vars(item.cls or object)}
    values = [scope.get(name) for name in _names(item.function.__code__)]
    for value in item.callspec.params.values() if hasattr(item, "callspec") else ():
        values.extend(value if isinstance(value, (tuple, list)) else [value])
    return any(id(v) in standins.ours() or type(v).__module__.startswith("vekt.") for v in values)


def _names(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names(constant)


def _known_to_scipy() -> None:
    """Since 1.17, SciPy looks up which arrays a function takes before it tests it."""
    table = getattr(import_module("scipy._lib._array_api"), "xp_capabilities_table", {})
    for theirs, ours in standins.replacements("scipy").values():
        if theirs in table:
            table[ours] = table[theirs]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add what `peers.run` passes."""
    parser.addoption("--peers-outcomes", type=Path)
    parser.addoption("--peers-plain", action="store_true")


def pytest_configure(config: pytest.Config) -> None:
    """Count outcomes, and have imports give stand-ins."""
    config.pluginmanager.register(Outcomes(config.getoption("--peers-outcomes")))
    if config.getoption("--peers-plain"):
        return
    files = frozenset(arg.partition("::")[0] for arg in config.args)
    if any("/scipy/" in file for file in files):
        _known_to_scipy()
    Finder.watch(files)
