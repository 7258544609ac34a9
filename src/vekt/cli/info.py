"""`vekt info`: which kernels run here, and why."""

from __future__ import annotations

import click

from vekt.cli.plain import NAMES, shown
from vekt.cli.screen import console_for, json_option, show, table, write_json
from vekt.config import get_config


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
        result.add_row(NAMES.get(key, key.replace("_", " ")), shown(value))
    show(console, result)
    write_json(json_file, config)
