"""`vekt info`: which kernels run here, and why."""

from __future__ import annotations

from typing import Any

import click

from vekt.cli.screen import console_for, json_option, show, table, write_json
from vekt.config import get_config

_NAMES = {
    "isa": "instruction set",
    "isa_reason": "which is",
    "isa_cap": "capped by VEKT_ISA",
    "targets": "compiled for (runs here?)",
    "num_threads": "threads",
}


@click.command()
@json_option
def info(json_file: str | None) -> None:
    """Show which kernels run here, and why."""
    console = console_for(json_file)
    config = get_config()
    result = table("vekt", "setting", "value")
    result.columns[1].justify = "left"
    result.columns[1].no_wrap = False
    for key, value in config.items():
        result.add_row(_NAMES.get(key, key.replace("_", " ")), _shown(value))
    show(console, result)
    write_json(json_file, config)


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        return "\n".join(f"{key}: {_shown(item)}" for key, item in value.items())
    if isinstance(value, (list, tuple)):
        return "\n".join(_shown(item) for item in value)
    return "none" if value is None else str(value)
