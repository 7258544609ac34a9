"""What `vekt compare` tells of its figures: verdicts, conditions, files, pages, several reports."""

import json
import re
from xml.etree import ElementTree

import numpy as np
import pytest
from rich.console import Console

from vekt.cli import compare, machine, main
from vekt.cli.compare import measuring, report, tables, timing
from vekt.cli.compare.verdicts import judged
from vekt.cli.environment import BLAS_OVERRIDES

TOLERANCE = 0.05


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    """Run each statement a few times only, in this very process."""
    monkeypatch.setattr(timing, "_SAMPLE_SECONDS", 1e-6)
    for name in BLAS_OVERRIDES:
        monkeypatch.delenv(name, raising=False)


def turns(seed, ratio, noise, rounds=9):
    """Return seconds of vekt and of a peer in disturbed rounds."""
    rng = np.random.default_rng(seed)
    shared = rng.uniform(1, 3, rounds)  # what disturbs a round meets both
    return shared, shared * ratio * np.exp(noise * rng.standard_normal(rounds))


@pytest.mark.parametrize(
    ("ratio", "verdict"), [(1.3, "ahead"), (1.0, "even"), (1.03, "even"), (0.7, "behind")]
)
def test_verdicts_of_many_runs_agree(ratio, verdict):
    """Outside the tolerance, no disturbance that both meet and no 5 % of noise changes one."""
    runs = [judged(*turns(seed, ratio, 0.05), TOLERANCE) for seed in range(20)]
    assert {run["verdict"] for run in runs} == {verdict}
    inside = sum(run["interval"][0] <= ratio <= run["interval"][1] for run in runs)
    assert inside >= 17


def test_verdicts_at_the_edge_of_the_tolerance_are_never_opposite():
    for ratio in (0.9, 0.95, 1.05, 1.1):
        runs = [judged(*turns(seed, ratio, 0.1), TOLERANCE) for seed in range(20)]
        assert len({run["verdict"] for run in runs} - {"even"}) <= 1


def test_intervals_of_few_turns():
    assert judged([1.0, 2.0, 1.0], [1.5, 2.0, 1.2], TOLERANCE)["interval"] == (1.0, 1.5)
    assert judged([1.0], [3.0], TOLERANCE) == {
        "over_fastest": 3.0,
        "interval": None,
        "verdict": "ahead",
    }


def run(tmp_path, name, *arguments):
    """Compare; return the report and where it lies."""
    file = tmp_path / f"{name}.json"
    base = "compare --op gelu,matmul,softmax_cross_entropy --sizes 64 --shapes 6x5,6x5x4"
    options = "--dtype float32 --rounds 3 --peers numpy,scipy"
    assert main([*base.split(), *options.split(), "--json", str(file), *arguments]) == 0
    return json.loads(file.read_text()), file


def test_conditions(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(machine, "load", lambda: 99.0)
    found, _ = run(tmp_path, "a")
    assert found["complete"]
    assert found["load"] == {"before": 99.0, "after": 99.0}
    assert found["machine"]["cpu"] == machine.processor()
    assert {"numpy", "scipy"} <= found["machine"]["versions"].keys()
    assert any(pool["user_api"] == "blas" for pool in found["machine"]["pools"])
    out = capsys.readouterr().out
    assert found["machine"]["cpu"].split()[0] in out
    assert "BLAS: " in out
    assert len(found["warnings"]) == out.count("Warning:") >= 2
    assert "The machine is busy" in out


@pytest.mark.parametrize(("load", "busy"), [(None, False), (2.2, False), (2.8, True)])
def test_busy(load, busy):
    assert machine.busy(load, 2) == busy


def test_a_share_above_the_peak_is_a_fault(tmp_path, monkeypatch, capsys):
    beside = measuring.beside_limits
    monkeypatch.setattr(
        measuring, "beside_limits", lambda *a: {**beside(*a), "of_peak": 1.2, "over_memcpy": 1.0}
    )
    run(tmp_path, "a")
    out = capsys.readouterr().out
    assert "fault" in out
    assert "120%" not in out
    assert "above the measured peak" in " ".join(out.split())


def test_an_interrupted_run_keeps_what_it_has(tmp_path, monkeypatch, capsys):
    """The file is valid JSON at every cell, and tables of finished groups are printed."""
    file = tmp_path / "a.json"
    monkeypatch.setattr(report, "_SECONDS", 0.0)
    seen, measured = [], compare.measure

    def interrupted(*arguments):
        seen.append(len(json.loads(file.read_text())["cells"]))
        if len(seen) == 7:
            raise KeyboardInterrupt
        return measured(*arguments)

    monkeypatch.setattr(compare, "measure", interrupted)
    base = "compare --op gelu,softmax --sizes 64 --shapes 6x5 --dtype float32 --rounds 3"
    assert main([*base.split(), "--peers", "numpy", "--json", str(file)]) == 130
    assert seen == [0, 1, 2, 3, 4, 5, 6]
    found = json.loads(file.read_text())
    assert len(found["cells"]) == 6
    assert not found["complete"]
    assert [p.name for p in tmp_path.iterdir()] == ["a.json"]
    assert "64 elements" in capsys.readouterr().out
    assert main(["compare", "--show", str(file)]) == 0
    assert "This run was interrupted" in capsys.readouterr().out


@pytest.mark.parametrize("width", ["80", "200"])
def test_tables_fit_the_console(width, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", width)
    _, a = run(tmp_path, "first_machine")
    _, b = run(tmp_path, "second_machine")
    assert main(["compare", "--show", str(a), str(b)]) == 0
    assert main(["info"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= int(width)
    text = "\n".join(lines)
    assert ("scipy" in text.partition("─")[0].rpartition("ns per element")[2]) == (width == "200")


def cell(flops, **changes):
    """Return a cell of the widest entries there are."""
    return {
        "label": "softmax_cross_entropy, 100,000 x 1,000, with gradient",
        "operands": "fused functions of 10,000,000 elements",
        "dtype": "complex128",
        "elements": 1,
        "flops": flops,
        "seconds": {"vekt": 1.2345678, "torch_compile": 2.3456789},
        "fastest_peer": "torch_compile",
        "over_fastest": 1234.0,
        "interval": [0.98765, 1234.0],
        "verdict": "behind",
        "of_peak": 1.5,
        "one_thread_seconds": 123.456 if flops else None,
        "over_memcpy": 1234.0,
        **changes,
    }


@pytest.mark.parametrize("flops", [0, 10**9])
def test_the_widest_cells_fit_80_columns(flops):
    console = Console(width=80, record=True, file=open("/dev/null", "w"))  # noqa: PTH123, SIM115
    with console.file:
        cells = [cell(flops)]
        whole = {"file": "machine", "cells": cells}
        console.print(tables.cells_table("title", cells, ["torch_compile", "numpy"], console))
        console.print(tables.behind_table(cells))
        console.print(tables.reports_table([whole, whole]))
        console.print(tables.agreement_table([whole, whole]))
        lines = console.export_text().splitlines()
    assert max(map(len, lines)) <= 80
    text = "".join("".join(lines).split())
    assert "…" not in text
    assert text.count("behind") >= 4


def test_html(tmp_path):
    page_file = tmp_path / "a.html"
    found, file = run(tmp_path, "a", "--html", str(page_file))
    page = page_file.read_text()
    assert not re.findall(r'(?:src|href)="(?!data:)', page)
    assert page.count('src="data:image/svg+xml;base64,') == len(
        list(tables.grouped(found["cells"]))
    )
    assert all(f"<td>{cell['label']}</td>" in page for cell in found["cells"])
    assert found["machine"]["cpu"] in page
    ElementTree.fromstring(page.partition("<body>")[2].join(["<body>", ""]).partition("</html>")[0])
    both = tmp_path / "both.html"
    assert main(["compare", "--show", str(file), str(file), "--html", str(both)]) == 0
    assert both.read_text().count("<h2>a</h2>") == 2


def test_several_reports(tmp_path, capsys):
    found, a = run(tmp_path, "a")
    b = tmp_path / "b.json"
    for cell in found["cells"]:
        cell["verdict"] = "behind"
    b.write_text(json.dumps(found))
    capsys.readouterr()
    assert main(["compare", "--show", str(a), str(b)]) == 0
    out = capsys.readouterr().out
    last = out.splitlines()[-1].split()
    assert last[:4] == ["b", "0", "0", str(len(found["cells"]))]
    assert main(["compare", "--show", str(b), "--check"]) == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["{file}"], "--show and FILES belong together"),
        (["--show"], "--show and FILES belong together"),
        (["--show", "{file}"], "is not a report"),
        (["--show", "no.json"], "cannot be read"),
        (["--html", "no/such/directory/a.html"], "There is no directory"),
    ],
)
def test_what_cannot_be_shown(arguments, message, tmp_path, capsys):
    file = tmp_path / "other.json"
    file.write_text('{"cells": [{}]}')
    assert main(["compare", *(text.format(file=file) for text in arguments)]) == 2
    assert message in capsys.readouterr().err


def test_standard_output_has_one_document(capsys: pytest.CaptureFixture[str]) -> None:
    small = ["--op", "relu", "--sizes", "60", "--dtype", "float32", "--rounds", "3"]
    assert main(["compare", *small, "--peers", "numpy", "--json", "-"]) == 0
    assert json.loads(capsys.readouterr().out)["cells"]
