"""Calls on arrays whose shapes have been met give what first calls give, whatever comes between."""

from concurrent.futures import ThreadPoolExecutor

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
    (RNG.random((4, 6)), 2.5),
    (0.5, RNG.random((4, 6)).astype("f4")),
    (RNG.random((4, 12))[:, ::2], RNG.random((4, 6))),
    (np.zeros((2, 24), "u1").reshape(-1)[:0].view("f8").reshape(0, 6), RNG.random((1, 6))),
    (np.frombuffer(b"x" + RNG.random(24).tobytes(), "u1")[1:].view("f8").reshape(4, 6), 2),
    (RNG.random((4, 6)).astype("f4"), np.float32(1.5)),
    (np.float64(0.25), RNG.random((4, 6))),
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


def outcome(call, *operands):
    """Return results, or the error."""
    try:
        return call(*operands)
    except (TypeError, ValueError) as error:
        return type(error), str(error)


def upstream(rng, y):
    """Draw a gradient for a result, by no means always an array of its shape."""
    if isinstance(y, tuple):
        return tuple(upstream(rng, each) for each in y)
    choices = [rng.random(np.shape(y)).astype(np.asarray(y).dtype), 2.0, 3, rng.random(())]
    return [*choices, rng.random(np.shape(y)), rng.random(np.shape(y)).astype(">f4")][
        rng.integers(6)
    ]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_same_again(name):
    fused, rng = vk.fuse(FUNCTIONS[name]), np.random.default_rng(0)
    for k in rng.integers(len(OPERANDS), size=80):
        operands = OPERANDS[k]
        fresh = vk.fuse(FUNCTIONS[name])
        y = outcome(fresh, *operands)
        check(outcome(fused, *operands), y)
        fresh = vk.fuse(FUNCTIONS[name])
        want = outcome(fresh.value_and_grad, *operands)
        for _ in range(2):
            check(outcome(fused.value_and_grad, *operands), want)
        check(outcome(fresh.value_and_grad, *operands), want)
        dy = upstream(rng, y) if not isinstance(want[0], type) else 1.0
        want = outcome(vk.fuse(FUNCTIONS[name]).backward, dy, *operands)
        check(outcome(fused.backward, dy, *operands), want)


def check(got, want):
    """Compare results, or errors."""
    if isinstance(want, tuple) and isinstance(want[0], type):
        assert got == want
    else:
        same(got, want)


def test_gradients_are_those_of_a_dy_of_ones():
    """One pass for both, and a pass for each: what is bound differs, the numbers do not."""
    for name, function in FUNCTIONS.items():
        for operands in OPERANDS[:-1]:
            fused = vk.fuse(function)
            found = outcome(fused.value_and_grad, *operands)
            if isinstance(found[0], type) or name == "count":
                continue
            y, gradients = found
            ones = tuple(map(np.ones_like, y)) if isinstance(y, tuple) else np.ones_like(y)
            for a, b in zip(flat(gradients), flat(fused.backward(ones, *operands)), strict=True):
                assert (a is None) == (b is None)
                if a is not None:
                    np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("first", ["call", "value_and_grad", "backward"])
@pytest.mark.parametrize("name", [name for name in FUNCTIONS if name != "count"])
def test_what_has_been_met_is_not_planned_again(name, first, monkeypatch):
    """Whichever is called first: a call after which nothing was bound for gradients was one."""
    fused = vk.fuse(FUNCTIONS[name])
    x, w = OPERANDS[0]
    y = vk.fuse(FUNCTIONS[name])(x, w)
    dy = tuple(map(np.ones_like, y)) if isinstance(y, tuple) else np.ones_like(y)
    calls = {
        "call": lambda: fused(x, w),
        "value_and_grad": lambda: fused.value_and_grad(x, w),
        "backward": lambda: fused.backward(dy, x, w),
    }
    calls[first]()
    for call in (*calls.values(), *calls.values()):
        call()

    def refuse(*_):
        raise AssertionError("planned again")

    for planned in ("Plan._bind", "Plan._bind_reverse", "Plan.__init__"):
        monkeypatch.setattr(f"vekt._fuse.plan.{planned}", refuse)
    for module in ("fused.Fused.bind", "passes.Pass._layout", "variant.Variant.plan_for"):
        monkeypatch.setattr(f"vekt._fuse.{module}", refuse)
    for call in calls.values():
        call()


def test_what_is_kept_is_bounded():
    fused = vk.fuse(lambda x: np.mean(x * x))
    for n in range(1, 400):
        x = np.full(n, 3.0)
        assert fused.value_and_grad(x)[0] == fused(x) == 9.0
        np.testing.assert_allclose(fused.backward(2.0, x), 12 / n)
    plan = fused.fallback.plan_for(x)
    caches = [plan.bound, plan.bound_reverse, fused.fallback._bound]
    caches += [plan.forward[0].layout]
    for cache in caches:
        assert cache.cache_info().currsize <= 256
    scaled = vk.fuse(lambda x, k: x * k)
    for k in range(200):
        assert scaled(1.0, k=k) == k
        assert scaled(2.0, k=0) == 0  # what is used often stays
    found = scaled.fallback._other.cache_info()
    assert found.currsize <= 64
    assert found.misses == 200


def test_threads_share_what_is_bound():
    for function in FUNCTIONS.values():
        fused = vk.fuse(function)
        wants = [outcome(vk.fuse(function).value_and_grad, *x) for x in OPERANDS]

        def work(k, fused=fused):
            order = np.random.default_rng(k).integers(len(OPERANDS), size=60)
            return [(i, outcome(fused.value_and_grad, *OPERANDS[i])) for i in order]

        with ThreadPoolExecutor(4) as pool:
            for found in pool.map(work, range(4)):
                for i, got in found:
                    check(got, wants[i])


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


def test_constants_by_name_and_dtypes_are_told_apart():
    fused = vk.fuse(lambda x, w, power=2, scale=1.0: np.sum(scale * (x - w) ** power))
    x, w = RNG.random((2, 5))
    for _ in range(2):
        for power, scale in ((2, 1.0), (3, 1.0), (2, -0.0), (2, 0.0), (2, True), (2.0, 2)):
            options = {"power": power, "scale": scale}
            y, (dx, dw) = fused.value_and_grad(x, w, **options)
            slope = power * scale * (x - w) ** (power - 1)
            np.testing.assert_allclose(y, np.sum(scale * (x - w) ** power))
            np.testing.assert_allclose(dx, slope)
            np.testing.assert_allclose(dw, -slope)
            for got, want in zip(fused.backward(2.0, x, w, **options), (dx, dw), strict=True):
                np.testing.assert_allclose(got, 2 * want)
        y, (dx, dw) = fused.value_and_grad(x, w)
        np.testing.assert_allclose(dx, 2 * (x - w))
        for dtype in ("f4", "f8"):
            y, (dx, dw) = fused.value_and_grad(x, w, dtype=dtype)
            assert y.dtype == dx.dtype == dw.dtype == dtype
            assert fused(x, w, dtype=dtype).dtype == dtype
        out = np.zeros(())
        assert fused(x, w, out=out) is out
        np.testing.assert_allclose(out, np.sum((x - w) ** 2))
        assert fused(x.astype("f4"), w.astype("f4")).dtype == "f4"
