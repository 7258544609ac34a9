"""Every statement of linear algebra that `vekt compare` times computes what it is named after."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib.util import find_spec
from itertools import chain
from typing import Any

import numpy as np
import pytest
from ml_dtypes import finfo
from peer_statements import INSTALLED, TRUE, close, derivative, execute

import vekt as vk
from vekt.cli.compare import einsum_tasks as contractions
from vekt.cli.compare import linear_tasks as linear
from vekt.cli.compare.tasks import Task
from vekt.cli.peers import PEERS, UnsupportedError
from vekt.cli.peers._names import LAYERS

DTYPES = linear.FLOATS


def tasks(dtype: str) -> Iterator[Task]:
    """One task or more for each statement."""
    yield linear.dot_task(100, dtype)
    yield from linear.norm_tasks(100, dtype)
    yield from linear.matrix_tasks(linear.VECTORS, (7, 9), dtype)
    yield from linear.product_tasks([(4, 5, 6), (3, 4, 5, 6)], dtype, [(4, 5, 6)])
    yield from linear.tensordot_tasks([(8, 5, 6)], dtype)
    for backward in (False, True):
        yield from linear.dense_tasks([(6, 5, 4)], dtype, backward)


def exact(name: str, o: dict[str, Any]) -> Any:
    """Compute the definition in extended precision."""
    definitions: dict[str, Callable[[], Any]] = {
        "dot": lambda: np.sum(o["x"] * o["dy"]),
        "matmul": lambda: np.sum(o["a"][..., None] * o["b"][..., None, :, :], axis=-2),
        "tensordot": lambda: np.einsum("ikj,kn->ijn", o["a"], o["b"]),
        "vecdot": lambda: np.sum(o["x"] * o["y"], -1),
        "matvec": lambda: np.sum(o["x"] * o["v"], -1),
        "vecmat": lambda: np.sum(o["x"] * o["u"][:, None], 0),
        "norm": lambda: np.sqrt(np.sum(o["x"] ** 2, o["axis"])),
        "norm_1": lambda: np.sum(np.abs(o["x"])),
        "norm_inf": lambda: np.max(np.abs(o["x"])),
        "cosine_similarity": lambda: (
            np.sum(o["x"] * o["y"], -1) / np.sqrt(np.sum(o["x"] ** 2, -1) * np.sum(o["y"] ** 2, -1))
        ),
        "outer": lambda: o["u"][:, None] * o["v"],
        "transpose_copy": lambda: o["x"].T,
    }
    if name in definitions:
        return definitions[name]()
    activation = TRUE[name.removeprefix("dense_").removesuffix("_backward")]
    z = o["x"] @ o["w"] + o["b"]
    if not name.endswith("_backward"):
        return activation(z)
    dz = o["dy"] * derivative(activation, z)
    return activation(z), dz @ o["w"].T, o["x"].T @ dz, dz.sum(0)


# Where a peer that can write to an operand does; JAX never can.
OUTPUTS = {"vecdot": "by_row", "matvec": "by_row", "vecmat": "by_column"}
OUTPUTS |= {"transpose_copy": "turned", "cosine_similarity": "by_row"}
SCRATCH = ("out", "by_row", "by_column", "turned", "dx", "dw", "db", "z", "dz", "t", "r", "s")
RETURNED = {("torch", "cosine_similarity"), ("vekt", "cosine_similarity")}


def results(task: Task, returned: Any, names: dict[str, Any], peer: str) -> Any:
    """Whatever the statement has computed, and wherever it left that."""
    if task.name.endswith("_backward"):
        return (
            returned if peer in ("torch", "jax") else [names[k] for k in ("out", "dx", "dw", "db")]
        )
    returns = ("dot", "tensordot", *linear.ORDERS)
    if peer == "jax" or task.name in returns or (peer, task.name) in RETURNED:
        return returned
    return names[OUTPUTS.get(task.name, "out")]


def check(task: Task, dtype: str, peer: str) -> None:
    """Run one statement, or vekt's own statement, on operands without results of former ones."""
    for key in SCRATCH:
        if key in task.operands and task.operands[key] is not task.operands.get("x"):
            task.operands[key].fill(np.nan)
    inputs = {
        key: value.astype(np.longdouble) if isinstance(value, np.ndarray) else value
        for key, value in task.operands.items()
    }
    expected = exact(task.name, inputs)
    if peer == "vekt":
        names = {"vk": vk, **task.operands}
        *first, last = task.statement.split("; ")
        exec("; ".join(first), names)
        returned = eval(last, names)
    else:
        returned, names = execute(peer, task.name, task.operands)
    got = results(task, returned, names, peer)
    if not isinstance(expected, tuple):
        got, expected = [got], [expected]
    for one, other in zip(got, expected, strict=True):
        array = np.asarray(one.detach() if hasattr(one, "detach") else one)
        # SciPy and a loop in Numba return Python's float.
        close(array.astype(dtype) if task.name == "dot" else array, other, dtype)


@pytest.mark.parametrize("dtype", DTYPES)
def test_statements_of_vekt(dtype: str) -> None:
    for task in tasks(dtype):
        check(task, dtype, "vekt")


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("peer", [p for p in INSTALLED if "dot" in PEERS[p].statements])
def test_rows(peer: str, dtype: str) -> None:
    ran = set()
    for task in tasks(dtype):
        if task.name in PEERS[peer].statements:
            check(task, dtype, peer)
            ran.add(task.name)
    assert ran == set(PEERS[peer].statements) & set(linear.linear_statements())


def assert_rounded_sums(got: Any, operands: dict[str, Any], vectors: bool) -> None:
    """Allow each product and each sum one rounding to the dtype of the operands."""
    a, b = (operands[name] for name in (("x", "dy") if vectors else ("a", "b")))
    unit = float(finfo(a.dtype).eps) / 2
    wide = [operand.astype(np.clongdouble) for operand in (a, b)]
    sizes = np.matmul(*(np.abs(operand) for operand in wide))
    # A complex product is two sums of two products.
    roundings = (a.shape[-1] + 2) * (4 if a.dtype.kind == "c" else 1)
    error = np.abs(got.astype(np.clongdouble) - np.matmul(*wide))
    assert np.all(error <= roundings * unit * sizes)


@pytest.mark.parametrize("dtype", [name for name in linear.DTYPES if name not in DTYPES])
@pytest.mark.parametrize("peer", INSTALLED)
def test_products_of_other_dtypes(peer: str, dtype: str) -> None:
    """Peers say which dtypes they lack; of the others they have NumPy's results."""
    if dtype == "bfloat16" and find_spec("ml_dtypes") is None:
        pytest.skip("needs ml_dtypes")
    products = linear.product_tasks([(4, 5, 6)], dtype, [(4, 5, 6)])
    for task in chain([linear.dot_task(100, dtype)], products):
        if task.name not in PEERS[peer].statements:
            continue
        try:
            returned, names = execute(peer, task.name, task.operands)
        except UnsupportedError:
            continue
        got = results(task, returned, names, peer)
        if peer == "torch" and dtype == "bfloat16":
            got = got.float() if task.name == "dot" else names["OUT"].float()
        got = np.asarray(got)
        if task.name == "dot":
            expected = np.dot(task.operands["x"], task.operands["dy"])
        else:
            expected = np.matmul(task.operands["a"], task.operands["b"])
        if expected.dtype.kind in "biu":
            np.testing.assert_array_equal(got, expected)
        else:
            assert_rounded_sums(got, task.operands, task.name == "dot")


@pytest.mark.parametrize(
    "peer", ["vekt", *(p for p in INSTALLED if "einsum" in PEERS[p].statements)]
)
def test_contractions(peer: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The grid, with lengths of 3 at most: some of its rows are large for one step."""
    assert len(contractions.GRID) >= 40
    small = [
        (text, " ".join(x[0] + str(min(3, int(x[1:]))) for x in lengths.split()))
        for text, lengths in contractions.GRID
    ]
    monkeypatch.setattr(contractions, "GRID", tuple(small))
    for task in contractions.einsum_tasks("float64"):
        expected = np.einsum(task.operands["text"], *task.operands["arrays"])
        if peer == "vekt":
            returned = eval(task.statement, {"vk": vk, **task.operands})
        else:
            returned, _ = execute(peer, task.name, task.operands)
        close(np.asarray(returned), expected, "float64")


def test_operands_are_of_their_dtype() -> None:
    for dtype in linear.DTYPES:
        if dtype != "bfloat16" or find_spec("ml_dtypes"):
            for task in linear.product_tasks([(2, 3, 4), (2, 2, 3, 4)], dtype, [(2, 3, 4)]):
                assert {a.dtype.name for a in task.operands.values()} == {dtype}
                m, k, n = task.shape[-3:]
                stack = task.shape[:-3]
                assert task.operands["a"].shape == (*stack, m, k)
                assert task.operands["b"].shape == (*stack, k, n)
                assert task.operands["out"].shape == (*stack, m, n)


def test_no_peer_is_forgotten() -> None:
    names = set(linear.linear_statements())
    assert tuple(linear.ACTIVATIONS) == LAYERS
    assert names <= set(PEERS["torch"].statements)
    assert names <= set(PEERS["jax"].statements)
    # erf is what NumPy lacks
    assert names - set(PEERS["numpy"].statements) == {"dense_gelu", "dense_gelu_backward"}
    assert {"dense_gelu", "dense_gelu_backward"} <= set(PEERS["scipy"].statements)
