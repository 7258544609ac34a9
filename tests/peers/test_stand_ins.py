"""vekt's functions are where a test file looks for the peer's, and a list that rots is told."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import vekt as vk

from .differences import Difference
from .run import judged
from .standins import OTHER_NAMES, builtins_of_tests, shared, stand_in
from .suites import SUITES

FAILS, PASSES = ["failed", True, "AssertionError: 1\n2"], ["passed", True, ""]
LISTED = (Difference(r"TestSum::test_order\[.*\]", "order"), Difference("test_gone", "gone"))


def imported(source: str) -> dict[str, Any]:
    scope: dict[str, Any] = {"__builtins__": builtins_of_tests(), "__name__": "test_of_a_peer"}
    exec(source, scope)  # as the file of a peer's test
    return scope


def test_every_way_to_name_a_function() -> None:
    scope = imported(
        "import numpy as np, numpy, numpy.linalg\n"
        "import numpy._core.umath as ncu\n"
        "from numpy import add, linalg, sum\n"
        "from numpy.linalg import norm\n"
        "from numpy._core import multiarray\n"
        "def later():\n    from numpy import tanh\n    return tanh\n"
    )
    assert scope["add"] is scope["np"].add is scope["ncu"].add is vk.add
    assert scope["np"].abs is scope["numpy"].absolute is vk.absolute
    assert scope["np"].true_divide is vk.divide
    assert scope["sum"] is vk.sum
    assert scope["norm"] is scope["linalg"].norm is scope["np"].linalg.norm is vk.norm
    assert scope["multiarray"].dot is vars(scope["np"])["dot"] is vk.dot
    assert scope["later"]() is vk.tanh
    assert isinstance(vk.add, scope["np"].ufunc)
    assert scope["np"].testing is np.testing
    assert scope["linalg"].outer is np.linalg.outer
    assert np.add is not vk.add


def test_specs_tell_what_is_shared() -> None:
    """A function joins with its spec: nothing that NumPy has, too, is left out."""
    names = {path for path, _ in shared()}
    both = {n for n in vk.__all__ if callable(getattr(np, n, None)) and n != "show_config"}
    assert {f"numpy.{name}" for name in both} <= names
    assert len(both) > 40
    assert set(OTHER_NAMES) <= names


def test_changes_of_a_module_reach_it(monkeypatch: pytest.MonkeyPatch) -> None:
    module = stand_in(np.ma)
    monkeypatch.setattr(module, "peers", 1, raising=False)
    assert np.ma.peers == module.peers == 1  # type: ignore[attr-defined]
    monkeypatch.undo()
    assert not hasattr(np.ma, "peers")
    assert not hasattr(module, "peers")


@pytest.mark.parametrize(
    ("outcomes", "found"),
    [
        ({"TestSum::test_order[f]": FAILS, "test_gone": FAILS, "test_x": PASSES}, []),
        ({"TestSum::test_order[f]": PASSES, "test_gone": FAILS}, ["passes, but is listed: order"]),
        ({"TestSum::test_order[f]": FAILS, "test_gone": FAILS, "test_x": FAILS}, ["test_x: Ass"]),
        ({"TestSum::test_order[f]": FAILS}, ["there is no such test: test_gone"]),
        ({"TestSum::test_order[f]": FAILS, "test_gone": ["failed", False, ""]}, []),
        ({"TestSum::test_order[f]": ["failed", False, ""], "test_gone": ["failed", False, ""]},
         ["no test takes"]),
    ],
)  # fmt: skip
def test_verdicts(outcomes: dict[str, list[Any]], found: list[str]) -> None:
    findings = judged(outcomes, LISTED).findings
    assert len(findings) == len(found)
    assert all(part in finding for part, finding in zip(found, findings, strict=True))


def test_a_short_run_needs_not_meet_all_that_is_listed() -> None:
    assert judged({"test_x": PASSES}, LISTED, short=True).findings == []


def test_versions() -> None:
    difference = Difference("test", "why", ">=2.3,<2.5")
    assert difference.holds_for("2.4.6")
    assert not difference.holds_for("2.5.0")
    assert Difference("test", "why").holds_for("0.1.dev3")


def test_bad_names_are_told() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "peers.run", "nunpy"],
        cwd=Path(__file__).parents[1],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 2
    assert "no suite begins with nunpy; there are numpy/_core/ufunc" in done.stderr
    assert "sklearn/estimators" in SUITES
