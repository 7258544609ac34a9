"""What modules say of names that they do not have."""

from __future__ import annotations

import importlib
import subprocess
import sys

import pytest

MISSPELT = {
    "": "gelo",
    "activations": "gelo",
    "autograd": "gelo",
    "dlpack": "gelo",
    "elementwise": "multipli",
    "jit": "gelo",
    "linalg": "matmull",
    "losses": "hubber",
    "reductions": "argmaxx",
    "reference": "gelo",
    "rows": "softmx",
    "ufuncs": "gelo_backward",
}
RIGHT = {
    "argmaxx": "argmax",
    "gelo": "gelu",
    "gelo_backward": "gelu_backward",
    "hubber": "huber",
    "matmull": "matmul",
    "multipli": "multiply",
    "softmx": "softmax",
}


@pytest.mark.parametrize(("module", "name"), MISSPELT.items())
def test_a_misspelt_name_suggests_the_nearest(module: str, name: str) -> None:
    full = f"vekt.{module}" if module else "vekt"
    with pytest.raises(AttributeError) as found:
        getattr(importlib.import_module(full), name)
    assert str(found.value) == (
        f"module {full!r} has no attribute {name!r}. Did you mean: {RIGHT[name]!r}?"
    )
    assert found.value.name == name


@pytest.mark.parametrize("module", MISSPELT)
@pytest.mark.parametrize("name", ["no_such_thing_at_all", "__wrapped__", "_gelu_"])
def test_names_near_none_and_private_ones_suggest_nothing(module: str, name: str) -> None:
    found = importlib.import_module(f"vekt.{module}" if module else "vekt")
    assert not hasattr(found, name)
    with pytest.raises(AttributeError, match=rf"has no attribute '{name}'$"):
        getattr(found, name)


def test_python_prints_one_suggestion_and_importing_does_not_pay_for_it() -> None:
    program = "import sys, vekt; print('difflib' in sys.modules); vekt.gelo"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert done.stdout.strip() == "False"
    assert done.stderr.splitlines()[-1] == (
        "AttributeError: module 'vekt' has no attribute 'gelo'. Did you mean: 'gelu'?"
    )
