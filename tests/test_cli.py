"""The command line: arguments, exit codes, JSON, and what each subcommand measures."""

import dataclasses
import json
import os
import subprocess
import sys
from importlib.util import find_spec
from itertools import pairwise

import numpy as np
import pytest

import vekt as vk
from vekt import _native, reference
from vekt._registry import KERNELS
from vekt.cli import main
from vekt.cli.cases import Case, all_cases
from vekt.cli.environment import BLAS_OVERRIDES
from vekt.cli.formulas import PLAIN, plain
from vekt.cli.peers import PEERS, buffers
from vekt.cli.samples import PATTERNS, float32_patterns, float64_patterns, mixed_sample, typed
from vekt.cli.timing import interleaved
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


def test_compare(tmp_path, capsys):
    report_file = tmp_path / "compare.json"
    peers = ["--peers", "numpy,numexpr,scipy"]
    assert main([*SMALL_COMPARE, *peers, "--json", str(report_file)]) == 0
    out = capsys.readouterr().out
    assert "64 elements, float32, 1 thread" in out
    report = json.loads(report_file.read_text())
    operations = ["dot", "relu", "relu_backward", "relu_general", "relu_general_backward"]
    assert [cell["op"] for cell in report["cells"]] == operations * 2
    for cell in report["cells"]:
        assert {"vekt", "numpy"} <= set(cell["seconds"])
        assert cell["over_fastest"] > 0
        assert cell["statements"]["vekt"].startswith("vk.")
    calls = [row["call"] for row in report["calls"]]
    assert calls == ["np.exp(x)", "vk.relu(x)", "vk.relu(x, max_value=6.0)"]


def test_compare_leaves_the_process_as_it_was():
    before = get_config(), os.environ.get("OMP_NUM_THREADS")
    assert main([*SMALL_COMPARE, "--peers", "numpy", "--op", "tanh"]) == 0
    assert (get_config(), os.environ.get("OMP_NUM_THREADS")) == before


@pytest.mark.parametrize(("peer_seconds", "code"), [(0.5, 1), (0.99, 0), (2.0, 0)])
def test_check(peer_seconds, code, monkeypatch):
    def pretend(timers, rounds, advance=None, settle=0.0):
        return {name: 1.0 if name in ("vekt", "np.exp(x)") else peer_seconds for name in timers}

    monkeypatch.setattr("vekt.cli.compare.interleaved", pretend)
    assert main([*SMALL_COMPARE, "--peers", "numpy", "--check"]) == code


def test_missing_peer_is_left_out(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "numexpr", None)
    assert main([*SMALL_COMPARE, "--peers", "numpy,numexpr"]) == 0
    assert "numexpr is left out" in capsys.readouterr().out


PEER_ROWS = [(peer, name) for peer, (rows, _) in PEERS.items() for name in rows]
INSTALLED = {peer for peer in PEERS if find_spec(peer) is not None}


@pytest.mark.parametrize(("peer", "name"), [row for row in PEER_ROWS if row[0] in INSTALLED])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_peers_compute_the_same(peer, name, dtype):
    rows, load = PEERS[peer]
    operands = buffers(1000, dtype)
    operands["out"].fill(np.nan)
    names = {**operands, **load(operands, 1)}
    *first, last = rows[name].split("; ")
    exec("; ".join(first), names)
    result = eval(last, names)
    x, dy = operands["x"], operands["dy"]
    tolerance = 1e-5 if dtype == np.float32 else 1e-12
    if name == "dot":
        assert float(result) == pytest.approx(float(vk.dot(x, dy)), rel=100 * tolerance)
        return
    kernel = name.removesuffix("_from_output").removesuffix("_backward")
    case = CASES[kernel]
    if name.endswith("_from_output"):
        expected = dy * reference.wide_from_output(kernel, operands["y"])
    elif name.endswith("_backward"):
        expected = dy * reference.wide_gradient(kernel, x, *typed(case.params, x))
    else:
        expected = reference.wide(kernel, x, *typed(case.params, x))
    got = np.asarray(result) if peer == "jax" else operands["out"]
    np.testing.assert_allclose(got, expected.astype(dtype), rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("name", KERNELS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_plain_formulas(name, dtype):
    case = CASES[name]
    x = np.linspace(-8, 8, 1001).astype(dtype)
    params = typed(case.params, x)
    formulas = plain(name, case.kernel.value, case.kernel.gradient)
    y, slope = formulas.value_and_grad(x, *params)
    assert y.dtype == slope.dtype == dtype
    tolerance = 1e-5 if dtype == np.float32 else 1e-12
    value = reference.wide(name, x, *params).astype(dtype)
    gradient = reference.wide_gradient(name, x, *params).astype(dtype)
    for got, expected in [
        (y, value),
        (formulas.value(x, *params), value),
        (slope, gradient),
        (formulas.gradient(x, *params), gradient),
    ]:
        np.testing.assert_allclose(got, expected, rtol=tolerance, atol=tolerance)


def test_kernels_without_a_plain_formula_use_their_reference():
    kernel = KERNELS["tanh"]
    formulas = plain("a new kernel", kernel.value, kernel.gradient)
    assert formulas.value is kernel.value
    assert set(PLAIN) <= set(KERNELS)


def test_interleaved_takes_turns():
    order = []
    tasks = {name: lambda name=name: order.append(name) for name in "ab"}
    rounds = []
    seconds = interleaved(tasks, 4, advance=lambda: rounds.append(len(order)))
    assert set(seconds) == {"a", "b"}
    assert all(time > 0 for time in seconds.values())
    assert len(rounds) == 4
    for begin, end in pairwise(rounds):
        assert set(order[begin:end]) == {"a", "b"}
