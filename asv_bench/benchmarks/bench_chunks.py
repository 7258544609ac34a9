"""Memory maps in parts, against the same maps in one piece."""

from __future__ import annotations

import tempfile

import numpy as np

from vekt import chunks, multiply_add, sum

SIZE = 30_000_000


def mapped(dtype, shape):
    """Map a file that goes with the map."""
    with tempfile.TemporaryFile() as file:
        return np.memmap(file, dtype, "w+", shape=shape)


class TimeMaps:
    """A file of uint8, normalised to float32 and reduced."""

    params = (("vekt", "numpy"),)
    param_names = ("library",)
    version = "1"

    def setup(self, library):
        shape = (SIZE // 3, 3)
        self.source, self.target = (mapped(dtype, shape) for dtype in (np.uint8, np.float32))
        self.scale, self.shift = np.full(3, 0.5, np.float32), np.full(3, -1, np.float32)

    def time_normalise(self, library):
        operands = self.source, self.scale, self.shift
        if library == "vekt":
            chunks.stream(multiply_add, *operands, out=self.target)
        else:
            np.multiply(self.source, self.scale, out=self.target)
            np.add(self.target, self.shift, out=self.target)

    def time_reduce(self, library):
        if library == "vekt":
            chunks.stream(lambda x: sum(x, 0), self.source, combine=np.add)
        else:
            np.sum(self.source, 0)
