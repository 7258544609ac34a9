"""What wants a package that an extra brings says so, and how to get it."""

from __future__ import annotations

from importlib.util import find_spec


def require(what: str, extra: str, *packages: str) -> None:
    """Raise ModuleNotFoundError, with the command that installs it, if a package is missing."""
    for package in packages:
        if find_spec(package) is None:
            raise ModuleNotFoundError(
                f"{what} needs {package}, which is not installed: pip install 'vekt[{extra}]'",
                name=package,
            )
