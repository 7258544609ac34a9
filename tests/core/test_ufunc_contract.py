"""The raw ufuncs keep NumPy's promises, on every instruction set.

One bridge serves all kernels: some of each signature and cost stand for the others here.  That
every kernel's bits depend on its operands alone is for test_accuracy.py.
"""

from __future__ import annotations

import pickle
import threading
import time
from itertools import product
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from operands import several

import vekt as vk
from vekt import ufuncs
from vekt._core import native

_ALIKE = ("exponential", "gelu", "leaky_relu", "log1mexp", "relu", "relu_general", "sigmoid")
_GATES = ("geglu", "swiglu")
NAMES = [
    kernel["name"]
    for kernel in native.kernels()
    if kernel["dtype"] == np.float32
    and (
        kernel["name"].removesuffix("_from_output").removesuffix("_backward") in (*_ALIKE, *_GATES)
        or kernel["name"].removesuffix("_value_and_grad") in ("relu_general", "sigmoid")
    )
]
FLOATS = ["float32", "float64"]
LENGTHS = [1, 2, 7, 8, 17, 64, 1000, 3001]


def inputs(ufunc: np.ufunc, shape: Any, dtype: Any, rng: np.random.Generator) -> list[np.ndarray]:
    return [rng.normal(0, 3, shape).astype(dtype) for _ in range(ufunc.nin)]


def assert_same(actual: Any, expected: Any) -> None:
    """Compare results of a ufunc: dtype, shape and bits."""
    assert len(several(actual)) == len(several(expected))
    for a, e in zip(several(actual), several(expected), strict=True):
        assert a.dtype == e.dtype
        assert_array_equal(a, e, strict=True)


def strided(values: np.ndarray, step: int) -> np.ndarray:
    """Lay the same values out with another step between them; 0 repeats the first."""
    n = len(values)
    if step == 0:
        return np.broadcast_to(values[:1], (n,))
    memory = np.full(n * abs(step), np.nan, values.dtype)
    view = memory[::step]
    view[:] = values
    return view


@pytest.mark.parametrize("name", NAMES)
class TestLayouts:
    """Any layout of the operands gives the bits of contiguous ones."""

    @pytest.mark.parametrize("dtype", [*FLOATS, "float16"])
    def test_strides_of_each_input(self, kernels, name, dtype, rng):
        ufunc = kernels[name]
        for n, step in product(LENGTHS, [-3, -1, 0, 2, 5]):
            operands = inputs(ufunc, n, dtype, rng)
            for j in range(ufunc.nin):
                mixed = list(operands)
                mixed[j] = strided(operands[j], step)
                assert_same(ufunc(*mixed), ufunc(*[x.copy() for x in mixed]))

    @pytest.mark.parametrize("dtype", [*FLOATS, "float16"])
    def test_strides_of_each_output(self, kernels, name, dtype, rng):
        ufunc = kernels[name]
        for n, step in product(LENGTHS, [-2, -1, 3]):
            operands = inputs(ufunc, n, dtype, rng)
            expected = several(ufunc(*operands))
            for j in range(ufunc.nout):
                memory = np.full(n * abs(step), 7, dtype)
                out: list[Any] = [None] * ufunc.nout
                out[j] = memory[::step]
                result = several(ufunc(*operands, out=tuple(out)))
                assert result[j] is out[j]
                assert_same(result, expected)
                out[j][:] = 7
                assert (memory == 7).all()  # nothing between the elements was written

    def test_transposed_and_broadcast(self, kernels, name, rng):
        ufunc = kernels[name]
        operands = inputs(ufunc, (5, 33), "float32", rng)
        operands[0] = np.asfortranarray(operands[0])
        operands[-1] = np.broadcast_to(operands[-1][:, :1], (5, 33))
        full = [np.ascontiguousarray(x) for x in operands]
        assert_same(ufunc(*operands), ufunc(*full))

    @pytest.mark.parametrize("dtype", FLOATS)
    def test_position_and_alignment(self, kernels, name, dtype, rng):
        """An element's bits do not depend on where it stands or how the array is aligned."""
        ufunc = kernels[name]
        operands = inputs(ufunc, 80, dtype, rng)
        expected = several(ufunc(*operands))
        for start in range(17):
            part = several(ufunc(*[x[start:] for x in operands]))
            assert_same(part, tuple(e[start:] for e in expected))

    @pytest.mark.parametrize("dtype", FLOATS)
    def test_misaligned(self, kernels, name, dtype, rng):
        ufunc = kernels[name]
        operands = inputs(ufunc, 40, dtype, rng)
        misaligned = []
        for x in operands:
            raw = np.empty(x.nbytes + 1, np.uint8)
            raw[1:] = x.view(np.uint8)
            misaligned.append(raw[1:].view(x.dtype))
            assert not misaligned[-1].flags.aligned
        assert_same(ufunc(*misaligned), ufunc(*operands))

    @pytest.mark.parametrize("dtype", FLOATS)
    def test_byte_order(self, kernels, name, dtype, rng):
        ufunc = kernels[name]
        operands = inputs(ufunc, 40, dtype, rng)
        swapped = [x.astype(x.dtype.newbyteorder()) for x in operands]
        expected = several(ufunc(*operands))
        assert_same(ufunc(*swapped), expected)
        out = tuple(np.empty(40, e.dtype.newbyteorder()) for e in expected)
        for result, e in zip(several(ufunc(*operands, out=out)), expected, strict=True):
            assert_array_equal(result, e)

    @pytest.mark.parametrize("dtype", FLOATS)
    def test_overlap_in_every_shift(self, kernels, name, dtype, rng):
        """An out that overlaps an input gives what separate memory would."""
        ufunc = kernels[name]
        memory = rng.normal(0, 3, 60).astype(dtype)
        for j in range(ufunc.nin):
            for shift in range(-20, 21):
                for step in (1, -1):
                    buffer = memory.copy()
                    operands = inputs(ufunc, 20, dtype, rng)
                    operands[j] = buffer[20:40]
                    expected = several(ufunc(*[x.copy() for x in operands]))
                    out = buffer[20 + shift : 40 + shift][::step]
                    rest = [np.empty_like(out) for _ in range(ufunc.nout - 1)]
                    assert_same(ufunc(*operands, out=(out, *rest)), expected)

    def test_zero_dimensional(self, kernels, name, rng):
        ufunc = kernels[name]
        operands = inputs(ufunc, (), "float32", rng)
        for result, e in zip(
            several(ufunc(*operands)), several(ufunc(*[x[None] for x in operands])), strict=True
        ):
            assert type(result) is np.float32
            assert_array_equal(result, e[0])
        out = tuple(np.empty((), "float32") for _ in range(ufunc.nout))
        assert several(ufunc(*operands, out=out))[0] is out[0]

    @pytest.mark.parametrize("shape", [(0,), (3, 0), (0, 5)])
    def test_empty(self, kernels, name, shape):
        ufunc = kernels[name]
        for result in several(ufunc(*[np.empty(shape, "float32")] * ufunc.nin)):
            assert result.shape == shape
            assert result.dtype == "float32"


@pytest.mark.parametrize("name", NAMES)
class TestArguments:
    """out, where, dtype, casting and subok mean what they mean for np.exp."""

    def test_out(self, kernels, name, rng):
        ufunc = kernels[name]
        operands = inputs(ufunc, 21, "float64", rng)
        expected = several(ufunc(*operands))
        out = tuple(np.empty(21) for _ in expected)
        for given in (ufunc(*operands, out=out), ufunc(*operands, *out)):
            assert all(r is o for r, o in zip(several(given), out, strict=True))
            assert_same(given, expected)

    def test_in_place(self, kernels, name, rng):
        ufunc = kernels[name]
        for j in range(ufunc.nin):
            operands = inputs(ufunc, 333, "float32", rng)
            expected = several(ufunc(*operands))
            rest = [np.empty(333, "float32") for _ in range(ufunc.nout - 1)]
            assert_same(ufunc(*operands, out=(operands[j], *rest)), expected)

    def test_out_of_wider_dtype(self, kernels, name, rng):
        ufunc = kernels[name]
        operands = inputs(ufunc, 21, "float32", rng)
        out = tuple(np.empty(21) for _ in range(ufunc.nout))
        for result, e in zip(
            several(ufunc(*operands, out=out)), several(ufunc(*operands)), strict=True
        ):
            assert result.dtype == "float64"
            assert_array_equal(result, e)  # computed in the inputs' dtype, then widened

    def test_where(self, kernels, name, rng):
        ufunc = kernels[name]
        operands = inputs(ufunc, 300, "float32", rng)
        expected = several(ufunc(*operands))
        mask = rng.random(300) < 0.5
        out = tuple(np.full(300, -5, "float32") for _ in expected)
        ufunc(*operands, out=out, where=mask)
        for result, e in zip(out, expected, strict=True):
            assert_array_equal(result[mask], e[mask])
            assert (result[~mask] == -5).all()

    def test_dtype(self, kernels, name, rng):
        ufunc = kernels[name]
        operands = inputs(ufunc, 9, "float64", rng)
        narrow = [x.astype("float32") for x in operands]
        assert_same(ufunc(*operands, dtype="float32"), ufunc(*narrow))
        wide = [x.astype("float64") for x in narrow]
        assert_same(ufunc(*narrow, dtype="float64"), ufunc(*wide))
        assert_same(
            ufunc(*narrow, signature="d" * ufunc.nin + "->" + "d" * ufunc.nout), ufunc(*wide)
        )

    def test_casting(self, kernels, name):
        ufunc = kernels[name]
        with pytest.raises(TypeError, match="[Cc]annot cast"):
            ufunc(*[np.ones(3)] * ufunc.nin, dtype="float32", casting="safe")
        with pytest.raises(TypeError, match="[Cc]annot cast"):
            ufunc(*[np.ones(3)] * ufunc.nin, out=(np.empty(3, int),) * ufunc.nout)

    def test_subclass(self, kernels, name):
        class Special(np.ndarray):
            pass

        ufunc = kernels[name]
        operands = [np.ones(3).view(Special)] * ufunc.nin
        assert all(type(r) is Special for r in several(ufunc(*operands)))
        assert all(type(r) is np.ndarray for r in several(ufunc(*operands, subok=False)))

    def test_array_ufunc(self, kernels, name):
        class Recorder:
            def __array_ufunc__(self, *args, **kwargs):
                return args, kwargs

        ufunc, recorder = kernels[name], Recorder()
        operands = (recorder,) * ufunc.nin
        assert ufunc(*operands, where=False) == ((ufunc, "__call__", *operands), {"where": False})


@pytest.mark.parametrize("name", NAMES)
class TestDtypes:
    """float16, float32 and float64 stay; integers and bool compute in float64."""

    def test_integers_and_bool(self, kernels, name):
        ufunc = kernels[name]
        for dtype in "?bBhHiIlLqQ":
            operands = [np.array([0, 1, 1, 0, 1], dtype)] * ufunc.nin
            assert_same(ufunc(*operands), ufunc(*[x.astype("float64") for x in operands]))

    @pytest.mark.parametrize("dtype", ["float16", *FLOATS])
    def test_python_scalars_are_weak(self, kernels, name, dtype):
        ufunc = kernels[name]
        x = np.array([-1.5, 0.5, 2], dtype)
        for scalar in (1, 0.5, True):
            operands = [x, *[scalar] * (ufunc.nin - 1)]
            arrays = [x, *[np.full(3, scalar, dtype)] * (ufunc.nin - 1)]
            assert_same(ufunc(*operands), ufunc(*arrays))
        for result in several(ufunc(*[0.5] * ufunc.nin)) + several(ufunc(*[1] * ufunc.nin)):
            assert type(result) is np.float64

    def test_mixed_floats_take_the_wider(self, kernels, name):
        ufunc = kernels[name]
        operands = [np.float32([0.5, 1]), *[np.float64([0.25, 2])] * (ufunc.nin - 1)]
        expected = "float32" if ufunc.nin == 1 else "float64"
        assert all(r.dtype == expected for r in several(ufunc(*operands)))

    def test_float16_is_float32_rounded_once(self, kernels, name, rng):
        ufunc = kernels[name]
        every = np.arange(2**16, dtype=np.uint16).view(np.float16)
        operands = [every, *[rng.permutation(every) for _ in range(ufunc.nin - 1)]]
        for result, e in zip(
            several(ufunc(*operands)),
            several(ufunc(*[x.astype("float32") for x in operands])),
            strict=True,
        ):
            assert result.dtype == "float16"
            with np.errstate(over="ignore"):
                assert_array_equal(result, e.astype("float16"))

    def test_other_dtypes_are_type_errors(self, kernels, name):
        ufunc = kernels[name]
        for dtype in ["O", "S3", "U3", "F", "D", "g", "M8[s]", "m8[s]", "V4"]:
            out = tuple(np.full(3, 7.0) for _ in range(ufunc.nout))
            with pytest.raises(TypeError, match=name):
                ufunc(*[np.zeros(3, dtype)] * ufunc.nin, out=out)
            assert all((o == 7).all() for o in out)


class TestProcess:
    """What the process notices of a call: nothing but the result."""

    @pytest.mark.parametrize("name", NAMES)
    @pytest.mark.parametrize("dtype", ["float16", *FLOATS, "int32"])
    def test_no_floating_point_errors(self, kernels, name, dtype):
        ufunc = kernels[name]
        special = np.array([0, 1, 127])
        if np.dtype(dtype).kind == "f":
            info = np.finfo(dtype)
            special = [
                np.inf,
                -np.inf,
                np.nan,
                0.0,
                -0.0,
                info.max,
                info.min,
                info.tiny,
                info.smallest_subnormal,
                -info.tiny,
                -info.smallest_subnormal,
                1,
                -90,
            ]
        grid = np.meshgrid(*[np.array(special, dtype)] * min(ufunc.nin, 3))
        operands = [grid[j % 3].ravel() for j in range(ufunc.nin)]
        with np.errstate(all="raise"):
            ufunc(*operands)
            ufunc(*[x[::2] for x in operands])

    def test_pickle(self):
        for name in NAMES:
            ufunc = getattr(vk.ufuncs, name)
            for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
                assert pickle.loads(pickle.dumps(ufunc, protocol)) is ufunc

    def test_names(self, kernels):
        assert set(kernels) == {kernel["name"] for kernel in native.kernels()} > set(NAMES)
        assert all(ufunc.__name__ == name for name, ufunc in kernels.items())

    def test_isas_of_one_algorithm_agree(self, rng):
        """With fused multiply-add in hardware, one source gives one answer."""
        fused = [isa for isa in ("x86_v4", "x86_v3", "neon") if isa in native.SUPPORTED]
        built = [ufuncs.build_ufuncs(isa) for isa in fused]
        for dtype in FLOATS:
            for name in NAMES:
                operands = inputs(built[0][name], 5000, dtype, rng)
                for other in built[1:]:
                    assert_same(other[name](*operands), built[0][name](*operands))

    def test_releases_the_gil(self, kernels):
        """While one thread computes, the other one goes on."""
        x = np.linspace(-5, 5, 1 << 22)
        span = []

        def compute() -> None:
            span.append(time.perf_counter())
            for _ in range(4):
                kernels["gelu"](x, out=out)
            span.append(time.perf_counter())

        out = np.empty_like(x)
        ticks = []
        with vk.num_threads(1):
            thread = threading.Thread(target=compute)
            thread.start()
            while thread.is_alive():
                ticks.append(time.perf_counter())
            thread.join()
        gaps = np.diff([t for t in ticks if span[0] < t < span[1]])
        assert len(gaps) > 100
        # Holding the GIL would show as four gaps that fill the whole span.
        assert gaps.max() < (span[1] - span[0]) / 4
