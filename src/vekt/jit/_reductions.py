"""Reductions along axes, and running sums and products: what Python calls."""

from __future__ import annotations

from vekt._spec.reductions import REDUCTIONS
from vekt._spec.scans import SCANS
from vekt._spec.statistics import STATISTICS
from vekt.jit._linalg import forwarded

FUNCTIONS = {name: forwarded(spec) for name, spec in (REDUCTIONS | STATISTICS | SCANS).items()}
globals().update(FUNCTIONS)
