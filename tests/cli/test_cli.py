"""The command line: arguments, exit codes, JSON, and what each subcommand measures."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest

import vekt as vk
from vekt.cli import main
from vekt.cli.accuracy.samples import mixed_sample
from vekt.cli.cases import all_cases
from vekt.cli.environment import BLAS_OVERRIDES
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
        (["compare", "--shapes", "2x3x4x5x6"], "'2x3x4x5x6' is not of the form 4096x1000"),
        (["compare", "--dtype", "float128"], "'float32', 'float64'"),
        (["compare", "--threads", "1000000"], "is more than the"),
        (["compare", "--threads", "2", "--processor-time"], "adds up what several threads take"),
        (["info", "--json", "no/such/directory/a.json"], "There is no directory"),
        (["compare", "--sizes", "1.5e0"], "1.5e0"),
        (["compare", "--sizes", "1e-1"], "1e-1"),
        (["compare", "--op", "matmul", "--shapes", "100x100"], "Nothing to compare"),
    ],
)
def test_bad_arguments(arguments, message, capsys):
    assert main(arguments) == 2
    captured = capsys.readouterr()
    assert "Usage: vekt" in captured.err
    assert message in captured.err
    assert captured.out == ""


@pytest.mark.parametrize(
    ("package", "command"), [("rich", "accuracy"), ("click", "compare"), ("sklearn", "demo")]
)
def test_missing_package(package, command):
    code = f"import sys; sys.modules[{package!r}] = None; from vekt.cli import main; "
    result = run("-c", code + f"sys.exit(main([{command!r}]))")
    assert result.returncode == 1
    assert result.stdout == ""
    assert result.stderr == f'vekt: {package} is not installed: pip install "vekt[demo]"\n'


def test_blas_overrides_are_dropped():
    result = run("-m", "vekt", *SMALL_COMPARE, OPENBLAS_CORETYPE="Haswell")
    assert result.returncode == 0
    assert result.stderr.count("OPENBLAS_CORETYPE") == 1


@pytest.mark.parametrize(
    ("arguments", "meant"),
    [
        ("compare --op gelo", "gelu"),
        ("accuracy --op gelo", "gelu"),
        ("compare --op swish", "silu"),
        ("accuracy --op gelu,hard_swish_backward", "hard_silu"),
        ("compare --op silu_backward", "silu"),
        ("compare --op sigmod_backward", "sigmoid"),
        ("compare --op hardswish", "hard_silu"),
        ("compare --op relu_6", "relu6"),
        ("compare --op softmax_value_and_grad", "softmax"),
        ("compare --op summ", "sum"),
        ("compare --dtype flot32", "float32"),
        ("compare --peers numpi", "numpy"),
        ("accuracy --isa generik", "generic"),
        ("accuracy --dtype float46", "float64"),
        ("demo --only kernel", "kernels"),
    ],
)
def test_what_was_meant(arguments, meant, capsys):
    assert main(arguments.split()) == 2
    assert f"Did you mean '{meant}'?" in capsys.readouterr().err


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_mixed_sample_has_special_values(dtype):
    x = mixed_sample(dtype, 1000)
    assert x.dtype == dtype
    assert {np.inf, -np.inf, 0.0, np.finfo(dtype).max} <= set(x.tolist())
    assert np.isnan(x).any()
