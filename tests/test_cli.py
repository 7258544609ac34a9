"""The command line: arguments, exit codes, JSON, and what each subcommand measures."""

import dataclasses
import json
import os
import subprocess
import sys

import numpy as np
import pytest

import vekt as vk
from vekt import _native
from vekt._registry import KERNELS
from vekt.cli import main
from vekt.cli.cases import Case, all_cases
from vekt.cli.environment import BLAS_OVERRIDES
from vekt.cli.samples import PATTERNS, float32_patterns, float64_patterns, mixed_sample
from vekt.config import get_config

SMALL_COMPARE = ["compare", "--op", "relu,dot", "--sizes", "64", "--rounds", "3"]
CASES = {case.name: case for case in all_cases()}


@pytest.fixture(autouse=True)
def _no_restart(monkeypatch):
    """Keep `main` from replacing this very process."""
    for name in BLAS_OVERRIDES:
        monkeypatch.delenv(name, raising=False)


def run(*arguments, **environment):
    return subprocess.run(
        [sys.executable, *arguments],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_module_and_version():
    result = run("-m", "vekt", "--version")
    assert result.returncode == 0
    assert vk.__version__ in result.stdout


def test_help_names_every_command(capsys):
    assert main(["--help"]) == 0
    out = capsys.readouterr().out
    assert all(name in out for name in ("demo", "compare", "accuracy", "info"))


def test_info(capsys):
    assert main(["info"]) == 0
    out = capsys.readouterr().out
    assert get_config()["isa"] in out
    assert np.__version__ in out


def test_info_json_leaves_nothing_else_on_stdout(capsys):
    assert main(["info", "--json", "-"]) == 0
    captured = capsys.readouterr()
    assert json.loads(captured.out) == get_config()
    assert "instruction set" in captured.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nonsense"], "No such command"),
        (["demo", "--only", "nonsense"], "'notes', 'kernels', 'logistic'"),
        (["demo", "--png", "no/such/directory/a.png"], "There is no directory"),
        (["compare", "--sizes", "ten"], "not a valid integer"),
        (["compare", "--sizes", "0"], "x>=1"),
        (["compare", "--shapes", "4096"], "'4096' is not of the form 4096x1000"),
        (["compare", "--shapes", "3x0"], "'3x0' is empty"),
        (["compare", "--peers", "numpy,nonsense"], "'nonsense' is not one of"),
        (["compare", "--op", "nonsense"], "'dot'"),
        (["compare", "--dtype", "float16"], "'float32', 'float64'"),
        (["compare", "--threads", "1000000"], "is more than the"),
        (["accuracy", "--op", "nonsense"], "'gelu_tanh'"),
        (["accuracy", "--isa", "nonsense"], _native.SELECTED),
        (["accuracy", "--samples", "0"], "1<=x"),
        (["accuracy", "--exhaustive", "--samples", "5"], "exclude each other"),
        (["accuracy", "--exhaustive", "--dtype", "float64"], "2^64"),
        (["info", "--json", "no/such/directory/a.json"], "There is no directory"),
    ],
)
def test_bad_arguments(arguments, message, capsys):
    assert main(arguments) == 2
    captured = capsys.readouterr()
    assert "Usage: vekt" in captured.err
    assert message in captured.err
    assert captured.out == ""


@pytest.mark.parametrize(
    ("package", "command"), [("rich", "info"), ("click", "info"), ("sklearn", "demo")]
)
def test_missing_package(package, command):
    code = f"import sys; sys.modules[{package!r}] = None; from vekt.cli import main; "
    result = run("-c", code + f"sys.exit(main([{command!r}]))")
    assert result.returncode == 1
    assert result.stdout == ""
    assert result.stderr == f'vekt: {package} is not installed: pip install "vekt[demo]"\n'


def test_interrupt(monkeypatch, capsys):
    def interrupted(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr("vekt.cli.accuracy.sweep", interrupted)
    assert main(["accuracy", "--op", "relu"]) == 130
    assert "interrupted" in capsys.readouterr().err


def test_blas_overrides_are_dropped():
    result = run("-m", "vekt", *SMALL_COMPARE, OPENBLAS_CORETYPE="Haswell")
    assert result.returncode == 0
    assert result.stderr.count("OPENBLAS_CORETYPE") == 1


@pytest.mark.parametrize("isa", _native.SUPPORTED)
def test_accuracy_on_every_instruction_set(isa, capsys):
    arguments = ["accuracy", "--isa", isa, "--op", "tanh", "--samples", "50000", "--json", "-"]
    assert main(arguments) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["isa"] == isa
    assert [row["name"] for row in report["kernels"]] == ["tanh", "tanh gradient"]
    for row in report["kernels"]:
        assert 0 < row["max_ulp"] <= row["bound"]
        assert sum(row["counts_per_half_ulp"]) == report["inputs"] == 50_000


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_accuracy_of_all_kernels(dtype, capsys):
    assert main(["accuracy", "--dtype", dtype, "--samples", "20000"]) == 0
    out = capsys.readouterr().out
    assert all(f"{name} gradient" in out for name in KERNELS)


def test_accuracy_fails_beyond_a_bound(monkeypatch, capsys):
    case = CASES["sigmoid"]
    strict = dataclasses.replace(case.kernel, max_ulp={"float32": 0.25})
    cases = [Case(case.op, strict, case.keywords)]
    monkeypatch.setattr("vekt.cli.accuracy.select_cases", lambda names: cases)
    assert main(["accuracy", "--samples", "20000"]) == 1
    assert "0.25" in capsys.readouterr().out


def test_patterns_of_float32():
    spread = float32_patterns(0, 1 << 16, 1 << 16).view(np.uint32)
    assert len(np.unique(spread)) == 1 << 16
    assert len(np.unique(spread >> 23)) == 512  # every sign and exponent
    assert len(np.unique(spread & 0xFFFF)) > 1 << 15  # low bits vary too
    begin = PATTERNS - 4
    last = float32_patterns(begin, PATTERNS, PATTERNS).view(np.uint32)
    np.testing.assert_array_equal(last, np.arange(begin, PATTERNS, dtype=np.uint64))


def test_patterns_of_float64():
    x = float64_patterns(0, 100_000)
    assert len(np.unique(x.view(np.uint64))) == x.size
    near = (np.abs(x) > 2.0**-40) & (np.abs(x) < 2.0**11)
    assert 0.7 < near.mean() < 0.8
    assert (x < 0).mean() == pytest.approx(0.5, abs=0.01)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_mixed_sample_has_special_values(dtype):
    x = mixed_sample(dtype, 1000)
    assert x.dtype == dtype
    assert {np.inf, -np.inf, 0.0, np.finfo(dtype).max} <= set(x.tolist())
    assert np.isnan(x).any()
