"""On an older x86 processor the package chooses what that one runs, and computes the same."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [
    pytest.mark.emulated,
    pytest.mark.skipif(platform.machine() != "x86_64", reason="not an x86 machine"),
    pytest.mark.skipif(shutil.which("qemu-x86_64") is None, reason="no qemu-x86_64"),
]

TESTS = Path(__file__).parents[1]

# What each function with a form makes of operands, and products and sums.  An instruction that the
# processor lacks would end the process.
CALLS = """
import numpy as np
import vekt as vk
from forms import CALLS, function_of, operands_of
from operands import several
from vekt._core import native

print(native.SELECTED)
for name, space in CALLS:
    if space == "vekt":
        for dtype in ("f2", "f4", "f8"):
            results = several(function_of(name, space)(*operands_of(name, dtype, (38,))))
            print(name, dtype, *(np.asarray(result).tobytes().hex() for result in results))
for dtype in ("?", "i1", "u4", "f2", "f4", "f8", "c16"):
    a = (np.arange(600) / 7 % 3).reshape(20, 30).astype(dtype)
    for result in (vk.matmul(a, a.T), vk.matvec(a, a[0]), vk.sum(a, axis=0), vk.max(a), vk.norm(a)):
        print(dtype, np.asarray(result).tobytes().hex())
"""


def printed(*command: str, **variables: str) -> str:
    environment = {**os.environ, "PYTHONPATH": str(TESTS), **variables}
    done = subprocess.run(
        [*command, sys.executable, "-c", CALLS], env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize(
    ("processor", "isa"),
    [
        ("Nehalem", "x86_v2"),
        ("SandyBridge", "x86_v2"),
        ("Haswell", "x86_v3"),
        ("EPYC-Rome", "x86_v3"),
    ],
)
def test_calls_on_an_older_processor(processor: str, isa: str) -> None:
    # NumPy's BLAS is told, too, as it would ask the machine below.
    emulated = printed("qemu-x86_64", "-cpu", processor, OPENBLAS_CORETYPE="Nehalem")
    assert emulated.startswith(isa)
    assert emulated == printed(VEKT_ISA=isa)
