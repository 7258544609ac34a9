"""softmax and its kin: accuracy on every instruction set, special values, gradients, dtypes."""

from __future__ import annotations

import inspect
import pickle
import warnings
from typing import Any

import numpy as np
import pytest
from mpmath import mp
from numpy.testing import assert_array_equal

import vekt as vk
from vekt import jit, reference
from vekt._core import native
from vekt._spec.row_functions import row_functions
from vekt._spec.rows import ROW_OPS
from vekt.reference import ulp_error, wide_rows

DTYPES = ("float32", "float64")
LENGTHS = (1, 2, 3, 4, 5, 10, 16, 17, 63, 64, 65, 100, 127, 1000, 4099)
FORWARD = tuple(ROW_OPS)
ROUNDING = {"float32": 2.0**-24, "float64": 2.0**-53}
LOGSUMEXP_ROOT = {"float32": 2.0**-24, "float64": 2.0**-53}


@pytest.fixture
def fs(isa: str) -> dict[str, Any]:
    """Return the public functions over one instruction set."""
    return row_functions(native.build("rows", isa), "vekt.rows")


def inputs(rng, dtype, count, n):
    """Rows of every spread; some with ties, some far from 0, some that underflow."""
    size = rng.choice([0.01, 1, 30, 300], (count, 1)) * (4 if dtype == "float64" else 1)
    x = rng.standard_normal((count, n)) * size + rng.choice([0, 0, -300, 1e4], (count, 1))
    x[::7] = np.round(x[::7])
    return x.astype(dtype)


def bits(a):
    """Return the bits, of a NaN only that it is one: its sign says nothing."""
    a = np.where(np.isnan(a), np.array(np.nan, a.dtype), a)
    return np.ascontiguousarray(a).view(f"u{a.itemsize}")


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("n", LENGTHS)
@pytest.mark.parametrize("name", ["softmax", "softmin", "log_softmax", "sparsemax"])
def test_accuracy(fs, name, dtype, n, rng):
    x = inputs(rng, dtype, max(6, min(400, 20_000 // n)), n)
    y = fs[name](x)
    assert y.dtype == x.dtype
    true = wide_rows(name, x)
    # Just above tau little is left of the reference's own digits.
    lost = np.abs(y - true) <= (ROUNDING[dtype] * 2.0**-9 if name == "sparsemax" else 0)
    assert np.where(lost, 0, ulp_error(y, true)).max() <= 2


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("n", LENGTHS)
def test_accuracy_of_logsumexp(fs, dtype, n, rng):
    x = inputs(rng, dtype, max(6, min(400, 20_000 // n)), n)
    y, true = fs["logsumexp"](x), wide_rows("logsumexp", x)
    near_root = abs(y - true) <= LOGSUMEXP_ROOT[dtype]
    assert np.where(near_root, 0, ulp_error(y, true)).max() <= 1


@pytest.mark.parametrize("dtype", DTYPES)
def test_long_rows(fs, dtype, rng):
    for x in (rng.standard_normal(100_000), np.zeros(100_000), rng.uniform(-1, 0, 100_000)):
        x = x.astype(dtype)
        for name in ("softmax", "log_softmax"):
            assert ulp_error(fs[name](x), wide_rows(name, x)).max() <= 2


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("n", [1, 2, 5, 10, 64, 65, 1000])
@pytest.mark.parametrize("name", ["softmax", "softmin", "log_softmax", "sparsemax"])
def test_accuracy_of_gradients(fs, name, dtype, n, rng):
    count = max(4, min(200, 10_000 // n))
    x = (rng.standard_normal((count, n)) * rng.choice([0.1, 1, 5], (count, 1))).astype(dtype)
    dy = rng.standard_normal((count, n)).astype(dtype)
    y = fs[name](x)
    dx, true = fs[f"{name}_backward"](dy, y), wide_rows(f"{name}_backward", dy, y)
    error = np.abs(dx - true)
    if name == "log_softmax":
        part = np.exp(y) * np.abs(dy.astype(float).sum(-1, keepdims=True))
        assert (error <= 4 * ROUNDING[dtype] * (np.abs(dy) + part)).all()
    else:
        # Where dy - sum cancels, what is left is the error of the sums.
        scale = (1 if name == "sparsemax" else np.abs(y)) * np.abs(dy).max()
        cancelled = error <= scale * {"float32": 2.0**-44, "float64": 2.0**-61}[dtype]
        assert np.where(cancelled, 0, ulp_error(dx, true)).max() <= 2.5


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("n", [1, 3, 10, 100])
def test_gradient_of_logsumexp(fs, dtype, n, rng):
    x = rng.standard_normal((50, n)).astype(dtype)
    dy = rng.standard_normal(50).astype(dtype)
    true = wide_rows("logsumexp_backward", dy, x)
    assert ulp_error(fs["logsumexp_backward"](dy, x), true).max() <= 2.5
    kept = fs["logsumexp_backward"](dy[:, np.newaxis], x, keepdims=True)
    assert_array_equal(kept, fs["logsumexp_backward"](dy, x))


def test_gradients_are_those_of_the_functions(rng):
    x, dy = rng.standard_normal((2, 3, 6))
    step = 1e-6
    for op in ROW_OPS.values():
        value, gradient = (getattr(reference, name) for name in op.public_names)
        weights = dy[:, 0] if op.reduces else dy
        dx = gradient(weights, x if op.reduces else value(x))
        for i in np.ndindex(x.shape):
            shift = np.zeros_like(x)
            shift[i] = step
            slope = ((value(x + shift) - value(x - shift)) * weights).sum() / (2 * step)
            assert abs(slope - dx[i]) < 1e-8


@pytest.mark.parametrize("dtype", DTYPES)
def test_reference_against_mpmath(dtype, rng):
    bound = {"float32": 2.0**-24, "float64": 2.0**-8}[dtype]  # ULP of the dtype
    for scale, n in ((0.1, 7), (3, 20), (100, 10)):
        x = (rng.standard_normal(n) * scale).astype(dtype)
        with mp.workdps(250):  # log of a sum that is nearly 1
            exact = [mp.mpf(float(v)) for v in x]
            total = mp.fsum(mp.exp(v) for v in exact)
            expected = {
                "softmax": [mp.exp(v) / total for v in exact],
                "log_softmax": [v - mp.log(total) for v in exact],
                "logsumexp": [mp.log(total)],
                "sparsemax": sparsemax_of(exact),
            }
            for name, true in expected.items():
                got = np.atleast_1d(wide_rows(name, x))
                for value, t in zip(got, true, strict=True):
                    high, low = float(value), float(value - np.longdouble(float(value)))
                    unit = np.spacing(np.abs(np.dtype(dtype).type(high)))
                    if name == "sparsemax":  # tau's rounding
                        unit = max(unit, ROUNDING[dtype])
                    assert abs(mp.mpf(high) + mp.mpf(low) - t) <= bound * float(unit), name


def sparsemax_of(x):
    ordered = sorted(x, reverse=True)
    support = [k for k in range(1, len(x) + 1) if 1 + k * ordered[k - 1] > mp.fsum(ordered[:k])]
    tau = (mp.fsum(ordered[: support[-1]]) - 1) / support[-1]
    return [max(v - tau, mp.mpf(0)) for v in x]


def test_log_softmax_at_the_maximum(fs):
    """Every digit where the result is close to 0: scipy#19521."""
    for dtype, below in (("float32", [20, 50, 100]), ("float64", [20, 50, 300, 700])):
        for distance in below:
            y = fs["log_softmax"](np.array([distance, 0], dtype))
            expected = -np.log1p(np.exp(-np.longdouble(distance)))
            assert ulp_error(y[:1], expected.reshape(1)).max() <= 2


INF, NAN = np.inf, np.nan
THIRD = -np.log(3)
SPECIAL = [
    # x, softmax, log_softmax, logsumexp
    ([INF], [1], [0], INF),
    ([-INF], [0], [-INF], -INF),
    ([INF, 1, -INF], [1, 0, 0], [0, -INF, -INF], INF),
    ([INF, 1, INF, INF], [1 / 3, 0, 1 / 3, 1 / 3], [THIRD, -INF, THIRD, THIRD], INF),
    ([-INF, -INF], [0, 0], [-INF, -INF], -INF),
    ([-INF, 0, -INF], [0, 1, 0], [-INF, 0, -INF], 0),
    ([NAN, 1], [NAN, NAN], [NAN, NAN], NAN),
    ([NAN, INF], [NAN, NAN], [NAN, NAN], NAN),
    ([NAN, -INF], [NAN, NAN], [NAN, NAN], NAN),
    ([-0.0], [1], [0], 0),
    ([1e30, -1e30], [1, 0], [0, -2e30], 1e30),
    ([-1e30, -1e30], [0.5, 0.5], [-np.log(2), -np.log(2)], -1e30),
]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("padding", [0, 3, 80, 200])
@pytest.mark.parametrize(("x", "softmax", "log_softmax", "logsumexp"), SPECIAL)
def test_special_values(fs, dtype, padding, x, softmax, log_softmax, logsumexp):
    """Masked padding takes the rows through every mode, and changes nothing."""
    kind = np.dtype(dtype).type
    x = np.array(x + [7] * padding, dtype)
    where = np.arange(x.size) < x.size - padding
    rows = np.stack([x, np.zeros_like(x), x])
    for operand, out in ((x, np.s_[:]), (rows, np.s_[2])):
        soft = fs["softmax"](operand, where=where)[out]
        least = fs["softmin"](-operand, where=where)[out]
        sparse = fs["sparsemax"](operand, where=where)[out]
        log = fs["log_softmax"](operand, where=where)[out]
        total = fs["logsumexp"](operand, where=where).reshape(-1)[-1]
        expected = np.array(softmax + [NAN if NAN in softmax else 0] * padding, dtype)
        if not padding or NAN not in softmax:
            assert_array_equal(soft, expected)
        assert np.isnan(soft).any() == (NAN in softmax)
        assert_array_equal(bits(least), bits(soft))
        assert ulp_error(sparse, soft).max() <= 1
        n = len(log_softmax)
        assert ulp_error(log[:n], np.array(log_softmax, np.longdouble)).max() <= 1
        assert_array_equal(total, kind(logsumexp))
        if padding and NAN not in softmax:
            assert (log[n:] == -INF).all()


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_reference_gives_the_same_special_values(fs, dtype, rng):
    specials = np.array([INF, -INF, NAN, 0, -0.0, 1, -1, 1e30, -1e30], dtype)
    x = rng.choice(specials, (400, 5), p=[0.1, 0.2, 0.05, *[0.65 / 6] * 6])
    for name in FORWARD:
        got, expected = fs[name](x), getattr(reference, name)(x)
        assert_array_equal(np.isnan(got), np.isnan(expected))
        finite = np.isfinite(expected)
        assert_array_equal(got[~finite], expected[~finite])
        assert np.allclose(got[finite], expected[finite], rtol=1e-6)


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_only_element_that_counts_gets_1(fs, dtype, rng):
    x = (rng.standard_normal(300) * 100).astype(dtype)
    assert (fs["softmax"](x[:, np.newaxis]) == 1).all()
    for n in (2, 10, 65, 300):
        rows = np.tile(x[:, np.newaxis], n)
        rows[:, 1:] -= 100
        y = fs["softmax"](rows)
        assert (y[:, 0] == 1).all()
        assert (y[:, 1:] < 1e-40).all()


@pytest.mark.parametrize("dtype", DTYPES)
def test_every_size_of_maximum(fs, dtype, rng):
    """What is subtracted from a row depends on its maximum; each case borders on the next."""
    limit = {"float32": 110, "float64": 750}[dtype]
    edges = np.array([-2 * limit, -limit, -64, 0, 64, 174, limit, 2 * limit, 1e5])
    top = np.concatenate([edges, np.nextafter(edges.astype(dtype), -1e9), edges + 1, edges - 9])
    x = top[:, np.newaxis] - rng.uniform(0, 1.1 * limit, (top.size, 20))
    x[:, 3] = top
    for name in ("softmax", "log_softmax"):
        y, true = fs[name](x.astype(dtype)), wide_rows(name, x.astype(dtype))
        assert ulp_error(y, true).max() <= 2
    assert_array_equal(bits(fs["softmin"](-x.astype(dtype))), bits(fs["softmax"](x.astype(dtype))))


def test_no_elements(fs):
    for shape in ((0,), (3, 0), (0, 3), (2, 0, 3)):
        x = np.empty(shape, "float32")
        for name in ("softmax", "softmin", "log_softmax", "sparsemax"):
            assert fs[name](x).shape == shape
            assert fs[f"{name}_backward"](x, x).shape == shape
        total = fs["logsumexp"](x)
        assert total.shape == shape[:-1]
        assert (total == -INF).all()
    assert fs["logsumexp"](np.empty((0, 4))).shape == (0,)
    assert fs["logsumexp"](np.empty(0)) == -INF


def test_gradients_where_the_output_is_constant(fs):
    """Masked places have y = 0 or -inf: what is in dy there, NaN too, counts for nothing."""
    y, dy = np.array([0.5, 0, 0.5, 0]), np.array([1, NAN, 0, INF])
    assert_array_equal(fs["softmax_backward"](dy, y), [0.25, 0, -0.25, 0])
    assert_array_equal(fs["softmin_backward"](dy, y), [-0.25, 0, 0.25, 0])
    assert_array_equal(fs["sparsemax_backward"](dy, y), [0.5, 0, -0.5, 0])
    dx = fs["log_softmax_backward"](dy, np.log(y, out=np.full(4, -INF), where=y > 0))
    assert_array_equal(dx, [0.5, 0, -0.5, 0])
    for name in ("softmax", "softmin", "sparsemax"):
        assert_array_equal(fs[f"{name}_backward"](dy, np.zeros(4)), np.zeros(4))


def test_sparsemax_support(fs, rng):
    for n in (5, 64, 65, 1000):
        x = rng.standard_normal((50, n))
        y = fs["sparsemax"](x)
        assert_array_equal(y > 0, wide_rows("sparsemax", x) > 0)
        assert np.allclose(y.sum(-1), 1, rtol=1e-14)
    assert_array_equal(fs["sparsemax"](np.array([3.0, 1.0, 2.0])), [1, 0, 0])
    assert_array_equal(fs["sparsemax"](np.full(4, 1e5)), [0.25] * 4)


@pytest.mark.parametrize("n", [7, 64, 65, 300])
def test_same_bits_on_instruction_sets_with_fma(n, rng):
    wide = [isa for isa in native.SUPPORTED if isa in ("x86_v4", "x86_v3", "neon")]
    for dtype in DTYPES:
        x, dy = inputs(rng, dtype, 40, n), rng.standard_normal((40, n)).astype(dtype)
        for op in ROW_OPS.values():
            results = []
            for isa in wide:
                fs = row_functions(native.build("rows", isa), "vekt.rows")
                y = fs[op.name](x)
                gradient = fs[op.public_names[1]]
                results.append((bits(y), bits(gradient(*((y, x) if op.reduces else (dy, y))))))
            for result in results[1:]:
                assert_array_equal(result[0], results[0][0])
                assert_array_equal(result[1], results[0][1])


@pytest.mark.parametrize("kind", ["float16", "bfloat16"])
def test_sixteen_bits(fs, kind, rng):
    dtype = np.dtype("float16")
    if kind == "bfloat16":
        dtype = np.dtype(pytest.importorskip("ml_dtypes").bfloat16)
    for shape, axis in (((30, 10), -1), ((30, 100), -1), ((40, 100), 0), ((100, 30), 0)):
        x, dy = rng.standard_normal((2, *shape)).astype(dtype)
        single, dy_single = x.astype("float32"), dy.astype("float32")
        for op in ROW_OPS.values():
            got, expected = fs[op.name](x, axis), fs[op.name](single, axis)
            assert got.dtype == dtype
            assert_array_equal(bits(got), bits(expected.astype(dtype)))
            gradient = fs[op.public_names[1]]
            if op.reduces:
                operands, wider = (got, x), (got.astype("float32"), single)
            else:
                operands, wider = (dy, got), (dy_single, got.astype("float32"))
            got = gradient(*operands, axis)
            assert_array_equal(bits(got), bits(gradient(*wider, axis).astype(dtype)))


def test_dtypes(fs):
    x = np.array([1, 2, 4])
    for kind in ("bool", "i1", "u1", "i4", "u8"):
        assert fs["softmax"](x.astype(kind)).dtype == "float64"
    assert fs["softmax"]([1.0, 2.0]).dtype == "float64"
    assert_array_equal(fs["softmax"](x, dtype="f4"), fs["softmax"](x.astype("f4")))
    assert fs["softmax"](x.astype("f8"), dtype=np.float16).dtype == "float16"
    assert type(fs["logsumexp"](x.astype("f4"))) is np.float32
    mixed = fs["softmax_backward"](x.astype("f4"), fs["softmax"](x))
    assert mixed.dtype == "float64"
    assert fs["logsumexp_backward"](1.0, x.astype("f4")).dtype == "float32"


def test_no_warning_and_the_environment_stays(fs, rng):
    x = np.concatenate([inputs(rng, "float32", 30, 20), np.full((3, 20), NAN, "f4")])
    x[5:9, 3] = INF
    x[9:12, :4] = -INF
    x[0, 0] = np.uint32(0x7F800001).view("f4")  # a signalling NaN
    with warnings.catch_warnings(), np.errstate(all="raise"):
        warnings.simplefilter("error")
        for op in ROW_OPS.values():
            y = fs[op.name](x)
            fs[op.public_names[1]](*((y, x) if op.reduces else (x, y)))


@pytest.mark.parametrize("module", [jit, reference], ids=lambda module: module.__name__)
def test_twins(module, rng):
    x = rng.standard_normal((3, 4, 5)).astype("f4")
    where = rng.random((4, 1)) < 0.7
    for name in FORWARD:
        expected, function = getattr(vk, name), getattr(module, name)
        assert inspect.signature(function) == inspect.signature(expected)
        for axis in (-1, 0, (0, 2), None):
            for options in ({}, {"where": where}, {"dtype": "f8"}):
                got, wanted = function(x, axis, **options), expected(x, axis, **options)
                assert got.dtype == wanted.dtype
                assert got.shape == wanted.shape
                assert np.allclose(got, wanted, rtol=1e-6, atol=1e-9)
        out = np.empty_like(expected(x))
        assert function(x, out=out) is out
        assert_array_equal(out, function(x))
        with pytest.raises(np.exceptions.AxisError):
            function(x, 3)
        with pytest.raises(TypeError):
            function(x.astype("c8"))


def test_public_functions():
    for op in ROW_OPS.values():
        for name in op.public_names:
            assert getattr(vk, name) is getattr(vk.rows, name)
            assert pickle.loads(pickle.dumps(getattr(vk, name))) is getattr(vk, name)
        assert vk.activations.get(op.name) is getattr(vk, op.name)
        words = " ".join(getattr(vk, op.name).__doc__.split())
        assert op.kernel.formula in words
        assert op.facts["special"] in words
        assert all(
            text.endswith(".") for text in (op.summary, op.facts["special"], op.source, op.use)
        )


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("beside", [0, 7, 40])
def test_sparsemax_ends_where_the_last_bit_of_tau_decides(fs, dtype, beside, rng):
    """Tau lies half of the smallest number beside an element: in, out, in again..."""
    tiny = np.finfo(dtype).smallest_subnormal
    row = np.array([-0.5, -0.75, -tiny, -3.75], dtype)
    expected = fs["sparsemax"](row)
    assert ulp_error(expected, wide_rows("sparsemax", row)).max() <= 2
    assert ulp_error(jit.sparsemax(row), wide_rows("sparsemax", row)).max() <= 2
    for other in (row[[1, 2, 0, 3]], *rng.integers(-16, 17, (beside, 4)) / 4):
        columns = np.stack([row, other.astype(dtype), row], axis=1)
        assert_array_equal(fs["sparsemax"](columns, axis=0)[:, 0], expected)
        assert_array_equal(fs["sparsemax"](columns, axis=0)[:, 2], expected)
