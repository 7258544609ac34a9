"""Importing vekt: quick, light, and clear about a wrong environment."""

from __future__ import annotations

import json
import runpy

import pytest
from interpreters import run

import vekt as vk
from vekt import ufuncs
from vekt._core import native

LAST = native.SUPPORTED[-1]  # generic, but in a build for known machines


def test_loads_nothing_that_is_not_needed():
    script = "import vekt, sys, json; print(json.dumps(sorted(sys.modules)))"
    loaded = set(json.loads(run(script).stdout))
    unwanted = {
        "numba",
        "llvmlite",
        "scipy",
        "cffi",
        "threadpoolctl",
        "mpmath",
        "flint",
        "vekt.jit",
        "vekt.reference",
        "vekt.config",
        "vekt.cli",
        "importlib.metadata",
    }
    assert not loaded & unwanted


@pytest.mark.parametrize("isa", native.SUPPORTED)
def test_isa_cap(isa):
    script = "import vekt; c = vekt.config.get_config(); print(c['isa'], c['isa_cap'])"
    assert run(script, VEKT_ISA=isa).stdout.split() == [isa, isa]
    assert run(script, VEKT_ISA="").stdout.split() == [native.SUPPORTED[0], "None"]


def test_unknown_isa():
    done = run("import vekt", check=False, VEKT_ISA="x86_v9")
    assert done.returncode != 0
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("ValueError: VEKT_ISA='x86_v9'")
    assert all(name in last for name in native.TARGETS)


def test_build_for_other_processors(monkeypatch):
    """One of `-Dtargets=x86_v4`, say, on a CPU without AVX-512."""

    class OtherProcessor:
        def __getattr__(self, name):
            return getattr(native.lib, name)

        def vekt_target_supported(self, i):
            return 0

    monkeypatch.setattr("vekt._kernels.lib", OtherProcessor())
    with pytest.raises(ImportError, match=f"is for {', '.join(native.TARGETS)}: this CPU"):
        runpy.run_path(native.__file__)


def test_unsupported_isa_is_refused():
    with pytest.raises(ValueError, match="does not run here"):
        ufuncs.build_ufuncs("vax")


def test_bad_thread_count():
    done = run("import vekt", check=False, VEKT_NUM_THREADS="many")
    assert "ValueError: VEKT_NUM_THREADS='many'" in done.stderr


AT_EXIT = """
import atexit, builtins, sys
import numpy as np
import vekt as vk
a, i = np.ones((3, 3)), np.ones((3, 3), int)
class Late:
    def __init__(self, call):
        self.call = call
    def __del__(self):
        try:
            self.call()
            print("ran")
        except ImportError as error:
            print(error if "vekt." in str(error) else "unclear", end="\\n")
calls = [
    lambda: vk.matmul(a, a), lambda: vk.matmul(i, a), lambda: vk.matvec(a, i[0]),
    lambda: vk.vecdot(a, i), lambda: vk.dot(a, i), lambda: vk.tensordot(a, i), lambda: vk.gelu(i),
    lambda: vk.gelu(np.ones(10**6)), lambda: vk.softmax(a), lambda: vk.where(a > 0, a, 1),
    lambda: vk.dense(a, a), lambda: vk.mean(a), lambda: vk.evaluate("a + 1", {"a": a}),
    lambda: vk.norm(a), lambda: vk.outer(a, a),
]
"""


@pytest.mark.parametrize(
    ("how", "first"),
    [
        ("builtins.late = [Late(call) for call in calls]", 8),  # imports are over
        ("for call in calls: atexit.register(call)", 0),
        ("atexit.register(lambda: [Late(call) for call in calls])", 15),
        ("late = [Late(call) for call in calls]; late.append(late)", 8),
    ],
)
def test_first_calls_while_python_shuts_down(how, first):
    done = run(AT_EXIT + how)
    assert not done.stderr
    lines = done.stdout.splitlines()
    assert lines.count("ran") == first
    assert all(" is first used while Python shuts down" in line for line in lines if line != "ran")


def test_lazy_attributes():
    assert vk.__version__ == vk.config.get_config()["version"]
    assert vk.reference.__name__ == "vekt.reference"
    assert set(vk.__all__) | {"jit", "reference", "config", "__version__"} <= set(dir(vk))
    with pytest.raises(AttributeError, match="no_such_name"):
        _ = vk.no_such_name


def test_star_import_needs_no_extra_package():
    script = "from vekt import *; import sys; print(gelu, dot, 'numba' in sys.modules)"
    assert run(script).stdout.split()[-1] == "False"


def test_all_is_complete_and_sorted_out():
    assert len(set(vk.__all__)) == len(vk.__all__)
    assert all(hasattr(vk, name) for name in vk.__all__)


class TestConfig:
    """show_config tells what runs and why."""

    def test_get_config(self):
        config = vk.config.get_config()
        assert json.loads(json.dumps(config)) == config
        assert config["isa"] == native.SELECTED
        assert list(config["targets"]) == list(native.TARGETS)
        assert config["targets"][LAST] is True
        assert config["num_threads"] == vk.get_num_threads()

    def test_show_config(self, capsys):
        vk.show_config()
        printed = capsys.readouterr().out
        assert native.SELECTED in printed
        assert vk.__version__ in printed

    def test_reason(self):
        script = "import vekt; print(vekt.config.get_config()['isa_reason'])"
        assert f"up to VEKT_ISA={LAST}" in run(script, VEKT_ISA=LAST).stdout
        assert "up to" not in run(script, VEKT_ISA="").stdout
