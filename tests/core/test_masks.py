"""Masked arrays, in every function of every namespace: a mask is kept, or refused by name."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_array_equal

import vekt as vk
from vekt import jit, reference
from vekt._spec.families import ALL
from vekt._spec.spec import Spec

NAMESPACES = {"vekt": vk, "vekt.jit": jit, "vekt.reference": reference}
KEEPING = {"activations", "elementwise", "gates", "losses", "reductions"}
# What reads elements together.
REFUSING = {
    "broadcast_to",
    "glu_backward",
    "prelu_backward",
    "softmax_cross_entropy",
    "softmax_cross_entropy_value_and_grad",
    "sum_to_shape",
    "where",
}
NUMBERS = ("k", "num_classes")  # operands that are no arrays
MORE = {
    "clip": {"min": 0.3, "max": 0.6},
    "logsumexp_backward": {"keepdims": False},
}
SHAPES: dict[str, tuple[tuple[int, ...], ...]] = {
    "broadcast_to": ((4, 4), (2, 4, 4)),
    "dense": ((4, 4), (4, 4)),
    "glu_backward": ((4, 2), (4, 4)),
    "logsumexp_backward": ((4,), (4, 4)),
    "softmax_cross_entropy": ((4, 4), (4, 4)),
    "sum_to_shape": ((4, 4), (4,)),
}


def arguments(spec: Spec, kind: str, rng: np.random.Generator) -> list[Any]:
    operands = spec.form(kind).operands
    shapes = SHAPES.get(spec.name + kind, ((4, 4),) * len(operands))
    arrays: list[Any] = [
        rng.uniform(0.2, 0.8, shapes[k] if k < len(shapes) else (4, 4)).astype("f4")
        for k in range(len(operands))
    ]
    if "shape" in operands:
        arrays[1] = shapes[1]
    for k, operand in enumerate(operands):
        if operand == "indices":
            arrays[k] = np.arange(4)
        elif operand in NUMBERS:
            arrays[k] = 2
    if spec.form(kind).any_number:  # each with the labels of its axes
        return [arrays[0], [0, 1], arrays[0].copy(), [1, 2]]
    return arrays


def outcome(function: Any, args: list[Any], options: dict[str, Any]) -> Any:
    """Types, masks and dtypes of the results, or the words of the error."""
    try:
        results = function(*args, **options)
    except TypeError as error:
        return str(error)
    results = results if isinstance(results, tuple) else (results,)
    # NumPy leaves a mask at its own shape, where a ufunc has more than two operands.
    masks = [np.broadcast_to(np.ma.getmaskarray(r), np.shape(r)).tolist() for r in results]
    return [
        (type(r).__name__, mask, np.ma.getdata(r).dtype)
        for r, mask in zip(results, masks, strict=True)
    ]


def operand_cases() -> list[Any]:
    return [
        pytest.param(spec, kind, place, id=f"{spec.name}{kind}-{operand}")
        for spec in ALL
        if spec.family != "optim"
        for kind in spec.kinds
        for place, operand in enumerate(spec.form(kind).operands)
        if operand not in ("shape", *NUMBERS)
    ]


@pytest.mark.parametrize(("spec", "kind", "place"), operand_cases())
def test_every_namespace_keeps_or_refuses_a_mask(
    spec: Spec, kind: str, place: int, rng: np.random.Generator
) -> None:
    name = spec.name + kind
    args, options = arguments(spec, kind, rng), MORE.get(name, {})
    if spec.family == "reductions" and name not in REFUSING:
        options = {"axis": 0}
    args[place] = np.ma.masked_array(args[place])
    args[place][..., -1] = np.ma.masked
    found = {
        namespace: outcome(getattr(module, name), args, options)
        for namespace, module in NAMESPACES.items()
        if hasattr(module, name)
    }
    assert all(result == found["vekt"] for result in found.values()), found
    if spec.family in KEEPING and name not in REFUSING:
        if not name.startswith("arg"):  # whose results are numbers of places
            assert all(np.any(mask) for _, mask, _ in found["vekt"]), found
    else:
        operand = spec.form(kind).operands[place]
        operand = f"operand {place}" if spec.form(kind).any_number else operand
        start = f"{name}: {operand} is a masked array, and its mask would be ignored"
        assert str(found["vekt"]).startswith(start), found


ELEMENTWISE = [
    (spec, kind)
    for spec in ALL
    if spec.family in KEEPING - {"reductions"}
    for kind in spec.kinds
    if spec.name + kind not in REFUSING and spec.name not in ("glu", "clip")
]


@pytest.mark.parametrize(("spec", "kind"), ELEMENTWISE, ids=[s.name + k for s, k in ELEMENTWISE])
def test_masks_of_parts_that_broadcast_and_of_outputs(
    spec: Spec, kind: str, rng: np.random.Generator
) -> None:
    """A row's mask goes over all rows; nothing masked leaves nothing masked; out has its own."""
    name, form = spec.name + kind, spec.form(kind)
    args = arguments(spec, kind, rng)
    row = np.ma.masked_array(args[-1][0], mask=[True, False, False, False])
    empty = np.ma.masked_array(args[-1])
    outs = [
        tuple(np.ma.masked_array(np.zeros((4, 4), "f4"), mask=True) for _ in range(form.nout))
        for _ in NAMESPACES
    ]
    plain = tuple(np.zeros((4, 4), "f4") for _ in range(form.nout))
    found = []
    for module, out in zip(NAMESPACES.values(), outs, strict=True):
        if (function := getattr(module, name, None)) is None:
            continue
        found.append(
            [outcome(function, [*args[:-1], x], {}) for x in (row, empty, args[-1][0])]
            + [outcome(function, [*args[:-1], args[-1]], {"out": plain})]
        )
        if spec.family != "elementwise":
            masked = np.ma.masked_array(args[-1], mask=np.eye(4, dtype=bool))
            function(*args[:-1], masked, out=out)
            for array in out:
                assert_array_equal(np.ma.getmaskarray(array), np.eye(4, dtype=bool))
    assert all(one == found[0] for one in found), found
