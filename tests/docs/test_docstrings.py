"""Every public object is documented, and the examples are true."""

from __future__ import annotations

import doctest
import inspect
import pydoc
import re
from typing import Any

import numpy as np
import pytest

import vekt as vk
from vekt import jit, reference
from vekt._spec.activations import KERNELS, OPS
from vekt._spec.kernels import TABLE

FLAGS = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
OBJECTS = {
    f"{module.__name__}.{name}": getattr(module, name)
    for module in (vk, vk.activations, jit, reference)
    for name in module.__all__
}
FUNCTIONS = {name: obj for name, obj in OBJECTS.items() if not inspect.ismodule(obj)}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_examples(name: str) -> None:
    examples = doctest.DocTestParser().get_doctest(FUNCTIONS[name].__doc__, {}, name, None, None)
    runner = doctest.DocTestRunner(optionflags=FLAGS)
    runner.run(examples)
    assert runner.summarize(verbose=False).failed == 0


@pytest.mark.parametrize("name", OBJECTS)
def test_documented(name: str) -> None:
    text = inspect.getdoc(OBJECTS[name])
    assert text
    assert all(len(line) <= 100 for line in text.splitlines()[1:])


@pytest.mark.parametrize("name", [name for op in OPS.values() for name in op.public_names])
@pytest.mark.parametrize("module", [vk, jit, reference], ids=lambda module: module.__name__)
def test_sections(module: Any, name: str) -> None:
    text = getattr(module, name).__doc__
    sections = ["Parameters", "Returns", "Raises", "Notes", "References", "Examples"]
    places = [text.index(f"\n{section}\n{'-' * len(section)}\n") for section in sections]
    assert places == sorted(places)
    op = next(op for op in OPS.values() if name in op.public_names)
    words = " ".join(text.split())
    assert op.kernels[0].formula in words
    assert op.source in words
    if name in OPS:
        assert op.summary in words
        assert all(param.doc in words for param in op.params)
    if not isinstance(getattr(module, name), np.ufunc):
        for parameter in inspect.signature(getattr(module, name)).parameters:
            assert f"\n{parameter} : " in text


def test_bounds_are_those_of_the_namespace() -> None:
    kernel = KERNELS["gelu"]
    assert f"{kernel.max_ulp['float64']:g} ULP in float64" in vk.gelu.__doc__
    assert f"{kernel.jit_max_ulp['float64']:g} ULP in float64" in jit.gelu.__doc__
    assert "ULP" not in reference.gelu.__doc__
    assert "-0.751792" in vk.gelu_backward.__doc__


@pytest.mark.parametrize("name", FUNCTIONS)
def test_help_tells_how_to_call_and_names_no_kernel(name: str) -> None:
    function = FUNCTIONS[name]
    shown = pydoc.render_doc(function, renderer=pydoc.plaintext)
    head = next(line for line in shown.splitlines()[2:] if "(" in line)
    if not isinstance(function, np.ufunc | type):
        takes = list(inspect.signature(function).parameters)
        assert [n for n in re.findall(r"\w+", head.partition("(")[2]) if n in takes][
            : len(takes)
        ] == takes
    assert not re.search(r"^ *\w+: error", shown, re.MULTILINE)


def test_docstrings_of_ufuncs() -> None:
    assert set(vk.ufuncs.__all__) == set(TABLE)
    for name, entry in TABLE.items():
        assert entry.docstring in getattr(vk.ufuncs, name).__doc__
    assert "\nmax_value : array_like\n" in TABLE["relu_general"].docstring
