"""The constants of the kernels are those that fits/ makes."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
def test_constants_are_reproduced() -> None:
    script = ROOT / "fits" / "make_constants.py"
    made = subprocess.run([sys.executable, script], check=True, capture_output=True, text=True)
    number = re.compile(r"-?0x[0-9a-f.]+p[+-]\d+")
    committed = (ROOT / "csrc" / "vmath" / "constants.h").read_text()
    assert number.findall(made.stdout) == number.findall(committed)
    assert len(number.findall(committed)) > 1000
