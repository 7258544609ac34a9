"""`python -m asv_bench.dashboard`: measure the last commits, and show their history."""

from __future__ import annotations

import functools
import http.server
import webbrowser
from importlib import import_module
from pathlib import Path
from typing import Any

import click

from . import running
from .regressions import found, told
from .suite import YARDSTICK, tagged


class Commands(click.Group):
    """Subcommands that are imported when they are called."""

    lazy = ("compare",)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of the subcommands that are there."""
        here = Path(__file__).parent
        return [name for name in self.lazy if (here / f"{name}.py").exists()]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a subcommand, a function in the module of its name."""
        if cmd_name not in self.list_commands(ctx):
            return None
        command: click.Command = getattr(import_module(f"{__package__}.{cmd_name}"), cmd_name)
        return command


@click.group(cls=Commands, invoke_without_command=True)
@click.option(
    "--commits",
    default="5",
    show_default=True,
    help="How many of the last commits, or a range of git's, such as v0.1.0..HEAD.",
)
@click.option(
    "--full", is_flag=True, help="All benchmarks, which takes hours; not the smoke subset."
)
@click.option(
    "--bench", multiple=True, metavar="REGEX", help="These benchmarks, as asv's option; repeatable."
)
@click.option(
    "--measure/--no-measure", default=True, help="Or only publish what was measured before."
)
@click.option("--serve/--no-serve", default=True, help="Serve the pages until interrupted.")
@click.option("--open/--no-open", "opens", default=True, help="Open the served pages in a browser.")
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="By default a free one.")
@click.pass_context
def main(
    context: click.Context,
    commits: str,
    full: bool,
    bench: tuple[str, ...],
    measure: bool,
    serve: bool,
    opens: bool,
    port: int,
) -> None:
    """Measure vekt's last commits beside its peers, and show the history of their speed.

    Without options, the benchmarks with the tag "smoke": some minutes for five commits, of which
    those that have been measured are not measured again.
    """
    if context.invoked_subcommand is not None:
        return
    if full and bench:
        raise click.UsageError("--full has all benchmarks: leave out --bench.")
    running.require()
    if measure:
        hashes = running.commits(commits)
        if not hashes:
            raise click.UsageError(f"--commits {commits} has none.")
        if not running.measure(hashes, chosen(full, bench), skip_existing=not (full or bench)):
            click.echo(f"Some benchmarks or builds failed: {running.LOG} has why.", err=True)
    pages = running.publish()
    _tell(pages)
    if serve:
        _serve(pages, port, opens)


def chosen(full: bool, bench: tuple[str, ...]) -> list[str]:
    """Return what asv is to run, as its option --bench takes it, always with the yardsticks."""
    if full:
        return []
    if bench:
        return [*bench, rf"^{YARDSTICK}\."]
    return [rf"^{name}\." for name in tagged("smoke")]


def _tell(pages: Path) -> None:
    """Print what regressions there are, and where the pages lie."""
    regressions = found(pages)
    for name, factor in regressions.items():
        click.echo(f"{name}: {factor:.2f} times as long as at its best")
    click.echo(f"{told(len(regressions))} Pages: {pages}")


def _serve(pages: Path, port: int, opens: bool) -> None:
    handler: Any = functools.partial(_Quiet, directory=str(pages))
    with http.server.ThreadingHTTPServer(("127.0.0.1", port), handler) as server:
        address = f"http://127.0.0.1:{server.server_address[1]}/"
        click.echo(f"{address} until Ctrl+C")
        if opens:
            webbrowser.open(address)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            click.echo()


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: the pages of one graph are dozens of files."""


if __name__ == "__main__":
    main(prog_name="python -m asv_bench.dashboard")
