"""What `vekt compare` measures: operations with their operands, one after the other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import gcd, prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

import vekt as vk
from vekt._spec.gates import GATES as GATE_KERNELS
from vekt._spec.rows import ROW_OPS
from vekt._spec.spec import Kernel
from vekt.cli.cases import Case, standard_normal

Array = NDArray[Any]

# Operations along an axis, and whether their backward takes the output y or the input x.
ROWS = {name: spec.form("_backward").operands[-1] for name, spec in ROW_OPS.items()}
# By kernel, and the keywords that choose it.
GATES: dict[str, dict[str, Any]] = {
    **{name: {k: v for k, v in kernel.flags.items() if v} for name, kernel in GATE_KERNELS.items()},
    "prelu": {},
}


@dataclass(frozen=True)
class Task:
    """One operation on one set of operands.

    `moved` names the arrays that must be read or written once, which is what a copy of as many
    bytes is compared with.  Where arithmetic is the limit, `flops` counts its operations, and the
    peak is what is compared with.
    """

    name: str
    statement: str
    operands: dict[str, Any]
    moved: tuple[str, ...]
    shape: tuple[int, ...]
    axis: int | None = None
    flops: int = 0
    title: str = ""

    @property
    def elements(self) -> int:
        """Number of elements of the input."""
        return prod(self.shape)

    @property
    def bytes_moved(self) -> int:
        """Bytes that the operation must read and write."""
        return sum(self.operands[name].nbytes for name in self.moved)

    @property
    def label(self) -> str:
        """Title, or the name and the axis if there is one."""
        if self.title:
            return self.title
        return self.name if self.axis is None else f"{self.name}, axis {self.axis}"


def _public(gate: str) -> str:
    return gate.removesuffix("_tanh")


def elementwise_tasks(cases: Iterable[Case], n: int, dtype: str) -> Iterator[Task]:
    """Each kernel's value, gradient, and gradient from the output."""
    normal = standard_normal(n, dtype)
    dy, t, out = standard_normal(n, dtype, 1), np.empty_like(normal), np.empty_like(normal)
    for case in cases:
        x = in_domain(case.kernel, normal)
        operands = {"x": x, "dy": dy, "t": t, "out": out, **parameters(case, dtype)}
        name = case.op.name
        options = "".join(f", {key}={value!r}" for key, value in case.keywords.items())
        yield Task(case.name, f"vk.{name}(x{options}, out=out)", operands, ("x", "out"), (n,))
        yield Task(
            f"{case.name}_backward",
            f"vk.{name}_backward(dy, x{options}, out=out)",
            operands,
            ("dy", "x", "out"),
            (n,),
        )
        if case.kernel.from_output is not None:
            form = f"{name}_backward_from_output"
            operands = {**operands, "y": case.function(vk)(x)}
            yield Task(form, f"vk.{form}(dy, y, out=out)", operands, ("dy", "y", "out"), (n,))


def in_domain(kernel: Kernel, x: Array) -> Array:
    """Return `x`, or its magnitudes for a kernel that is defined there alone."""
    low, _ = getattr(kernel, "domain", (-np.inf, np.inf))
    return np.abs(x) if low >= 0 else x


def parameters(case: Case, dtype: str) -> dict[str, Any]:
    """Return the kernel's parameters by name."""
    values = zip(case.kernel.params, case.params, strict=True)
    return {name: np.dtype(dtype).type(value) for name, value in values}


def row_tasks(names: Iterable[str], shape: tuple[int, ...], dtype: str) -> Iterator[Task]:
    """Operations along an axis, along the last and along the first one."""
    x, dy = standard_normal(shape, dtype), standard_normal(shape, dtype, 1)
    t, out = np.empty_like(x), np.empty_like(x)
    for axis in (-1, 0):
        reduced = np.empty_like(x.sum(axis, keepdims=True))
        steps = np.arange(1, shape[axis] + 1, dtype=dtype)
        operands: dict[str, Any] = {
            "x": x,
            "dy": dy,
            "t": t,
            "out": out,
            "axis": axis,
            "reduced": reduced,
            "dreduced": standard_normal(reduced.shape, dtype, 2),
            "r": np.empty_like(reduced),
            "s": np.empty_like(reduced),
            "steps": steps if axis else steps[:, None],
        }
        for name in names:
            if name == "logsumexp":
                forward = "vk.logsumexp(x, axis, True, out=reduced)"
                backward = "vk.logsumexp_backward(dreduced, x, axis, True, out=out)"
                moved = ("x", "reduced"), ("dreduced", "x", "out")
            else:
                operands = {**operands, "y": getattr(vk, name)(x, axis)}
                forward = f"vk.{name}(x, axis, out=out)"
                backward = f"vk.{name}_backward(dy, y, axis, out=out)"
                moved = ("x", "out"), ("dy", "y", "out")
            yield Task(name, forward, operands, moved[0], shape, axis)
            yield Task(f"{name}_backward", backward, operands, moved[1], shape, axis)


def gate_tasks(names: Iterable[str], n: int, dtype: str) -> Iterator[Task]:
    """Gates of `n` elements in each half, and relu with a slope for each of 100 channels."""
    a, b, dy = (standard_normal(n, dtype, seed) for seed in range(3))
    scratch = {key: np.empty_like(a) for key in ("da", "db", "t", "out")}
    two = {"a": a, "b": b, "dy": dy, **scratch}
    for name in names:
        if name == "glu":
            yield from _glu_tasks(n, dtype)
        elif name == "prelu":
            yield from _prelu_tasks(n, dtype)
        else:
            options = "".join(f", {key}={value}" for key, value in GATES[name].items())
            call = f"vk.{_public(name)}"
            yield Task(name, f"{call}(a, b{options}, out=out)", two, ("a", "b", "out"), (n,))
            yield Task(
                f"{name}_backward",
                f"{call}_backward(dy, a, b{options}, out=(da, db))",
                two,
                ("dy", "a", "b", "da", "db"),
                (n,),
            )


def _glu_tasks(n: int, dtype: str) -> Iterator[Task]:
    n = max(2, n - n % 2)
    columns = gcd(n, 1000)
    shape = (n // columns, columns)
    x, dx = standard_normal(shape, dtype), np.empty(shape, dtype)
    half = columns // 2
    dy, t, out = (standard_normal((shape[0], half), dtype, seed) for seed in (1, 2, 3))
    halves = {"a": x[:, :half], "b": x[:, half:], "da": dx[:, :half], "db": dx[:, half:]}
    operands = {"x": x, "dx": dx, "dy": dy, "t": t, "out": out, **halves}
    yield Task("glu", "vk.glu(x, out=out)", operands, ("x", "out"), shape)
    yield Task("glu_backward", "vk.glu_backward(dy, x, out=dx)", operands, ("dy", "x", "dx"), shape)


def _prelu_tasks(n: int, dtype: str) -> Iterator[Task]:
    channels = gcd(n, 100)
    shape = (n // channels, channels)
    x, dy = standard_normal(shape, dtype), standard_normal(shape, dtype, 1)
    alpha = np.abs(standard_normal(channels, dtype, 2)) / 4
    scratch = {"t": np.empty_like(x), "out": np.empty_like(x), "dalpha": np.empty_like(alpha)}
    operands = {"x": x, "dy": dy, "alpha": alpha, **scratch}
    yield Task("prelu", "vk.prelu(x, alpha, out=out)", operands, ("x", "out"), shape)
    yield Task(
        "prelu_backward",
        "vk.prelu_backward(dy, x, alpha, out=(out, dalpha))",
        operands,
        ("dy", "x", "out"),
        shape,
    )
