"""Nothing is left of calls, right or wrong: references, Python's blocks, bytes of malloc."""

from __future__ import annotations

import ctypes
import gc
from types import BuiltinFunctionType

import numpy as np
import pytest

from vekt import _ufuncs

from .bridge import AT_IMPORT, garbage
from .children import succeeds
from .leaks import growth


def test_nothing_is_left_of_a_few_calls(tmp_path, capsys):
    succeeds(capsys, tmp_path / "trace", "memory.leaks", "--calls", "400")


@pytest.mark.guard
def test_nothing_is_left_of_many_calls(tmp_path, capsys):
    succeeds(capsys, tmp_path / "trace", "memory.leaks", "--calls", "1000000")


def test_every_function_of_the_bridge_is_called():
    called = {function for _, function, _, _ in garbage()}
    functions = {
        name for name, x in vars(_ufuncs).items() if isinstance(x, BuiltinFunctionType)
    } - AT_IMPORT
    assert {function.__name__ for function in called} == functions


KEPT = []


@pytest.mark.parametrize(
    ("function", "problem"),
    [
        (np.sqrt, ""),
        (lambda x: KEPT.append(x), "references of array"),
        (lambda x: KEPT.append([1.5 * len(KEPT)]), "blocks"),
        (lambda x: KEPT.append(bytearray(5000)), "bytes of malloc"),
        (lambda x: ctypes.pythonapi.Py_IncRef(ctypes.py_object(x.dtype)), "references of dtype"),
    ],
    ids=["nothing", "operand", "object", "memory", "dtype"],
)
def test_what_is_left_is_seen(function, problem):
    """A watch that sees nothing would pass on anything."""
    gc.freeze()  # what other tests have made takes seconds to look through
    found = growth(("planted", function, (np.ones(5),), {}), 50)
    gc.unfreeze()
    KEPT.clear()
    assert problem in found if problem else not found
