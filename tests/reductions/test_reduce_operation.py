"""Outputs of an operation that are reduced in the pass that computes them."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from vekt._kernels import ffi, lib

from vekt._core import native

TYPES = {
    "f2": lib.VEKT_TYPE_HALF,
    "f4": lib.VEKT_TYPE_F32,
    "f8": lib.VEKT_TYPE_F64,
    "u1": lib.VEKT_TYPE_U8,
    "i4": lib.VEKT_TYPE_I32,
}
REDUCE = {
    "stored": lib.VEKT_STORED,
    "sum": lib.VEKT_REDUCED_SUM,
    "max": lib.VEKT_REDUCED_MAX,
    "min": lib.VEKT_REDUCED_MIN,
}


def code(dtype):
    return TYPES[np.dtype(dtype).str[1:]]


class Operation:
    """An operation of a Python function of contiguous arrays, which returns new ones."""

    def __init__(self, isa, nin, nout, dtype, function):
        dtype = np.dtype(dtype)

        @ffi.callback(dict(ffi.typeof("vekt_operation").fields)["run"].type)
        def run(operation, args, advance, n):
            arrays = []
            for k in range(nin + nout):
                one = k < nin and advance[k] == 0
                buffer = ffi.buffer(args[k], dtype.itemsize * (1 if one else n))
                arrays.append(np.frombuffer(buffer, dtype))
            results = function(*arrays[:nin])
            for array, result in zip(arrays[nin:], results, strict=True):
                array[:] = result

        self.run = run
        fields = {"run": run, "nin": nin, "nout": nout, "cost": 2000}
        self.struct = ffi.new("vekt_operation *", fields)
        self.struct.type[0 : nin + nout] = [code(dtype)] * (nin + nout)
        self.target = native.TARGETS[isa]
        self.nin = nin

    def __call__(self, shape, inputs, outputs, reduce, divisors=()):
        """Run over operands, whose axes of length one are repeated or reduced."""
        call = ffi.new("vekt_reduction *")
        call.iteration.operation = self.struct
        call.iteration.ndim = len(shape)
        call.iteration.shape[0 : len(shape)] = shape
        for k, array in enumerate([*inputs, *outputs]):
            call.iteration.type[k] = code(array.dtype)
            call.iteration.data[k] = ffi.cast("char *", array.ctypes.data)
            steps = [
                0 if n == 1 else step if n else array.itemsize
                for n, step in zip(array.shape, array.strides, strict=True)
            ]
            call.iteration.step[k][0 : len(shape)] = steps
        for k, (what, divisor) in enumerate(itertools.zip_longest(reduce, divisors, fillvalue=0)):
            call.reduce[self.nin + k] = REDUCE[what]
            call.divisor[self.nin + k] = divisor
        assert lib.vekt_reduce_operation(self.target, call) == 0


def reduced_shape(shape, axes):
    return tuple(1 if d in axes else n for d, n in enumerate(shape))


def functions(x, y):
    """Three results, of which two have names in NumPy."""
    return x * y, x + y, np.maximum(x, y)


SHAPES = [
    (3,),
    (20_011,),
    (7, 9),
    (300, 70),
    (70, 300),
    (2, 9000),
    (9000, 2),
    (30, 40, 50),
    (5, 4, 3, 600),
]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_like_two_steps(isa, shape, dtype, rng):
    operation = Operation(isa, 2, 3, dtype, functions)
    for _ in range(6):
        axes = [tuple(d for d in range(len(shape)) if rng.random() < 0.6) for _ in range(5)]
        x = rng.integers(-9, 9, reduced_shape(shape, axes[3] if rng.random() < 0.5 else ()))
        y = rng.integers(-9, 9, reduced_shape(shape, axes[4] if rng.random() < 0.5 else ()))
        x, y = x.astype(rng.choice(["f4", "i4", dtype])), np.asfortranarray(y.astype(dtype))
        kinds = [str(rng.choice(list(REDUCE))) for _ in range(3)]
        for k, kind in enumerate(kinds):
            if kind == "stored":
                axes[k] = ()
        out = [np.full(reduced_shape(shape, a), 77, rng.choice(["f4", "f8"])) for a in axes[:3]]
        operation(shape, (x, y), out, kinds)
        wide = functions(*np.broadcast_arrays(x.astype("f8"), y.astype("f8"), np.empty(shape))[:2])
        for result, value, kind, a in zip(out, wide, kinds, axes, strict=False):
            full = np.broadcast_to(value, shape)
            expected = full if kind == "stored" else getattr(np, kind)(full, axis=a, keepdims=True)
            np.testing.assert_array_equal(result, expected)


@pytest.mark.parametrize("axes", [(0,), (1,), (0, 1)])
@pytest.mark.parametrize("shape", [(40_000, 20), (400, 2000), (3, 200_000)])
def test_accuracy(axes, shape, rng):
    operation = Operation(native.SELECTED, 1, 1, "f8", lambda x: (x * 3,))
    x = rng.normal(size=shape)
    out = np.empty(reduced_shape(shape, axes))
    n = x.size / out.size
    operation(shape, (x,), (out,), ["sum"], [n])
    wide = (x * 3).astype("g")
    error = np.abs(out - np.mean(wide, axis=axes, keepdims=True))
    assert np.all(error <= 1e-15 * np.mean(np.abs(wide), axis=axes, keepdims=True))
    other = np.abs(
        np.mean(x * 3, axis=axes, keepdims=True) - np.mean(wide, axis=axes, keepdims=True)
    )
    factor = 1.1 if out.size > 9 else 10  # one result's error is a matter of luck
    assert np.linalg.norm(error) <= factor * np.linalg.norm(other + np.spacing(np.abs(out)))


def test_equal_numbers(rng):
    operation = Operation(native.SELECTED, 1, 1, "f8", lambda x: (x,))
    x = np.full((2000, 900), 0.7)
    out = np.empty((1, 1))
    operation(x.shape, (x,), (out,), ["sum"])
    assert abs(out[0, 0] - np.longdouble(0.7) * x.size) <= 2 * np.spacing(out[0, 0])


def test_special_values(isa):
    operation = Operation(isa, 1, 3, "f8", lambda x: (x, x, x))
    x = np.array([[1.0, np.inf, 2.0], [np.nan, 1.0, 3.0], [-np.inf, np.inf, 1.0], [1.0, 2.0, 3.0]])
    out = [np.empty((4, 1)) for _ in range(3)]
    operation(x.shape, (x,), out, ["sum", "max", "min"])
    np.testing.assert_array_equal(out[0].ravel(), [np.inf, np.nan, np.nan, 6])
    np.testing.assert_array_equal(out[1].ravel(), [np.inf, np.nan, np.inf, 3])
    np.testing.assert_array_equal(out[2].ravel(), [1, np.nan, -np.inf, 1])


@pytest.mark.parametrize("shape", [(0, 3), (3, 0), (0, 0)])
def test_no_elements(shape):
    operation = Operation(native.SELECTED, 1, 4, "f4", lambda x: (x, x, x, x))
    out = [np.full(s, 9, "f4") for s in (shape, *[(1, shape[1])] * 3)]
    operation(shape, (np.empty(shape, "f4"),), out, ["stored", "sum", "max", "min"])
    if shape[1]:
        assert [float(x[0, 0]) for x in out[1:]] == [0, -np.inf, np.inf]


def test_types_in_memory(rng):
    operation = Operation(native.SELECTED, 1, 2, "f4", lambda x: (x, x))
    x = rng.integers(0, 255, (70, 90), "u1")
    out = [np.empty((70, 90), "f2"), np.zeros((1, 180), "f2")[:, ::2]]
    operation(x.shape, (x,), out, ["stored", "sum"], [0, 70])
    np.testing.assert_array_equal(out[0], x)
    np.testing.assert_array_equal(out[1], np.mean(x, 0, "f8", keepdims=True).astype("f2"))


def test_in_place(rng):
    operation = Operation(native.SELECTED, 1, 2, "f8", lambda x: (x + 1, x.copy()))
    x = rng.integers(0, 9, (500, 60)).astype("f8")
    before, total = x.copy(), np.empty((1, 60))
    operation(x.shape, (x,), (x, total), ["stored", "sum"])
    np.testing.assert_array_equal(x, before + 1)
    np.testing.assert_array_equal(total, before.sum(0, keepdims=True))


def test_same_bits_for_any_thread_count(rng, set_threads):
    operation = Operation(native.SELECTED, 1, 3, "f8", lambda x: (x, x * 2, x))
    x: Any = rng.normal(size=(1300, 300))
    results = []
    for threads in (1, 2, 5):
        set_threads(threads)
        out = [np.empty(s) for s in ((1, 300), (1300, 1), (1, 1))]
        operation(x.shape, (x,), out, ["sum", "sum", "sum"])
        results.append(b"".join(array.tobytes() for array in out))
    assert results[0] == results[1] == results[2]
