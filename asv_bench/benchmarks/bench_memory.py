"""Peak memory of a process that makes one call on 80 MB of float64."""

from __future__ import annotations

import numpy as np

from .common import CASES

VALUES = tuple(name for name, case in CASES.items() if case.form == "")


class PeakMemory:
    """A kernel needs its result and nothing else; with out= not even that."""

    params = (VALUES, ("out", "vekt", "numpy"))
    param_names = ("kernel", "call")
    version = "1"

    def peakmem_call(self, kernel, call):
        x = np.ones(10_000_000)
        function = CASES[kernel].function("numpy" if call == "numpy" else "vekt")
        if call == "out":
            function(x, out=x)
        else:
            function(x)
