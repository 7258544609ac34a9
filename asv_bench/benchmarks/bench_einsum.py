"""Contractions, against NumPy's own by its paths."""

from __future__ import annotations

from functools import partial
from importlib import import_module

import numpy as np

from vekt.cli.compare.einsum_tasks import GRID, shapes_of

from .common import DTYPES, Timed, normal, refuse_gaps

refuse_gaps("vekt.linalg._einsum", ["einsum"])


class TimeEinsum(Timed):
    """One call: subscripts, and the lengths of their labels."""

    params = ([f"{text}: {lengths}" for text, lengths in GRID], DTYPES, ("vekt", "numpy"))
    param_names = ("call", "dtype", "library")
    yardstick = "fma"
    version = "1"

    def setup(self, call, dtype, library):
        text, lengths = call.split(": ")
        function = import_module(library).einsum
        operands = [
            normal(dtype, int(np.prod(shape)), seed).reshape(shape)
            for seed, shape in enumerate(shapes_of(text, lengths))
        ]
        self.call = partial(function, text, *operands, optimize=True)
        self.call()

    def time_call(self, call, dtype, library):
        self.call()
