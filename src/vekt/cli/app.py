"""The command group, and how its outcome becomes an exit code."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import version

import click

from vekt.cli.accuracy import accuracy
from vekt.cli.compare import compare
from vekt.cli.demo import demo
from vekt.cli.environment import restart_without_blas_overrides
from vekt.cli.info import info
from vekt.cli.normalise import normalise


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(version("vekt"), prog_name="vekt")
def app() -> None:
    """Compiled kernels for NumPy arrays: try them, time them, check their accuracy."""


for command in (demo, compare, accuracy, info, normalise):
    app.add_command(command)


def run(arguments: Sequence[str]) -> int:
    """Run the group on `arguments`; return the exit code."""
    if next(iter(arguments), None) in ("demo", "compare"):
        restart_without_blas_overrides()
    try:
        return app.main(list(arguments), prog_name="vekt", standalone_mode=False) or 0
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except OSError as error:  # a file that went away, a disk that is full
        click.ClickException(str(error)).show()
        return click.UsageError.exit_code
    except click.Abort as error:
        raise KeyboardInterrupt from error
