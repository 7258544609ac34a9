"""The dashboard's pages, in a browser that has no network.

Needs the extra "bench", git, npm and Chromium:
`python -m pytest -m slow tests/cli/test_dashboard.py`.
"""

from __future__ import annotations

import importlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from html import unescape
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from browser import chromium, served
from matplotlib.pyplot import imread

pytestmark = pytest.mark.slow

SUITE = Path(__file__).parents[2] / "asv_bench"
NOTES = "bench_notes.TimeNotes.time_z"
PEERS = "bench_peers.TimeElementwise.time_call"
MEASURED = r"TimeNotes|TimeElementwise.time_call\('silu|TimeYardstick"
HASH_LENGTH = 8
LAST_DAY = 4

# Opens addresses in a frame, and writes down what is drawn there.  A bar is drawn if there is
# colour under its top; flot keeps its plot with the element.
PROBE = """<!DOCTYPE html><meta charset="utf-8"><body><script>
const addresses = %s;
async function probe(address) {
  const frame = document.body.appendChild(document.createElement("iframe"));
  frame.width = 800; frame.height = 900;
  await new Promise(done => { frame.onload = done; frame.src = address; });
  const inside = frame.contentDocument;
  let plot;
  for (let i = 0; i < 50 && !plot; ++i) {
    await new Promise(done => setTimeout(done, 100));
    plot = frame.contentWindow.$("#main-graph").data("plot");
    if (!address.includes("#") && i > 5) break;
  }
  const found = {
    wider: inside.documentElement.scrollWidth > inside.documentElement.clientWidth,
    navigation: inside.getElementById("nav").offsetHeight,
    text: inside.body.innerText,
    series: [],
  };
  for (const series of plot ? plot.getData() : []) {
    const pen = plot.getCanvas().getContext("2d");
    const bars = series.data.filter(point => series.bars.show && point[1] !== null).map(point => {
      const at = plot.pointOffset({x: point[0], y: point[1]});
      const [r, g, b, a] = pen.getImageData(Math.round(at.left), Math.round(at.top) + 4, 1, 1).data;
      return a > 0 && Math.max(r, g, b) - Math.min(r, g, b) > 50;
    });
    found.series.push({label: series.label, data: series.data, bars: bars});
  }
  frame.remove();
  return found;
}
(async () => {
  const all = {};
  for (const address of addresses) all[address] = await probe(address);
  const out = document.body.appendChild(document.createElement("pre"));
  out.textContent = JSON.stringify(all);
})();
</script></body>"""


# The columns of asv's results that are in seconds.
TIMES = ("result", "samples", "stats_q_25", "stats_q_75", "stats_ci_99_a", "stats_ci_99_b")


def thrice(times: Any) -> Any:
    """Return a time, or each of a list, three times as long."""
    if isinstance(times, list):
        return [thrice(time) for time in times]
    return 3 * times if isinstance(times, float) else times


def run(*command: str, cwd: Path, **environment: str) -> str:
    done = subprocess.run(
        command,
        cwd=cwd,
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pages of a repository of four commits.

    The first is measured with the installed vekt, and stands for the others: on the second day the
    machine was busy and all took thrice as long; from the third on, vekt's silu does.
    """
    root = tmp_path_factory.mktemp("repository")
    git = ("git", "-c", "user.name=test", "-c", "user.email=test@localhost")
    run(*git, "init", "--quiet", "--initial-branch=main", cwd=root)
    suite = root / "asv_bench"
    shutil.copytree(SUITE, suite, ignore=shutil.ignore_patterns(".asv", "__pycache__"))
    asv = (sys.executable, "-m", "asv")
    run(*asv, "machine", "--yes", "--machine=test", cwd=suite, HOME=str(root))
    first: dict[str, Any] = {}
    for day in range(1, LAST_DAY + 1):
        date = f"2020-01-0{day}T12:00:00Z"
        run(*git, "commit", "--quiet", "--allow-empty", f"--message=<change> {day}", cwd=root,
            GIT_AUTHOR_DATE=date, GIT_COMMITTER_DATE=date)  # fmt: skip
        commit = run("git", "rev-parse", "HEAD", cwd=root).strip()
        if day == 1:
            run(*asv, "run", "--quick", "--record-samples", "--python=same", "--machine=test",
                f"--set-commit-hash={commit}", f"--bench={MEASURED}", cwd=suite, HOME=str(root),
                )  # fmt: skip
            (path,) = (suite / ".asv" / "results" / "test").glob(f"{commit[:HASH_LENGTH]}-*.json")
            first = json.loads(path.read_text("utf-8"))
        else:
            later = json.loads(json.dumps(first)) | {"commit_hash": commit}
            later["date"] = first["date"] + (day - 1) * 24 * 3600 * 1000
            for name, row in later["results"].items():
                for column, values in zip(later["result_columns"], row, strict=False):
                    if values and column in TIMES:
                        if day == 2:
                            values[:] = map(thrice, values)
                        elif name == PEERS:
                            values[0] = thrice(values[0])
            name = path.name.replace(first["commit_hash"][:HASH_LENGTH], commit[:HASH_LENGTH])
            (path.parent / name).write_text(json.dumps(later), "utf-8")
    run(*asv, "publish", "--no-pull", cwd=suite)
    return suite / ".asv" / "html"


@pytest.fixture(scope="module")
def address(pages: Path) -> Iterator[str]:
    with served(pages) as found:
        yield found


@pytest.fixture(scope="module")
def seen(pages: Path, address: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Return what is drawn, 800 pixels wide, by the addresses of what is opened."""
    addresses = [
        "index.html",
        f"index.html#{NOTES}",
        f"index.html#{NOTES}?x-axis=library&y-axis-scale=log",
        f"index.html#{PEERS}",
        f"index.html#relative.{PEERS}",
        "index.html#/regressions",
    ]
    probe = pages / "probe.html"
    probe.write_text(PROBE % json.dumps(addresses), "utf-8")
    profile = tmp_path_factory.mktemp("profile")
    document = chromium(
        profile, "--dump-dom", f"{address}probe.html", "--virtual-time-budget=60000"
    )
    probe.unlink()
    text = re.findall(r"<pre>(.*?)</pre>", document, re.DOTALL)
    assert text, document
    found: dict[str, Any] = json.loads(unescape(text[0]))
    return {
        name.removeprefix("index.html").removeprefix("#"): graph for name, graph in found.items()
    }


def labels(graph: dict[str, Any]) -> list[str]:
    return [series["label"] for series in graph["series"]]


def test_pages_of_another_asv_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    from asv.util import UserError  # an extra that the default run does without

    monkeypatch.syspath_prepend(str(SUITE))
    assets = importlib.import_module("dashboard.assets")
    with pytest.raises(UserError, match=r"wants cdn\.example/other\.js"):
        assets.rewrite('<script src="https://cdn.example/other.js"></script>')
    patches = importlib.import_module("dashboard.patches")
    patch = patches.Patch("page.js", "old(", "new(", until="end")
    assert patches.patched("old(); end", patch) == "new(end"
    for text in ("other(); end", "old(); old(); end", "old();"):
        with pytest.raises(UserError, match=r"page\.js of this asv .* 'old\('"):
            patches.patched(text, patch)


def test_pages_name_no_remote_file(pages: Path) -> None:
    for name in ("index.html", "commits.html"):
        text = (pages / name).read_text(encoding="utf-8")
        loaded = re.findall(r'<(?:script|link|img)\b[^>]*\b(?:src|href)="([^"]+)"', text)
        assert name != "index.html" or len(loaded) > 15
        for link in loaded:
            assert "//" not in link
            assert (pages / link).is_file()


def test_a_busy_machine_is_no_regression_and_a_slow_kernel_is_one(pages: Path) -> None:
    found = json.loads((pages / "regressions.json").read_text("utf-8"))["regressions"]
    assert [entry[0] for entry in found] == [f"relative.{PEERS}('silu of 100,000', 'vekt')"]
    ((_, _, _, _, last, best, _),) = found
    assert last / best == pytest.approx(3)


def test_figures_are_in_units_of_the_same_run(pages: Path) -> None:
    def points(name: str) -> list[Any]:
        (path,) = (p for p in pages.glob(f"graphs/**/{name}.json") if "summary" not in p.parts)
        return [values for _, values in json.loads(path.read_text("utf-8"))]

    seconds, judged, yardsticks = map(
        points, (NOTES, f"relative.{NOTES}", "bench_yardstick.TimeYardstick.time_call")
    )
    for one, other, unit in zip(seconds, judged, yardsticks, strict=True):
        memcpy = unit[1]
        assert other == pytest.approx([time / memcpy for time in one], rel=1e-3)  # of one sample
    assert seconds[1] == pytest.approx([3 * time for time in seconds[0]])
    assert judged[1] == pytest.approx(judged[0])


def test_a_point_leads_to_its_commit(pages: Path) -> None:
    index = json.loads((pages / "index.json").read_text("utf-8"))
    text = (pages / "commits.html").read_text("utf-8")
    page, _, anchor = index["show_commit_url"].partition("#")
    assert (page, anchor) == ("commits.html", "")
    for commit in index["revision_to_hash"].values():
        for name in (commit, commit[: index["hash_length"]]):
            assert f'id="{name}"' in text
    assert "&lt;change&gt; 4" in text


def test_the_first_page_says_what_to_look_at(seen: dict[str, Any]) -> None:
    text = seen[""]["text"]
    assert f"{LAST_DAY} commits were measured on test. 1 regression." in text
    for name in ("bench_notes.TimeNotes", "bench_peers.TimeElementwise"):
        assert name in text
    assert "TimeOut" not in text  # which was not measured


def test_peers_are_drawn_without_being_asked_for(seen: dict[str, Any]) -> None:
    for name in (PEERS, f"relative.{PEERS}"):
        drawn = labels(seen[name])
        for library in ("vekt", "numpy", "scipy"):
            assert f"library-{library}; operation-silu of 100,000" in drawn
    expected = [
        f"dtype-{dtype}; library-{library}"
        for dtype, library in product(["float32", "float64"], ["loop", "numpy", "jit", "vekt"])
    ]
    assert set(expected) < set(labels(seen[NOTES]))


def test_the_times_of_the_notes_are_lines(seen: dict[str, Any]) -> None:
    marks = {s["label"]: s["data"] for s in seen[NOTES]["series"] if "notes" in s["label"]}
    assert {label: [y for _, y in data] for label, data in marks.items()} == {
        "the notes' loop, 450.000ms": [0.45, 0.45],
        "the notes' np.dot, 1.500ms": [0.0015, 0.0015],
    }
    (points,) = {len(s["data"]) for s in seen[NOTES]["series"] if "notes" not in s["label"]}
    assert points == LAST_DAY
    for (begin, _), (end, _) in marks.values():
        assert end - begin == LAST_DAY - 1


def test_bars_draw_all_series(seen: dict[str, Any]) -> None:
    series = seen[f"{NOTES}?x-axis=library&y-axis-scale=log"]["series"]
    assert len(series) == 2  # the dtypes
    for one in series:
        assert one["bars"] == [True] * 4  # the libraries
    first, second = ([x for x, _ in one["data"]] for one in series)
    assert all(x < y for x, y in zip(first, second, strict=True))  # side by side


def test_pages_fit_800_pixels(seen: dict[str, Any]) -> None:
    for name, found in seen.items():
        assert not found["wider"], name
        assert found["navigation"] <= 55, name  # where asv's pages begin


def test_the_notes_graph_shows_its_lines(address: str, tmp_path: Path) -> None:
    picture = tmp_path / "graph.png"
    graph = f"{address}#{NOTES}?y-axis-scale=log"
    chromium(tmp_path / "profile", f"--screenshot={picture}", graph)
    plot = imread(picture)[130:760, 500:1440, :3]  # right of the legend, inside the frame
    coloured = plot.max(axis=-1) - plot.min(axis=-1) > 0.2
    assert coloured.sum(axis=0).min() >= 3  # lines from the first commit to the last
