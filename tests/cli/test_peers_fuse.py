"""Every statement of fused functions that `vekt compare` times computes the same."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose
from peer_statements import DTYPES, INSTALLED, execute

import vekt as vk
from vekt.cli.compare.fuse_tasks import (
    EVALUATE,
    EXPRESSIONS,
    GRADIENT,
    NAMES,
    NORMALISE,
    expression_tasks,
    gradient_tasks,
    normalise_tasks,
    sizes,
)
from vekt.cli.compare.grids import Grid
from vekt.cli.compare.shapes import SIZES
from vekt.cli.peers import PEERS


def ours(task):
    """Run vekt's statement; return the names that it left."""
    names = {"vk": vk, "np": np, **task.operands}
    exec(task.statement, names)
    return names


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("peer", [p for p in INSTALLED if EVALUATE in PEERS[p].statements])
def test_expressions(peer, dtype):
    tasks = list(expression_tasks(NAMES, 48, dtype))
    assert [task.name for task in tasks] == [*EXPRESSIONS, EVALUATE]
    for task in tasks:
        expected = ours(task)["out"].copy()
        task.operands["out"].fill(0)
        returned, _ = execute(peer, task.name, task.operands)
        got = np.asarray(returned) if peer == "jax" else task.operands["out"]
        assert got.dtype == dtype
        assert_allclose(got, expected, *(2 * [1e-5 if dtype == "float32" else 1e-13]))


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_what_is_fused_is_what_is_shown(name):
    """The title, which is the expression, gives the same as the function."""
    (task,) = expression_tasks([name], 48, "float64")
    out = ours(task)["out"]
    assert_allclose(vk.evaluate(task.label, task.operands), out, 1e-15)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("peer", [p for p in INSTALLED if GRADIENT in PEERS[p].statements])
def test_gradients(peer, dtype):
    (task,) = gradient_tasks([(6, 5)], dtype)
    expected = ours(task)
    _, names = execute(peer, task.name, task.operands)
    tolerance = 2 * [1e-4 if dtype == "float32" else 1e-12]
    assert_allclose(names["value"], expected["value"], *tolerance)
    assert len(names["slopes"]) == len(expected["slopes"]) == 4
    for got, slope in zip(names["slopes"], expected["slopes"], strict=True):
        got = np.asarray(got)
        assert (got.dtype, got.shape) == (slope.dtype, slope.shape)
        assert_allclose(got, slope, *tolerance)


@pytest.mark.parametrize("peer", [p for p in INSTALLED if NORMALISE in PEERS[p].statements])
def test_pictures(peer):
    (task,) = normalise_tasks([(2, 4, 5, 3)])
    expected = ours(task)["out"].copy()
    task.operands["out"].fill(0)
    returned, _ = execute(peer, task.name, task.operands)
    got = np.asarray(returned) if peer == "jax" else task.operands["out"]
    assert got.dtype == np.float32
    assert_allclose(got, expected, 2e-6, 2e-6)


def test_no_peer_is_forgotten():
    expressions = {*EXPRESSIONS, EVALUATE}
    for peer in ("numpy", "numexpr", "torch", "jax"):
        assert expressions <= set(PEERS[peer].statements)
    for peer in ("torch", "jax", "autograd"):
        assert GRADIENT in PEERS[peer].statements
    for peer in ("numpy", "torch", "jax"):
        assert NORMALISE in PEERS[peer].statements


def test_the_grid():
    """One name for all; the sizes that are asked for, or one more than other operations have."""
    by_default = list(Grid({"fuse"}, SIZES, None, None).groups())
    every = [title for title, _ in by_default if title.startswith("fused functions")]
    assert len(every) == 2 * 4
    assert "fused functions of 10,000 elements" in every
    assert sizes([64]) == [64]
    small = Grid({"fuse"}, [64], [(6, 5), (2, 4, 5, 3)], None)
    tasks = [task for _, tasks in small.groups() for task in tasks()]
    assert {task.name for task in tasks} == set(NAMES)
    assert {task.shape for task in tasks} == {(64,), (6, 5), (2, 4, 5, 3)}
    one = Grid({"fuse_power"}, [64], None, ["float32"])
    assert [task.name for _, tasks in one.groups() for task in tasks()] == ["fuse_power"]
