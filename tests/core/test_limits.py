"""Long rows, signs of zero, infinities, kinks, parameters of 16-bit calls, dtypes and overlap."""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np
import pytest

import vekt as vk
from vekt import jit, reference
from vekt._spec.activations import OPS
from vekt._spec.kernels import TABLE

BFLOAT16 = np.dtype(ml_dtypes.bfloat16)
HALVES = [np.dtype("f2"), BFLOAT16]
DTYPES = [*HALVES, np.dtype("f4"), np.dtype("f8")]
LONG = 2**22


def ulps(result: Any, exact: Any) -> float:
    """Largest error of float32 results in units in the last place."""
    exact = np.asarray(exact)
    unit = np.spacing(np.abs(exact.astype("f4"))).astype("f8")
    return float(np.max(np.abs(np.asarray(result).astype("f8") - exact) / unit))


def long_row(kind: str, n: int = LONG) -> Any:
    x = np.sort(np.random.default_rng(3).standard_normal(n).astype("f4"))
    return {"sorted": x, "reversed": x[::-1].copy(), "equal": np.full(n, 1.25, "f4")}[kind]


def check_long_rows(x: Any) -> None:
    d = x.astype("f8") - float(x.max())
    e = np.exp(d)
    total = e.sum()
    assert ulps(vk.softmax(x), e / total) <= 2
    assert ulps(vk.softmin(-x), e / total) <= 2
    y = vk.log_softmax(x)
    assert ulps(y, d - np.log(total)) <= 2
    assert ulps(vk.logsumexp(x), float(x.max()) + np.log(total)) <= 1
    assert ulps(vk.logsumexp_backward(np.float32(1), x), e / total) <= 2.5
    dy = np.sort(np.abs(x))
    wide, p = dy.astype("f8"), vk.softmax(x).astype("f8")
    weighted = (wide * p).sum()
    bound = 2.5 * np.spacing((p * (wide + weighted)).astype("f4")).astype("f8")
    assert np.all(np.abs(vk.softmax_backward(dy, p.astype("f4")) - p * (wide - weighted)) <= bound)
    expected = wide - np.exp(y.astype("f8")) * wide.sum()
    scale = (wide + np.exp(y.astype("f8")) * wide.sum()).astype("f4")
    error = np.abs(vk.log_softmax_backward(dy, y) - expected)
    assert np.all(error <= 4 * np.spacing(scale).astype("f8"))
    scale = np.spacing((wide + wide.mean()).astype("f4"))
    error = np.abs(vk.sparsemax_backward(dy, np.ones_like(dy)) - (wide - wide.mean()))
    assert np.all(error <= 2 * scale)
    loss = -(d - np.log(total))
    assert ulps(vk.softmax_cross_entropy(x, 5), loss[5]) <= 2
    smooth = 0.9 * loss[5] + 0.1 * loss.mean()
    assert ulps(vk.softmax_cross_entropy(x, 5, label_smoothing=0.1), smooth) <= 2
    t = (dy / wide.sum()).astype("f4")
    assert ulps(vk.softmax_cross_entropy(x, t), (t.astype("f8") * loss).sum()) <= 2


@pytest.mark.parametrize("kind", ["sorted", "reversed", "equal"])
def test_long_rows_keep_their_bounds(kind: str) -> None:
    check_long_rows(long_row(kind))


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["sorted", "equal"])
def test_rows_of_forty_million_keep_their_bounds(kind: str) -> None:
    check_long_rows(long_row(kind, 40_000_000))


@pytest.mark.slow
def test_a_row_of_2_to_the_30_float16_zeros() -> None:
    x = np.zeros(2**30, np.float16)
    x[-1] = 2
    exact = np.log(2.0**30 - 1 + np.exp(2.0))
    assert abs(float(vk.logsumexp(x)) - exact) <= np.spacing(np.float16(exact)) / 2


def test_long_rows_have_the_same_bits_in_any_layout() -> None:
    x = np.random.default_rng(0).standard_normal((20000, 16)).astype("f4")
    for name in ("softmax", "log_softmax", "logsumexp", "sparsemax"):
        across = getattr(vk, name)(x, axis=0)
        along = getattr(vk, name)(np.ascontiguousarray(x.T), axis=1)
        np.testing.assert_array_equal(across, along.T if along.ndim == 2 else along)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("n", [3, 200])
@pytest.mark.parametrize("smoothing", [0.0, 0.1, 1.0])
def test_cross_entropy_of_extreme_logits(dtype: Any, n: int, smoothing: float) -> None:
    big = float(ml_dtypes.finfo(dtype).max)
    for values in ((1, 2, -np.inf), (big, -big, big / 2), (1, np.inf, 0), (-np.inf,) * 3):
        x = np.full((3, n), values[2]).astype(dtype)
        x[:, : len(values)] = values
        labels = np.arange(3)
        soft = np.full((3, n), 1 / n).astype(dtype)
        soft[1] = 0
        soft[1, 0] = 1
        for targets, options in ((labels, {"label_smoothing": smoothing}), (soft, {})):
            results = [
                space.softmax_cross_entropy(x, targets, reduction="none", **options)
                for space in (vk, reference)
            ]
            assert not np.isnan(results[0].astype("f8")).any(), (values, results)
            units = 4 * float(ml_dtypes.finfo(dtype).eps)
            np.testing.assert_allclose(*(r.astype("f8") for r in results), rtol=units)
            loss, slope = vk.softmax_cross_entropy_value_and_grad(
                x, targets, reduction="none", **options
            )
            np.testing.assert_array_equal(loss, results[0])
            assert not np.isnan(slope.astype("f8")).any()


@pytest.mark.parametrize("name", ["elu", "silu", "selu", "celu", "relu", "leaky_relu", "tanh",
                                  "gelu", "gelu_tanh", "mish", "hard_silu", "softsign", "linear",
                                  "hard_tanh", "relu6"])  # fmt: skip
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_minus_zero_stays(name: str, dtype: Any) -> None:
    x = np.array([-0.0, 0.0]).astype(dtype)
    public = "gelu" if name == "gelu_tanh" else name
    options = {"approximate": True} if name == "gelu_tanh" else {}
    for space in (vk, reference, jit):
        y = getattr(space, public)(x, **options).astype("f8")
        assert y.tolist() == [0, 0], space
        assert np.signbit(y).tolist() == [True, False], space
    value, _ = getattr(vk, f"{public}_value_and_grad")(x, **options)
    assert np.signbit(value.astype("f8")).tolist() == [True, False]


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_sigmoid_cross_entropy_of_infinite_targets(dtype: Any) -> None:
    x = np.array([1, 1, -1, -1, np.inf, -np.inf]).astype(dtype)
    t = np.array([np.inf, -np.inf, np.inf, -np.inf, 3, -3]).astype(dtype)
    expected = [-np.inf, np.inf, np.inf, -np.inf, -np.inf, -np.inf]
    for space in (vk, reference):
        assert space.sigmoid_cross_entropy(x, t).astype("f8").tolist() == expected, space


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8"])
def test_sums_that_begin_with_minus_zero(dtype: str) -> None:
    x = np.array([[-0.0, -0.0], [-0.0, 0.0], [1.0, -1.0]], dtype)
    for axis in (0, 1, None):
        expected = np.add.reduce(x, axis=axis, initial=-0.0)
        result = vk.sum(x, axis=axis, initial=-0.0)
        np.testing.assert_array_equal(np.signbit(result), np.signbit(expected))
        np.testing.assert_array_equal(result, expected)
        assert type(result) is type(expected)
    assert np.signbit(vk.sum(np.array([-0.0, 1.0], dtype), initial=-0.0, where=[True, False]))


def test_relu_at_its_threshold_is_as_in_keras() -> None:
    for space in (vk, reference, jit):
        for dtype in ("f4", "f8"):
            x = np.array([4, 5, np.nextafter(np.array(5, dtype), 6), 7, 9], dtype)
            y = space.relu(x, threshold=5.0, max_value=8.0)
            np.testing.assert_array_equal(y, [0, 0, x[2], 7, 8])
            y = space.relu(x, negative_slope=0.5, threshold=5.0)
            np.testing.assert_array_equal(y, [-0.5, 0, x[2], 7, 9])


WITH_PARAMETERS = [
    (op, kind) for op in OPS.values() if op.array_params for kind in op.kinds if op.params_of(kind)
]


@pytest.mark.parametrize("dtype", HALVES, ids=str)
@pytest.mark.parametrize(("op", "kind"), WITH_PARAMETERS, ids=lambda v: getattr(v, "name", v))
@pytest.mark.parametrize("space", [vk, reference, jit], ids=lambda m: m.__name__)
def test_parameters_of_16_bit_calls_are_not_rounded(
    space: Any, op: Any, kind: str, dtype: Any
) -> None:
    x = np.linspace(-24, 24, 1001).astype(dtype)
    params = {p.name: 0.3 + 1.1 * k for k, p in enumerate(op.params_of(kind)) if p.kind == "array"}
    operands = (np.ones_like(x), x) if "backward" in kind else (x,)
    function = getattr(space, op.name + kind)
    results = function(*operands, **params)
    wide = function(*(a.astype("f4") for a in operands), **params)
    if not isinstance(results, tuple):
        results, wide = (results,), (wide,)
    for result, exact in zip(results, wide, strict=True):
        assert result.dtype == dtype
        np.testing.assert_allclose(
            result.astype("f8"), exact.astype(dtype).astype("f8"), rtol=2.0**-7, atol=1e-38
        )
        differ = result.astype("f8") != exact.astype(dtype).astype("f8")
        assert np.mean(differ) < 0.03  # float32 results halfway between two shorter ones


@pytest.mark.parametrize("dtype", HALVES, ids=str)
def test_an_array_of_parameters_decides_the_dtype(dtype: Any) -> None:
    x = np.linspace(-3, 3, 7).astype(dtype)
    assert vk.elu(x, np.full(7, 0.3, dtype)).dtype == dtype
    assert vk.elu(x, np.full(7, 0.3, "f4")).dtype == np.float32
    assert vk.hard_tanh(x, np.full(7, -0.5, dtype), 0.3).dtype == dtype
    assert vk.huber(x, x, 0.3).dtype == dtype


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("ord", [None, 0, 1, 2, 3, 0.5, -2, np.inf, -np.inf])
def test_norms_keep_their_dtype(dtype: Any, ord: Any) -> None:
    x = np.arange(1, 5).astype(dtype)
    for space in (vk, reference):
        assert np.asarray(space.norm(x, ord)).dtype == dtype, space


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_prelu_gradients_keep_their_dtype(dtype: Any) -> None:
    x = np.arange(-2, 2).astype(dtype)
    for space in (vk, reference):
        for result in space.prelu_backward(x, x, x[:1]):
            assert np.asarray(result).dtype == dtype, space


@pytest.mark.parametrize(
    ("source", "target"),
    [(slice(0, 16), slice(0, 32, 2)), (slice(0, 32, 2), slice(1, 17)), (slice(0, 16), slice(1, 17)),
     (slice(15, None, -1), slice(4, 20)), (slice(0, 48, 3), slice(16, 0, -1))],
)  # fmt: skip
def test_transposed_copies_into_overlapping_vectors(source: slice, target: slice) -> None:
    memory = np.arange(64.0)
    expected = memory[source].copy()
    np.testing.assert_array_equal(vk.transpose_copy(memory[source], out=memory[target]), expected)


def test_streams_refuse_shifted_outputs() -> None:
    memory = np.arange(64.0)
    with pytest.raises(ValueError, match="shares memory"):
        vk.stream(lambda x: x + 1, memory[:48], out=memory[1:49], chunk_bytes=64)
    with pytest.raises(ValueError, match="shares memory"):
        vk.stream(lambda x: x + 1, memory[47::-1], out=memory[:48], chunk_bytes=64)
    np.testing.assert_array_equal(memory, np.arange(64.0))
    vk.stream(lambda x: x + 1, memory[::2], out=memory[1::2], chunk_bytes=64)
    vk.stream(lambda x: x + 1, memory, out=memory, chunk_bytes=64)
    np.testing.assert_array_equal(memory[1::2], np.arange(2, 66, 2.0))


def test_every_kernel_with_parameters_has_its_count() -> None:
    for name, entry in TABLE.items():
        ufunc = getattr(vk.ufuncs, name)
        assert (ufunc.nin, ufunc.nout) == entry.counts
        assert len(entry.called.operands) == ufunc.nin - len(entry.kernel.params)
