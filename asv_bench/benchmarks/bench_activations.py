"""Every activation's kernels, in cache and from memory, and its twins at one size.

What differs little is not measured: `vekt compare` has the whole grid of sizes, dtypes and peers.
"""

from __future__ import annotations

from .common import CASES, DTYPES, NAMESPACES, Timed, names, refuse_gaps

refuse_gaps("vekt.activations", CASES)

# A sample makes a hundred calls: one alone would be too short for the clock.
CALLS = 100
SIZE = 100_000
ELEMENTS = 10_000_000


class TimeKernels(Timed):
    """A hundred calls on operands that stay in the cache; results are allocated."""

    params = (tuple(CASES), DTYPES)
    param_names = ("kernel", "dtype")
    version = "2"

    def setup(self, kernel, dtype):
        case = CASES[kernel]
        self.call = case.function("vekt")
        self.operands = case.operands(dtype, SIZE)
        self.call(*self.operands)

    def time_calls(self, kernel, dtype):
        call, operands = self.call, self.operands
        for _ in range(CALLS):
            call(*operands)


class TimeOut(Timed):
    """Ten million elements into a given array: the kernel and the memory alone."""

    params = (names("", "_backward"), DTYPES)
    param_names = ("kernel", "dtype")
    yardstick = "memcpy"
    version = "2"

    def setup(self, kernel, dtype):
        case = CASES[kernel]
        self.call = case.function("vekt")
        self.operands = case.operands(dtype, ELEMENTS)
        self.out = self.call(*self.operands)

    def time_call(self, kernel, dtype):
        self.call(*self.operands, out=self.out)


class TimeTwins(Timed):
    """The value in the other namespaces and as a NumPy user writes it: ten calls in float32."""

    params = (names(""), NAMESPACES)
    param_names = ("kernel", "library")
    version = "1"

    def setup(self, kernel, library):
        case = CASES[kernel]
        self.call = case.function(library)
        self.operands = case.operands("float32", SIZE)
        self.call(*self.operands)

    def time_calls(self, kernel, library):
        call, operands = self.call, self.operands
        for _ in range(CALLS // 10):
            call(*operands)


class TimeReference(Timed):
    """The oracle is slow and allowed to be: one call of a thousand elements."""

    params = (names("", "_backward"),)
    param_names = ("kernel",)
    version = "2"

    def setup(self, kernel):
        case = CASES[kernel]
        self.call = case.function("reference")
        self.operands = case.operands("float64", 1_000)
        self.call(*self.operands)

    def time_call(self, kernel):
        self.call(*self.operands)
