"""`vekt normalise`: a file larger than memory, each channel to mean 0 and deviation 1."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray
from rich.progress import Progress

import vekt as vk
from vekt.cli.screen import (
    OutputFile,
    console_for,
    json_option,
    progress_on,
    show,
    table,
    write_json,
)

Array = NDArray[Any]
Moments = tuple[int, Array, Array]

_UNIT = 1_000_000


@click.command()
@click.argument("source", type=click.Path(exists=True, dir_okay=False))
@click.argument("target", type=OutputFile())
@click.option(
    "--chunk-bytes",
    type=click.IntRange(min=1),
    default=1 << 26,
    show_default=True,
    help="How many bytes of the two files to hold in memory at a time.",
)
@json_option
def normalise(source: str, target: str, chunk_bytes: int, json_file: str | None) -> None:
    """Scale each channel of a .npy file to mean 0 and standard deviation 1.

    Channels lie along the last axis of SOURCE.  TARGET is a .npy file of float32.  Neither
    has to fit in memory.
    """
    x = _opened(source)
    if x.ndim == 0 or x.size == 0 or x.dtype.kind not in "biuf":
        raise click.BadParameter(f"{source!r} holds no real numbers: {x.dtype}, shape {x.shape}")
    if Path(target).exists() and Path(target).samefile(source):
        raise click.BadParameter("SOURCE and TARGET are the same file.")
    console = console_for(json_file)
    with progress_on(console) as progress:
        n, mean, squares = vk.stream(
            _moments,
            x,
            combine=_combine,
            chunk_bytes=chunk_bytes,
            progress=_bar(progress, "million elements reduced", x.size),
        )
        deviation = np.sqrt(squares / n)
        scale = np.divide(1, deviation, out=np.zeros_like(deviation), where=deviation > 0)
        vk.stream(
            partial(_normalised, mean, scale),
            x,
            out=_created(target, x.shape),
            chunk_bytes=chunk_bytes,
            progress=_bar(progress, "million elements normalised", x.size),
        )
    result = table(f"{source}: {x.dtype}, shape {x.shape}", "channel", "mean", "deviation")
    for channel, pair in enumerate(zip(mean, deviation, strict=True)):
        result.add_row(str(channel), *(f"{value:.6g}" for value in pair))
    show(console, result)
    write_json(json_file, {"mean": mean.tolist(), "deviation": deviation.tolist()})


def _opened(source: str) -> Array:
    """Return the memory map of a .npy file."""
    try:
        x: Any = np.load(source, mmap_mode="r")
    except (ValueError, EOFError, OSError) as error:
        raise click.BadParameter(f"{source!r} is not a .npy file of numbers: {error}") from error
    if not isinstance(x, np.ndarray):  # an archive of several
        x.close()
        raise click.BadParameter(f"{source!r} is an archive, not one array: expected a .npy file")
    return x


def _created(target: str, shape: tuple[int, ...]) -> Array:
    """Return the memory map of a new .npy file."""
    try:
        return np.lib.format.open_memmap(target, "w+", np.dtype("f4"), shape)
    except OSError as error:
        raise click.BadParameter(f"{target!r} cannot be written: {error}") from error


def _normalised(mean: Array, scale: Array, part: Array) -> Array:
    """Subtract in float64: what is left of large numbers has few digits in float32."""
    deviations = vk.subtract(part, mean)
    return np.asarray(vk.multiply(deviations, scale, out=deviations))


def _bar(progress: Progress, title: str, total: int) -> Callable[[int, int], None]:
    """Return a callback that moves a bar of millions of elements."""
    bar = progress.add_task(title, total=-(-total // _UNIT))
    return lambda done, total: progress.update(bar, completed=-(-done // _UNIT))


def _moments(part: Array) -> Moments:
    """Count, mean and sum of squared deviations of each channel."""
    axes = tuple(range(part.ndim - 1))
    mean = np.asarray(vk.mean(part, axes, dtype="f8"))
    deviations = vk.subtract(part, mean)
    return part.size // part.shape[-1], mean, vk.sum(vk.square(deviations, out=deviations), axes)


def _combine(a: Moments, b: Moments) -> Moments:
    """Moments of two parts together (Chan, Golub and LeVeque)."""
    n = a[0] + b[0]
    delta = b[1] - a[1]
    return n, a[1] + delta * (b[0] / n), a[2] + b[2] + delta**2 * (a[0] * b[0] / n)
