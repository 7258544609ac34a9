"""`vekt accuracy`: what it measures, what it keeps and writes, and when it fails."""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from vekt import ufuncs
from vekt._core import native
from vekt._core.ulp import Float32Errors
from vekt._spec.activations import KERNELS
from vekt.cli import main
from vekt.cli.accuracy import measure
from vekt.cli.accuracy.function_cases import FUNCTIONS
from vekt.cli.accuracy.measure import Plan
from vekt.cli.accuracy.rows import ulps
from vekt.cli.accuracy.samples import PATTERNS, finite_patterns, float32_patterns, float64_patterns
from vekt.cli.accuracy.state import State, build
from vekt.cli.accuracy.sweep import sweep
from vekt.cli.cases import all_cases, case_of
from vekt.reference import ulp_error, wide

BEST = native.SUPPORTED[0]
FUSED = [isa for isa in native.SUPPORTED if isa in ("x86_v4", "x86_v3", "neon")]


class NoProgress:
    """Takes the place of rich's progress bars."""

    def add_task(self, *arguments: Any, **keywords: Any) -> int:
        return 0

    update = advance = add_task


def swept(kernels: Sequence[str], plan: Plan, state: State | None = None) -> list[Any]:
    return sweep(kernels, plan, NoProgress(), state)  # type: ignore[arg-type]


def report_of(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> Any:
    assert main(["accuracy", *arguments, "--json", "-"]) == code
    return json.loads(capsys.readouterr().out)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--op", "nonsense"], "'gelu_tanh'"),
        (["--isa", "nonsense"], native.SELECTED),
        (["--samples", "0"], "1<=x"),
        (["--exhaustive", "--samples", "5"], "exclude each other"),
        (["--exhaustive", "--mpmath", "5"], "exclude each other"),
        (["--exhaustive", "--dtype", "float64"], "2^64"),
        (["--peers", "numpy"], "'torch'"),
        (["--state", "no/such/directory/a.json"], "There is no directory"),
        (["--markdown", "no/such/directory/a.md"], "There is no directory"),
    ],
)
def test_bad_arguments(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["accuracy", *arguments]) == 2
    captured = capsys.readouterr()
    assert "Usage: vekt" in captured.err
    assert message in captured.err
    assert captured.out == ""


def test_interrupt(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def interrupted(*arguments: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("vekt.cli.accuracy.sweep", interrupted)
    assert main(["accuracy", "--op", "relu"]) == 130
    assert "interrupted" in capsys.readouterr().err


@pytest.mark.parametrize("isa", native.SUPPORTED)
def test_each_instruction_set(isa: str, capsys: pytest.CaptureFixture[str]) -> None:
    report = report_of(capsys, "--isa", isa, "--op", "tanh", "--samples", "50000")
    assert report["isas"] == [isa]
    assert [(row["kernel"], row["form"]) for row in report["rows"]] == [
        ("tanh", "value"),
        ("tanh", "gradient"),
    ]
    for row in report["rows"]:
        assert row["isas"] == [isa]
        assert 0 < row["max_ulp"] <= row["bound"]
        assert sum(row["counts_per_half_ulp"]) == report["inputs"] == 50_000
        at = np.array(int(row["at_bits"], 16), "u4").view("f4")
        assert str(at[()]) == row["at"]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_all_kernels(dtype: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["accuracy", "--isa", "all", "--dtype", dtype, "--samples", "20000"]) == 0
    out = capsys.readouterr().out
    assert all(f"{name} gradient" in out for name in KERNELS)


def test_elementwise_functions_have_the_bits_that_they_promise(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--op", ",".join(FUNCTIONS), "--isa", "all", "--samples", "30000"]
    report = report_of(capsys, *arguments)
    first = [row for row in report["rows"] if native.SUPPORTED[0] in row["isas"]]
    assert [(row["kernel"], row["form"]) for row in first] == [
        (name, "value") for name in FUNCTIONS
    ]
    assert all(row["isas"][: len(FUSED)] == FUSED for row in first)
    right = measure._isa_results

    def off(isa: str, *arguments: Any) -> Any:
        found = right(isa, *arguments)
        if isa == FUSED[-1]:
            found["value"][0][7] *= np.float32(1.0000001)
        return found

    monkeypatch.setattr(measure, "_isa_results", off)
    report = report_of(capsys, *arguments[:-1], "100", code=1)  # the bound is exceeded, too
    assert any(row["broken_promise_of_bits"] for row in report["rows"]) == (len(FUSED) > 1)


def test_against_the_formulas(capsys: pytest.CaptureFixture[str]) -> None:
    for dtype in ("float32", "float64"):
        report = report_of(capsys, "--dtype", dtype, "--mpmath", "40")
        assert report["oracle"] == "formula"
        assert {row["kernel"] for row in report["rows"]} == {*KERNELS, *FUNCTIONS}
        assert all(sum(row["counts_per_half_ulp"]) == 40 for row in report["rows"])


def test_a_bound_that_is_exceeded(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    case = case_of("sigmoid")
    strict = dataclasses.replace(case.kernel, max_ulp={"float32": 0.25})
    cases = [dataclasses.replace(case, kernel=strict)]
    monkeypatch.setattr("vekt.cli.accuracy.select_cases", lambda names: cases)
    assert main(["accuracy", "--samples", "20000"]) == 1
    assert "0.25" in capsys.readouterr().out


def test_findings_are_those_of_all_results(monkeypatch: pytest.MonkeyPatch) -> None:
    """One wrong result in any of a kernel's forms is found, with its input."""
    x = float32_patterns(0, 1000, 1000)
    wrong_at = 137
    plan = Plan("float32", 1000, (BEST,))
    right = measure._isa_results

    for form, index in [(form, index) for form in measure.FORMS for index in (0, 1)]:

        def results(*arguments: Any, form: str = form, index: int = index) -> Any:
            found = right(*arguments)
            found[form][index][wrong_at] += 3
            return found

        monkeypatch.setattr(measure, "_isa_results", results)
        for found in measure.measure(plan, "sigmoid", 0, 1000):
            assert (found.max_ulp > 1e5) == (found.form == form)
            assert found.counts[-1] == (found.form == form)
            assert (found.at == x.view("u4")[wrong_at]) == (found.form == form)


def test_errors_are_those_of_ulp_error() -> None:
    found = measure.measure(Plan("float32", 5000, (BEST,)), "gelu", 0, 5000)[0]
    x = float32_patterns(0, 5000, 5000)
    errors = ulp_error(ufuncs.build_ufuncs(BEST)["gelu"](x), wide("gelu", x))
    assert found.max_ulp == errors.max()
    assert found.at in x.view("u4")[errors == errors.max()]
    half = np.ceil(errors * 2)
    assert found.counts == [(half <= 1).sum(), *((half == i).sum() for i in (2, 3, 4)), 0]


@pytest.mark.skipif(len(FUSED) < 2, reason="one instruction set with the promise runs here")
def test_promise_of_the_same_bits(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--isa", ",".join(FUSED), "--op", "sigmoid", "--samples", "3000"]
    report = report_of(capsys, *arguments)
    assert [row["isas"] for row in report["rows"]] == [FUSED, FUSED]

    right = measure._isa_results

    def off(isa: str, *arguments: Any) -> Any:
        found = right(isa, *arguments)
        if isa == FUSED[1]:
            gradient = found["gradient"][1]
            found["gradient"][1] = np.nextafter(gradient, np.float32(2))
        return found

    monkeypatch.setattr(measure, "_isa_results", off)
    report = report_of(capsys, *arguments, code=1)
    assert [row["broken_promise_of_bits"] for row in report["rows"]] == [False, False, True]
    assert report["rows"][2]["isas"] == [FUSED[1]]


def test_bits_of_nan_do_not_count() -> None:
    a = np.array([1.0, np.nan], "f4")
    b = np.array([0x3F800000, 0x7FC00001], "u4").view("f4")
    assert not measure._equal_bits(a, b)
    assert measure._differ_by_nan(a, b)
    assert not measure._differ_by_nan(a, -b)


def test_processes_find_the_same() -> None:
    plan = Plan("float32", 150_000, native.SUPPORTED[:2])  # three chunks
    together = swept(["sigmoid"], plan)
    alone = measure.measure(plan, "sigmoid", 0, plan.inputs)
    assert together == alone


def test_state_resumes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = Plan("float32", 150_000, (BEST,))
    file = tmp_path / "state.json"
    monkeypatch.setattr("vekt._core.cpu_count.available_cores", lambda: 1)
    calls: list[tuple[Any, ...]] = []

    def counted(*arguments: Any) -> Any:
        calls.append(arguments[1:])
        if len(calls) == 3:
            raise KeyboardInterrupt
        return measure.measure(*arguments)

    # the package has a function of the module's name
    monkeypatch.setattr(sys.modules["vekt.cli.accuracy.sweep"], "measure", counted)
    with pytest.raises(KeyboardInterrupt):
        swept(["tanh", "relu"], plan, State(file, plan))
    findings = swept(["tanh", "relu"], plan, State(file, plan))
    assert len(calls) == 3 + 4  # the one that was interrupted is done again
    assert len(set(calls)) == 6
    assert findings == swept(["tanh", "relu"], plan)
    assert sum(findings[0].counts) == plan.inputs

    calls[:] = [()] * 10
    assert swept(["relu"], plan, State(file, plan)) == findings[2:]
    assert len(calls) == 10  # all from the file
    other = dataclasses.replace(plan, inputs=1000)
    assert sum(swept(["relu"], other, State(file, other))[0].counts) == 1000
    assert swept(["relu"], plan, State(file, plan)) == findings[2:]  # both are kept


def test_state_of_another_build_starts_anew(tmp_path: Path) -> None:
    plan = Plan("float32", 1000, (BEST,))
    file = tmp_path / "state.json"
    swept(["relu"], plan, State(file, plan))
    data = json.loads(file.read_text())
    assert data["build"] == build()
    assert State(file, plan).entry("relu").is_done(0)
    file.write_text(json.dumps({**data, "build": "another"}))
    assert not State(file, plan).entry("relu").is_done(0)


@pytest.mark.parametrize("text", ["", "{}", '{"format": "another"}', "[1]"])
def test_a_file_that_is_no_state_is_left_alone(
    text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "precious.json"
    file.write_text(text)
    assert main(["accuracy", "--op", "relu", "--samples", "9", "--state", str(file)]) == 2
    assert "is not a state" in capsys.readouterr().err
    assert file.read_text() == text


def test_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "accuracy.md"
    one = ["accuracy", "--op", "tanh", "--markdown", str(file)]
    assert main([*one, "--samples", "3000"]) == 0
    first = file.read_text()
    assert first.startswith("# Accuracy\n")
    command = f"--dtype float32 --samples 3000 --isa {native.SELECTED} --op tanh --markdown {file}"
    assert f"vekt accuracy {command}\n" in first
    assert main([*one, "--dtype", "float64", "--mpmath", "9"]) == 0
    both = file.read_text()
    assert both.startswith(first.rstrip())
    assert "9 inputs against the formula" in both
    assert main([*one, "--samples", "4000"]) == 0
    replaced = file.read_text()
    assert "4,000 inputs" in replaced
    assert "3,000 inputs" not in replaced
    assert replaced.count("\n## ") == 2
    rows = [line for line in replaced.splitlines() if line.startswith("| tanh")]
    assert [row.split(" | ")[0] for row in rows] == ["| tanh", "| tanh gradient"] * 2


def test_patterns_of_float32() -> None:
    spread = float32_patterns(0, 1 << 16, 1 << 16).view(np.uint32)
    assert len(np.unique(spread)) == 1 << 16
    assert len(np.unique(spread >> 23)) == 512  # every sign and exponent
    assert len(np.unique(spread & 0xFFFF)) > 1 << 15  # low bits vary too
    begin = PATTERNS - 4
    last = float32_patterns(begin, PATTERNS, PATTERNS).view(np.uint32)
    np.testing.assert_array_equal(last, np.arange(begin, PATTERNS, dtype=np.uint64))


def test_patterns_of_float64() -> None:
    x = float64_patterns(0, 100_000)
    assert len(np.unique(x.view(np.uint64))) == x.size
    near = (np.abs(x) > 2.0**-40) & (np.abs(x) < 2.0**11)
    assert 0.7 < near.mean() < 0.8
    assert (x < 0).mean() == pytest.approx(0.5, abs=0.01)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_finite_patterns(dtype: str) -> None:
    x = finite_patterns(np.dtype(dtype), 0, 10_000, 10_000)
    assert x.dtype == dtype
    assert np.isfinite(x).all()
    assert (x != 0).all()
    assert len(np.unique(x)) > 9_900


def test_errors_of_float32_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(4)
    meter = Float32Errors(5000)
    limit = float(np.finfo("f4").max)
    special = [0.0, 1.0, limit, 2.0**128, 1e300, 2.0**-126, 2.0**-149, 2.0**-151, 1e-300, np.inf]
    true = np.concatenate(
        [
            np.ldexp(rng.uniform(1, 2, 4000), rng.integers(-155, 130, 4000)),
            np.outer(special, 1 + np.arange(-3, 4) * 2.0**-25).ravel(),
        ]
    )
    sign = rng.choice([-1, 1], true.size)
    with np.errstate(over="ignore", under="ignore"):
        nearest = true.astype("f4")
    steps = rng.integers(-3, 4, true.size)
    near = (nearest.view("i4") + steps).clip(0, 0x7F800000).astype("i4").view("f4")
    far = rng.permutation(nearest)
    true *= sign
    results = [(nearest * sign).astype("f4"), (near * sign).astype("f4"), np.zeros_like(nearest)]
    expected = [ulp_error(result, true) for result in results]
    of_far = ulp_error(far, true)

    def unexpected(*arguments: Any) -> Any:
        raise AssertionError("the fast formula was thought not to do")

    for size in (true.size, 4000, 1, 0):
        meter.against(true[:size])
        with monkeypatch.context() as patch:
            patch.setattr("vekt._core.ulp.ulp_error", unexpected)
            for result, errors in zip(results, expected, strict=True):
                np.testing.assert_array_equal(meter(result[:size]), errors[:size])
        np.testing.assert_array_equal(meter(far[:size]), of_far[:size])
    meter.against(np.array([np.nan, 1.0, np.nan, np.inf]))
    computed = np.array([np.nan, np.nan, 1.0, -np.inf], "f4")
    np.testing.assert_array_equal(meter(computed), [0, np.inf, np.inf, np.inf])


def test_each_kernel_has_one_case() -> None:
    assert [case.name for case in all_cases()] == list(KERNELS)
    assert all(case_of(name).name == name for name in KERNELS)


@pytest.mark.parametrize(
    ("number", "text"),
    [(None, "-"), (0.612, "0.61"), (17065816.4, "1.7e7"), (float("inf"), "inf")],
)
def test_ulps(number: float | None, text: str) -> None:
    assert ulps(number) == text
