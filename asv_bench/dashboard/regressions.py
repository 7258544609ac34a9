"""The regressions that asv has found, in numbers and words."""

from __future__ import annotations

import json
from pathlib import Path


def found(pages: Path) -> dict[str, float]:
    """Return how many times as long as at its best a benchmark takes now, by their names."""
    entries = json.loads((pages / "regressions.json").read_text(encoding="utf-8"))["regressions"]
    return {name: last / best for name, _, _, _, last, best, _ in entries}


def told(regressions: int) -> str:
    """Say how many regressions there are.

    Examples
    --------
    >>> told(0), told(1)
    ('No regression.', '1 regression.')
    """
    return f"{regressions or 'No'} regression{'s' if regressions > 1 else ''}."
