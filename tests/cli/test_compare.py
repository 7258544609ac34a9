"""`vekt compare`: what it measures, prints and reports."""

import json
import os
import sys
from dataclasses import replace
from importlib.util import find_spec
from itertools import pairwise
from timeit import Timer

import pytest
from vekt._kernels import lib

import vekt as vk
from vekt._core import native
from vekt._spec.activations import KERNELS
from vekt._spec.elementwise import OPS
from vekt._spec.families import specs
from vekt.cli import main
from vekt.cli.compare import fuse_tasks, linear_tasks, timing, training_tasks
from vekt.cli.compare.grids import OTHERS, Grid
from vekt.cli.compare.layout_tasks import GRID
from vekt.cli.compare.limits import beside_limits, limits
from vekt.cli.compare.linear_tasks import linear_statements
from vekt.cli.compare.loss_tasks import loss_statements
from vekt.cli.compare.optim_tasks import OPTIMISERS
from vekt.cli.compare.tasks import GATES, ROWS
from vekt.cli.compare.timing import in_turns, interleaved
from vekt.cli.environment import BLAS_OVERRIDES
from vekt.cli.peers import PEERS
from vekt.config import get_config

SMALL_COMPARE = ["compare", "--op", "relu,dot", "--sizes", "64", "--rounds", "3"]


@pytest.fixture(autouse=True)
def _no_restart(monkeypatch):
    """Keep `main` from replacing this very process."""
    for name in BLAS_OVERRIDES:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(autouse=True)
def _short_samples(monkeypatch):
    """Run each statement a few times only: no test asserts a time."""
    monkeypatch.setattr(timing, "_SAMPLE_SECONDS", 1e-6)


def test_compare_of_calls_that_allocate(tmp_path):
    report_file = tmp_path / "compare.json"
    run = "--op gelu,softmax,adam --sizes 100 --shapes 10x10 --dtype float32 --rounds 3"
    options = [*run.split(), "--peers", "numpy", "--allocate", "--json", str(report_file)]
    assert main(["compare", *options]) == 0
    report = json.loads(report_file.read_text())
    assert report["allocate"]
    assert {"gelu", "softmax"} <= {cell["op"] for cell in report["cells"]}
    statements = [text for cell in report["cells"] for text in cell["statements"].values()]
    assert statements
    assert not any("out=" in text for text in statements)


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
    small = ["--sizes", "60", "--shapes", "6x5,6x5x4,3x4x5x6", "--dtype", "float32"]
    small += ["--rounds", "3"]
    assert main(["compare", *small, "--json", str(report_file)]) == 0
    cells = json.loads(report_file.read_text())["cells"]
    others = {
        *ROWS,
        *GATES,
        *linear_statements(),
        *loss_statements(),
        *OPS,
        GRID,
        *OPTIMISERS,
        *training_tasks.NAMES,
        *fuse_tasks.NAMES,
    }
    assert {cell["op"] for cell in cells} >= {*KERNELS, *others}
    assert all(cell["fastest_peer"] for cell in cells)
    assert len({(cell["label"], cell["operands"]) for cell in cells}) == len(cells)


def test_a_kernel_without_statements_has_its_plain_formula(monkeypatch, tmp_path):
    statements = PEERS["numpy"].statements
    for form in ("", "_backward", "_backward_from_output"):
        monkeypatch.delitem(statements, f"tanh{form}")
    report_file = tmp_path / "compare.json"
    small = ["--op", "tanh", "--sizes", "64", "--rounds", "3", "--peers", "numpy"]
    assert main(["compare", *small, "--json", str(report_file)]) == 0
    statements = [
        cell["statements"]["numpy"] for cell in json.loads(report_file.read_text())["cells"]
    ]
    assert statements == ["plain(x)", "dy * plain(x)", "dy * plain(y)"] * 2


@pytest.mark.parametrize("family", ["elementwise", "gates", "layers", "losses", "rows"])
def test_what_has_a_spec_is_compared(family):
    assert {spec.name for spec in specs(family)} <= set(OTHERS)


def products(tmp_path, *arguments):
    """Compare matrix products; return the cells."""
    report_file = tmp_path / "compare.json"
    arguments = ["compare", "--op", "matmul", "--rounds", "3", *arguments]
    assert main([*arguments, "--peers", "numpy,scipy", "--json", str(report_file)]) == 0
    return json.loads(report_file.read_text())["cells"]


def test_products(tmp_path, capsys):
    cells = products(tmp_path, "--shapes", "8x4x2,3x8x4x2,6x5", "--dtype", "float64,complex64,int8")
    labels = ["8 x 4 x 2", "8 x 4 x 2, a.T", "8 x 4 x 2, b.T", "3 of 8 x 4 x 2"]
    assert [(cell["dtype"], cell["label"]) for cell in cells] == [
        (dtype, label) for dtype in ("float64", "complex64", "int8") for label in labels
    ]
    assert [cell["flops"] for cell in cells[:5]] == [128, 128, 128, 384, 512]
    for cell in cells:
        assert set(cell["seconds"]) == {"vekt", "numpy"}
        assert cell["one_thread_seconds"] is None
        if cell["dtype"] == "int8":
            assert cell["peak_seconds"] is cell["of_peak"] is None
        else:
            assert cell["of_peak"] == cell["peak_seconds"] / cell["seconds"]["vekt"] > 0
    out = capsys.readouterr().out
    assert "microseconds: matrix products, complex64, 1 thread" in out
    assert "peak" in out
    assert "scipy" not in out.partition("microseconds")[2]  # which has no statement for it


def test_products_on_two_threads(tmp_path, capsys):
    if get_config()["cores"] < 2:
        pytest.skip("needs two cores")
    before = vk.get_num_threads()
    (cell, *_) = products(tmp_path, "--shapes", "8x4x2", "--dtype", "float32", "--threads", "2")
    assert cell["one_thread_seconds"] > 0
    assert "over 1" in capsys.readouterr().out
    assert vk.get_num_threads() == before


def test_one_thread_is_one():
    (task,) = linear_tasks.product_tasks([(3, 2, 1)], "float32")
    task = replace(task, statement="seen.append(vk.get_num_threads())")
    seen = []
    with vk.num_threads(2):
        limits(task, 2, {"vk": vk, "seen": seen})["one thread"].timeit(1)
    assert seen == [1]


def test_limits():
    """A cell tells what the probes would need for as much work as the task's."""
    (task,) = linear_tasks.product_tasks([(30, 20, 10)], "float32")
    assert set(limits(task, 1, {})) == {"peak"}
    assert set(limits(task, 2, {})) == {"peak", "one thread"}
    target = native.TARGETS[native.SELECTED]
    of_one_step = target.products.peak[lib.VEKT_F32](1)
    assert of_one_step % (2 * target.vector_bytes / 4) == 0
    assert target.products.peak[lib.VEKT_F32](1000) == 1000 * of_one_step
    assert target.products.peak[lib.VEKT_F64](1000) == 500 * of_one_step
    one, two = (
        beside_limits(task, threads, 0.5, {"peak": 1.0, "one thread": 3.0}) for threads in (1, 2)
    )
    assert one["peak_seconds"] == pytest.approx(12_000 / 1e7, rel=1e-3)
    assert one["of_peak"] == 2 * one["peak_seconds"]
    assert two["of_peak"] == one["of_peak"] / 2
    assert two["one_thread_seconds"] == 3
    copied = linear_tasks.dot_task(100, "float32")
    assert set(limits(copied, 2, {})) == {"memcpy"}
    memory = beside_limits(copied, 2, 0.5, {"memcpy": 2.0})
    assert memory == {"memcpy_seconds": 2.0, "over_memcpy": 0.25}


def test_processor_time(tmp_path):
    report_file = tmp_path / "compare.json"
    arguments = [*SMALL_COMPARE, "--peers", "numpy", "--processor-time"]
    assert main([*arguments, "--json", str(report_file)]) == 0
    report = json.loads(report_file.read_text())
    assert report["clock"] == "process_time"
    assert all(s > 0 for cell in report["cells"] for s in cell["seconds"].values())


def test_default_grid():
    """Without shapes and dtypes, products have the grid of their issue, narrow dtypes two cells."""
    groups = [(title, tasks) for title, tasks in Grid({"matmul", "dense"}, [], None, None).groups()]
    cells = [(tasks.args[1], len(tasks.args[0])) for title, tasks in groups if "products" in title]
    assert cells[:2] == [("float32", 23), ("float64", 23)]
    assert dict(cells[2:]) == {
        dtype: 2 for dtype in linear_tasks.NARROW if dtype != "bfloat16" or find_spec("ml_dtypes")
    }
    assert [len(t.args[0]) for title, t in groups if "layers" in title] == [21, 21]
    assert len(groups) == len(cells) + 3  # layers of two dtypes, products of mixed ones


def test_only_the_shapes_that_are_asked_for():
    groups = Grid({"matmul", "softmax", "norm"}, [], [(6, 5)], ["float32"]).groups()
    assert [title for title, tasks in groups if list(tasks())] == ["6 x 5", "6 x 5"]


def test_compare_leaves_the_process_as_it_was():
    before = get_config(), os.environ.get("OMP_NUM_THREADS")
    assert main([*SMALL_COMPARE, "--peers", "numpy", "--op", "tanh"]) == 0
    assert (get_config(), os.environ.get("OMP_NUM_THREADS")) == before


@pytest.mark.parametrize(("peer_seconds", "code"), [(0.5, 1), (0.99, 0), (2.0, 0)])
def test_check(peer_seconds, code, monkeypatch, capsys):
    def pretend(timers, rounds, **options):
        ours = ("vekt", "memcpy", "np.exp(x)")
        return {name: [1.0 if name in ours else peer_seconds] for name in timers}

    monkeypatch.setattr("vekt.cli.compare.measuring.in_turns", pretend)
    assert main([*SMALL_COMPARE, "--peers", "numpy", "--check"]) == code
    out = capsys.readouterr().out
    verdict = {0.5: "behind", 0.99: "even", 2.0: "ahead"}[peer_seconds]
    assert f"{verdict} in 12" in out
    assert ("Behind" in out) == (code == 1)


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


class Pretended(Timer):
    """A task of these seconds, after others at first."""

    def __init__(self, seconds, first=()):
        self.seconds, self.first, self.calls = seconds, iter(first), 0

    def timeit(self, number):
        self.calls += number
        return number * next(self.first, self.seconds)


def calls_of(tasks):
    """Return how often each task ran."""
    return {name: task.calls for name, task in tasks.items()}


def test_who_is_far_behind_has_no_turns():
    tasks = {"a": Pretended(0.003), "b": Pretended(0.03), "c": Pretended(0.3)}
    assert interleaved(tasks, 5, slack=2.5) == {"a": 0.003, "b": 0.03, "c": 0.3}
    # b might have been interrupted the first time
    assert calls_of(tasks) == {"a": 2 + 5, "b": 3, "c": 2}


def test_who_is_judged_always_has_turns():
    """A first timing that other work made long decides nothing about vekt."""
    tasks = {"vekt": Pretended(0.003, first=(0.003, 0.3)), "b": Pretended(0.004)}
    turns = in_turns(tasks, 5, slack=2.5, always=["vekt"])
    assert turns == {"vekt": [0.003] * 5, "b": [0.004] * 5}


def test_an_interrupted_first_timing_has_another_chance():
    tasks = {"a": Pretended(0.003), "b": Pretended(0.004, first=(0.004, 0.05))}
    assert interleaved(tasks, 5, slack=2.5) == {"a": 0.003, "b": 0.004}
    assert calls_of(tasks) == {"a": 2 + 5, "b": 3 + 5}


def test_limits_do_not_compete():
    tasks = {"memcpy": Pretended(0.003), "b": Pretended(0.03)}
    assert interleaved(tasks, 5, slack=2.5, apart={"memcpy"}) == {"memcpy": 0.003, "b": 0.03}
    assert calls_of(tasks) == {"memcpy": 2 + 5, "b": 2 + 5}


def test_operations_without_an_x(tmp_path):
    """What is copied beside them is the first thing that they read."""
    report_file = tmp_path / "compare.json"
    small = ["--dtype", "float32", "--rounds", "3", "--peers", "numpy", "--processor-time"]
    assert main(["compare", "--op", "one_hot", *small, "--json", str(report_file)]) == 0
    cells = json.loads(report_file.read_text())["cells"]
    assert [cell["op"] for cell in cells] == ["one_hot"] * 3
    assert all(cell["over_memcpy"] > 0 for cell in cells)
