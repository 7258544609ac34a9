"""What a call costs when there is next to nothing to compute: 8 elements."""

from __future__ import annotations

import numpy as np

import vekt

from .common import CASES, DTYPES, names, normal

CALLS = 1_000


class TimeCalls:
    """A thousand calls; np.exp is the yardstick."""

    params = (("np.exp", *names("", "_backward", "_value_and_grad")),)
    param_names = ("function",)
    version = "2"

    def setup(self, function):
        if function == "np.exp":
            self.call, self.operands = np.exp, (normal("float32", 8),)
        else:
            self.call = CASES[function].function("vekt")
            self.operands = CASES[function].operands("float32", 8)

    def time_thousand(self, function):
        call, operands = self.call, self.operands
        for _ in range(CALLS):
            call(*operands)


class TimeDotCalls:
    """A thousand calls of dot; np.dot is the yardstick."""

    params = (("np.dot", "dot"), DTYPES)
    param_names = ("function", "dtype")
    version = "1"

    def setup(self, function, dtype):
        self.call = np.dot if function == "np.dot" else vekt.dot
        self.a, self.b = normal(dtype, 8), normal(dtype, 8, 1)

    def time_thousand(self, function, dtype):
        call, a, b = self.call, self.a, self.b
        for _ in range(CALLS):
            call(a, b)
