"""The gallery in docs/ is what tools/gallery.py makes of the specs now."""

from __future__ import annotations

import importlib
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

import matplotlib.figure
import numpy as np
import pytest

import vekt as vk
from vekt._spec.activations import KERNELS, OPS
from vekt.cli.cases import all_cases
from vekt.cli.demo.picture import draw_function

ROOT = Path(__file__).parents[2]
PICTURES = ROOT / "docs" / "gallery"
REFRESH = "run python tools/gallery.py"


@pytest.fixture
def gallery(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(ROOT / "tools"))
    return importlib.import_module("gallery")


def test_the_page_is_up_to_date(gallery: Any) -> None:
    text = (ROOT / "docs" / "gallery.md").read_text(encoding="utf-8")
    assert text == gallery.page(), REFRESH


def test_every_function_has_its_section(gallery: Any) -> None:
    text = gallery.page()
    for op in OPS.values():
        assert f"\n## {op.name}\n" in text
        assert all(fact in text for fact in (op.summary, op.source, op.use, op.compat))
    for kernel in KERNELS.values():
        assert f"](gallery/{kernel.name}.svg)" in text
    for op in [*gallery.ROWS, *gallery.GATES]:
        assert f"\n## {op.name}\n" in text
    # Every line of a table has as many cells as its head.
    for block in text.split("\n\n"):
        if block.startswith("|"):
            assert len({line.replace(r"\|", "").count("|") for line in block.splitlines()}) == 1


def test_every_function_has_its_picture(gallery: Any) -> None:
    assert {path.stem for path in PICTURES.glob("*")} == set(gallery.picture_names()), REFRESH
    for path in PICTURES.glob("*.svg"):
        assert path.stat().st_size < 20_000
        assert ElementTree.parse(path).getroot().tag.endswith("svg")


def test_pictures_are_the_same_each_time(
    gallery: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pictures = importlib.import_module("gallery_pictures")
    monkeypatch.setattr(pictures, "all_cases", lambda: all_cases()[:1])
    drawn = []
    for name in ("first", "second"):
        folder = tmp_path / name
        folder.mkdir()
        pictures.draw_all(folder, gallery.ROWS[:1], gallery.GATES[:1])
        drawn.append({path.name: path.read_bytes() for path in folder.glob("*.svg")})
    assert drawn[0] == drawn[1]
    assert len(drawn[0]) >= 1


@pytest.mark.parametrize("case", all_cases(), ids=lambda case: case.name)
def test_a_picture_shows_the_kinks(case: Any) -> None:
    ax = matplotlib.figure.Figure().subplots()
    draw_function(ax, case)
    dots = [line for line in ax.lines if line.get_marker() == "o"]
    assert len(dots) == bool(case.kernel.kinks)
    low, high = ax.get_ylim()
    for line in ax.lines:
        y = np.asarray(line.get_ydata(), dtype=float)
        assert np.any((y[np.isfinite(y)] > low) & (y[np.isfinite(y)] < high))
    if dots:
        # The dot is a limit of the gradient from the left or from the right, or between them.
        for x, slope in zip(*dots[0].get_data(), strict=True):
            near = case.function(vk, "_value_and_grad")(np.array([x - 1e-6, x, x + 1e-6]))[1]
            assert near[1] == pytest.approx(slope)
            assert min(near[0], near[2]) - 1e-4 <= slope <= max(near[0], near[2]) + 1e-4
