"""The command line: `vekt demo`, `compare`, `accuracy`, `info` and `normalise`."""

from __future__ import annotations

import sys
from collections.abc import Sequence

__all__ = ["main"]

# What the extra "demo" brings beyond vekt's own requirements.
_DEMO_EXTRA = {
    "click",
    "matplotlib",
    "numba",
    "rich",
    "scipy",
    "sklearn",
    "threadpoolctl",
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code.

    Parameters
    ----------
    argv : sequence of str, optional
        The arguments, `sys.argv[1:]` by default.

    Returns
    -------
    int
        0 on success, 1 when a check failed or a package is missing, 2 on a usage error,
        130 when interrupted.
    """
    arguments = sys.argv[1:] if argv is None else list(argv)
    try:
        from vekt.cli import plain

        if plain.is_enough(arguments):
            return plain.run(arguments)
        from vekt.cli.app import run

        return run(arguments)
    except ImportError as error:
        package = (error.name or "").partition(".")[0]
        if package not in _DEMO_EXTRA:
            raise
        print(f'vekt: {package} is not installed: pip install "vekt[demo]"', file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("vekt: interrupted", file=sys.stderr)
        return 130
    except OSError as error:  # of a file that plain.run writes to
        print(f"vekt: {error}", file=sys.stderr)
        return 2
