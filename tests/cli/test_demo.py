"""The notes' programs, and `vekt demo` from the command line to its files."""

import json
import subprocess
import sys

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.image import imread

from vekt import reference
from vekt._spec.activations import KERNELS
from vekt.cli.cases import all_cases
from vekt.cli.demo import notes, picture

STEPS = 100
ALPHA = 0.3


@pytest.fixture(scope="module")
def data():
    return notes.breast_cancer()


@pytest.fixture(scope="module")
def fits(data):
    return {form: fit(data.X, data.Y, ALPHA, STEPS) for form, fit in notes.FORMS.items()}


def transcription(X, Y):
    """Descend as the textbook does, in NumPy."""
    w, b, costs = np.zeros(len(X)), 0.0, []
    for _ in range(STEPS):
        Z = w @ X + b
        A = 1 / (1 + np.exp(-Z))
        costs.append(-np.mean(Y * np.log(A) + (1 - Y) * np.log(1 - A)))
        w, b = w - ALPHA * X @ (A - Y) / Y.size, b - ALPHA * np.mean(A - Y)
    return w, b, costs


@pytest.mark.parametrize("form", notes.FORMS)
def test_descent_follows_the_formulas(form, data, fits):
    w, b, costs = transcription(data.X, data.Y)
    np.testing.assert_allclose(fits[form].w, w, rtol=0, atol=1e-10)
    assert fits[form].b == pytest.approx(b, abs=1e-10)
    np.testing.assert_allclose(fits[form].costs, costs, rtol=0, atol=1e-10)


def test_both_forms_reach_the_same(fits):
    loop, vectorised = fits["loop"], fits["vectorised"]
    np.testing.assert_allclose(loop.w, vectorised.w, rtol=0, atol=1e-10)
    assert loop.b == pytest.approx(vectorised.b, abs=1e-10)
    np.testing.assert_allclose(loop.costs, vectorised.costs, rtol=0, atol=1e-10)


@pytest.mark.parametrize("form", notes.FORMS)
def test_it_learns(form, data, fits):
    costs = fits[form].costs
    assert costs[0] == pytest.approx(np.log(2))
    assert np.all(np.diff(costs) < 0)
    assert notes.accuracy_of(fits[form], data.X_held_out, data.Y_held_out) >= 0.95


@pytest.mark.parametrize("form", notes.FORMS)
def test_saturation_keeps_the_cost_finite(form):
    # The first step is so long that every prediction is 0 or 1, half of them wrong.
    X = np.array([[1000.0, -1000.0, 1000.0, -1000.0, 1000.0]])
    Y = np.array([1.0, 0.0, 1.0, 1.0, 0.0])
    fit = notes.FORMS[form](X, Y, 1.0, 5)
    assert np.all(np.isfinite(fit.costs))
    assert max(fit.costs) > 1e4


def test_features_are_standardised_with_training_samples(data):
    np.testing.assert_allclose(data.X.mean(axis=1), 0, atol=1e-12)
    np.testing.assert_allclose(data.X.std(axis=1), 1, atol=1e-12)
    assert not np.allclose(data.X_held_out.mean(axis=1), 0, atol=1e-6)
    assert data.X.shape == (30, 426)
    assert data.X_held_out.shape == (30, 143)


def test_neuron():
    w, x = np.arange(5.0), np.arange(5.0) + 1
    assert notes.neuron_loop(w, x, 0.5) == np.dot(w, x) + 0.5


# `python -m vekt`, which runs what it times a few times only: no test asserts a time.
MODULE = """
import runpy
from vekt.cli.compare import timing
timing._SAMPLE_SECONDS = 1e-6
runpy.run_module("vekt", run_name="__main__")
"""


@pytest.fixture(scope="module")
def quick_run(tmp_path_factory):
    """`vekt demo --quick`, run once as a user runs it."""
    folder = tmp_path_factory.mktemp("demo")
    command = [sys.executable, "-c", MODULE, "demo", "--quick", "--json", "demo.json"]
    run = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    return run, json.loads((folder / "demo.json").read_text()), folder


def test_quick_prints_tables(quick_run):
    run, _, _ = quick_run
    assert run.stderr == ""
    for text in ("1,000,000 elements", "the notes: loop", "gelu_tanh", "Logistic regression"):
        assert text in run.stdout


def test_json_of_the_page(quick_run):
    _, results, _ = quick_run
    page = results["notes"]
    assert page["elements"] == 1_000_000
    assert page["notes"] == {"loop": 0.45, "vectorised": 0.0015}
    assert {row["dtype"] for row in page["rows"]} == {"float32", "float64"}
    on_one = {row["form"] for row in page["rows"] if row["threads"] == 1}
    assert on_one == {"loop", "loop over lists", "numpy", "vekt.jit", "vekt"}
    for row in page["rows"]:
        assert row["seconds"] > 0
        assert row["over_loop"] > 0
        assert row["over_numpy"] > 0
        assert row["bandwidth_share"] > 0
    assert all(rate["bytes_per_second"] > 0 for rate in page["bandwidth"])


def test_json_of_the_kernels(quick_run):
    _, results, _ = quick_run
    seen = {(row["kernel"], row["form"], row["dtype"]) for row in results["kernels"]}
    forms, dtypes = ("forward", "backward", "value_and_grad"), ("float32", "float64")
    assert seen == {(k, f, d) for k in KERNELS for f in forms for d in dtypes}
    for row in results["kernels"]:
        assert 0 <= row["max_ulp"] <= row["bound"], row
        assert row["seconds"] > 0
        assert row["over_numpy"] > 0


def test_json_of_the_regression(quick_run):
    _, results, _ = quick_run
    logistic = results["logistic"]
    assert max(logistic["difference"].values()) <= 1e-10
    assert logistic["over_loop"] > 0
    for row in logistic["forms"].values():
        assert row["accuracy"] >= 0.95
        assert len(row["costs"]) == logistic["steps"]
        assert row["cost"] == row["costs"][-1]


def test_json_tells_what_ran(quick_run):
    _, results, _ = quick_run
    assert results["quick"] is True
    assert results["config"]["isa"] in results["config"]["targets"]


def test_picture(quick_run):
    _, _, folder = quick_run
    pixels = imread(folder / "vekt-demo.png")
    assert pixels.shape[0] > 600
    assert pixels.shape[1] > 1000
    for color in (picture._OURS, picture._CONTRAST, picture._OTHERS, picture._NOTES):
        there = np.abs(pixels[::2, ::2, :3] - np.float32(to_rgb(color))).max(axis=-1) < 1 / 255
        assert there.sum() > 500, color


def test_panels_of_the_picture(quick_run, monkeypatch):
    """Each part of the results has its panel, and each kernel its values and its gradients."""
    _, results, _ = quick_run
    figures = []

    class Kept(picture.Figure):
        def savefig(self, *args, **options):
            figures.append(self)

    monkeypatch.setattr(picture, "Figure", Kept)
    assert picture.draw(results, "nowhere.png")
    (figure,) = figures
    panels = {ax.get_title("left"): ax for ax in figure.axes if ax.get_visible()}
    page, descent = (next(p for t, p in panels.items() if t.startswith(x)) for x in ("z =", "Log"))
    rows = results["notes"]["rows"]
    lengths = sorted(bar.get_width() / 1e3 for bar in page.patches)
    notes_own = results["notes"]["notes"].values()
    np.testing.assert_allclose(lengths, sorted([*notes_own, *(row["seconds"] for row in rows)]))
    costs = [row["costs"] for row in results["logistic"]["forms"].values()]
    np.testing.assert_array_equal([line.get_ydata() for line in descent.lines[::2]], costs)
    for case in all_cases():
        curves = {line.get_label(): line for line in panels[case.label].lines}
        x = curves["f(x)"].get_xdata()
        assert len(x) > 100
        true = case.function(reference, "_value_and_grad")(x)
        for name, expected in zip(("f(x)", "f'(x)"), true, strict=True):
            np.testing.assert_allclose(curves[name].get_ydata(), expected, 1e-12, 1e-12)


def test_one_part_alone(tmp_path, capsys):
    from vekt.cli import main

    png = tmp_path / "only.png"
    assert main(["demo", "--quick", "--only", "logistic", "--png", str(png), "--json", "-"]) == 0
    captured = capsys.readouterr()
    results = json.loads(captured.out)
    assert "logistic" in results
    assert "kernels" not in results
    assert "Logistic regression" in captured.err
    assert imread(png).size > 0
