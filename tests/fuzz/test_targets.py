"""Targets of the coverage-guided fuzzer, here on a few thousand inputs drawn at random."""

from __future__ import annotations

import numpy as np
import pytest
from memory.children import died, ended, succeeds

from vekt._core import native

from .targets import programs
from .targets.__main__ import NAMES, seeds

F8 = np.dtype("f8")


@pytest.mark.parametrize("name", NAMES)
def test_a_few_inputs(name, tmp_path, capsys):
    few = ("--plain", "--runs", "2000")
    succeeds(capsys, tmp_path / "trace", "fuzz.targets", name, *few)


@pytest.mark.parametrize("name", NAMES)
def test_seeds_differ(name):
    assert len(set(seeds(name))) == len(seeds(name)) >= 15


@pytest.mark.parametrize(
    ("nin", "nout"),
    [(2**31 - 1, 1), (2**31 - 1, 2**31 - 1), (1, 2**31 - 1), (-1, 1), (1, -1), (32, 1), (1, 32)],
)
def test_counts_of_operands(nin, nout):
    """Sums of them may not overflow: the first one read memory far beyond the table of values."""
    target, dtypes, _, _, constants, instructions, cost = programs.program_of(F8)
    with pytest.raises(ValueError, match="too many operands"):
        native.program(target, dtypes, nin, nout, constants, instructions, cost)


@pytest.mark.parametrize("cost", [-1, -(2**31), 2**28 + 1, 2**31 - 1, 2**64])
def test_costs(cost):
    """One of -1 was divided by, once 1 had been added; large ones overflowed in sums."""
    *program, _ = programs.program_of(F8)
    for load, *args in ((native.program, *program), (native.numpy_operation, np.add, (F8,) * 3)):
        with pytest.raises((ValueError, OverflowError)):
            load(*args, cost)


def test_what_kills_is_told(tmp_path):
    process = ended(
        tmp_path / "trace",
        "-c",
        "import ctypes, fuzz.targets.__main__ as m; from fuzz.targets import programs; "
        "programs.one_input = lambda data: ctypes.string_at(0); "
        "import sys; m.plain('programs', 1, 1, 0, sys.argv[-1])",
    )
    assert died(process), process
    assert bytes.fromhex((tmp_path / "trace").read_text().rstrip("\0 ")) == seeds("programs")[0]
