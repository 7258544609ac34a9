"""Fixtures that several test modules share."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import settings

import vekt as vk
from vekt import ufuncs
from vekt._core import native

# Half of the time is Numba compiling, a third of which is for speed.  No bit is to depend on it:
# `NUMBA_OPT=3 pytest tests/jit` compiles as for users, whose cache is left alone.
os.environ.setdefault("NUMBA_OPT", "1")
if "NUMBA_CACHE_DIR" not in os.environ:  # -n: the workers take this one's
    compiled = TemporaryDirectory(prefix="vekt-numba-")
    os.environ["NUMBA_CACHE_DIR"] = compiled.name

# No Numba yet for a new Python, or one without the GIL: what is left still runs.
without_numba = (
    [path for path in Path(__file__).parent.rglob("test_*.py") if "jit" in path.read_text()]
    if find_spec("numba") is None
    else []
)
collect_ignore = [str(path) for path in without_numba]

PEERS = ("torch", "jax", "keras")  # the extra `peers`

# No test asserts a time: a busy machine may take long over an example.
settings.register_profile("vekt", parent=settings.default, deadline=None)
settings.load_profile("vekt")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add what tests/fuzz/test_fuzz.py asks for."""
    group = parser.getgroup("fuzz")
    group.addoption("--fuzz-seconds", type=float, default=2, help="random calls of each group")
    group.addoption("--fuzz-calls", type=int, default=5000, help="the most of them in a group")
    group.addoption("--fuzz-seed", type=int, default=0, help="which random calls")


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> Iterator[None]:
    """Say in the last lines what did not run, and why."""
    yield
    skipped = terminalreporter.stats.get("skipped", [])
    reasons = Counter(report.longrepr[2].removeprefix("Skipped: ") for report in skipped)
    absent = [peer for peer in PEERS if find_spec(peer) is None]
    if not (reasons or absent or without_numba):
        return
    terminalreporter.section("what did not run")
    for reason, count in reasons.most_common():
        terminalreporter.write_line(f"{count} skipped: {reason}")
    if without_numba:
        terminalreporter.write_line(f"{len(without_numba)} files: Numba is not installed")
    if absent:  # no parameter of a test is named after them
        names = ", ".join(absent)
        terminalreporter.write_line(f"no comparisons with {names}: not installed (extra `peers`)")


@pytest.fixture(autouse=True, scope="session")
def code_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep what `vekt.fuse` compiles out of the user's cache."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VEKT_CACHE_DIR", str(tmp_path_factory.mktemp("code")))
        yield


@lru_cache
def ufuncs_of(isa: str) -> dict[str, np.ufunc]:
    """Ufuncs over the kernels of one instruction set, built once."""
    return ufuncs.build_ufuncs(isa)


@pytest.fixture(params=native.SUPPORTED)
def isa(request: pytest.FixtureRequest) -> str:
    """Each instruction set that this CPU runs, in turn."""
    return str(request.param)


@pytest.fixture
def kernels(isa: str) -> dict[str, np.ufunc]:
    """All ufuncs of an instruction set by kernel name."""
    return ufuncs_of(isa)


@pytest.fixture
def rng() -> np.random.Generator:
    """Random numbers, the same in each run."""
    return np.random.default_rng(20240229)


@pytest.fixture
def set_threads() -> Iterator[Callable[[int], None]]:
    """`vekt.set_num_threads`, undone after the test."""
    former = vk.get_num_threads()
    yield vk.set_num_threads
    vk.set_num_threads(former)
