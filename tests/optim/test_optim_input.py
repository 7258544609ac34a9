"""Optimisers on infinities and NaN, as in torch; clipping; what is refused changes nothing."""

from __future__ import annotations

import pickle

import ml_dtypes
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from vekt import optim, reference

OPTIMISERS = {
    "sgd": lambda lib: lib.SGD(lr=0.1),
    "decay": lambda lib: lib.SGD(lr=0.1, weight_decay=0.2),
    "momentum": lambda lib: lib.SGD(lr=0.1, momentum=0.9),
    "momentum decay": lambda lib: lib.SGD(lr=0.1, momentum=0.9, weight_decay=0.2),
    "nesterov": lambda lib: lib.SGD(lr=0.1, momentum=0.9, nesterov=True),
    "nesterov decay": lambda lib: lib.SGD(lr=0.1, momentum=0.9, nesterov=True, weight_decay=0.2),
    "rmsprop": lambda lib: lib.RMSProp(lr=0.1, alpha=0.9),
    "rmsprop momentum": lambda lib: lib.RMSProp(lr=0.1, momentum=0.5),
    "rmsprop decay": lambda lib: lib.RMSProp(lr=0.1, momentum=0.5, weight_decay=0.1),
    "adam": lambda lib: lib.Adam(lr=0.1),
    "adam decay": lambda lib: lib.Adam(lr=0.1, weight_decay=0.1),
    "adamw": lambda lib: lib.AdamW(lr=0.1, weight_decay=0.3),
    "adamw no decay": lambda lib: lib.AdamW(lr=0.1, weight_decay=0.0),
}
by_name = pytest.mark.parametrize("name", OPTIMISERS)

# What torch 2.13's optimisers of these options make, in float64, of parameters 1, inf, -inf, NaN
# (groups) with gradients 2, 0, inf, -inf, NaN, and in a second step with gradients 1:
# finite (.), infinite (+ and -) or NaN (?).
PARAMETERS, SLOPES = (1.0, np.inf, -np.inf, np.nan), (2.0, 0.0, np.inf, -np.inf, np.nan)
TORCH = {
    "sgd": ("..-+? ++?+? ---?? ?????", "..-+? ++?+? ---?? ?????"),
    "decay": ("..-+? ????? ????? ?????", "..??? ????? ????? ?????"),
    "momentum": ("..-+? ++?+? ---?? ?????", "..-+? ++?+? ---?? ?????"),
    "momentum decay": ("..-+? ????? ????? ?????", "..??? ????? ????? ?????"),
    "nesterov": ("..-+? ++?+? ---?? ?????", "..-+? ++?+? ---?? ?????"),
    "nesterov decay": ("..-+? ????? ????? ?????", "..??? ????? ????? ?????"),
    "rmsprop": ("..??? ++??? --??? ?????", "..??? ++??? --??? ?????"),
    "rmsprop momentum": ("..??? ++??? --??? ?????", "..??? ++??? --??? ?????"),
    "rmsprop decay": ("..??? ????? ????? ?????", "..??? ????? ????? ?????"),
    "adam": ("..??? ++??? --??? ?????", "..??? ++??? --??? ?????"),
    "adam decay": ("..??? ????? ????? ?????", "..??? ????? ????? ?????"),
    "adamw": ("..??? ++??? --??? ?????", "..??? ++??? --??? ?????"),
    "adamw no decay": ("..??? ++??? --??? ?????", "..??? ++??? --??? ?????"),
}


def kinds(p):
    """Write as in `TORCH`."""
    text = "".join("?" if x != x else "." if abs(x) < np.inf else "+-"[int(x < 0)] for x in p)
    return " ".join(text[i : i + len(SLOPES)] for i in range(0, len(text), len(SLOPES)))


@by_name
@pytest.mark.parametrize("lib", [optim, reference.optim], ids=["optim", "reference"])
@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("options", [{}, {"max_norm": 1e9}], ids=["", "norm not reached"])
def test_infinities_and_nan(name, lib, dtype, options):
    p, g = np.meshgrid(PARAMETERS, SLOPES, indexing="ij")
    p, g = p.ravel().astype(dtype), g.ravel().astype(dtype)
    optimiser = OPTIMISERS[name](lib)
    optimiser.step([p], [g])
    assert kinds(p) == TORCH[name][0]
    for key, value in options.items():  # of finite gradients
        setattr(optimiser, key, value)
    optimiser.step([p], [np.ones_like(p)])
    assert kinds(p) == TORCH[name][1]


# ---- clipping ------------------------------------------------------------------------------------

# As torch.nn.utils.clip_grad_norm_ of torch 2.13: the norm, and the gradients then.
INF, NAN = np.inf, np.nan
CLIPPED = [
    ([[1.0, NAN], [2.0]], 1.0, NAN, [[NAN, NAN], [NAN]]),
    ([[1.0, NAN], [INF]], 1.0, NAN, [[NAN, NAN], [NAN]]),
    ([[1.0, 3.0], [NAN]], INF, NAN, [[NAN, NAN], [NAN]]),
    ([[1.0, INF], [2.0]], 1.0, INF, [[0.0, NAN], [0.0]]),
    ([[1.0, -INF], [0.0]], 0.0, INF, [[0.0, NAN], [0.0]]),
    ([[1.0, INF], [2.0]], INF, INF, [[NAN, NAN], [NAN]]),
    ([[3.0, 4.0], [0.0]], INF, 5.0, [[3.0, 4.0], [0.0]]),
    ([[3.0, 4.0], [0.0]], 0.0, 5.0, [[0.0, 0.0], [0.0]]),
    ([[3.0, 4.0], [0.0]], 1.0, 5.0, [[0.59999988, 0.79999984], [0.0]]),
    ([], 1.0, 0.0, []),
]


@pytest.mark.parametrize(("grads", "limit", "norm", "expected"), CLIPPED)
@pytest.mark.parametrize("of", [list, tuple, iter], ids=lambda of: of.__name__)
def test_clipping(grads, limit, norm, expected, of):
    arrays = [np.array(g) for g in grads]
    assert_array_equal(optim.clip_by_global_norm(of(arrays), limit), norm)
    for g, e in zip(arrays, expected, strict=True):
        assert_allclose(g, e, 1e-12)
    params, rate = [np.zeros(len(g)) for g in grads], 0.5
    optim.SGD(lr=rate, max_norm=limit).step(params, [np.array(g) for g in grads])
    for p, e in zip(params, expected, strict=True):
        assert_allclose(p, np.multiply(-rate, e), 1e-12)


@pytest.mark.parametrize("name", ["f2", "f4", "f8", "g", "F", "D", ">f4", "bfloat16", "mixed"])
def test_dtypes_that_are_clipped(name):
    dtypes = ["f4", "f8", "F"]
    if name != "mixed":
        dtypes = [ml_dtypes.bfloat16 if name == "bfloat16" else np.dtype(name)] * 3
    first = [np.array(v).astype(t) for v, t in zip(([6.0, 0.0], [[8.0]], 0.0), dtypes, strict=True)]
    grads = [g.copy() for g in first]
    assert optim.clip_by_global_norm(grads, 5.0) == 10
    for g, f in zip(grads, first, strict=True):
        assert g.dtype == f.dtype
        assert_allclose(g.astype("D"), f.astype("D") / 2, 1e-2 if g.dtype.itemsize == 2 else 1e-6)


@pytest.mark.parametrize("dtype", ["f2", "f4"])
def test_norms_beyond_the_dtype(dtype):
    largest = np.finfo(dtype).max
    g = np.full(4, largest, dtype)
    assert_allclose(optim.clip_by_global_norm([g], 1.0), 2 * float(largest), 1e-3)
    assert_allclose(g, 0.5, 1e-3)


@pytest.mark.parametrize("dtype", ["f2", ">f2", "bfloat16"])
@pytest.mark.parametrize("limit", [0.37, 1.0, 1e-3])
def test_the_scale_of_16_bits_has_all_digits(dtype, limit):
    dtype = ml_dtypes.bfloat16 if dtype == "bfloat16" else np.dtype(dtype)
    g = np.full(1_000_000, 60000).astype(dtype)  # 2**-24, the least float16, is no scale for it
    first, norm = float(g[0]), optim.clip_by_global_norm([g], limit)
    assert_array_equal(g, np.full(len(g), np.float32(first * limit / (norm + 1e-6))).astype(dtype))


@pytest.mark.parametrize(
    ("second", "error", "match"),
    [
        (np.array([3, 4]), TypeError, r"grads\[1\] must be an array of floats .* not int64"),
        (np.array([True]), TypeError, "not bool"),
        ([3.0, 4.0], TypeError, "not list"),
        (3.0, TypeError, "not float"),
        (np.array(["a"]), TypeError, "not <U1"),
        (np.array([1.0], object), TypeError, "not object"),
        (np.broadcast_to(1.0, 3), ValueError, r"grads\[1\] is read-only"),
    ],
)
def test_what_cannot_be_clipped(second, error, match):
    first = np.array([3.0, 4.0])
    with pytest.raises(error, match=match):
        optim.clip_by_global_norm([first, second], 1.0)
    assert_array_equal(first, [3, 4])
    for limit in (-1, np.nan, None, "1"):
        with pytest.raises(ValueError, match="max_norm: expected a number from 0 to inf"):
            optim.clip_by_global_norm([first], limit)


# ---- nothing is changed by what is refused -------------------------------------------------------


def other_layout():
    return np.lib.stride_tricks.as_strided(np.zeros(1), (3,), (0,))


def read_only():
    p = np.ones(3)
    p.flags.writeable = False
    return p


ONES = np.ones(3)
SHARED = np.arange(5.0)
REFUSED = {
    "shape of a gradient": (lambda: [np.ones(3), np.ones(4)], ValueError, "expected grads"),
    "ragged gradient": (lambda: [np.ones(3), [[1.0], [1.0, 2.0], 3.0]], ValueError, "inhomogen"),
    "complex gradient": (lambda: [np.ones(3), ONES * 1j], TypeError, r"grads\[1\].* complex128"),
    "text": (lambda: [np.ones(3), ["1", "2", "3"]], TypeError, r"grads\[1\].* not <U1"),
    "objects": (lambda: [np.ones(3), ONES.astype(object)], TypeError, "not object"),
    "times": (lambda: [np.ones(3), ONES.astype("m8[s]")], TypeError, "timedelta64"),
    "no gradient": (lambda: [np.ones(3), None], ValueError, r"of shape \(3,\), got \(\)"),
    "int parameter": (lambda: [np.ones(3, int), ONES], TypeError, r"params\[1\].* int64"),
    "half parameter": (lambda: [np.ones(3, "f2"), ONES], TypeError, r"params\[1\].* float16"),
    "complex parameter": (lambda: [np.ones(3, "D"), ONES], TypeError, "complex128"),
    "list": (lambda: [[1.0, 1.0, 1.0], ONES], TypeError, r"params\[1\].* not list"),
    "read-only": (lambda: [read_only(), ONES], ValueError, r"params\[1\] is read-only"),
    "in itself": (lambda: [other_layout(), ONES], ValueError, r"elements of params\[1\] share"),
}


@by_name
@pytest.mark.parametrize("case", REFUSED)
def test_a_second_parameter_that_is_refused(name, case):
    make, error, match = REFUSED[case]
    optimiser, first = OPTIMISERS[name](optim), np.arange(3.0)
    p, g = make()
    with pytest.raises(error, match=match):
        optimiser.step([first, p], [ONES, g])
    assert_array_equal(first, [0, 1, 2])
    assert optimiser.iterations == 0
    optimiser.step([first], [ONES])  # it has not taken on two parameters either
    assert optimiser.iterations == 1


@by_name
def test_parameters_that_share_memory(name):
    for first, second in (
        (SHARED[:3], SHARED[2:]),
        (SHARED, SHARED),
        (SHARED[::2], SHARED[:3]),
    ):
        before = SHARED.copy()
        with pytest.raises(ValueError, match=r"params\[0\] and params\[1\] share memory"):
            OPTIMISERS[name](optim).step(
                [first, second, np.ones(2)], [1 + 0 * first, 1 + 0 * second, np.ones(2)]
            )
        assert_array_equal(SHARED, before)
    apart = np.zeros(6)  # interleaved
    OPTIMISERS[name](optim).step([apart[::2], apart[1::2]], [np.ones(3), -np.ones(3)])
    assert_array_equal(apart[::2], -apart[1::2])
    assert apart.all()


@by_name
@pytest.mark.parametrize("bound", [False, True])
def test_gradients_in_the_memory_of_parameters(name, bound):
    """They count as they were, whichever parameter is changed first."""
    expected = [np.arange(1.0, 4), np.arange(4.0, 7)]
    slopes = [np.arange(4.0, 7), np.arange(1.0, 4)]
    OPTIMISERS[name](optim).step(expected, slopes)
    memory = np.arange(1.0, 7)
    params, grads = [memory[:3], memory[3:]], [memory[3:], memory[:3]]
    optimiser = OPTIMISERS[name](optim)
    (optimiser._bound(params, grads) if bound else lambda: optimiser.step(params, grads))()
    assert_array_equal(memory, np.concatenate(expected))
    params = [np.arange(1.0, 4), np.arange(4.0, 7)]  # and arrays themselves
    OPTIMISERS[name](optim).step(params, params[::-1])
    assert_array_equal(params, expected)


@by_name
def test_steps_that_differ_from_those_before(name):
    optimiser, params = OPTIMISERS[name](optim), [np.arange(3.0), np.arange(3.0)]
    optimiser.step(params, [ONES, ONES])
    before = [p.copy() for p in params]
    stateful = any(optimiser._states)
    for other in (np.ones(4), np.ones(3, "f4")):
        if not stateful:
            continue
        with pytest.raises(ValueError, match="not the parameters of the steps before"):
            optimiser.step([params[0], other], [ONES, np.ones(len(other))])
        assert_array_equal(params, before)
    with pytest.raises(ValueError, match="not the parameters of the steps before"):
        optimiser.step(params[:1], [ONES])
    assert_array_equal(params, before)
    assert optimiser.iterations == 1


@by_name
def test_another_order_in_memory(name):
    """The states keep theirs."""
    rng = np.random.default_rng(3)
    start, slopes = rng.normal(size=(4, 3)), rng.normal(size=(2, 4, 3))
    results = []
    for orders in ("CC", "CF", "FC"):
        optimiser, p = OPTIMISERS[name](optim), start
        for order, g in zip(orders, slopes, strict=True):
            p = p.copy(order)
            optimiser.step([p], [g.copy(order)])
        results.append(p)
    assert_array_equal(results[0], results[1])
    assert_array_equal(results[0], results[2])


@by_name
def test_numbers_that_are_none(name):
    """When they are given, and when they are changed between steps."""
    optimiser = OPTIMISERS[name](optim)
    for attribute in ("lr", "weight_decay", "momentum", "alpha", "eps", "max_norm"):
        if not hasattr(optimiser, attribute):
            continue
        before = getattr(optimiser, attribute)
        for wrong in (np.nan, -1.0, "0.1", [0.1, 0.2], 1j):
            with pytest.raises(ValueError, match=rf"{attribute}: expected a number from 0"):
                setattr(optimiser, attribute, wrong)
            with pytest.raises(ValueError, match=rf"{attribute}: expected a number from 0"):
                type(optimiser)(**{attribute: wrong})
        assert getattr(optimiser, attribute) == before
    if hasattr(optimiser, "betas"):
        with pytest.raises(ValueError, match=r"betas\[1\]: expected a number from 0 to 1"):
            optimiser.betas = 0.9, np.nan


@pytest.mark.parametrize("kind", [optim.SGD, optim.RMSProp])
def test_momentum_may_come_and_go(kind):
    """As in torch, which starts from no direction, and forgets none."""
    optimiser, p = kind(lr=0.1), np.array([1.0])
    g, directions = np.array([0.5]), []
    for momentum in (0.0, 0.5, 0.5, 0.0):
        optimiser.momentum = momentum
        optimiser = pickle.loads(pickle.dumps(optimiser))
        before = p.copy()
        optimiser.step([p], [g])
        directions.append(float((before - p)[0] / 0.1))
    if kind is optim.SGD:
        assert_allclose(directions, [0.5, 0.5, 0.75, 0.5])
    assert directions[2] > directions[1]


def test_iterables():
    params = {"w": np.ones(2), "b": np.ones(1)}
    optim.SGD(lr=1.0).step(params.values(), (p / 2 for p in params.values()))
    assert_array_equal(params["w"], 0.5)
    assert_array_equal(params["b"], 0.5)
