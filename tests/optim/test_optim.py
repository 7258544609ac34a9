"""The optimisers: their numbers over 100 steps, layouts, threads, clipping, errors of use."""

from __future__ import annotations

import copy
import doctest
import pickle

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from peer_statements import INSTALLED, execute

from vekt import optim, reference
from vekt._core import native
from vekt.cli.compare.optim_tasks import OPTIMISERS as OPTIMISERS_COMPARED
from vekt.cli.compare.optim_tasks import optim_tasks

OPTIMISERS = {
    "sgd": lambda lib: lib.SGD(lr=0.1),
    "decay": lambda lib: lib.SGD(lr=0.1, weight_decay=0.2),
    "momentum": lambda lib: lib.SGD(lr=0.05, momentum=0.9),
    "nesterov": lambda lib: lib.SGD(lr=0.05, momentum=0.8, nesterov=True, weight_decay=0.01),
    "rmsprop": lambda lib: lib.RMSProp(lr=0.01, alpha=0.9),
    "rmsprop momentum": lambda lib: lib.RMSProp(lr=0.01, momentum=0.5, weight_decay=0.1),
    "adam": lambda lib: lib.Adam(lr=0.02),
    "adam decay": lambda lib: lib.Adam(lr=0.02, betas=(0.8, 0.99), weight_decay=0.1),
    "adamw": lambda lib: lib.AdamW(lr=0.02, weight_decay=0.3),
}
TORCH = {
    "sgd": ("SGD", {"lr": 0.1}),
    "decay": ("SGD", {"lr": 0.1, "weight_decay": 0.2}),
    "momentum": ("SGD", {"lr": 0.05, "momentum": 0.9}),
    "nesterov": ("SGD", {"lr": 0.05, "momentum": 0.8, "nesterov": True, "weight_decay": 0.01}),
    "rmsprop": ("RMSprop", {"lr": 0.01, "alpha": 0.9}),
    "rmsprop momentum": ("RMSprop", {"lr": 0.01, "momentum": 0.5, "weight_decay": 0.1}),
    "adam": ("Adam", {"lr": 0.02}),
    "adam decay": ("Adam", {"lr": 0.02, "betas": (0.8, 0.99), "weight_decay": 0.1}),
    "adamw": ("AdamW", {"lr": 0.02, "weight_decay": 0.3}),
}
by_name = pytest.mark.parametrize("name", OPTIMISERS)


def start(dtype="float64"):
    rng = np.random.default_rng(4)
    return [rng.normal(size=shape).astype(dtype) for shape in ((37, 5), (5, 1), (3,))]


def slopes(params):
    """Gradients of a bumpy bowl."""
    return [p + 0.5 * np.sin(3 * p) for p in params]


def run(optimiser, params, steps=100):
    for _ in range(steps):
        optimiser.step(params, slopes(params))
    return params


@by_name
@pytest.mark.parametrize(("dtype", "tolerance"), [("float64", 1e-12), ("float32", 2e-5)])
def test_a_hundred_steps(name, dtype, tolerance, isa, monkeypatch):
    monkeypatch.setattr(optim.Optimizer, "_kernel", staticmethod(native.build("optim_step", isa)))
    params = run(OPTIMISERS[name](optim), start(dtype))
    true = run(OPTIMISERS[name](reference.optim), [p.astype("f8") for p in start(dtype)])
    for p, expected in zip(params, true, strict=True):
        assert p.dtype == dtype
        assert_allclose(p, expected, tolerance, tolerance)


@by_name
def test_torch(name):
    torch = pytest.importorskip("torch")
    params = run(OPTIMISERS[name](optim), start())
    theirs = [torch.tensor(p) for p in start()]
    kind, options = TORCH[name]
    optimiser = getattr(torch.optim, kind)(theirs, **options)
    for _ in range(100):
        for p in theirs:
            p.grad = p.detach() + 0.5 * torch.sin(3 * p.detach())
        optimiser.step()
    for p, expected in zip(params, theirs, strict=True):
        assert_allclose(p, expected.detach().numpy(), 1e-11, 1e-12)


@by_name
def test_same_bits_for_threads_position_and_vector_unit(name, set_threads, monkeypatch):
    rng = np.random.default_rng(4)
    whole, g = (rng.normal(size=250_001).astype("f4") for _ in range(2))
    results = []
    for threads in (1, 2):
        set_threads(threads)
        p, optimiser = whole.copy(), OPTIMISERS[name](optim)
        for _ in range(2):
            optimiser.step([p], [g])
        results.append(p)
    set_threads(1)
    part, optimiser = whole[3:1000].copy(), OPTIMISERS[name](optim)
    if {"x86_v3", "x86_v4"} <= set(native.SUPPORTED):
        kernel = staticmethod(native.build("optim_step", "x86_v3"))
        monkeypatch.setattr(optim.Optimizer, "_kernel", kernel)
    for _ in range(2):
        optimiser.step([part], [g[3:1000]])
    assert_array_equal(results[0], results[1])
    assert_array_equal(part, results[0][3:1000])


@by_name
def test_layouts(name):
    a, g = start()[0], slopes(start())[0]
    expected = a.copy()
    optimiser = OPTIMISERS[name](optim)
    for _ in range(3):
        optimiser.step([expected], [g])
    room = np.zeros((74, 15))
    forms = {
        "fortran": (np.asfortranarray(a), np.asfortranarray(g)),
        "mixed": (np.asfortranarray(a), g),
        "swapped bytes": (a.astype(">f8"), g),
        "other dtype": (a.copy(), g.tolist()),
        "strided": (room[::2, ::3], g),
    }
    for p, slope in forms.values():
        p[...] = a
        optimiser = OPTIMISERS[name](optim)
        for _ in range(3):
            optimiser.step([p], [slope])
        assert_array_equal(p, expected)


def test_the_gradient_may_be_the_parameters():
    p = np.array([1.0, -2.0])
    optim.SGD(lr=0.25).step([p], [p])
    assert_array_equal(p, [0.75, -1.5])
    memory = np.array([1.0, 2.0, 3.0])
    optim.SGD(lr=1.0).step([memory[:2]], [memory[1:]])
    assert_array_equal(memory, [-1, -1, 3])


def test_empty_and_nothing():
    adam = optim.Adam()
    adam.step([np.empty((0, 3))], [np.empty((0, 3))])
    optim.SGD().step([], [])
    assert adam.iterations == 1


def test_clipping():
    rng = np.random.default_rng(4)
    grads = [rng.normal(size=shape) for shape in ((4, 3), (3,))]
    flat = np.concatenate([g.ravel() for g in grads])
    true = np.linalg.norm(flat)
    params = [np.zeros_like(g) for g in grads]
    optim.SGD(lr=1.0, max_norm=0.5).step(params, grads)
    clipped = copy.deepcopy(grads)
    assert_allclose(optim.clip_by_global_norm(clipped, 0.5), true, 1e-15)
    for p, g, c in zip(params, grads, clipped, strict=True):
        assert_allclose(p, -g * 0.5 / (true + 1e-6), 1e-14)
        assert_allclose(c, -p, 1e-14)
    same = copy.deepcopy(grads)
    optim.clip_by_global_norm(same, 100)
    assert_array_equal(same[0], grads[0])


def test_pickle_goes_on_where_it_was():
    adam, params = optim.Adam(lr=0.1), start()
    run(adam, params, 3)
    other, theirs = pickle.loads(pickle.dumps((adam, params)))
    run(adam, params, 3)
    run(other, theirs, 3)
    assert_array_equal(params[0], theirs[0])
    assert other.iterations == 6


def test_the_rate_may_change():
    sgd, p = optim.SGD(lr=1.0), np.array([1.0])
    sgd.step([p], [np.array([0.5])])
    sgd.lr = 0.1
    sgd.step([p], [np.array([1.0])])
    assert_allclose(p, 0.4)


def test_get():
    assert type(optim.get("adamw", weight_decay=0.1)) is optim.AdamW
    assert optim.get("nesterov", lr=0.1).nesterov
    assert optim.get("momentum").momentum == 0.9
    sgd = optim.SGD()
    assert optim.get(sgd) is sgd
    with pytest.raises(ValueError, match="no 'adagrad'; choose one of sgd, momentum"):
        optim.get("adagrad")


def test_an_optimiser_tells_what_was_chosen():
    assert repr(optim.SGD()) == "SGD()"
    assert repr(optim.SGD(0.1, nesterov=True, momentum=0.5)) == (
        "SGD(lr=0.1, momentum=0.5, nesterov=True)"
    )
    adam = optim.Adam(betas=(0.8, 0.999))
    adam.lr = 0.5
    assert repr(adam) == "Adam(lr=0.5, betas=(0.8, 0.999))"
    assert repr(optim.SGD(lr=start)) == f"SGD(lr={start!r})"
    assert repr(reference.optim.AdamW(max_norm=1)) == "AdamW(max_norm=1.0)"

    class Own(optim.RMSProp):
        def __init__(self, *args, **options):
            super().__init__(*args, **options)

    assert repr(Own(0.1)) == "Own()"


def test_errors_of_use():
    p, g = np.ones(3), np.ones(3)
    for make, match in (
        (lambda: optim.SGD(lr=-1), "lr: expected"),
        (lambda: optim.SGD(lr=np.nan), "lr: expected"),
        (lambda: optim.SGD(momentum=1.0), "momentum"),
        (lambda: optim.SGD(nesterov=True), "needs momentum"),
        (lambda: optim.Adam(betas=(0.9, 1.5)), r"betas\[1\]"),
        (lambda: optim.SGD(max_norm=-1), "max_norm"),
    ):
        with pytest.raises(ValueError, match=match):
            make()
    sgd = optim.Adam()
    with pytest.raises(ValueError, match="2 parameters, but 1"):
        sgd.step([p, p], [g])
    with pytest.raises(ValueError, match=r"grads\[1\] of shape \(3,\), got \(4,\)"):
        sgd.step([p, p], [g, np.ones(4)])
    with pytest.raises(TypeError, match=r"params\[1\] must be a float32 or float64 array"):
        sgd.step([p, np.ones(3, int)], [g, g])
    with pytest.raises(ValueError, match="read-only"):
        sgd.step([np.broadcast_to(1.0, 3)], [g])
    with pytest.raises(TypeError, match="takes no steps"):
        optim.Optimizer(0.1).step([p], [g])
    assert_array_equal(p, 1)
    sgd.step([p], [g])
    with pytest.raises(ValueError, match="not the parameters"):
        sgd.step([p, p], [g, g])
    with pytest.raises(ValueError, match="not the parameters"):
        sgd.step([np.ones(4)], [np.ones(4)])


@pytest.mark.parametrize("peer", [p for p in INSTALLED if p in ("numpy", "torch", "jax")])
def test_statements_of_peers(peer):
    """Each does what vekt's first step does."""
    for task in optim_tasks(OPTIMISERS_COMPARED, 100, "float64"):
        expected = task.operands["p"].copy()
        optim.get(task.name, lr=1e-3).step([expected], [task.operands["g"]])
        _, names = execute(peer, task.name, task.operands)
        got = task.operands["p"]
        if peer == "jax":
            got = names["results"] if task.name == "sgd" else names["results"][0]
        assert_allclose(got, expected, 1e-9)


def test_examples():
    assert doctest.testmod(optim).failed == 0


@pytest.mark.parametrize("layout", ["as it is", "turned"])
def test_bound_steps_are_steps(layout):
    rng = np.random.default_rng(2)
    start, slope = rng.standard_normal((2, 6, 5))
    ways = []
    for bound in (False, True):
        p, g = start.copy(), slope if layout == "as it is" else slope.copy("F")
        adam = optim.Adam(lr=0.1, max_norm=1.0)
        step = adam._bound([p], [g]) if bound else lambda adam=adam, p=p, g=g: adam.step([p], [g])
        for _ in range(3):
            step()
        assert adam.iterations == 3
        ways.append(p)
    np.testing.assert_array_equal(*ways)
    with pytest.raises(ValueError, match="expected grads"):
        optim.Adam()._bound([start], [slope[:2]])


def test_a_step_of_ones_own_is_taken():
    class Halved(optim.SGD):
        def step(self, params, grads):
            super().step(params, [g / 2 for g in grads])

    p = np.ones(3)
    Halved(lr=1.0)._bound([p], [np.ones(3)])()
    np.testing.assert_array_equal(p, np.full(3, 0.5))
