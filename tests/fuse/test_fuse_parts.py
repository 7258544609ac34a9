"""Expressions too large for one program run in parts, with the bits of NumPy step by step."""

import numpy as np
import pytest

import vekt as vk

RNG = np.random.default_rng(3)


def chain(x):
    """Take 2,000 operations, one after another."""
    y = x
    for k in range(1000):
        y = (y + k / 3) * 0.999
    return y


def terms(x):
    """Add 300 terms."""
    y = 0.0
    for k in range(300):
        y = y + np.cos(x * (k + 0.5)) / (k + 1)
    return y


def alive(x):
    """Need 100 values at a time."""
    values = [np.sqrt(x + k) for k in range(100)]
    y = values[0]
    for k, v in enumerate(values[::-1]):
        y = np.where(v > y, y * 0.75 - v, np.maximum(y, k))
    return y


def several(x):
    """Give 40 results, some of them reduced, one of them twice, and the operand itself."""
    results = [x * (k + 1) for k in range(37)]
    return (*results, results[3], x, np.sum(np.exp(results[5]), axis=0))


FUNCTIONS = {f.__name__: f for f in (chain, terms, alive, several)}


def equal(got, want):
    """Compare dtypes and bits of one or more results; sums are rounded otherwise than NumPy's."""
    if not isinstance(want, tuple):
        got, want = (got,), (want,)
    assert len(got) == len(want)
    for a, b in zip(got, want, strict=True):
        assert a.dtype == b.dtype
        assert a.shape == b.shape
        if b.shape == want[0].shape:
            np.testing.assert_array_equal(a, b)
        else:
            np.testing.assert_allclose(a, b, rtol=1e-5 if b.dtype == "f4" else 1e-14)


@pytest.mark.parametrize(
    ("dtype", "compile"), [*((d, False) for d in ("f4", "f8", "f2", "i4")), ("f4", True)]
)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_equals_numpy_step_by_step(name, dtype, compile):
    function = FUNCTIONS[name]
    fused = vk.fuse(function, compile=compile)
    x = (RNG.random((300, 7)) * 3).astype(dtype)
    for operand in (x, x[::-2, ::3], np.asfortranarray(x), x[:0], x[0, 0]):
        if name == "several" and (dtype in ("f2", "i4") or np.ndim(operand) == 0):
            continue
        with np.errstate(all="ignore"):
            equal(fused(operand), function(operand))
    if not compile:
        plan = fused.fallback.plan_for(x)
        assert any(len(step.parts) > 1 for step in plan.forward)
        assert f"{len(plan.forward[0].parts)} parts;" in fused.explain(x)


@pytest.mark.parametrize("shape", [(100_003,), (3, 40_000), (200, 3, 70)])
def test_large_arrays_go_block_by_block(shape):
    x = RNG.random(shape)
    fused = vk.fuse(alive)
    want = alive(x)
    with vk.num_threads(2):
        equal(fused(x), want)
    out = np.empty(shape)
    assert fused(x, out=out) is out
    equal(out, want)
    fused(x, out=x)
    equal(x, want)


def wide(*values):
    """Combine any number of operands."""
    y = values[0]
    for k, x in enumerate(values[1:]):
        y = y * 0.5 + x * (k + 1)
    return y


def test_any_number_of_operands():
    values = [RNG.random((60, 1) if k % 3 else (60, 70)) for k in range(100)]
    fused = vk.fuse(wide)
    equal(fused(*values), wide(*values))
    y, gradients = fused.value_and_grad(*values)
    equal(y, wide(*values))
    for k, (x, dx) in enumerate(zip(values, gradients, strict=True)):
        factor = (k or 1) * 0.5 ** min(99 - k, 98)
        assert dx.shape == x.shape
        if k:
            np.testing.assert_allclose(dx, factor * (y.size / x.size), rtol=1e-14)
    names = {f"v{k}": x for k, x in enumerate(values)}
    text = " + ".join(f"{name} * 2" for name in names)
    equal(vk.evaluate(text, names), sum(x * 2 for x in values))


@pytest.mark.parametrize("name", ["chain", "terms", "alive"])
def test_gradients(name):
    function = FUNCTIONS[name]
    fused = vk.fuse(function)
    x = RNG.random(50) + 0.1
    want = (function(x + 1e-6) - function(x - 1e-6)) / 2e-6
    y, dx = fused.value_and_grad(x)
    equal(y, function(x))
    np.testing.assert_allclose(dx, want, rtol=1e-3, atol=1e-6)
    np.testing.assert_allclose(fused.backward(2.0, x), 2 * want, rtol=1e-3, atol=1e-6)
    total = vk.fuse(lambda x, b: np.sum(function(x + b)))
    _, (dx, db) = total.value_and_grad(np.tile(x, (3, 1)), np.zeros((3, 1)))
    np.testing.assert_allclose(dx[1], want, rtol=1e-3, atol=1e-6)
    np.testing.assert_allclose(db[:, 0], want.sum(), rtol=1e-3)


def test_gradients_of_long_chains_of_choices():
    def function(x):
        for _ in range(1200):
            x = vk.relu(x) * 0.999
        return np.where(x > 0, x, -x)

    _, dx = vk.fuse(function).value_and_grad(np.array([-1.0, 2.0]))
    np.testing.assert_allclose(dx, [0, 0.999**1200], rtol=1e-12)


def test_gradients_of_many_reductions():
    def function(x):
        for _ in range(60):
            x = x - np.mean(x, axis=-1, keepdims=True) * 0.5
        return x * x

    x = RNG.random((3, 5))
    fused = vk.fuse(function)
    np.testing.assert_allclose(fused(x), function(x), rtol=1e-12)
    y, dx = fused.value_and_grad(x)
    np.testing.assert_allclose(y, function(x), rtol=1e-12)
    centred = x - x.mean(-1, keepdims=True)
    np.testing.assert_allclose(dx, 2 * centred, rtol=1e-9, atol=1e-12)


def test_one_value_for_many_results():
    fused = vk.fuse(lambda x: (np.exp(x),) * 70 + (np.exp(x) + 1, x))
    x = RNG.random(9)
    equal(fused(x), (np.exp(x),) * 70 + (np.exp(x) + 1, x))
