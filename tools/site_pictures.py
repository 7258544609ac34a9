"""Pictures that the build of the site makes."""

from __future__ import annotations

from pathlib import Path


def draw(folder: Path) -> None:
    """Draw all of them."""
    folder.mkdir(parents=True, exist_ok=True)
