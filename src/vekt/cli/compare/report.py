"""What `vekt compare` writes while it measures, and reads again."""

from __future__ import annotations

import json
from pathlib import Path
from time import monotonic
from typing import Any

import click

from vekt.cli.screen import write_json

_SECONDS = 2.0  # between two writings


class Report:
    """Results as JSON in a file that is whole at any moment, also if the run is interrupted.

    ``complete`` in it tells whether everything was measured.
    """

    def __init__(self, json_file: str | None, about: dict[str, Any]) -> None:
        self.json_file = json_file
        self.data: dict[str, Any] = {**about, "complete": False, "cells": [], "calls": []}
        self._written = monotonic()
        if json_file != "-":
            self.write()

    @property
    def cells(self) -> list[dict[str, Any]]:
        """What is measured so far."""
        cells: list[dict[str, Any]] = self.data["cells"]
        return cells

    def add(self, cell: dict[str, Any]) -> None:
        """Add a cell; write those there are, if that is some time ago."""
        self.cells.append(cell)
        if self.json_file != "-" and monotonic() - self._written > _SECONDS:
            self.write()

    def write(self) -> None:
        """Write everything there is."""
        write_json(self.json_file, self.data)
        self._written = monotonic()


def read(file: str) -> dict[str, Any]:
    """Return what `vekt compare --json` wrote."""
    try:
        found = json.loads(Path(file).read_text("utf-8"))
        if all("verdict" in cell and "seconds" in cell for cell in found["cells"]):
            return {**found, "file": Path(file).stem}
    except OSError as error:
        raise click.BadParameter(f"{file!r} cannot be read: {error.strerror}") from error
    except (ValueError, KeyError, TypeError):
        pass
    raise click.BadParameter(f"{file!r} is not a report of this version's vekt compare --json.")


def key(cell: dict[str, Any]) -> tuple[str, str, str]:
    """Return what tells a cell from the others of its run."""
    return cell["operands"], cell["dtype"], cell["label"]
