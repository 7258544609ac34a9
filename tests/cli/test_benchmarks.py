"""The benchmark suite covers every kernel, and every benchmark runs."""

from __future__ import annotations

import importlib
import inspect
import itertools
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from vekt._spec.families import specs

SUITE = Path(__file__).parents[2] / "asv_bench"
MODULES = sorted(path.stem for path in (SUITE / "benchmarks").glob("bench_*.py"))
KINDS = ("time_", "track_", "peakmem_", "timeraw_")


@pytest.fixture
def suite(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Import a module of the suite, with far fewer elements than asv would use."""
    monkeypatch.syspath_prepend(str(SUITE))

    def load(name: str) -> ModuleType:
        module = importlib.import_module(f"benchmarks.{name}")
        for attribute in ("ELEMENTS", "SAMPLES", "SIZE"):
            if hasattr(module, attribute):
                monkeypatch.setattr(module, attribute, 1_000)
        return module

    yield load
    for name in [n for n in sys.modules if n == "benchmarks" or n.startswith("benchmarks.")]:
        del sys.modules[name]


def benchmarks(module: ModuleType) -> Iterator[tuple[type, str]]:
    """Yield the classes of a module with the names of their benchmarks."""
    for _, cls in inspect.getmembers(module, inspect.isclass):
        if cls.__module__ == module.__name__:
            yield from ((cls, name) for name in vars(cls) if name.startswith(KINDS))


def combinations(cls: type) -> Iterator[tuple[Any, ...]]:
    """Return every combination of a class's parameters, at the smallest of sizes and dtypes."""
    names = getattr(cls, "param_names", [])
    values = getattr(cls, "params", [])
    small = [v[:1] if n in ("size", "dtype") else v for n, v in zip(names, values, strict=True)]
    for i, params in enumerate(itertools.product(*small)):
        # Compiling a function takes Numba a second, and all are compiled in the tests of vekt.jit.
        if i % 7 == 0 or "jit" not in (*params, getattr(cls, "namespace", "")):
            yield params


@pytest.mark.parametrize("name", MODULES)
def test_every_benchmark_runs(suite: Any, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    module = suite(name)
    if hasattr(module, "SAMPLES"):  # whether it runs takes fewer than what it says
        monkeypatch.setattr(module, "SAMPLES", 2000)
    found = list(benchmarks(module))
    assert found
    for cls, method in found:
        for params in combinations(cls):
            instance = cls()
            try:
                getattr(instance, "setup", lambda *_: None)(*params)
            except NotImplementedError:  # asv's sign for a combination that is not there
                continue
            result = getattr(instance, method)(*params)
            if method.startswith("track_"):
                assert isinstance(result, float)
            if method.startswith("timeraw_"):
                statement, *before = (result,) if isinstance(result, str) else result
                code = "\n".join([*before, statement])
                subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


@pytest.mark.parametrize("name", MODULES)
def test_history_survives_an_edit(suite: Any, name: str) -> None:
    # Without a version asv drops the results of a benchmark whose code changed.
    for cls, _ in benchmarks(suite(name)):
        assert isinstance(cls.version, str)


@pytest.mark.parametrize("family", ["activations", "elementwise", "linalg", "losses", "rows"])
def test_a_function_without_a_benchmark_is_refused(
    suite: Any, monkeypatch: pytest.MonkeyPatch, family: str
) -> None:
    module, common = suite(f"bench_{family}"), suite("common")
    forgotten = replace(specs(family)[0], name="forgotten")
    monkeypatch.setattr(common, "ALL", (*common.ALL, forgotten))
    with pytest.raises(ImportError, match="no benchmark for forgotten"):
        importlib.reload(module)
