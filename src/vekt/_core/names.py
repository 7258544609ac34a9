"""What a module says of a name that it does not have."""

from __future__ import annotations

from collections.abc import Iterable


def no_attribute(module: str, name: str, names: Iterable[str]) -> AttributeError:
    """Return the error, which suggests the nearest of the module's names."""
    from difflib import get_close_matches  # which `import vekt` does not need

    message = f"module {module!r} has no attribute {name!r}"
    near = [] if name.startswith("_") else get_close_matches(name, list(names), n=1)
    if near:
        message += f". Did you mean: {near[0]!r}?"
    # Without obj, from which Python, where it prints the error, would add a suggestion of its own.
    return AttributeError(message, name=name, obj=None)
