"""Every kernel of the registry: dtype, size and namespace."""

from __future__ import annotations

from vekt import ufuncs
from vekt._gate_ops import GATE_KERNELS

from .common import CASES, DTYPES, NAMESPACES, SIZES, refuse_gaps

refuse_gaps(ufuncs.__all__, [*CASES, *GATE_KERNELS])  # bench_gates.py has those

# A sample works through this many elements in calls of `size`, so that sizes compare at a glance:
# a call of 1,000 elements alone would be too short for the clock.
ELEMENTS = 10_000_000


class TimeKernels:
    """Ten million elements in calls of `size`; results are allocated, in all namespaces alike."""

    params = (tuple(CASES), DTYPES, SIZES, NAMESPACES)
    param_names = ("kernel", "dtype", "size", "namespace")
    version = "1"

    def setup(self, kernel, dtype, size, namespace):
        case = CASES[kernel]
        self.call = case.function(namespace)
        self.operands = case.operands(dtype, size)
        self.calls = range(ELEMENTS // size)
        self.call(*self.operands)

    def time_call(self, kernel, dtype, size, namespace):
        call, operands = self.call, self.operands
        for _ in self.calls:
            call(*operands)


class TimeOut:
    """Ten million elements into a given array: the kernel and the memory alone."""

    params = (tuple(name for name in CASES if not name.endswith("_value_and_grad")), DTYPES)
    param_names = ("kernel", "dtype")
    version = "1"

    def setup(self, kernel, dtype):
        case = CASES[kernel]
        self.call = case.function("vekt")
        self.operands = case.operands(dtype, ELEMENTS)
        self.out = self.call(*self.operands)

    def time_call(self, kernel, dtype):
        self.call(*self.operands, out=self.out)


class TimeReference:
    """The oracle is slow and allowed to be: one call of a thousand elements."""

    params = (tuple(CASES), DTYPES)
    param_names = ("kernel", "dtype")
    version = "1"

    def setup(self, kernel, dtype):
        case = CASES[kernel]
        self.call = case.function("reference")
        self.operands = case.operands(dtype, 1_000)
        self.call(*self.operands)

    def time_call(self, kernel, dtype):
        self.call(*self.operands)
