"""What `vekt compare` measures of fused functions: expressions, a gradient, a picture."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

import vekt as vk
from vekt._fuse.parse import compiled
from vekt._fuse.passes import PAYS
from vekt.cli.compare.shapes import SIZES, Shape, text
from vekt.cli.compare.tasks import Task

ALL = "fuse"
"""The name of all of them among the operations."""

Expression = tuple[str, Callable[..., Any]]
# What NumExpr is known by, with what is fused.
EXPRESSIONS: dict[str, Expression] = {
    "fuse_linear": ("2*a + 3*b", lambda a, b: 2 * a + 3 * b),
    "fuse_product": ("2*a*b - 4*a", lambda a, b: 2 * a * b - 4 * a),
    "fuse_polynomial": (
        ".25*a**3 + .75*a**2 - 1.5*a - 2",
        lambda a: 0.25 * a**3 + 0.75 * a**2 - 1.5 * a - 2,
    ),
    "fuse_trigonometric": ("sin(a)**2 + cos(a)**2", lambda a: vk.sin(a) ** 2 + vk.cos(a) ** 2),
    "fuse_power": ("a**b", lambda a, b: a**b),
    "fuse_where": ("where(a > b, a, exp(b))", lambda a, b: np.where(a > b, a, vk.exp(b))),
    "fuse_hypotenuse": ("sqrt(a**2 + b**2)", lambda a, b: np.sqrt(a**2 + b**2)),
}
EVALUATE = "evaluate"
GRADIENT = "fuse_gradient"
NORMALISE = "fuse_normalise"
NAMES = (*EXPRESSIONS, EVALUATE, GRADIENT, NORMALISE)
GRADIENTS: list[Shape] = [(4096, 1024)]
PICTURES: list[Shape] = [(8, 750, 750, 3)]


def sizes(asked: list[int]) -> list[int]:
    """Return the sizes of the expressions: by default, one that fits the second-level cache too."""
    return sorted({*SIZES, 10_000}) if asked == SIZES else asked


_LEAST = 1000


def _settled(f: Any, call: Callable[[], Any], *args: Any, **options: Any) -> None:
    """Call until a fused function has compiled what it will by itself, on elements enough."""
    while args[0].size >= _LEAST and "are compiled after" in f.explain(*args, **options):
        for _ in range(10):
            call()


def expression_tasks(names: Iterable[str], n: int, dtype: str) -> Iterator[Task]:
    """Each expression of `n` elements, fused; one of them from its text as well."""
    rng = np.random.default_rng(0)
    a, b = (rng.uniform(0.5, 2, n).astype(dtype) for _ in range(2))
    number = np.dtype(dtype).type
    operands: dict[str, Any] = {"a": a, "b": b, "out": np.zeros_like(a), "t": np.zeros_like(a)}
    operands |= {"p3": number(0.25), "p2": number(0.75), "p1": number(1.5)}
    for name in names:
        if name == EVALUATE:
            formula, _ = EXPRESSIONS["fuse_linear"]
            title, used = f"evaluate {formula!r}", ["a", "b"]
            call = f"vk.evaluate({formula!r}, out=out)"
            _, f = compiled(formula)
        elif name in EXPRESSIONS:
            title, function = EXPRESSIONS[name]
            f = vk.fuse(function)
            operands = {**operands, "f": f}
            used = list(function.__code__.co_varnames)
            call = f"f({', '.join(used)}, out=out)"
        else:
            continue
        args = [operands[name] for name in used]
        _settled(f, partial(f, *args, out=operands["out"]), *args)
        yield Task(name, call, operands, (*used, "out"), (n,), title=title)


def gradient_tasks(shapes: Iterable[Shape], dtype: str) -> Iterator[Task]:
    """Value and gradients of the sum of mish(x*w + b)*m, broadcast along columns and rows."""
    rng = np.random.default_rng(0)

    def normal(*shape: int) -> NDArray[Any]:
        return rng.standard_normal(shape).astype(dtype)

    for rows, columns in shapes:
        f = vk.fuse(lambda x, w, b, m: np.sum(vk.mish(x * w + b) * m))
        operands = {
            "f": f,
            "x": normal(rows, columns),
            "w": normal(columns),
            "b": normal(columns),
            "m": normal(rows, 1),
            "out": np.zeros(1, dtype),
        }
        title = f"value and gradients of sum(mish(x*w + b)*m), {text((rows, columns))}"
        moved = ("x", "x", "w", "w", "b", "b", "m", "m")
        args = [operands[name] for name in "xwbm"]
        for _ in range(PAYS // (10 * rows * columns) if rows * columns >= _LEAST else 0):
            f.value_and_grad(*args)  # of more than ten operations
        call = "value, slopes = f.value_and_grad(x, w, b, m)"
        yield Task(GRADIENT, call, operands, moved, (rows, columns), title=title)


def normalise_tasks(shapes: Iterable[Shape]) -> Iterator[Task]:
    """Bytes of pictures to float32, each channel with its mean and deviation."""
    rng = np.random.default_rng(0)
    for shape in shapes:
        mean, deviation = (rng.uniform(0.2, 0.5, shape[-1]).astype("f4") for _ in range(2))
        f = vk.fuse(lambda x, mean, deviation: (x / 255 - mean) / deviation)
        operands = {
            "f": f,
            "x": rng.integers(0, 256, shape, np.uint8),
            "mean": mean,
            "deviation": deviation,
            "out": np.zeros(shape, np.float32),
        }
        args = [operands[name] for name in ("x", "mean", "deviation")]
        options = {"dtype": np.float32}
        _settled(f, partial(f, *args, **options, out=operands["out"]), *args, **options)
        call = "f(x, mean, deviation, dtype=np.float32, out=out)"
        title = f"(x/255 - mean)/deviation of uint8, {text(shape)}"
        yield Task(NORMALISE, call, operands, ("x", "out"), shape, title=title)
