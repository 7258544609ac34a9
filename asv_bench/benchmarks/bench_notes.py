"""The notes' comparison: z = w.x + b over a million elements."""

from __future__ import annotations

import numpy as np

import vekt

from .common import DTYPES, normal

SIZE = 1_000_000


def loop(w, x, b):
    """Add one product at a time, the notes' slow way."""
    z = 0.0
    for i in range(len(w)):
        z += w[i] * x[i]
    return z + b


IMPLEMENTATIONS = {
    "loop": loop,
    "numpy": lambda w, x, b: np.dot(w, x) + b,
    "jit": lambda w, x, b: vekt.jit.dot(w, x) + b,
    "vekt": lambda w, x, b: vekt.dot(w, x) + b,
}


class TimeNotes:
    """One z = w.x + b; the page's axis wants to be logarithmic."""

    params = (tuple(IMPLEMENTATIONS), DTYPES)
    param_names = ("implementation", "dtype")
    number = 1
    version = "1"

    def setup(self, implementation, dtype):
        self.z = IMPLEMENTATIONS[implementation]
        self.w = normal(dtype, SIZE)
        self.x = normal(dtype, SIZE, 1)
        self.b = self.w.dtype.type(0.5)
        if implementation != "loop":  # compile, wake up, fill the caches
            self.z(self.w, self.x, self.b)

    def time_z(self, implementation, dtype):
        self.z(self.w, self.x, self.b)
