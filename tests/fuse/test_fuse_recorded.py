"""Calls on arrays whose shapes have been met give what first calls give, whatever comes between."""

import numpy as np
import pytest

import vekt as vk

RNG = np.random.default_rng(5)
FUNCTIONS = {
    "rms": lambda x, w: x / np.sqrt(np.mean(x * x, axis=-1, keepdims=True) + 1e-5) * w,
    "softmax": lambda x, w: (
        np.exp(x - np.max(x, axis=-1, keepdims=True))
        / np.sum(np.exp(x - np.max(x, axis=-1, keepdims=True)), axis=-1, keepdims=True)
        * w
    ),
    "mse": lambda x, w: np.mean((x - w) ** 2),
    "rows": lambda x, w: (np.sum(x * w, axis=0), x + w, np.min(x, axis=-1)),
    "count": lambda x, w: np.sum(x > w, axis=0),
    "gelu": lambda x, w: vk.gelu(x) * w,
    "one of them": lambda x, w: np.mean(x * 2) * 3,
    "itself": lambda x, w: (x, np.sum(w)),
}
OPERANDS = [
    (RNG.random((4, 6)), RNG.random((4, 6))),
    (RNG.random((4, 6)), RNG.random(6)),
    (RNG.random(6), RNG.random((4, 6))),
    (RNG.random((4, 6)).astype("f4"), RNG.random((4, 1)).astype("f4")),
    (RNG.random((4, 6)).astype("f4"), RNG.random((4, 6))),
    (RNG.random((6, 4)).T, RNG.random((4, 6))),
    (RNG.random((4, 6)).astype(">f8"), RNG.random((4, 6))[::-1]),
    (RNG.random((1, 1)), RNG.random((1, 1))),
    (RNG.random(()), RNG.random(3)),
    (np.arange(24).reshape(4, 6), RNG.random((4, 6))),
]
INTEGERS = len(OPERANDS) - 1


def flat(results):
    """Take results and gradients out of their tuples."""
    if isinstance(results, tuple):
        return [x for each in results for x in flat(each)]
    return [results]


def same(got, want):
    """Compare types, dtypes, shapes and bits."""
    for a, b in zip(flat(got), flat(want), strict=True):
        assert type(a) is type(b)
        if b is not None:
            assert a.dtype == b.dtype
            np.testing.assert_array_equal(a, b, strict=True)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_same_again(name):
    fused, rng = vk.fuse(FUNCTIONS[name]), np.random.default_rng(0)
    for k in rng.integers(len(OPERANDS), size=60):
        operands = OPERANDS[k]
        if np.ndim(operands[0]) == 0 and name in ("rows", "count", "rms", "softmax"):
            continue
        fresh = vk.fuse(FUNCTIONS[name])
        same(fused(*operands), fresh(*operands))
        if name != "count" and (name not in ("rows", "itself") or k != INTEGERS):
            same(fused.value_and_grad(*operands), fresh.value_and_grad(*operands))
            for _ in range(2):
                y, dx = fused.value_and_grad(*operands)
            same((y, dx), vk.fuse(FUNCTIONS[name]).value_and_grad(*operands))


def test_results_are_new_and_shapes_are_checked():
    fused = vk.fuse(FUNCTIONS["rows"])
    x = np.ones((4, 6))
    first, second = fused(x, x), fused(x, x)
    for a, b in zip(first, second, strict=True):
        assert not np.shares_memory(a, b)
        assert a.flags.writeable
    with pytest.raises(ValueError, match="shape mismatch"):
        fused(x, np.ones(5))
    with pytest.raises(ValueError, match="zero-size array to reduction operation minimum"):
        fused(np.ones((4, 0)), np.ones((4, 0)))
    out = np.empty(6), np.empty((4, 6)), np.empty(4)
    assert fused(x, x, out=out)[1] is out[1]
    same(out, first)


def test_compiled_on_the_way(monkeypatch):
    pytest.importorskip("llvmlite")
    monkeypatch.setattr("vekt._fuse.passes.PAYS", 1000)
    fused = vk.fuse(FUNCTIONS["rms"])
    x, w = RNG.random((2, 5, 30))
    want = vk.fuse(FUNCTIONS["rms"], compile=False)(x, w)
    for _ in range(30):
        same(fused(x, w), want)
    assert "compiled(" in fused.explain(x, w)


def test_many_shapes():
    fused = vk.fuse(FUNCTIONS["mse"])
    for n in range(1, 600):
        x = np.full(n, 3.0)
        assert fused(x, np.ones(n)) == 4
