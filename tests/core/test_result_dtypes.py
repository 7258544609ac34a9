"""Every function's results have the same dtype, or error, in all namespaces."""

from __future__ import annotations

import inspect
from itertools import product
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from operands import FUNCTIONS

import vekt as vk
from vekt import jit, reference
from vekt._spec.binary import BINARY

BFLOAT16 = np.dtype(ml_dtypes.bfloat16)
DTYPES = [*map(np.dtype, "?bhilBHILefdgFD"), BFLOAT16]
NO_OPERANDS = {"sum_to_shape", "broadcast_to", "stream", "ulp_error"}  # shapes, functions
COUNTS = {"clip": 3, "where": 3, "dense": 2, "multiply_add": 3, "scale_shift": 3}
NAMES = [
    name
    for name in reference.__all__
    if name in vk.__all__ and name not in NO_OPERANDS and callable(getattr(reference, name))
]


def count_of(name: str) -> int:
    """Return how many operands it wants."""
    function = getattr(vk, name)
    known = COUNTS.get(name) or getattr(function, "nin", None)
    if known:
        return int(known)
    return sum(
        p.default is p.empty and p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)
        for p in inspect.signature(function).parameters.values()
    )


def operands(name: str, dtypes: Any) -> list[Any]:
    made = [np.full((4, 4), 0.5).astype(dtype) for dtype in dtypes]
    if name in ("matvec", "vecmat"):
        vector = name == "matvec"
        made[vector] = made[vector][0]
    return made


def dtypes_of(function: Any, given: list[Any]) -> Any:
    try:
        with np.errstate(all="ignore"):
            results = function(*given)
    except (TypeError, ValueError) as error:
        return TypeError if isinstance(error, TypeError) else ValueError
    return [np.asarray(y).dtype for y in (results if isinstance(results, tuple) else (results,))]


def agree(name: str, twin: Any, dtypes: Any) -> None:
    given = operands(name, dtypes)
    if name == "tanh" and any(dtype.kind == "c" for dtype in dtypes):
        return  # in `vekt` alone, as its notes say
    if name.startswith("prelu") and dtypes[-1] == np.longdouble:
        return  # a parameter's number
    expected = dtypes_of(getattr(vk, name), given)
    assert dtypes_of(getattr(twin, name), given) == expected, (name, *map(str, dtypes))


@pytest.mark.parametrize("name", NAMES)
def test_reference(name: str) -> None:
    n = count_of(name)
    for dtype in DTYPES:
        agree(name, reference, [dtype] * n)
    for first, second in product(DTYPES, DTYPES) if n > 1 else ():
        agree(name, reference, [first, second, *[first] * (n - 2)])


# Elementary functions of `vekt.jit` compute integers and bool in float64, as compiled loops do.
FLOAT64_OF_INTEGERS = {*FUNCTIONS, *(op.name for op in BINARY)}
NOT_IN_NUMBA = {**dict.fromkeys(FLOAT64_OF_INTEGERS, "gFD"), "norm": "g", "outer": "g"}


@pytest.mark.parametrize("name", [n for n in NAMES if hasattr(jit, n)])
def test_jit(name: str) -> None:
    n = count_of(name)
    for dtype in DTYPES:
        given = [dtype] * n
        if dtype.char in NOT_IN_NUMBA.get(name, ""):
            assert dtypes_of(getattr(jit, name), operands(name, given)) is TypeError
        elif name in FLOAT64_OF_INTEGERS and dtype.kind in "biu":
            assert dtypes_of(getattr(jit, name), operands(name, given)) == [np.float64]
        else:
            agree(name, jit, given)
