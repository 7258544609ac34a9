"""The dashboard chooses what to measure, and reads what benchmarks say about themselves."""

from __future__ import annotations

import importlib
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

ROOT = Path(__file__).parents[2]
SUITE = ROOT / "asv_bench"

pytestmark = pytest.mark.skipif(not SUITE.is_dir(), reason="an installed test suite")


@pytest.fixture
def load(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Import a module of `asv_bench`, and forget it afterwards."""
    monkeypatch.syspath_prepend(str(ROOT))
    before = set(sys.modules)
    yield lambda name: importlib.import_module(f"asv_bench.{name}")
    for name in set(sys.modules) - before:
        if name.startswith("asv_bench"):
            del sys.modules[name]


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Make a repository of three commits, with a branch merged in the last."""

    def git(*arguments: str) -> None:
        who = ("-c", "user.name=test", "-c", "user.email=test@localhost")
        subprocess.run(["git", *who, *arguments], cwd=tmp_path, check=True, capture_output=True)

    git("init", "--initial-branch=main")
    git("commit", "--allow-empty", "--message=first")
    git("switch", "--create", "side")
    git("commit", "--allow-empty", "--message=aside")
    git("switch", "main")
    (tmp_path / "meson.options").write_text("option('targets', type: 'array')\n", "utf-8")
    git("add", "meson.options")
    git("commit", "--message=second")
    git("merge", "--no-ff", "--message=third", "side")
    return tmp_path


def benchmark_classes(load: Any) -> Iterator[tuple[str, type]]:
    for path in sorted((SUITE / "benchmarks").glob("bench_*.py")):
        module = load(f"benchmarks.{path.stem}")
        for name, cls in vars(module).items():
            if isinstance(cls, type) and cls.__module__ == module.__name__:
                yield f"{path.stem}.{name}", cls


def test_what_is_read_of_the_classes_is_what_they_have(load: Any) -> None:
    traits = load("dashboard.suite").traits()
    yardsticks = load("benchmarks.bench_yardstick").TimeYardstick.params[0]
    found = dict(benchmark_classes(load))
    assert found.keys() <= traits.keys()
    for name, cls in found.items():
        assert traits[name].tags == getattr(cls, "tags", ())
        assert traits[name].marks == getattr(cls, "marks", {})
        assert traits[name].yardstick == getattr(cls, "yardstick", "np.exp")
        assert traits[name].yardstick in yardsticks


def test_peers_are_series_of_one_parameter(load: Any) -> None:
    # The pages draw all values of a parameter of this name at first.
    for name, cls in benchmark_classes(load):
        for parameter, values in zip(
            getattr(cls, "param_names", ()), getattr(cls, "params", ()), strict=True
        ):
            if {"vekt", "numpy"} <= set(values):
                assert parameter == "library", name


def test_the_smoke_subset_has_the_yardsticks_and_the_notes(load: Any) -> None:
    chosen = load("dashboard.__main__").chosen(False, ())
    for name in ("bench_yardstick.TimeYardstick.time_call", "bench_notes.TimeNotes.time_z"):
        assert any(re.search(one, name) for one in chosen)
    assert len(chosen) < 10


def test_chosen_benchmarks_come_with_the_yardsticks(load: Any) -> None:
    chosen = load("dashboard.__main__").chosen
    assert chosen(True, ()) == []
    assert chosen(False, ("gelu",)) == ["gelu", r"^bench_yardstick.TimeYardstick\."]


def test_commits_are_those_of_the_branch(
    load: Any, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    running = load("dashboard.running")
    monkeypatch.setattr(running, "SUITE", repository)
    newest, second, first = running.commits("5")
    assert running.commits("2") == [newest, second]
    assert running.commits(f"{first}..{newest}") == [newest, second]
    with pytest.raises(running.ClickException, match="git rev-list"):
        running.commits("nowhere..HEAD")


def test_one_instruction_set_is_built_where_every_commit_can(
    load: Any, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    running = load("dashboard.running")
    monkeypatch.setattr(running, "SUITE", repository)
    monkeypatch.setattr(running, "best_target", lambda: "x86_v3")
    hashes = running.commits("3")
    assert running.build_environment(hashes[:2]) == {
        "PIP_CONFIG_SETTINGS": "setup-args=-Dtargets=x86_v3"
    }
    assert running.build_environment(hashes) == {}
    monkeypatch.setattr(running, "best_target", lambda: None)
    assert running.build_environment(hashes[:2]) == {}


def test_the_best_instruction_set_runs_here(load: Any) -> None:
    from vekt.config import get_config

    assert get_config()["targets"][load("dashboard.targets").best_target()] is True


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--full", "--bench", "gelu"], "--full has all benchmarks"),
        (["--commits", "HEAD..HEAD"], "--commits HEAD..HEAD has none"),
        (["--commits", "0"], "--commits 0 has none"),
        (["--commits", "nowhere"], "git rev-list --first-parent nowhere"),
        (["--port", "70000"], "is not in the range"),
        (["nonsense"], "No such command"),
    ],
)
def test_bad_input_is_refused(
    load: Any, repository: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], told: str
) -> None:
    running = load("dashboard.running")
    monkeypatch.setattr(running, "SUITE", repository)
    monkeypatch.setattr(running, "require", lambda: None)
    result = CliRunner().invoke(load("dashboard.__main__").main, arguments)
    assert result.exit_code != 0
    assert told in result.output


def test_what_is_missing_is_told_first(
    load: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    main, found = load("dashboard.__main__").main, {"asv": None, "virtualenv": 1}
    monkeypatch.setattr("importlib.util.find_spec", found.__getitem__)
    result = CliRunner().invoke(main, [])
    assert result.exit_code != 0
    assert "No asv here: pip install '.[bench]'" in result.output
    found["asv"] = 1
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "needs git and npm on the path" in CliRunner().invoke(main, []).output
