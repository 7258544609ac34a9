"""Operands between pages that kill: every public function, on every instruction set, by `sweep`."""

from __future__ import annotations

import pytest
from fuzz.groups import ELSEWHERE

import vekt as vk

from .calls import ALIASES, MAKERS
from .children import died, ended, succeeds

MODULES = {"activations", "ufuncs"}


def test_a_share(isa, tmp_path, capsys):
    succeeds(capsys, tmp_path / "trace", "memory.sweep", "--share", VEKT_ISA=isa)


@pytest.mark.guard
def test_everything(isa, tmp_path, capsys):
    succeeds(capsys, tmp_path / "trace", "memory.sweep", VEKT_ISA=isa)


def test_every_public_function_has_calls():
    assert set(vk.__all__) == ({*MAKERS, *ALIASES, *ELSEWHERE, *MODULES}) & set(vk.__all__)
    assert {name for name in MAKERS if "." not in name} <= set(vk.__all__)


PLANTED = """
import sys
import numpy as np
import vekt as vk
from numpy.lib.stride_tricks import as_strided
from memory.guards import Trace
from memory.sweep import Sweep

sweep = Sweep(Trace(sys.argv[-1]))
beyond = lambda x: as_strided(x, (x.size + 1,))
sweep.call("planted", {call}, (np.ones({n}, "f4"),), {{}}, [({at_end}, {offset})])
print(sweep.findings)
"""


@pytest.mark.parametrize("n", [2, 63])
@pytest.mark.parametrize(
    ("call", "at_end"),
    [
        ("lambda x: vk.gelu(beyond(x))", True),
        ("lambda x: vk.sum(beyond(x))", True),
        ("lambda x: vk.matmul(beyond(x), np.ones(x.size + 1, 'f4'))", True),
        ("lambda x: vk.gelu(np.ones(x.size + 1, 'f4'), out=beyond(x))", True),
        ("lambda x: vk.gelu(beyond(x[::-1]))", False),
    ],
    ids=["elementwise", "reduction", "product", "output", "before"],
)
def test_one_element_beyond_dies(call, at_end, n, tmp_path):
    """A watch that sees nothing would pass on anything."""
    trace = tmp_path / "trace"
    script = PLANTED.format(call=call, n=n, at_end=at_end, offset=0)
    process = ended(trace, "-c", script)
    assert died(process), process
    assert trace.read_bytes().startswith(b"planted, 0 bytes from the page")


def test_what_is_written_near_by_is_seen(tmp_path):
    call = "lambda x: vk.gelu(np.ones(x.size + 1, 'f4'), out=beyond(x))"
    script = PLANTED.format(call=call, n=5, at_end=True, offset=8)
    assert "wrote beside" in ended(tmp_path / "trace", "-c", script).stdout
