"""`vekt compare`: what it measures, prints and reports."""

import importlib
import json
import os
import sys
from importlib.util import find_spec
from itertools import pairwise
from timeit import Timer

import pytest

from vekt._registry import KERNELS
from vekt.cli import main
from vekt.cli.environment import BLAS_OVERRIDES
from vekt.cli.peers import PEERS
from vekt.cli.tasks import GATES, ROWS, gate_names, row_names
from vekt.cli.timing import interleaved
from vekt.config import get_config

SMALL_COMPARE = ["compare", "--op", "relu,dot", "--sizes", "64", "--rounds", "3"]


@pytest.fixture(autouse=True)
def _no_restart(monkeypatch):
    """Keep `main` from replacing this very process."""
    for name in BLAS_OVERRIDES:
        monkeypatch.delenv(name, raising=False)


def test_compare(tmp_path, capsys):
    report_file = tmp_path / "compare.json"
    peers = ["--peers", "numpy,numexpr,scipy"]
    assert main([*SMALL_COMPARE, *peers, "--json", str(report_file)]) == 0
    out = capsys.readouterr().out
    assert f"64 elements, float32, 1 thread, {get_config()['isa']}" in out
    report = json.loads(report_file.read_text())
    operations = ["dot", "relu", "relu_backward", "relu_backward_from_output"]
    operations += ["relu_general", "relu_general_backward"]
    if KERNELS["relu"].from_output is None:
        operations.remove("relu_backward_from_output")
    assert [cell["op"] for cell in report["cells"]] == operations * 2
    for cell in report["cells"]:
        assert {"vekt", "numpy"} <= set(cell["seconds"])
        assert cell["fastest_peer"] in ("numpy", "numexpr", "scipy")
        rivals = [s for peer, s in cell["seconds"].items() if peer != "vekt"]
        assert cell["over_fastest"] == min(rivals) / cell["seconds"]["vekt"]
        assert cell["over_memcpy"] == cell["seconds"]["vekt"] / cell["memcpy_seconds"] > 0
        assert cell["statements"]["vekt"].startswith("vk.")
    moved = {cell["op"]: cell["bytes_moved"] for cell in report["cells"][: len(operations)]}
    assert moved["dot"] == moved["relu"] == 2 * 64 * 4
    assert moved["relu_backward"] == 3 * 64 * 4
    calls = [row["call"] for row in report["calls"]]
    assert calls == ["np.exp(x)", "vk.relu(x)", "vk.relu(x, max_value=6.0)"]


def test_every_operation_and_peer(tmp_path):
    """Each of vekt's statements runs, and so does each peer's with vekt's operands."""
    report_file = tmp_path / "compare.json"
    small = ["--sizes", "60", "--shapes", "6x5", "--dtype", "float32", "--rounds", "3"]
    assert main(["compare", *small, "--json", str(report_file)]) == 0
    cells = json.loads(report_file.read_text())["cells"]
    assert {cell["op"] for cell in cells} >= {*KERNELS, *row_names(), *gate_names(), "dot"}
    assert all(cell["fastest_peer"] for cell in cells)
    assert len({(cell["label"], cell["operands"]) for cell in cells}) == len(cells)


def test_a_kernel_without_rows_has_its_plain_formula(monkeypatch, tmp_path):
    rows = PEERS["numpy"].rows
    for form in ("", "_backward", "_backward_from_output"):
        monkeypatch.delitem(rows, f"tanh{form}")
    report_file = tmp_path / "compare.json"
    small = ["--op", "tanh", "--sizes", "64", "--rounds", "3", "--peers", "numpy"]
    assert main(["compare", *small, "--json", str(report_file)]) == 0
    statements = [
        cell["statements"]["numpy"] for cell in json.loads(report_file.read_text())["cells"]
    ]
    assert statements == ["plain(x)", "dy * plain(x)", "dy * plain(y)"] * 2


def test_rows_and_gates_are_compared():
    """Whatever has a row in these registries has its place in the comparison."""
    if find_spec("vekt._row_ops") is not None:
        assert set(importlib.import_module("vekt._row_ops").ROW_OPS) == set(row_names())
    if find_spec("vekt._gate_ops") is not None:
        gates = importlib.import_module("vekt._gate_ops")
        assert {*gates.GATES, gates.PRELU.name} == set(gate_names())
    assert set(row_names()) <= set(ROWS)
    assert set(gate_names()) <= set(GATES)


def test_compare_leaves_the_process_as_it_was():
    before = get_config(), os.environ.get("OMP_NUM_THREADS")
    assert main([*SMALL_COMPARE, "--peers", "numpy", "--op", "tanh"]) == 0
    assert (get_config(), os.environ.get("OMP_NUM_THREADS")) == before


@pytest.mark.parametrize(("peer_seconds", "code"), [(0.5, 1), (0.99, 0), (2.0, 0)])
def test_check(peer_seconds, code, monkeypatch, capsys):
    def pretend(timers, rounds, **options):
        ours = ("vekt", "memcpy", "np.exp(x)")
        return {name: 1.0 if name in ours else peer_seconds for name in timers}

    monkeypatch.setattr("vekt.cli.compare.interleaved", pretend)
    assert main([*SMALL_COMPARE, "--peers", "numpy", "--check"]) == code
    out = capsys.readouterr().out
    slower = out.count("0.99x") if peer_seconds == 0.99 else out.count("0.5x")
    assert ("Slower cells" in out) == (slower > 0) == (peer_seconds < 1)


def test_missing_peer_is_left_out(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "numexpr", None)
    assert main([*SMALL_COMPARE, "--peers", "numpy,numexpr"]) == 0
    assert "numexpr is left out" in capsys.readouterr().out


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


def test_who_is_far_behind_has_no_turns():
    class Pretended(Timer):
        def __init__(self, seconds):
            self.seconds, self.calls = seconds, 0

        def timeit(self, number):
            self.calls += number
            return number * self.seconds

    tasks = {"a": Pretended(0.003), "b": Pretended(0.03)}
    assert interleaved(tasks, 5, slack=2.5) == {"a": 0.003, "b": 0.03}
    assert {name: task.calls for name, task in tasks.items()} == {"a": 2 + 5, "b": 2}
