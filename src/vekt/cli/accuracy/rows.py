"""The findings of a sweep as rows to show: instruction sets with the same bits share one."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

import numpy as np

from vekt.cli.accuracy.measure import BINS, Finding, Plan
from vekt.cli.cases import Case

# Instruction sets with fused multiply-adds: their kernels promise the same bits.
_FUSED = {"x86_v4", "x86_v3", "neon"}


@dataclass(frozen=True)
class Row:
    """The errors of a kernel's values or gradients on instruction sets that have the same bits.

    `at` is the input with the largest error, a NumPy number.  `peers` are the largest errors of
    the peers, None where a peer has no such function; `flushed` are those that take subnormal
    numbers for zero besides.  `broken` tells that these bits should be those of the first row.
    """

    kernel: str
    form: str
    isas: tuple[str, ...]
    bound: float
    max_ulp: float
    at: Any
    counts: list[int]
    broken: bool
    peers: Mapping[str, float | None] = field(default_factory=dict)
    flushed: frozenset[str] = frozenset()

    @property
    def name(self) -> str:
        """Kernel and form."""
        return self.kernel if self.form == "value" else f"{self.kernel} {self.form}"

    @property
    def hexadecimal(self) -> str:
        """The bits of the input with the largest error."""
        return f"0x{int(self.at.view(f'u{self.at.itemsize}')):0{2 * self.at.itemsize}x}"

    @property
    def cells(self) -> list[str]:
        """What a table shows in its first columns; of `at` the fewest digits that tell it."""
        numbers = (f"{self.max_ulp:.4f}", f"{self.bound:g}", str(self.at))
        return [self.name, ", ".join(self.isas), *numbers]

    @property
    def count_cells(self) -> list[str]:
        """What a table shows below `bin_names`."""
        return [f"{count:,}" for count in self.counts]

    def peer_cells(self, peers: Iterable[str]) -> list[str]:
        """Return what a table shows of peers."""
        if not self.peers:
            return ["" for _ in peers]
        return [ulps(self.peers[peer]) + " z" * (peer in self.flushed) for peer in peers]

    @property
    def failed(self) -> bool:
        """Whether a promise is broken."""
        return self.broken or not self.max_ulp <= self.bound

    def to_dict(self) -> dict[str, Any]:
        """Return plain data for JSON, in which infinity is a string."""
        return {
            "kernel": self.kernel,
            "form": self.form,
            "isas": list(self.isas),
            "max_ulp": _finite(self.max_ulp),
            "bound": self.bound,
            "at": str(self.at),
            "at_bits": self.hexadecimal,
            "counts_per_half_ulp": self.counts,
            "broken_promise_of_bits": self.broken,
            "peers": {peer: _finite(ulps) for peer, ulps in self.peers.items()},
            "flushed": sorted(self.flushed),
        }


def rows_of(cases: Mapping[str, Case], plan: Plan, findings: Iterable[Finding]) -> list[Row]:
    """Make the rows of findings in the order of `Plan.empty`."""
    rows: list[Row] = []
    for (kernel, form), group in groupby(findings, lambda found: (found.kernel, found.form)):
        rows += _rows_of_form(cases[kernel], form, plan, list(group))
    return rows


def _rows_of_form(case: Case, form: str, plan: Plan, group: list[Finding]) -> Iterator[Row]:
    bounds = case.kernel.max_ulp if form == "value" else case.kernel.gradient_max_ulp
    of_isas, of_peers = group[: len(plan.isas)], group[len(plan.isas) :]
    first = of_isas[0]
    same = [found for found in of_isas if found.same_bits]
    others = [[found] for found in of_isas if not found.same_bits]
    unsigned = f"u{np.dtype(plan.dtype).itemsize}"
    for members in (same, *others):
        found = members[0]
        yield Row(
            kernel=found.kernel,
            form=form,
            isas=tuple(member.subject for member in members),
            bound=bounds[plan.dtype],
            max_ulp=found.max_ulp,
            at=np.array(found.at, unsigned).view(plan.dtype)[()],
            counts=found.counts,
            broken=found is not first and {found.subject, first.subject} <= _FUSED,
            peers={peer.subject: peer.max_ulp if peer.max_ulp >= 0 else None for peer in of_peers}
            if found is first
            else {},
            flushed=frozenset(peer.subject for peer in of_peers if peer.flushed),
        )


def bin_names() -> list[str]:
    """Headings of the counts."""
    return [f"<= {(i + 1) / 2:g}" for i in range(BINS - 1)] + [f"> {(BINS - 1) / 2:g}"]


def ulps(number: float | None) -> str:
    """Format a peer's error: 0.61, 1.7e7, inf, or a dash for None."""
    if number is None:
        return "-"
    if number < 1000 or math.isinf(number):
        return f"{number:.2f}"
    digits, exponent = f"{number:.1e}".split("e")
    return f"{digits}e{int(exponent)}"


def _finite(number: float | None) -> float | str | None:
    return "inf" if number == math.inf else number
