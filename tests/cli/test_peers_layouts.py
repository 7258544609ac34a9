"""Every statement of elementwise functions that `vekt compare` times computes the same."""

from __future__ import annotations

from itertools import islice

import numpy as np
import pytest
from numpy.testing import assert_allclose
from peer_statements import INSTALLED, execute

import vekt as vk
from vekt._spec.elementwise import OPS
from vekt.cli.compare.layout_tasks import GRID, grid_tasks, layout_tasks
from vekt.cli.peers import PEERS


@pytest.mark.parametrize("peer", [p for p in INSTALLED if "add" in PEERS[p].statements])
def test_rows(peer):
    ran = set()
    for task in [*layout_tasks(OPS, 48, "float32"), *islice(grid_tasks(200, "float32"), 9)]:
        slow = peer == "jax" and not task.label.endswith(("equal shapes", "A, A.T"))
        if task.name not in PEERS[peer].statements or slow:  # which compiles each anew
            continue
        out = task.operands["out"]
        with np.errstate(all="ignore"):
            exec(task.statement, {"vk": vk, **task.operands})
            expected = out.copy()
            out.fill(0)
            returned, _ = execute(peer, task.name, task.operands)
        got = np.asarray(returned) if peer == "jax" else out
        assert_allclose(got, expected, rtol=2e-6, atol=1e-6)
        ran.add(task.name)
    assert ran == set(PEERS[peer].statements) & {*OPS, GRID}


def test_no_peer_is_forgotten():
    assert {*OPS, GRID} - {"erf", "erfc"} <= set(PEERS["numpy"].statements)
    assert {"erf", "erfc"} <= set(PEERS["scipy"].statements)
    assert set(OPS) - {"cbrt"} <= set(PEERS["torch"].statements)
    assert {"add", "exp", "multiply_add"} <= set(PEERS["jax"].statements)


def test_the_grid():
    """As many layouts as promised, each different, every axis broadcast and permuted somewhere."""
    tasks = list(grid_tasks(1000, "float64"))
    assert len({task.title for task in tasks}) == len(tasks) >= 200
    shapes = np.array([task.operands["a"].shape for task in tasks])
    assert np.all((shapes == 1).any(0) & (shapes > 1).any(0))
    first = next(grid_tasks(1000, "float64"))
    assert np.array_equal(first.operands["a"], tasks[0].operands["a"])
