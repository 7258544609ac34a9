"""Better, same or worse: what ratios of times say, with a test of significance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

BETTER, SAME, WORSE = "better", "same", "worse"

LEVEL = 0.05
"""Share of false ones among the cells that are found to differ."""


@dataclass(frozen=True)
class Finding:
    """What was found of one cell: the median of its ratios, and how likely chance is."""

    ratio: float
    p: float
    verdict: str


def suspects(ratios: Mapping[str, Sequence[float]], factor: float) -> list[str]:
    """Return the cells that may differ by `factor`: those that differ by more than its root.

    Examples
    --------
    >>> suspects({"tanh": [1.01, 0.98, 1.3], "erf": [1.4, 1.5, 1.0]}, 1.1)
    ['erf']
    """
    bound = np.log(factor) / 2
    return [cell for cell, found in ratios.items() if abs(np.log(np.median(found))) > bound]


def judged(ratios: Mapping[str, Sequence[float]], factor: float) -> dict[str, Finding]:
    """Return what ratios of times tell of each cell.

    A cell is worse if Wilcoxon's signed-rank test refuses that it takes up to `factor` times as
    long as before, and better if it refuses that before it took up to `factor` times as long as
    now.  The procedure of Benjamini and Hochberg holds the share of false ones among them.

    Parameters
    ----------
    ratios : mapping from str to sequence of float
        For each cell how many times as long it took, of independent pairs of processes.
    factor : float
        The least effect, more than 1.

    Returns
    -------
    dict of Finding

    Examples
    --------
    >>> found = judged({"tanh": [1.52, 1.47, 1.5, 1.6, 1.49, 1.55]}, 1.1)
    >>> found["tanh"].verdict
    'worse'
    """
    from scipy.stats import false_discovery_control

    if not ratios:
        return {}
    logs = {cell: np.log(found) for cell, found in ratios.items()}
    p = false_discovery_control([_p(log, np.log(factor)) for log in logs.values()])
    found = {}
    for (cell, log), chance in zip(logs.items(), p, strict=True):
        differs = WORSE if np.median(log) > 0 else BETTER
        verdict = differs if chance < LEVEL else SAME
        found[cell] = Finding(float(np.exp(np.median(log))), float(chance), verdict)
    return found


def _p(logs: np.ndarray, bound: float) -> float:
    from scipy.stats import wilcoxon

    away = logs if np.median(logs) > 0 else -logs
    # Of two sides the one was chosen by the samples.
    return min(1.0, 2 * float(wilcoxon(away - bound, alternative="greater").pvalue))
