"""The table of functions that tools/functions.py makes of the specs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from vekt._spec.activations import KERNELS, OPS

SCRIPT = Path(__file__).parents[2] / "tools" / "functions.py"


def test_one_row_for_each_kernel() -> None:
    done = subprocess.run([sys.executable, SCRIPT], check=True, capture_output=True, text=True)
    rows = done.stdout.splitlines()
    assert len(rows) == 2 + len(KERNELS)
    assert len({row.count(" | ") for row in rows}) == 1
    for op in OPS.values():
        for kernel in op.kernels:
            assert any(f"`{op.name}(" in row and f"`{kernel.formula}`" in row for row in rows)
