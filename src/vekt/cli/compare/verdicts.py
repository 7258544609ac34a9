"""Who is faster: verdicts on cells, from the ratios of paired turns."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import isnan
from statistics import median
from typing import Any

AHEAD, EVEN, BEHIND = "ahead", "even", "behind"
VERDICTS = (AHEAD, EVEN, BEHIND)
LEVEL = 0.95
"""Confidence of the interval of a ratio."""


def judged(ours: Sequence[float], theirs: Sequence[float], tolerance: float) -> dict[str, Any]:
    """Return the ratio of two competitors' times, its interval and the verdict.

    Turns of one round are a pair: what disturbs the machine for longer meets both of them.

    Parameters
    ----------
    ours, theirs : sequence of float
        Seconds of each turn; one for a competitor that was too slow to have turns.
    tolerance : float
        How far from 1 a ratio may be and still count as even.

    Returns
    -------
    dict
        ``over_fastest``, their median over ours; ``interval``, the confidence interval of the
        median of paired ratios, by the binomial test of scipy.stats, or their whole range where
        that wants more turns; None if one of the two has no turns; and ``verdict``.
    """
    ratio = median(theirs) / median(ours)
    interval = None
    if min(len(ours), len(theirs)) > 1:
        interval = _interval([b / a for a, b in zip(ours, theirs, strict=False)], ratio)
    low, high = interval or (ratio, ratio)
    verdict = AHEAD if low > 1 + tolerance else BEHIND if high < 1 - tolerance else EVEN
    return {"over_fastest": ratio, "interval": interval, "verdict": verdict}


def _interval(ratios: Sequence[float], ratio: float) -> tuple[float, float]:
    from scipy.stats import quantile_test

    found = quantile_test(ratios, q=1.0, p=0.5).confidence_interval(LEVEL)
    low, high = float(found.low), float(found.high)
    if isnan(low) or isnan(high):
        low, high = min(ratios), max(ratios)
    return min(low, ratio), max(high, ratio)


def counted(cells: Iterable[dict[str, Any]]) -> dict[str, int]:
    """Return how many cells have each verdict."""
    found = [cell["verdict"] for cell in cells]
    return {verdict: found.count(verdict) for verdict in VERDICTS}
