"""Memory maps in parts, against the same maps in one piece."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np

from vekt import chunks, multiply_add, sum

from .common import refuse_gaps

SIZE = 30_000_000

refuse_gaps(chunks.__all__, ("stream",))


class TimeMaps:
    """A file of uint8, normalised to float32 and reduced."""

    params = (("vekt", "numpy"),)
    param_names = ("namespace",)
    version = "1"

    def setup(self, namespace):
        self.directory = tempfile.TemporaryDirectory()
        path = Path(self.directory.name)
        shape = (SIZE // 3, 3)
        self.source = np.memmap(path / "source", np.uint8, "w+", shape=shape)
        self.target = np.memmap(path / "target", np.float32, "w+", shape=shape)
        self.scale, self.shift = np.full(3, 0.5, np.float32), np.full(3, -1, np.float32)

    def teardown(self, namespace):
        del self.source, self.target
        self.directory.cleanup()

    def time_normalise(self, namespace):
        operands = self.source, self.scale, self.shift
        if namespace == "vekt":
            chunks.stream(multiply_add, *operands, out=self.target)
        else:
            np.multiply(self.source, self.scale, out=self.target)
            np.add(self.target, self.shift, out=self.target)

    def time_reduce(self, namespace):
        if namespace == "vekt":
            chunks.stream(lambda x: sum(x, 0), self.source, combine=np.add)
        else:
            np.sum(self.source, 0)
