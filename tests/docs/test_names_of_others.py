"""The tables of names for those who come from elsewhere: both sides compute the same."""

from __future__ import annotations

import re
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose

import vekt as vk

START = Path(__file__).parents[2] / "docs" / "start"
ROW = re.compile(r"^\| `([^|]+)` \| `([^|]+)` \|$", re.M)
rng = np.random.default_rng(7)
OPERANDS: dict[str, Any] = {
    "x": rng.normal(size=(3, 4)),
    "y": rng.normal(size=(3, 4)),
    "p": rng.uniform(0.1, 0.9, (3, 4)),
    "t": rng.integers(0, 2, (3, 4)).astype("f8"),
    "labels": rng.integers(0, 4, 3),
    "w": rng.normal(size=(4, 5)),
    "b": rng.normal(size=5),
    "u": rng.normal(size=6),
    "v": rng.normal(size=6),
    "image": rng.integers(0, 256, (4, 5, 3)).astype("u1"),
}
Convert = Callable[[Any], Any]


def numpy() -> tuple[dict[str, Any], Convert, float]:
    return {}, np.asarray, 1e-12


def scipy() -> tuple[dict[str, Any], Convert, float]:
    names = {name: import_module(f"scipy.{name}") for name in ("special", "linalg")}
    return names | {"distance": import_module("scipy.spatial.distance")}, np.asarray, 1e-12


def numexpr() -> tuple[dict[str, Any], Convert, float]:
    return {"ne": import_module("numexpr")}, np.asarray, 1e-12


def torch() -> tuple[dict[str, Any], Convert, float]:
    module = import_module("torch")
    return {"torch": module, "F": module.nn.functional}, module.tensor, 1e-12


def keras() -> tuple[dict[str, Any], Convert, float]:
    module = import_module("keras")
    names = {name: getattr(module, name) for name in ("activations", "losses")}
    return names | {"keras": module}, module.ops.convert_to_tensor, 2e-5  # which has float32


@pytest.mark.parametrize("library", [numpy, scipy, numexpr, torch, keras])
def test_both_sides_are_equal(library: Any) -> None:
    pytest.importorskip(library.__name__)
    names, convert, error = library()
    theirs = {**names, **{name: convert(array) for name, array in OPERANDS.items()}, "np": np}
    rows = ROW.findall((START / f"from_{library.__name__}.md").read_text("utf-8"))
    assert len(rows) >= 7
    for there, here in rows:
        expected = np.asarray(eval(there, dict(theirs)))
        got = eval(here, {"vk": vk, "np": np, **OPERANDS})
        assert_allclose(got, expected, error, error, err_msg=f"{there} and {here}")
        assert np.shape(got) == expected.shape, here


def test_where_numpys_name_does() -> None:
    page = (START / "from_numpy.md").read_text("utf-8")
    names = re.findall(r"`(\w+)`", page.partition("## Where the same name does")[2].split("##")[0])
    assert len(names) > 30
    for name in names:
        assert callable(getattr(vk, name)), name
        if name not in ("matvec", "vecmat", "vecdot"):  # which NumPy has since 2.0 and 2.2
            assert callable(getattr(np, name)), name
