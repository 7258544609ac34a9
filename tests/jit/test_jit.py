"""The Numba twins: accuracy, manners from Python, and use inside compiled functions."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numba import njit, prange
from numba.core.errors import TypingError
from numpy.testing import assert_array_equal
from oracle import around_roots, example_params, in_domain, kinks, sample

from vekt import jit, reference
from vekt._spec.activations import KERNELS, OPS
from vekt._spec.spec import Kernel, Spec
from vekt.jit._kernels import RAW

FLOATS = ["float32", "float64"]
by_dtype = pytest.mark.parametrize("dtype", FLOATS)
by_kernel = pytest.mark.parametrize("kernel", KERNELS.values(), ids=lambda kernel: kernel.name)
# One of each kind, as each call from Python takes seconds to compile: test_accuracy has them all.
SOME = ("sigmoid", "relu", "hard_tanh", "elu", "gelu", "softplus")
by_name = pytest.mark.parametrize("op", [OPS[name] for name in SOME], ids=lambda op: op.name)


def inputs(kernel: Kernel, dtype: str) -> np.ndarray:
    special = np.array([np.inf, -np.inf, np.nan], dtype)
    return np.concatenate([sample(dtype, 20_000), around_roots(kernel, dtype), special])


@by_dtype
@by_kernel
def test_accuracy(kernel: Kernel, dtype: str) -> None:
    x, params = inputs(kernel, dtype), example_params(kernel)
    value, gradient = RAW[kernel.name + "_value_and_grad"](x, *params)
    assert value.dtype == gradient.dtype == dtype
    error = reference.ulp_error(value, reference.wide(kernel.name, x, *params))
    assert error.max() <= kernel.jit_max_ulp[dtype]
    wide = reference.wide_gradient(kernel.name, x, *params)
    error = reference.ulp_error(gradient, wide)
    if dtype == "float64":
        for root in kernel.roots:
            near = (x >= float(root) - kernel.root_radius) & (x <= float(root) + kernel.root_radius)
            assert np.abs(gradient - wide)[near].max() <= 2.0**-52
            error = error[~near]
    assert error.max() <= kernel.jit_gradient_max_ulp[dtype]


@by_dtype
@by_kernel
def test_kernels_are_consistent(kernel: Kernel, dtype: str) -> None:
    x, params = inputs(kernel, dtype), example_params(kernel)
    dy = np.random.default_rng(5).normal(size=x.size).astype(dtype)
    value, gradient = RAW[kernel.name + "_value_and_grad"](x, *params)
    assert_array_equal(value, RAW[kernel.name](x, *params), strict=True)
    with np.errstate(over="ignore"):
        product = dy * gradient
    result = RAW[kernel.name + "_backward"](dy, x, *params)
    if kernel.name == "exponential":  # which has more digits beside derivatives out of range
        usual = (gradient >= np.finfo(dtype).tiny) & np.isfinite(gradient)
        result, product = result[usual], product[usual]
    assert_array_equal(result, product, strict=True)
    for at, slope in kinks(kernel, params):
        assert RAW[kernel.name + "_value_and_grad"](np.array([at], dtype), *params)[1] == slope


@by_dtype
@pytest.mark.parametrize("name", [n for n, k in KERNELS.items() if k.from_output is not None])
def test_from_output(name: str, dtype: str) -> None:
    params, x = example_params(KERNELS[name]), in_domain(KERNELS[name], sample(dtype, 1000))
    with np.errstate(over="ignore"):
        y = reference.wide(name, x, *params).astype(dtype)
    got = getattr(jit, f"{name}_backward_from_output")(np.ones_like(y), y, *params)
    error = reference.ulp_error(got, reference.wide_from_output(name, y, *params))
    assert error.max() <= {"float32": 1, "float64": 4}[dtype]


@by_name
def test_from_python_as_the_reference(op: Spec) -> None:
    """Shapes, layouts, dtypes and scalars; the results may differ in their last bits."""
    rng = np.random.default_rng(6)
    wide = rng.normal(size=(4, 6))
    for x in (
        wide,
        wide.astype("f4"),
        wide.T,
        wide[::2, ::-3],
        wide.astype(">f8"),
        wide.astype("f2"),
        np.arange(-3, 4),
        np.array([True, False]),
        np.empty((0, 3), "f4"),
        np.array(1.5),
        np.float32(1.5),
        -1.5,
        2,
        [[1.0, -2.0]],
    ):
        got, expected = getattr(jit, op.name)(x), getattr(reference, op.name)(x)
        assert type(got) is type(expected)
        assert got.dtype == expected.dtype
        assert got.shape == expected.shape
        np.testing.assert_allclose(got, expected, rtol=1e-6)
    column, row = wide[:, :1], wide[0]
    got = getattr(jit, f"{op.name}_backward")(column, row)
    expected = getattr(reference, f"{op.name}_backward")(column, row)
    np.testing.assert_allclose(got, expected, rtol=1e-13)


def test_options() -> None:
    x = np.linspace(-2, 2, 5)
    expected = jit.gelu(x)
    out = np.full(5, 7.0)
    assert jit.gelu(x, out=out) is out
    assert_array_equal(out, expected)
    out[:] = 7.0
    jit.gelu(x, out=out, where=[True] * 4 + [False])
    assert_array_equal(out, [*expected[:4], 7.0])
    assert jit.gelu(x, dtype=np.float32).dtype == np.float32
    assert jit.gelu(x.astype("f4"), out=out) is out
    overlapping = np.linspace(-2, 2, 6)
    jit.gelu(overlapping[:5], out=overlapping[1:])
    assert_array_equal(overlapping[1:], jit.gelu(np.linspace(-2, 2, 6)[:5]))
    read_only = x.copy()
    read_only.flags.writeable = False
    assert_array_equal(jit.gelu(read_only), expected)


def test_parameters() -> None:
    x = np.linspace(-2, 2, 5, dtype="f4")
    assert_array_equal(jit.relu(x, 0.1, 1.5, 0.5), reference.relu(x, 0.1, 1.5, 0.5), strict=True)
    slopes = np.linspace(0, 1, 5)
    assert jit.leaky_relu(x, 0.1).dtype == np.float32
    assert jit.leaky_relu(x, slopes).dtype == np.float64
    assert jit.leaky_relu(x, slopes[:, None].astype("f4")).shape == (5, 5)
    assert jit.leaky_relu(x, np.float64(0.1)).dtype == np.float64


@pytest.mark.parametrize(
    ("error", "call"),
    [
        (TypeError, lambda x: jit.gelu("1")),
        (TypeError, lambda x: jit.gelu(x * 1j)),
        (TypeError, lambda x: jit.gelu([object()])),
        (TypeError, lambda x: jit.gelu(x.astype(np.longdouble))),
        (TypeError, lambda x: jit.gelu(x, "tanh")),
        (TypeError, lambda x: jit.gelu(x, dtype="i4")),
        (TypeError, lambda x: jit.gelu(x, out=[0.0] * 3)),
        (TypeError, lambda x: jit.gelu(x, out=np.zeros(3, int))),
        (ValueError, lambda x: jit.gelu(x, out=np.zeros(2))),
        (ValueError, lambda x: jit.gelu_backward(x[:2], x)),
        (ValueError, lambda x: jit.leaky_relu(x, x[:2])),
        (TypeError, lambda x: jit.relu(x, None)),
        (ValueError, lambda x: jit.dot(x, x[:2])),
        (TypeError, lambda x: jit.dot(x, x.astype(str))),
    ],
)
def test_bad_input(error: type[Exception], call: Any) -> None:
    with pytest.raises(error):
        call(np.ones(3))


def test_in_compiled_functions() -> None:
    @njit
    def everything(x, dy, slope, approximate):  # type: ignore[no-untyped-def]
        return (
            jit.sigmoid(x),
            jit.gelu(x),
            jit.gelu(x, approximate),
            jit.gelu(x, approximate=True),
            jit.relu(x),
            jit.relu(x, slope),
            jit.relu(x, max_value=1.5, threshold=0.5),
            jit.relu(x, 0.0, None),
            jit.leaky_relu_backward(dy, x, slope),
            jit.tanh_backward_from_output(dy, x),
            jit.gelu_value_and_grad(x)[1],
        )

    x = np.linspace(-2, 2, 12).reshape(3, 4)
    dy, slopes = np.ones(4), np.array([[0.1], [0.2], [0.3]])
    expected = (
        jit.sigmoid(x),
        jit.gelu(x),
        jit.gelu(x, True),
        jit.gelu(x, True),
        jit.relu(x),
        jit.relu(x, slopes),
        jit.relu(x, max_value=1.5, threshold=0.5),
        jit.relu(x),
        jit.leaky_relu_backward(dy, x, slopes),
        jit.tanh_backward_from_output(dy, x),
        jit.gelu_value_and_grad(x)[1],
    )
    for got, want in zip(everything(x, dy, slopes, True), expected, strict=True):
        assert_array_equal(got, want, strict=True)
    single = everything(np.float32(1.0), np.float32(1.0), 0.1, False)
    assert single[1] == jit.gelu(np.float32(1.0))
    assert single[4] == 1.0


def test_scalars_in_parallel_loops_with_fastmath() -> None:
    @njit(parallel=True, fastmath=True)
    def loop(x, out):  # type: ignore[no-untyped-def]
        for i in prange(x.size):
            out[i] = jit.gelu(x[i], True)

    x = np.linspace(-30, 10, 1001)
    out = np.empty_like(x)
    loop(x, out)
    error = reference.ulp_error(out, reference.wide("gelu_tanh", x))
    assert error.max() <= KERNELS["gelu_tanh"].jit_max_ulp["float64"]


def test_wrong_types_in_compiled_functions() -> None:
    @njit
    def run(x):  # type: ignore[no-untyped-def]
        return jit.gelu(x)

    with pytest.raises(TypingError, match="gelu"):
        run("text")
    with pytest.raises(TypingError, match="complex128"):
        run(np.ones(2, complex))


@by_dtype
def test_dot(dtype: str) -> None:
    rng = np.random.default_rng(7)
    for size in (0, 1, 3, 64, 1001):
        x, y = rng.normal(size=(2, size)).astype(dtype)
        bound = size * np.finfo("f8").eps * np.abs(x.astype("f8") * y).sum()
        bound += np.finfo(dtype).eps * abs(float(reference.dot(x, y)))
        got = jit.dot(x, y)
        assert got.dtype == dtype
        assert abs(float(got) - float(reference.dot(x, y))) <= bound
        assert abs(float(jit.dot(x[::-1], y[::-1])) - float(got)) <= bound
    assert jit.dot([1, 2], [3, 4]) == 11.0
    assert np.isnan(jit.dot([np.nan, 1.0], [1.0, 1.0]))
    assert jit.dot([np.inf, 1.0], [1.0, 1.0]) == np.inf
    out = np.zeros((), dtype)
    assert jit.dot(np.ones(3, dtype), np.ones(3, dtype), out=out) is out
    assert out == 3.0

    @njit
    def compiled(x, y):  # type: ignore[no-untyped-def]
        return jit.dot(x, y)

    x = np.ones(10, dtype)
    assert compiled(x, x) == 10.0
    with pytest.raises(ValueError, match="equal length"):
        compiled(x, x[:3])


def test_gil_is_released() -> None:
    x = np.full(3_000_000, 0.5)
    jit.gelu(x[:10])
    ticks, done = 0, threading.Event()

    def work() -> None:
        jit.gelu(x)
        done.set()

    worker = threading.Thread(target=work)
    worker.start()
    while not done.is_set():
        ticks += 1
        time.sleep(0)
    worker.join()
    assert ticks > 10


def test_cache_serves_the_next_process(tmp_path: Path) -> None:
    program = (
        "import numpy as np\n"
        "from vekt import jit\n"
        "from vekt.jit._kernels import RAW\n"
        "jit.gelu(np.ones(3)), jit.sigmoid(np.ones(3)), jit.dot(np.ones(3), np.ones(3))\n"
        "run = RAW['gelu'].__closure__\n"
        "entry = next(c.cell_contents for c in run if hasattr(c.cell_contents, 'stats'))\n"
        "print(sum(entry.stats.cache_hits.values()))\n"
    )
    hits = []
    for _ in range(2):
        done = subprocess.run(
            [sys.executable, "-c", program],
            env={"NUMBA_CACHE_DIR": str(tmp_path), "PATH": ""},
            capture_output=True,
            text=True,
            check=True,
        )
        hits.append(int(done.stdout))
    assert hits == [0, 1]


def test_nothing_is_compiled_at_import() -> None:
    program = (
        "import vekt.jit._kernels as k\n"
        "cells = [c.cell_contents for raw in k.RAW.values() for c in raw.__closure__]\n"
        "entries = [c for c in cells if hasattr(c, 'signatures')]\n"
        "assert len(entries) == len(k.RAW)\n"
        "assert not any(e.signatures for e in entries)\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
