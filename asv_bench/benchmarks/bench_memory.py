"""Peak memory of a process that makes one call on 80 MB of float64."""

from __future__ import annotations

import numpy as np

from .common import CASES

# One of each kind: all others go the same ways.
VALUES = ("relu", "relu_general", "gelu")


class PeakMemory:
    """A kernel needs its result and nothing else; with out= not even that."""

    params = (VALUES, ("out", "vekt", "numpy"))
    param_names = ("kernel", "library")
    version = "1"

    def peakmem_call(self, kernel, library):
        x = np.ones(10_000_000)
        function = CASES[kernel].function("numpy" if library == "numpy" else "vekt")
        if library == "out":
            function(x, out=x)
        else:
            function(x)
