"""Which instruction set to build for: one takes a fifth of the time of all."""

from __future__ import annotations

import importlib.util


def best_target() -> str | None:
    """Return the best instruction set that this processor has and the installed vekt knows."""
    if importlib.util.find_spec("vekt") is None:
        return None
    from vekt.config import get_config

    return next((name for name, runs in get_config()["targets"].items() if runs), None)
