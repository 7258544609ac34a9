"""64 threads call everything while the number of threads changes: all results as of one thread."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from calls import calls_of
from crowd import MANY, Crowd, crowded_calls, drawn_calls, large_calls
from forms import FORMS
from fuzz.groups import GROUPS

import vekt as vk


def test_a_crowd_gets_what_one_thread_gets():
    crowd = Crowd([*drawn_calls(8), *large_calls(), *crowded_calls(12)])
    crowd.run(64, seconds=3, least=4)
    assert not crowd.wrong, crowd.wrong[:3]
    assert crowd.made >= 256


@pytest.mark.stress
@pytest.mark.parametrize("group", GROUPS)
def test_a_crowd_of_random_calls(group, request):
    seed = request.config.getoption("--fuzz-seed")
    crowd = Crowd(drawn_calls(400, seed, (group,)))
    crowd.run(64, seconds=60)
    print(f"{group}: {crowd.made} calls")
    assert not crowd.wrong, crowd.wrong[:3]


@pytest.mark.stress
@pytest.mark.parametrize("threads", [2, 8, 64])
def test_a_crowd_of_large_calls(threads):
    crowd = Crowd(large_calls())
    crowd.run(threads, seconds=60)
    print(f"{threads} threads: {crowd.made} calls")
    assert not crowd.wrong, crowd.wrong[:3]


@pytest.mark.stress
@pytest.mark.parametrize("threads", [2, 64])
def test_a_crowd_that_fills_all_caches(threads):
    crowd = Crowd(crowded_calls(MANY))
    for seed in range(4):
        crowd.run(threads, seconds=30, seed=seed)
    print(f"{threads} threads: {crowd.made} calls")
    assert not crowd.wrong, crowd.wrong[:3]


def test_large_calls_are_of_every_spec_and_raise_nothing():
    crowd = Crowd([*large_calls(), *crowded_calls(3)])
    names = [name for name, _ in crowd.calls]
    assert {*FORMS, *calls_of(3)} <= {*names}
    found = zip(names, crowd.expected, strict=True)
    assert not {name: x for name, x in found if isinstance(x, Exception)}


def test_differences_are_seen():
    """A watch that sees nothing would pass on anything."""
    counter = itertools.count()
    calls = {
        "value": lambda: np.arange(3.0) + next(counter),
        "dtype": lambda: np.zeros(3, "f4" if next(counter) % 2 else "f8"),
        "shape": lambda: np.zeros(next(counter)),
        "error": lambda: 1 / (next(counter) % 3),
        "several": lambda: (np.zeros(2), np.full(2, next(counter))),
        "same": lambda: vk.gelu(np.linspace(-3, 3, 50_000)),
    }
    for name, call in calls.items():
        crowd = Crowd([(name, call)])
        crowd.run(4, seconds=0, least=40)
        assert bool(crowd.wrong) == (name != "same"), name
        assert crowd.made == 160
