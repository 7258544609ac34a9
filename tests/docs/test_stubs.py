"""The type stub, which the build writes from the registry."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import vekt as vk

STUB = Path(vk.__file__).with_suffix(".pyi")

PROGRAM = """
import numpy as np
import vekt as vk

x = np.linspace(-1, 1, 5, dtype=np.float32)
y = vk.gelu(x, approximate=True, out=np.empty_like(x))
vk.relu(x, 0.1, max_value=None, threshold=x)
value, gradient = vk.leaky_relu_value_and_grad(x, negative_slope=[0.1] * 5)
vk.sigmoid_backward_from_output(x, vk.sigmoid(x, where=x > 0))
vk.dot(x, x)
vk.matmul(x, x, dtype="float64")
vk.matmul(x, np.outer(x, x), x)
vk.vecdot(x, x, axis=0, keepdims=True)
vk.vecmat(x, vk.outer(x, x), out=y)
vk.matvec([[1, 2]], [3, 4])
vk.tensordot(x, x, axes=((0,), (0,)))
vk.norm(x, ord=2, axis=0)
vk.cosine_similarity(x, x)
vk.transpose_copy(vk.outer(x, x), axes=(1, 0))
w = vk.PackedWeights(np.outer(x, x))
columns: int = w.shape[1]
h, z = vk.dense(x, w, x, vk.gelu, return_preactivation=True)
vk.dense(x, np.outer(x, x), activation=("relu", {"negative_slope": 0.1}), out=y)
dx, dw, db = vk.dense_backward(h, x, np.outer(x, x), z, "gelu", need_dx=False)
loss = vk.sigmoid_cross_entropy(x, y) + vk.huber(x, y, delta=2, out=y)
mean, slope = vk.softmax_cross_entropy_value_and_grad([[1.0]], [0], ignore_index=-1, out=y)
vk.sum(x, axis=(0,), dtype="f8", keepdims=True, initial=1, where=x > 0)
vk.max(x, 0, out=y)
vk.argmin(x, axis=0, keepdims=True)
vk.sum_to_shape(vk.broadcast_to(x, (3, 5)), 5)
vk.add(x, 1, out=y, where=x > 0)
vk.where(vk.less(x, [0.5] * 5), x, 0)
vk.clip(x, None, max=2)
vk.multiply_add(x, 2, y, dtype="f8")
vk.jit.gelu(x)
vk.reference.gelu(x)
vk.activations.get("gelu")(x)
with vk.num_threads(1):
    threads: int = vk.get_num_threads()
    vk.set_num_threads(threads)
vk.show_config()
version: str = vk.__version__
"""

MISTAKES = """
import vekt as vk

vk.gelu(1.0, approximate="tanh")
vk.relu(1.0, slope=0.1)
vk.relu_value_and_grad()
vk.set_num_threads("2")
vk.no_such_function
vk.matmul(1)
dx, dw = vk.dense_backward(1, 2, 3, 4)
vk.add(1)
vk.clip(1, 2, 3, lower=4)
"""


def mypy(folder: Path, **programs: str) -> dict[str, list[str]]:
    """Numbers of the lines in which mypy finds errors, for each program; one run for all."""
    for name, program in programs.items():
        (folder / f"{name}.py").write_text(program, encoding="utf-8")
    files = [f"{name}.py" for name in programs]
    command = [sys.executable, "-m", "mypy", "--strict", "--no-incremental", *files]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder)
    errors = [line.split(":")[:2] for line in done.stdout.splitlines() if ": error:" in line]
    assert {file for file, _ in errors} <= set(files), done.stdout
    assert not done.stderr
    return {name: [number for file, number in errors if file == f"{name}.py"] for name in programs}


def test_stub_names_everything_public() -> None:
    names = set()
    for node in ast.parse(STUB.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Assign):
            names |= {target.id for target in node.targets if isinstance(target, ast.Name)}
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            names.add(node.target.id)
        elif isinstance(node, ast.ImportFrom):
            names |= {alias.asname for alias in node.names if alias.asname}
    assert names >= set(vk.__all__)


def test_a_strictly_typed_program_passes_and_mistakes_are_found(tmp_path: Path) -> None:
    calls = range(4, len(MISTAKES.splitlines()) + 1)
    assert mypy(tmp_path, program=PROGRAM, mistakes=MISTAKES) == {
        "program": [],
        "mistakes": [str(number) for number in calls],
    }
