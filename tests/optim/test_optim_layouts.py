"""Steps over gradients and parameters that lie anywhere: bits of dense ones, and no copies."""

from __future__ import annotations

import tracemalloc
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from vekt import optim
from vekt.optim import _base

OPTIMISERS = {
    "sgd": lambda: optim.SGD(lr=0.1, weight_decay=0.1),
    "momentum": lambda: optim.SGD(lr=0.1, momentum=0.9, nesterov=True),
    "rmsprop": lambda: optim.RMSProp(lr=0.1),
    "rmsprop momentum": lambda: optim.RMSProp(lr=0.1, momentum=0.5),
    "adam": lambda: optim.Adam(lr=0.1),
    "adamw": lambda: optim.AdamW(lr=0.1),
}
SHAPES = [(), (1,), (0, 3), (150,), (13, 11), (5, 1, 29), (3, 4, 5, 3)]


def second(shape: tuple[int, ...]) -> tuple[Any, ...]:
    """Return the index of every second element along each axis."""
    return (..., *[slice(None, None, 2)] * len(shape))


def gradients(shape: tuple[int, ...], dtype: str) -> dict[str, np.ndarray]:
    """Return gradients of these sizes, broadcast ones among them."""
    rng = np.random.default_rng(7)
    dense = np.asarray(rng.normal(size=shape), dtype)
    twice = np.zeros([2 * n for n in shape], dtype)
    every = second(shape)
    twice[every] = dense
    found = {
        "fortran": dense.copy("F"),
        "strided": twice[every],
        "backwards": dense[(..., *[slice(None, None, -1)] * len(shape))],
        "other dtype": dense.astype("f4" if dtype == "f8" else "f8"),
        "integers": np.asarray(np.rint(dense), int),
        "swapped bytes": dense.astype(dense.dtype.newbyteorder()),
        "a number": np.broadcast_to(dense.dtype.type(0.3), shape),
        "a number of float64": np.broadcast_to(0.3, shape),
    }
    for axis in range(len(shape)):
        if shape[axis]:
            part = dense.take([0], axis)
            found[f"broadcast along {axis}"] = np.broadcast_to(part, shape)
    return found


@pytest.mark.parametrize("name", OPTIMISERS)
@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize(("block", "few"), [(16, 0), (64, 0), (64, 200)])
def test_any_layout_has_the_bits_of_a_dense_one(
    name: str, dtype: str, block: int, few: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_base, "_BLOCK", block)
    monkeypatch.setattr(_base, "_FEW", few)
    for shape in SHAPES:
        start = np.asarray(np.random.default_rng(3).normal(size=shape), dtype)
        for form, g in gradients(shape, dtype).items():
            expected, optimiser = start.copy(), OPTIMISERS[name]()
            dense = np.array(g, dtype, order="C")
            for _ in range(2):
                optimiser.step([expected], [dense])
            room = np.full([2 * n for n in shape], 7, dtype)
            places = {
                "dense": start.copy(),
                "fortran": start.copy("F"),
                "strided": room[second(shape)],
                "swapped": start.astype(start.dtype.newbyteorder()),
            }
            for place, p in places.items():
                p[...] = start
                optimiser = OPTIMISERS[name]()
                for slope in (g, g):
                    optimiser.step([p], [slope])
                assert_array_equal(p, expected, err_msg=f"{shape} {form} {place}")
            rest = np.ones(room.shape, bool)
            rest[second(shape)] = False
            assert np.all(room[rest] == 7)


@pytest.mark.parametrize("name", OPTIMISERS)
def test_gradients_in_the_memory_of_their_parameters(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They count as they were, whatever a block before has written."""
    monkeypatch.setattr(_base, "_BLOCK", 16)
    monkeypatch.setattr(_base, "_FEW", 0)
    memory = np.random.default_rng(2).normal(size=200)
    for p, g in (
        (slice(0, 150), slice(1, 151)),
        (slice(1, 151), slice(0, 150)),
        (slice(0, 150), slice(149, None, -1)),
        (slice(0, 150), slice(0, 150)),
    ):
        expected, slope = memory[p].copy(), memory[g].copy()
        OPTIMISERS[name]().step([expected], [slope])
        lent = memory.copy()
        OPTIMISERS[name]().step([lent[p]], [lent[g]])
        assert_array_equal(lent[p], expected)


@pytest.mark.parametrize("name", OPTIMISERS)
@pytest.mark.parametrize(
    "form", ["a number", "a number of float64", "strided", "broadcast along 0"]
)
def test_no_copies_of_the_size_of_the_parameters(name: str, form: str) -> None:
    shape = (40, 25_000)
    p, g = np.ones(shape, "f4"), gradients(shape, "f4")[form]
    optimiser = OPTIMISERS[name]()
    optimiser.step([p], [g])
    tracemalloc.start()
    optimiser.step([p], [g])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < p.nbytes / 3


@pytest.mark.large
@pytest.mark.parametrize("make", [lambda: optim.SGD(lr=0.5), lambda: optim.SGD(0.5, max_norm=1e9)])
def test_more_elements_than_32_bits_count(make: Any) -> None:
    n = 2**31 + 5
    p = np.zeros(n, "f4")
    make().step([p], [np.broadcast_to(np.float32(2), n)])
    assert p.min() == p.max() == -1
