"""Functions written in C, as objects: whatever is done to them gives a result or an error."""

from __future__ import annotations

import copy
import gc
import pickle
import weakref
from typing import Any

import numpy as np
import pytest
from interpreters import run

import vekt as vk
from vekt import _ufuncs

DISPATCHERS = [f for name in vk.__all__ if type(f := getattr(vk, name)) is _ufuncs.Dispatcher]
JUNK: list[Any] = [(1, 2, 3), 5, None, b"x", 1.5, ..., [], {}]


def fresh() -> Any:
    return _ufuncs.Dispatcher("sample", 2, 1, lambda d, args, options: (args, options), "doc")


@pytest.mark.parametrize("name", ["__name__", "__qualname__"])
@pytest.mark.parametrize("value", JUNK, ids=repr)
def test_names_are_strings(name, value):
    for f in (*DISPATCHERS, fresh()):
        former = getattr(f, name)
        with pytest.raises(TypeError, match=f"{name} must be set to a string"):
            setattr(f, name, value)
        with pytest.raises(TypeError, match=f"{name} must be set to a string"):
            delattr(f, name)
        assert getattr(f, name) == former
        assert former in repr(f)


@pytest.mark.parametrize("name", ["__doc__", "__module__", "__name__", "__qualname__", "other"])
@pytest.mark.parametrize("value", ["text", *JUNK], ids=repr)
def test_attributes_may_be_anything_else(name, value):
    f = fresh()
    if name.endswith("name__") and not isinstance(value, str):
        return
    setattr(f, name, value)
    assert getattr(f, name) is value
    assert "vekt function" in repr(f)
    assert f(1, 2) == ((1, 2), {})
    assert gc.get_referents(f)
    if name not in ("__name__", "__qualname__"):
        delattr(f, name)
        assert "sample" in repr(f)


def test_as_functions_are():
    for f in (*DISPATCHERS, fresh()):
        assert weakref.ref(f)() is f
        assert copy.copy(f) is f
        assert copy.deepcopy(f) is f
        with pytest.raises(TypeError):
            type("Derived", (type(f),), {})
        with pytest.raises(AttributeError):
            f.__setstate__({})
        with pytest.raises(AttributeError):
            f.nin = 5
    for f in DISPATCHERS:
        assert pickle.loads(pickle.dumps(f)) is f
    seen = []
    f = fresh()
    kept = weakref.ref(f, seen.append)
    f.cycle = f
    del f
    gc.collect()
    assert seen == [kept]


@pytest.mark.parametrize("value", [*JUNK, -1, 2**70, 64, 12345, "text"], ids=repr)
def test_made_of_junk(value):
    """A dispatcher, its operations and a target's address."""
    good = ["name", 2, 1, print, "doc"]
    for position in range(5):
        arguments = [*good[:position], value, *good[position + 1 :]]
        try:
            made = _ufuncs.Dispatcher(*arguments)
        except (TypeError, ValueError, OverflowError):
            continue
        assert "vekt function" in repr(made)
    for call in (
        lambda: _ufuncs.Dispatcher(*good, value),
        lambda: _ufuncs.build_ufunc(value, "gelu", ""),
        lambda: _ufuncs.build(value, "dot"),
        lambda: _ufuncs.build("dot", value),
        lambda: _ufuncs.build_products(value),
        lambda: _ufuncs.kernel_operation(value, "add", np.dtype("f8")),
        lambda: _ufuncs.activation(value, "relu", ()),
        lambda: _ufuncs.pack(value, np.ones((3, 3))),
        lambda: _ufuncs.prelu(value, np.ones(3), np.ones(1), np.ones(3), 3, 1, 1),
        lambda: _ufuncs.program(value, (), 0, 1, (), (), 0),
        lambda: fresh().add((np.dtype("f8"),) * 2, value, (np.dtype("f8"),)),
        lambda: fresh().add(value, value, value),
        lambda: fresh().run(value, (), ()),
        lambda: DISPATCHERS[0].run(value, value, value),
    ):
        with pytest.raises((TypeError, ValueError, OverflowError)):
            call()


def test_called_while_collected():
    """The collector clears what it finds, and finalisers may still call it."""
    done = run("""
import gc
from vekt import _ufuncs
class Late:
    def __del__(self):
        for call in (lambda: repr(self.f), lambda: self.f(1, 2), lambda: self.f.nin):
            try:
                call()
            except Exception as error:
                pass
for _ in range(100):
    late = Late()
    late.f = f = _ufuncs.Dispatcher("sample", 2, 1, lambda d, a, k: (late, a), "doc")
    f.late = late
    f.again = f
    late.more = [late, f]
    del late, f
    gc.collect()
print("done")
""")
    assert done.stdout == "done\n"
