"""The comparison of two commits names what became slower or faster, and nothing else.

Their vekts are stand-ins that say themselves how much time has passed, so that no test depends on
the machine.  Those that build them: `python -m pytest -m slow tests/cli/test_dashboard_compare.py`.
"""

from __future__ import annotations

import importlib
import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

from vekt._spec.families import ALL

pytest.importorskip("asv")

SUITE = Path(__file__).parents[2] / "asv_bench"

BACKEND = '''
"""Builds a wheel of one file."""
from pathlib import Path
from zipfile import ZipFile

def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    info = "vekt-1.dist-info/"
    files = {
        "vekt/__init__.py": Path("vekt.py").read_text(),
        info + "METADATA": "Metadata-Version: 2.1\\nName: vekt\\nVersion: 1\\n",
        info + "WHEEL": "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n",
    }
    files[info + "RECORD"] = "".join(f"{name},,\\n" for name in (*files, info + "RECORD"))
    name = "vekt-1-py3-none-any.whl"
    with ZipFile(Path(wheel_directory, name), "w") as wheel:
        for file, text in files.items():
            wheel.writestr(file, text)
    return name
'''

VEKT = """
import time

now = 0.0
time.process_time = lambda: now

def takes(seconds):
    global now
    now += seconds

KERNELS = {kernels}
"""

BENCHMARKS = """
import vekt

class TimeKernels:
    params = (tuple(vekt.KERNELS),)
    param_names = ("kernel",)

    def setup(self, kernel):
        if vekt.KERNELS[kernel] is None:
            raise NotImplementedError

    def time_call(self, kernel):
        vekt.takes(vekt.KERNELS[kernel])

class TimeTopK:
    def time_call(self):
        print("what is printed is no answer")
        vekt.takes(1e-4)
"""

FIRST = {"tanh": 2e-3, "erf": 1e-4, "gelu": 3e-2, "gone": 1e-3, "nowhere": None}
SLOWER = FIRST | {"gelu": 4.5e-2}
FASTER = {"tanh": 2e-3, "erf": 0.6e-4, "gelu": 3.15e-2, "nowhere": None}


@pytest.fixture
def dashboard(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Any]:
    monkeypatch.syspath_prepend(str(SUITE))

    def load(name: str) -> ModuleType:
        return importlib.import_module(f"dashboard.{name}")

    return load


def git(repository: Path, *arguments: str) -> str:
    identity = ("-c", "user.name=test", "-c", "user.email=test@localhost")
    return subprocess.run(
        ["git", *identity, *arguments], cwd=repository, check=True, capture_output=True, text=True
    ).stdout.strip()


def write_kernels(repository: Path, kernels: dict[str, float | None]) -> None:
    (repository / "vekt.py").write_text(VEKT.format(kernels=kernels))


@pytest.fixture
def repository(tmp_path: Path, dashboard: Any, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a repository with three commits of stand-ins: first, slower and faster."""
    root = tmp_path / "repository"
    suite = root / "asv_bench"
    (suite / "benchmarks").mkdir(parents=True)
    (suite / "benchmarks" / "__init__.py").touch()
    (suite / "benchmarks" / "bench_fake.py").write_text(BENCHMARKS)
    (suite / "asv.conf.json").write_text((SUITE / "asv.conf.json").read_text())
    (root / ".gitignore").write_text(".asv/\n__pycache__/\n")
    (root / "backend.py").write_text(BACKEND)
    (root / "pyproject.toml").write_text(
        '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
    )
    git(root, "init", "--quiet")
    for tag, kernels in {"first": FIRST, "slower": SLOWER, "faster": FASTER}.items():
        write_kernels(root, kernels)
        git(root, "add", "--all")
        git(root, "commit", "--quiet", "--message", tag)
        git(root, "tag", tag)
    module = dashboard("compare")
    monkeypatch.setattr(module, "SUITE", suite)
    monkeypatch.setattr(module, "SCREENING", [(1, 1)])
    monkeypatch.setattr(module, "DECIDING", [(2, 1), (6, 1)])
    return root


@pytest.fixture
def compare(dashboard: Any) -> Any:
    def run(*arguments: str) -> Result:
        return CliRunner().invoke(dashboard("compare").compare, arguments)

    return run


@pytest.mark.slow
def test_a_slower_kernel_is_named_and_no_other(
    repository: Path, compare: Any, tmp_path: Path
) -> None:
    found = compare("first", "slower", "--bench", "fake", "--json", str(tmp_path / "found.json"))
    assert found.exit_code == 1, found.output
    assert "worse: gelu\n" in found.output
    assert "better" not in found.output.replace("0 better", "")
    assert "5 cells: 1 worse, 4 same, 0 better." in found.output
    assert max(map(len, found.stdout.splitlines())) <= 80
    document = json.loads((tmp_path / "found.json").read_text())
    (worse,) = [cell for cell in document["cells"] if cell["verdict"] == "worse"]
    assert worse["cell"] == "bench_fake.TimeKernels.time_call('gelu')"
    assert worse["ratio"] == pytest.approx(1.5)
    assert document["not_compared"] == ["bench_fake.TimeKernels.time_call('nowhere')"]
    assert {cell["kernel"] for cell in document["cells"]} >= {"top_k", "tanh"}


@pytest.mark.slow
def test_a_faster_kernel_is_named_and_a_small_loss_is_not(repository: Path, compare: Any) -> None:
    found = compare("first", "faster", "--bench", "fake")
    assert found.exit_code == 0, found.output
    assert "better: erf\n" in found.output
    assert "4 cells: 0 worse, 3 same, 1 better." in found.output
    assert "2 more could not run with both A and B" in found.output  # gone and nowhere


@pytest.mark.slow
def test_changes_that_are_not_committed_count(
    repository: Path, compare: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_kernels(repository, SLOWER)  # the commit is faster
    index = (repository / ".git" / "index").read_bytes()
    monkeypatch.chdir(repository)
    found = compare("HEAD", ".", "--bench", "fake")
    assert found.exit_code == 1, found.output
    assert "worse: erf, gelu\n" in found.output
    assert (repository / ".git" / "index").read_bytes() == index
    wheels = repository / "asv_bench" / ".asv" / "wheels"
    assert len(list(wheels.glob("*/*.whl"))) == 2
    unchanged = compare("slower", ".", "--bench", "fake")  # the same files, and the same wheel
    assert unchanged.exit_code == 0, unchanged.output
    assert "5 cells: 0 worse, 5 same, 0 better." in unchanged.output
    assert len(list(wheels.glob("*/*.whl"))) == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("first", "no-such-commit"), "'no-such-commit' is neither a commit nor a folder"),
        (("first", "/"), "'/' is neither a commit nor a folder in a repository"),
        (("first", "slower", "--bench", "("), "missing ), unterminated subpattern"),
        pytest.param(
            ("first", "first", "--bench", "no_such_benchmark"),
            "No benchmark of both A and B matches",
            marks=pytest.mark.slow,
        ),
        (("first", "slower", "--factor", "1"), "1.0 is not in the range x>1"),
    ],
)
def test_bad_input_is_told(
    repository: Path, compare: Any, arguments: tuple[str, ...], message: str
) -> None:
    found = compare(*arguments)
    assert found.exit_code not in (0, 1) or "Error: " in found.output
    assert message in " ".join(found.output.split())


@pytest.mark.slow
def test_a_build_that_fails_says_why(repository: Path, compare: Any) -> None:
    (repository / "backend.py").write_text("raise RuntimeError('no compiler here')")
    found = compare("first", str(repository), "--bench", "fake")
    assert found.exit_code == 1
    assert "no compiler here" in found.output


@pytest.mark.slow
def test_a_process_that_dies_says_where(repository: Path, compare: Any) -> None:
    (repository / "vekt.py").write_text("import os\nKERNELS = {'tanh': 1}\ntakes = os._exit\n")
    found = compare("first", str(repository), "--bench", "fake.*tanh")
    assert found.exit_code == 1
    assert "The process for prepare bench_fake.TimeKernels.time_call('tanh') ended" in found.output


def noisy(rng: np.random.Generator, ratio: float, pairs: int = 12) -> list[float]:
    """Ratios with the spread of a busy machine, and now and then one that is far off."""
    spread = np.where(rng.random(pairs) < 0.1, 0.3, 0.03)
    return list(ratio * np.exp(rng.normal(0, spread)))


def test_noise_alone_is_the_same(dashboard: Any) -> None:
    rng = np.random.default_rng(0)
    found = dashboard("comparing.verdict").judged(
        {str(i): noisy(rng, 1.0) for i in range(500)}, 1.1
    )
    assert {finding.verdict for finding in found.values()} == {"same"}


@pytest.mark.parametrize(("ratio", "verdict"), [(1.5, "worse"), (1 / 1.5, "better")])
def test_a_difference_in_noise_is_found(dashboard: Any, ratio: float, verdict: str) -> None:
    rng = np.random.default_rng(1)
    ratios = {str(i): noisy(rng, 1.0) for i in range(30)} | {"gelu": noisy(rng, ratio)}
    found = dashboard("comparing.verdict").judged(ratios, 1.1)
    assert {name for name, finding in found.items() if finding.verdict == verdict} == {"gelu"}
    assert sum(finding.verdict == "same" for finding in found.values()) == 30


def test_few_samples_are_no_proof(dashboard: Any) -> None:
    found = dashboard("comparing.verdict").judged({"gelu": [1.5, 1.5, 1.5]}, 1.1)
    assert found["gelu"].verdict == "same"


def test_a_factor_says_what_matters(dashboard: Any) -> None:
    ratios = {"gelu": noisy(np.random.default_rng(2), 1.2)}
    judged = dashboard("comparing.verdict").judged
    assert judged(ratios, 1.1)["gelu"].verdict == "worse"
    assert judged(ratios, 1.3)["gelu"].verdict == "same"


def test_every_public_function_is_compared_by_default(dashboard: Any) -> None:
    cells = dashboard("comparing.worker").Cells(SUITE / "benchmarks").names()
    chosen = re.compile(dashboard("compare").DEFAULT)
    named = {kernel.replace("_", "") for cell, kernel in cells.items() if chosen.search(cell)}
    public = {name.lower().replace("_", "") for spec in ALL for name in spec.public_names}
    assert public - named == {"clipbyglobalnorm"}
    assert "clipping" in named
    for part in dashboard("compare").DEFAULT.split("|^"):
        assert any(re.search(part.removeprefix("^"), cell) for cell in cells), part
