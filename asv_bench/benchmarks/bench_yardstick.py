"""What the machine does in the same run: figures are judged relative to these, not in seconds."""

from __future__ import annotations

from ctypes import memmove

import numpy as np

from vekt._core import native

from .common import Timed, normal

SIZE = 100_000
BYTES = 40_000_000
MULTIPLY_ADDS = 10_000_000


class TimeYardstick(Timed):
    """NumPy's exp in the cache, a copy in memory, fused multiply-adds in registers."""

    params = (("np.exp", "memcpy", "fma"),)
    param_names = ("yardstick",)
    tags = ("smoke",)
    version = "1"

    def setup(self, yardstick):
        if yardstick == "np.exp":
            x = normal("float32", SIZE)
            self.call, self.operands = np.exp, (x, np.empty_like(x))
        elif yardstick == "memcpy":
            self.source, self.copy = np.ones(BYTES, np.uint8), np.ones(BYTES, np.uint8)
            pointers = self.copy.ctypes.data, self.source.ctypes.data
            self.call, self.operands = memmove, (*pointers, BYTES)
        else:
            probe = native.TARGETS[native.SELECTED].products.peak[native.lib.VEKT_F32]
            self.call, self.operands = probe, (int(MULTIPLY_ADDS / probe(1)),)

    def time_call(self, yardstick):
        self.call(*self.operands)
