"""Operands between pages that kill: every public function, on every instruction set, by `sweep`."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from fuzz.groups import ELSEWHERE

import vekt as vk

from .calls import ALIASES, MAKERS

TESTS = Path(__file__).parent.parent

MODULES = {"activations", "ufuncs"}


def swept(isa, trace, *arguments, program=("-m", "memory.sweep")):
    return subprocess.run(
        [sys.executable, *program, "--trace", trace, *arguments],
        cwd=TESTS,
        env={**os.environ, "VEKT_ISA": isa},
        capture_output=True,
        text=True,
    )


def asserted(isa, tmp_path, capsys, *arguments):
    trace = tmp_path / "trace"
    ended = swept(isa, str(trace), *arguments)
    if ended.returncode < 0:
        killed = signal.Signals(-ended.returncode).name
        pytest.fail(f"{isa}: {killed} in {trace.read_bytes()[:256].decode().strip()}")
    assert ended.returncode == 0, ended.stdout[-2000:] + ended.stderr[-2000:]
    with capsys.disabled():
        print("\n" + ended.stdout.splitlines()[-1], end="")


def test_a_share(isa, tmp_path, capsys):
    asserted(isa, tmp_path, capsys, "--share")


@pytest.mark.guard
def test_everything(isa, tmp_path, capsys):
    asserted(isa, tmp_path, capsys)


def test_every_public_function_has_calls():
    assert set(vk.__all__) == ({*MAKERS, *ALIASES, *ELSEWHERE, *MODULES}) & set(vk.__all__)
    assert {name for name in MAKERS if "." not in name} <= set(vk.__all__)


PLANTED = """
import sys
import numpy as np
import vekt as vk
from numpy.lib.stride_tricks import as_strided
from memory.sweep import Sweep, Trace

sweep = Sweep(Trace(sys.argv[2]))
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
    ended = swept("", str(trace), program=("-c", script))
    assert ended.returncode in (-signal.SIGSEGV, -signal.SIGBUS), ended
    assert trace.read_bytes().startswith(b"planted, 0 bytes from the page")


def test_what_is_written_near_by_is_seen(tmp_path):
    call = "lambda x: vk.gelu(np.ones(x.size + 1, 'f4'), out=beyond(x))"
    script = PLANTED.format(call=call, n=5, at_end=True, offset=8)
    assert "wrote beside" in swept("", str(tmp_path / "trace"), program=("-c", script)).stdout
