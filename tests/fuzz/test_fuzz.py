"""Random calls of every public function, for some seconds a group: `fuzz` says what is compared.

`--fuzz-seconds`, `--fuzz-calls` and `--fuzz-seed` say how many and which; see CONTRIBUTING.
"""

from __future__ import annotations

import numpy as np
import pytest

import vekt as vk
from fuzz.check import Case, fault
from fuzz.draws import Draw, simplified
from fuzz.groups import ELSEWHERE, GROUPS
from fuzz.run import Runner
from fuzz.truth import Truth


@pytest.mark.parametrize("group", GROUPS)
def test_random_calls(group, request, capsys):
    seed, seconds, calls = (
        request.config.getoption(f"--fuzz-{name}") for name in ("seed", "seconds", "calls")
    )
    runner = Runner(group)
    runner.run(seed, seconds, calls=calls)
    with capsys.disabled():
        print(f"\n{group}: {runner.calls} calls", end="")
    assert not runner.findings, f"--fuzz-seed={seed}: {runner.findings[0]}"
    assert runner.calls > 0


def test_every_public_name_has_a_group():
    covered = set().union(ELSEWHERE, *(group.NAMES for group in GROUPS.values()))
    assert covered == set(vk.__all__)


def test_what_each_group_draws_is_repeatable():
    for name, group in GROUPS.items():
        for number in range(5):
            first = Draw(f"{name}:{number}")
            with np.errstate(all="ignore"):
                case = group.case(first)
                again = group.case(Draw(choices=first.choices))
            assert again.describe() == case.describe()


def expect_doubled(x):
    return Truth(2 * x, x.dtype)


@pytest.mark.parametrize(
    ("function", "problem"),
    [
        (lambda x: x + x, ""),
        (lambda x: x * 3, "for"),
        (lambda x: (x + x).astype("f4"), "dtype"),
        (lambda x: (x + x)[:1], "shape"),
        (lambda x: 1 / 0, "ZeroDivisionError"),
        (lambda x: x + x if x.flags.c_contiguous else x * 2.5, "other bits"),
        (lambda x: np.multiply(x, 2, out=x), "memory"),
        (lambda x: np.log(x * 0) + x + x, "FloatingPointError"),
    ],
    ids=["right", "value", "dtype", "shape", "error", "layout", "written", "warning"],
)
def test_faults_are_seen(function, problem):
    """A comparison that sees nothing would pass on anything."""
    x = np.arange(1.0, 9.0)[::2]
    found = fault(Case("doubled", function, [x], {}, expect_doubled))
    assert problem in found if problem else not found


def test_what_must_be_refused():
    def expect(x):
        raise ValueError("no such thing")

    x = np.arange(3.0)
    assert "no ValueError" in fault(Case("none", lambda x: x, [x], {}, expect))
    assert "StopIteration" in fault(Case("odd", lambda x: next(iter(())), [x], {}, expect))


def test_failures_are_made_simpler():
    choices = [7, 3, 12, 9, 4, 8]
    assert simplified(choices, lambda c: len(c) > 2 and c[2] >= 5) == [0, 0, 5]
