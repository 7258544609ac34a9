"""Compare the type stubs with the package that is installed: `python tools/check_stubs.py`.

mypy's stubtest does, beside lists of what differs for a reason: tools/stubtest.txt, and `known`.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

import vekt as vk
from vekt import autograd as va

HERE = Path(__file__).resolve().parent


def known() -> list[str]:
    """Return the names of functions whose stubs say more than the functions themselves.

    Ufuncs are of a class that checks their calls; in `vekt.dlpack` they show NumPy's signature,
    which takes `out` by position, too.  Primitives of autograd show no signature.
    """
    ufuncs = [name for name in vk.__all__ if isinstance(getattr(vk, name), np.ufunc)]
    primitives = [name for name in va.__all__ if hasattr(getattr(va, name), "fun")]
    named = {vk: ufuncs, vk.dlpack: ufuncs, va: primitives}
    return [
        f"{module.__name__}.{name}"
        for module, names in named.items()
        for name in names
        if module is vk or getattr(module, name).__name__ == name  # no alias
    ]


def main() -> int:
    """Run stubtest and return its status."""
    with tempfile.TemporaryDirectory() as folder:
        listed = Path(folder) / "known.txt"
        listed.write_text("\n".join(known()) + "\n", encoding="utf-8")
        settings = Path(folder) / "mypy.ini"
        settings.write_text("[mypy]\nignore_missing_imports = True\n", encoding="utf-8")
        command = [sys.executable, "-m", "mypy.stubtest", "vekt", "--concise"]
        command += ["--mypy-config-file", str(settings), "--allowlist", str(listed)]
        command += ["--allowlist", str(HERE / "stubtest.txt")]
        return subprocess.run(command, cwd=folder, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
