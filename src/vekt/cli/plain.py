"""What the command line says without its extra: the version, and which kernels run here."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

NAMES = {
    "isa": "instruction set",
    "isa_reason": "which is",
    "isa_cap": "capped by VEKT_ISA",
    "targets": "compiled for (runs here?)",
    "num_threads": "threads",
}
"""What settings are called that have other names in the configuration."""


def is_enough(arguments: Sequence[str]) -> bool:
    """Tell whether click and rich are missing, and these arguments want neither."""
    known = arguments[:1] in (["info"], ["--version"])
    return known and any(find_spec(package) is None for package in ("click", "rich"))


def run(arguments: Sequence[str]) -> int:
    """Print what is asked for; return the exit code."""
    if arguments[0] == "--version":
        print(f"vekt, version {version('vekt')}")
        return 0
    from vekt.config import get_config

    config = get_config()
    if arguments[1:2] == ["--json"] and len(arguments) == 3:
        text = json.dumps(config, indent=2) + "\n"
        if arguments[2] == "-":
            sys.stdout.write(text)
            return 0
        Path(arguments[2]).write_text(text, encoding="utf-8")
    elif len(arguments) > 1:
        print('vekt: usage: vekt info [--json FILE]; more with "vekt[demo]"', file=sys.stderr)
        return 2
    for key, value in config.items():
        name = NAMES.get(key, key.replace("_", " "))
        print(f"{name:26}  " + shown(value).replace("\n", "\n" + " " * 28))
    return 0


def shown(value: Any) -> str:
    """Return a setting as text, each item of several on a line."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        return "\n".join(f"{key}: {shown(item)}".replace("\n", ", ") for key, item in value.items())
    if isinstance(value, (list, tuple)):
        return "\n".join(shown(item) for item in value)
    return "none" if value is None else str(value)
