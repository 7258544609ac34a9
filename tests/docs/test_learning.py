"""The demo's networks, and the tables, pictures and formulas of docs/learn."""

from __future__ import annotations

import importlib
import json
import re
import xml.etree.ElementTree as ElementTree
from itertools import pairwise
from pathlib import Path
from typing import Any

import matplotlib.figure
import numpy as np
import pytest
from rich.progress import Progress

from vekt._spec.activations import OPS
from vekt.cli import main
from vekt.cli.demo.choosing import choosing_rows, hidden_activations, measure_activations
from vekt.cli.demo.learning import TASKS, learn, learning_rows, measure_learning
from vekt.cli.demo.learning_pictures import draw_boundaries, draw_costs
from vekt.cli.demo.page import NOTES_SECONDS

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "docs" / "learn"
PAGES = {path.stem: path.read_text(encoding="utf-8") for path in sorted(FOLDER.glob("*.md"))}
COURSE = [name for name in PAGES if name != "index"]
LEAST = {
    "breast cancer": 0.95,
    "digits": 0.97,
    "green and red points": 0.94,
    "diabetes": 0.3,
    "Friedman's function": 0.85,
}


@pytest.fixture(scope="module")
def results() -> Any:
    return measure_learning(Progress(disable=True), quick=False)


@pytest.fixture
def tool(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(ROOT / "tools"))
    return importlib.import_module("learning")


def table_of(name: str) -> list[list[str]]:
    """Cells of a table of the page."""
    found = re.search(f"<!-- {name} -->(.*?)<!-- end -->", "".join(PAGES.values()), re.S)
    assert found
    lines = found[1].strip().splitlines()
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def test_networks_learn(results: Any) -> None:
    assert {row["data"] for row in results} == set(LEAST)
    for row in results:
        assert row["score"] >= LEAST[row["data"]], row["data"]
        assert row["costs"][-1] < row["costs"][0] / 2
        assert len(row["costs"]) == row["epochs"]


def test_a_line_is_not_enough(results: Any) -> None:
    linear = {row["data"]: row["linear"] for row in results}
    assert linear["green and red points"] < 0.7
    assert linear["Friedman's function"] < 0.8
    assert linear["digits"] < 0.96


def test_the_same_each_time() -> None:
    first, second = (learn(TASKS[2]).network for _ in range(2))
    assert first.costs == second.costs
    assert np.array_equal(first.W[1], second.W[1])


def test_the_page_tells_what_is_learnt(results: Any) -> None:
    shown, now = table_of("learning"), learning_rows(results)
    assert [row[:4] for row in shown] == [list(row[:4]) for row in now]
    for line, row in zip(shown, results, strict=True):
        score = float(re.sub(r"R² = |%", "", line[6]))
        assert score / (1 if row["output"] == "linear" else 100) >= LEAST[row["data"]]


def test_the_page_compares_all_activations() -> None:
    rows = table_of("activations")
    assert {row[0] for row in rows} == set(hidden_activations())
    best = {row[0]: float(row[1].rstrip("%")) for row in rows}
    assert best["tanh"] > 94 > 70 > best["linear"]


def test_choosing_an_activation() -> None:
    names = ["relu", "linear", "tanh", "prelu"]
    results = measure_activations(Progress(disable=True), quick=True, names=names)
    rows = {row["activation"]: row for row in results["rows"]}
    assert set(rows) == set(names)
    assert all(row["digits"] > 0.9 and row["epoch_seconds"] > 0 for row in rows.values())
    assert rows["linear"]["points"] < 0.7 < 0.85 < rows["relu"]["points"]
    assert [len(row) for row in choosing_rows(results)] == [5] * 4


def test_activations_take_any_number() -> None:
    names = hidden_activations()
    assert {"relu", "gelu", "prelu", "linear"} <= set(names)
    assert "log1mexp" not in names  # of negative numbers only


def test_pictures(results: Any, tool: Any, tmp_path: Path) -> None:
    tool.draw_all(tmp_path, results)
    folder = FOLDER / "pictures"
    names = {path.name for path in folder.iterdir()}
    assert names == {path.name for path in tmp_path.iterdir()}, "run python tools/learning.py"
    shown = re.findall(r"\]\(pictures/([^)]+)\)", "".join(PAGES.values()))
    assert sorted(shown) == sorted(names)  # each of them once
    for path in (*folder.iterdir(), *tmp_path.iterdir()):
        assert path.stat().st_size < 70_000
        assert ElementTree.parse(path).getroot().tag.endswith("svg")
    points = (folder / "points.svg").read_text("utf-8")
    assert points.count("<use") > 600
    # Green and red: a style for all points of a colour, in both halves.
    assert points.count('style="fill: #2e9e5b"') == points.count('style="fill: #d1403d"') == 2
    for share in re.findall(r"(?:line|curve) (\d+\.\d%)", PAGES["nonlinear"]):
        assert f"{share} of new points right" in points
    costs = (tmp_path / "costs.svg").read_text("utf-8")
    assert f"last cost {results[1]['costs'][-1]:.3g}<" in costs


def test_the_course_is_whole() -> None:
    index = PAGES["index"]
    toctree = index[index.index("```{toctree}") :].split("\n\n")[1].split("```")[0].split()
    assert re.findall(r"^\d+\. \[.*?\]\((\w+)\.md\)", index, re.M) == toctree
    assert sorted(toctree) == COURSE
    for name, following in pairwise(toctree):
        assert re.search(rf"^Next: \[[^]]+\]\({following}\.md\)", PAGES[name], re.M), name


@pytest.mark.parametrize("name", COURSE)
def test_a_page_teaches(name: str) -> None:
    text = PAGES[name]
    questions, answers = text[text.index("## Exercises") :].split("<details>")
    assert len(re.findall(r"^\d\. ", questions, re.M)) in (2, 3)
    assert "```pycon" in answers  # which tests/docs/test_docs.py runs
    assert "import vekt as vk" in text


@pytest.mark.parametrize("name", PAGES)
def test_formulas_survive_markdown(name: str) -> None:
    # A forge's Markdown takes a backslash before punctuation away.
    text = re.sub(r"^```.*?^```|`[^`\n]+`", "", PAGES[name], flags=re.M | re.S)
    assert not re.findall(r"\\[^a-zA-Z\s]", text)
    assert text.count("$$") % 2 == 0
    assert text.replace("$$", "").count("$") % 2 == 0
    assert not re.findall(r"[^\n]\$\$|\$\$[^\n]", text)  # on lines of their own


def test_the_table_of_functions(tool: Any) -> None:
    head, rule, *rows = tool.functions_table("../gallery.md").strip().splitlines()
    cells = [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]
    assert table_of("functions") == cells, "run python tools/learning.py"
    assert len(cells) == len(OPS)
    assert head.count("|") == rule.count("|") == 6


def test_the_notes_beside_this_machine(tool: Any) -> None:
    names = [row[0] for row in table_of("notes")]
    seconds = {"loop": 0.3, "loop over lists": 0.1, "numpy": 1e-3, "vekt": 1e-3, "vekt.jit": 1e-3}
    rows = [
        {"form": form, "seconds": time, "dtype": "float64", "threads": 1, "over_loop": 0.3 / time}
        for form, time in seconds.items()
    ]
    made = tool.notes_rows({"notes": NOTES_SECONDS, "rows": rows})
    assert sorted(names) == sorted(row[0] for row in made)
    assert table_of("notes")[:2] == [list(row) for row in made[:2]]
    assert made[0][1:] == ("450", "1x")
    assert made[1][1:] == ("1.5", "300x")
    assert [row[3:] for row in table_of("logistic")] == [["0.0448", "96.5%"]] * 2


def test_boundaries_divide_the_points() -> None:
    axes = matplotlib.figure.Figure().subplots(1, 2)
    draw_boundaries(axes)
    for ax in axes:
        assert sum(len(line.get_xdata()) for line in ax.lines) == 300
    costs = [{"data": "a", "costs": [1.0, 0.5]}]
    draw_costs([axes[0]], costs)
    assert axes[0].get_title() == "a\nlast cost 0.5"


def test_tables_go_between_their_markers(tool: Any) -> None:
    page = "a\n<!-- one -->\nold\n<!-- end -->\nb\n<!-- two -->\nkept\n<!-- end -->\n"
    new = tool.with_tables(page, {"one": "| new |\n"})
    assert new == page.replace("old\n", "\n| new |\n\n")
    assert tool.with_tables(new, {"one": "| new |\n"}) == new
    with pytest.raises(ValueError, match="0 places"):
        tool.with_tables(page, {"three": ""})


def test_demo(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    png = tmp_path / "learning.png"
    assert main(["demo", "--only", "learning", "--png", str(png), "--json", "-"]) == 0
    captured = capsys.readouterr()
    assert [row["data"] for row in json.loads(captured.out)["learning"]] == list(LEAST)
    assert "green and red points" in captured.err
    assert png.stat().st_size > 10_000


def test_demo_of_activations(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    png = tmp_path / "none.png"
    assert main(["demo", "--quick", "--only", "activations", "--png", str(png), "--json", "-"]) == 0
    captured = capsys.readouterr()
    rows = json.loads(captured.out)["activations"]["rows"]
    assert {row["activation"] for row in rows} == set(hidden_activations())
    assert not png.exists()  # a table tells it all
    assert "Picture" not in captured.err
