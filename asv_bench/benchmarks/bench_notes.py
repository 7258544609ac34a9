"""The notes' comparison: z = w.x + b over a million elements."""

from __future__ import annotations

import numpy as np

import vekt

from .common import DTYPES, Timed, normal

SIZE = 1_000_000


def loop(w, x, b):
    """Add one product at a time, the notes' slow way."""
    z = 0.0
    for i in range(len(w)):
        z += w[i] * x[i]
    return z + b


LIBRARIES = {
    "loop": loop,
    "numpy": lambda w, x, b: np.dot(w, x) + b,
    "jit": lambda w, x, b: vekt.jit.dot(w, x) + b,
    "vekt": lambda w, x, b: vekt.dot(w, x) + b,
}


class TimeNotes(Timed):
    """z = w.x + b of a million elements, in a loop of Python and in one call."""

    params = (tuple(LIBRARIES), DTYPES)
    param_names = ("library", "dtype")
    number = 1
    repeat = (2, 100, 0.3)  # the loop takes long
    tags = ("smoke",)
    yardstick = "memcpy"
    marks = {"the notes' loop": 0.450, "the notes' np.dot": 0.0015}  # noqa: RUF012
    version = "1"

    def setup(self, library, dtype):
        self.z = LIBRARIES[library]
        self.w = normal(dtype, SIZE)
        self.x = normal(dtype, SIZE, 1)
        self.b = self.w.dtype.type(0.5)
        if library != "loop":  # compile, wake up, fill the caches
            self.z(self.w, self.x, self.b)

    def time_z(self, library, dtype):
        self.z(self.w, self.x, self.b)
