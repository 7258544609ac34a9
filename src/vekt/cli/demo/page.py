"""The notes' page: z = w.x + b over a million elements, by every means there is."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Group
from rich.progress import Progress
from rich.table import Table

import vekt as vk
from vekt.cli.compare.timing import SETTLE_SECONDS, interleaved
from vekt.cli.demo.notes import neuron_loop
from vekt.cli.environment import thread_limit
from vekt.cli.screen import milliseconds, table, times

ELEMENTS = 1_000_000
# What the notes measured for the two forms, on their machine.
NOTES_SECONDS = {"loop": 0.450, "vectorised": 0.0015}
_PROBE_PASSES = 8  # where handing the parts to the threads must cost nothing


def measure_page(progress: Progress, quick: bool) -> dict[str, Any]:
    """Time every form in float64 and float32, on one thread and on all.

    Returns
    -------
    dict
        "rows", each with dtype, form, threads, seconds, and the ratios `over_loop` and
        `over_numpy` (the latter to NumPy on as many threads) and `bandwidth_share`; and
        "bandwidth", the bytes a second that two such arrays can be read with.
    """
    rounds = 7 if quick else 25
    threads = sorted({1, vk.get_num_threads()})
    bar = progress.add_task("w.x + b", total=2 * len(threads) * rounds)
    rows: list[dict[str, Any]] = []
    bandwidths = []
    for dtype in (np.float64, np.float32):
        rng = np.random.default_rng(0)
        w, x = rng.random(ELEMENTS, dtype), rng.random(ELEMENTS, dtype)
        for count in threads:
            with thread_limit(count), ThreadPoolExecutor(count) as pool:
                tasks = _forms(w, x, dtype(0.5), count)
                tasks["read"] = _read_probe(pool, count, w)
                seconds = interleaved(
                    tasks,
                    rounds,
                    budget=1.0,
                    advance=lambda: progress.advance(bar),
                    settle=SETTLE_SECONDS if count > 1 else 0.0,
                )
            bandwidth = 2 * w.nbytes * _passes(count) / seconds.pop("read")
            name = np.dtype(dtype).name
            bandwidths.append({"dtype": name, "threads": count, "bytes_per_second": bandwidth})
            loop = seconds.get("loop") or next(
                row["seconds"] for row in rows if row["form"] == "loop" and row["dtype"] == name
            )
            rows += [
                {
                    "dtype": name,
                    "form": form,
                    "threads": count,
                    "seconds": time,
                    "over_loop": loop / time,
                    "over_numpy": seconds["numpy"] / time,
                    "bandwidth_share": 2 * w.nbytes / time / bandwidth,
                }
                for form, time in seconds.items()
            ]
    return {"elements": ELEMENTS, "notes": NOTES_SECONDS, "rows": rows, "bandwidth": bandwidths}


def _forms(w: NDArray[Any], x: NDArray[Any], b: Any, threads: int) -> dict[str, Callable[[], Any]]:
    fast: dict[str, Callable[[], Any]] = {
        "numpy": lambda: np.dot(w, x) + b,
        "vekt": lambda: vk.dot(w, x) + b,
    }
    if threads > 1:
        return fast
    lists = w.tolist(), x.tolist(), float(b)
    return {
        "loop": lambda: neuron_loop(w, x, b),
        "loop over lists": lambda: neuron_loop(*lists),
        **fast,
        "vekt.jit": lambda: vk.jit.dot(w, x) + b,
    }


def _passes(threads: int) -> int:
    return _PROBE_PASSES if threads > 1 else 1


def _read_probe(pool: ThreadPoolExecutor, threads: int, array: NDArray[Any]) -> Callable[[], Any]:
    """Read two arrays and do next to nothing else: the C library compares equal ones."""
    memcmp = ctypes.CDLL(None).memcmp
    memcmp.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t]
    halves = (np.array_split(a, threads) for a in (array, array.copy()))
    parts = list(zip(*halves, strict=True))

    def read(part: tuple[NDArray[Any], NDArray[Any]]) -> None:
        one, other = part
        for _ in range(_passes(threads)):
            memcmp(one.ctypes.data, other.ctypes.data, one.nbytes)

    if threads == 1:
        return lambda: read(parts[0])
    return lambda: list(pool.map(read, parts))


_LABELS = {
    "loop": "Python loop over the arrays",
    "loop over lists": "Python loop over lists",
    "numpy": "np.dot(w, x) + b",
    "vekt.jit": "vekt.jit.dot(w, x) + b",
    "vekt": "vekt.dot(w, x) + b",
}


def page_label(row: dict[str, Any]) -> str:
    """Name a row for a reader."""
    label = _LABELS[row["form"]]
    return label if row["threads"] == 1 else f"{label}, {row['threads']} threads"


def page_table(results: dict[str, Any]) -> Group:
    """Show the measurements beside the notes' own, one table for each dtype."""
    return Group(_dtype_table(results, "float64"), "", _dtype_table(results, "float32"))


def _dtype_table(results: dict[str, Any], dtype: str) -> Table:
    rates = ", ".join(
        f"{b['bytes_per_second'] / 1e9:.0f} GB/s on {b['threads']} thread{'s'[: b['threads'] - 1]}"
        for b in results["bandwidth"]
        if b["dtype"] == dtype
    )
    result = table(
        f"z = w.x + b over {results['elements']:,} elements, {dtype}",
        "form",
        "ms",
        "over loop",
        "over NumPy",
        "bandwidth",
        caption=f"Bandwidth: memcmp reads two such arrays with {rates}. "
        "Each row is compared with NumPy on as many threads.",
    )
    loop, fast = results["notes"]["loop"], results["notes"]["vectorised"]
    result.add_row("the notes: loop", milliseconds(loop), "1x", "", "", style="dim")
    result.add_row(
        "the notes: vectorised", milliseconds(fast), times(loop / fast), "", "", style="dim"
    )
    result.add_section()
    for row in (row for row in results["rows"] if row["dtype"] == dtype):
        slow = row["form"].startswith("loop")
        result.add_row(
            page_label(row),
            milliseconds(row["seconds"]),
            times(row["over_loop"]),
            "" if slow else times(row["over_numpy"]),
            "" if slow else f"{row['bandwidth_share']:.0%}",
            style="bold" if row["form"] == "vekt" else "",
        )
    return result
