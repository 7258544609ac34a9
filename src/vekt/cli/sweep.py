"""A sweep of kernels over many inputs on all cores."""

from __future__ import annotations

import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.progress import Progress

import vekt as vk
from vekt import _native
from vekt.cli.cases import Case
from vekt.cli.samples import (
    float32_patterns,
    float64_patterns,
    gradient_errors,
    typed,
    value_errors,
)

BINS = 5  # half ULPs that are counted apart; the last one is for all that is beyond
_CHUNK = 1 << 22
_BLOCK = 1 << 16  # small enough for the reference's many temporaries to stay in cache


@dataclass
class Finding:
    """The errors of one kernel: the largest, where, and how many inputs fall in each half ULP."""

    name: str
    bound: float
    max_ulp: float = -1.0
    at: float = 0.0
    counts: list[int] = field(default_factory=lambda: [0] * BINS)

    def add(self, x: NDArray[Any], errors: NDArray[np.float64]) -> None:
        """Take the errors at the inputs `x` into account."""
        worst = int(errors.argmax())
        bins = np.minimum(np.ceil(errors * 2) - 1, BINS - 1).clip(0).astype(np.intp)
        counts = np.bincount(bins, minlength=BINS).tolist()
        self._merge(float(errors[worst]), float(x[worst]), counts)

    def merge(self, other: Finding) -> None:
        """Take the findings of another part of the inputs into account."""
        self._merge(other.max_ulp, other.at, other.counts)

    def _merge(self, max_ulp: float, at: float, counts: list[int]) -> None:
        if max_ulp > self.max_ulp:
            self.max_ulp, self.at = max_ulp, at
        self.counts = [a + b for a, b in zip(self.counts, counts, strict=True)]


def sweep(
    cases: list[Case], isa: str, dtype: np.dtype[Any], total: int, progress: Progress
) -> list[Finding]:
    """Measure the errors of the kernels of one instruction set.

    Parameters
    ----------
    cases : list of Case
        The kernels.
    isa : str
        Instruction set, one of those that this processor supports.
    dtype : numpy.dtype
        float32 or float64.
    total : int
        Number of inputs; 2**32 are all there are of float32.
    progress : rich.progress.Progress
        Gets a bar for each kernel.

    Returns
    -------
    list of Finding
        Two for each kernel: its values and its gradients.
    """
    ufuncs = _native.build_ufuncs(isa)
    findings = []
    size = min(_CHUNK, max(_BLOCK, total // 64))  # small samples: enough chunks for all cores
    chunks = [(begin, min(begin + size, total)) for begin in range(0, total, size)]
    pool = ThreadPoolExecutor(_cores())
    try:
        for case in cases:
            bar = progress.add_task(case.name, total=len(chunks))
            value, gradient = _empty_findings(case, dtype)
            jobs = [pool.submit(_chunk, case, ufuncs, dtype, *chunk, total) for chunk in chunks]
            for job in as_completed(jobs):
                for finding, part in zip((value, gradient), job.result(), strict=True):
                    finding.merge(part)
                progress.advance(bar)
            findings += [value, gradient]
    finally:
        pool.shutdown(cancel_futures=True)
    return findings


def _chunk(
    case: Case,
    ufuncs: Mapping[str, np.ufunc],
    dtype: np.dtype[Any],
    begin: int,
    end: int,
    total: int,
) -> tuple[Finding, Finding]:
    value, gradient = _empty_findings(case, dtype)
    kernel, params = case.kernel, case.params
    forward, backward, both = (
        ufuncs[case.name + form] for form in ("", "_backward", "_value_and_grad")
    )
    with vk.num_threads(1):
        for first in range(begin, end, _BLOCK):
            last = min(first + _BLOCK, end)
            if dtype == np.float32:
                x: NDArray[Any] = float32_patterns(first, last, total)
            else:
                x = float64_patterns(first, last)
            operands = (x, *typed(params, x))
            y, slope = both(*operands)
            value.add(x, value_errors(kernel, params, x, forward(*operands), y))
            with_one = backward(dtype.type(1), *operands)
            gradient.add(x, gradient_errors(kernel, params, x, with_one, slope))
    return value, gradient


def _empty_findings(case: Case, dtype: np.dtype[Any]) -> tuple[Finding, Finding]:
    return (
        Finding(case.name, case.kernel.max_ulp[dtype.name]),
        Finding(f"{case.name} gradient", case.kernel.gradient_max_ulp[dtype.name]),
    )


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
