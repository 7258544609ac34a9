"""Shapes on the command line, and the grids that are measured without any."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

Shape = tuple[int, ...]

# Elements of functions of each element, when none are asked for.
SIZES = [1000, 100_000, 10_000_000]
# (m, n): operations along an axis.
ROWS: list[Shape] = [(100_000, 10), (4096, 1000), (64, 50_000)]
# (m, n): vectors, and matrices that are read once.
MATRICES: list[Shape] = [*ROWS, (4096, 4096)]
# (m, k, n): products of an (m, k) and a (k, n) matrix.
SQUARES: list[Shape] = [(n, n, n) for n in (4, 8, 16, 32, 64, 96, 128, 256, 512, 1024, 2048)]
LAYERS: list[Shape] = [
    (32, 784, 128),
    (64, 1024, 1024),
    (1, 1024, 1024),
    (4, 1024, 1024),
    (128, 30, 1),
    (1797, 64, 32),
    (4096, 64, 64),
    (10, 64, 1797),
    (60000, 784, 10),
]
# Those of the squares on which transposed operands and narrow dtypes are measured too.
MIDDLE_SQUARES: list[Shape] = [(n, n, n) for n in (256, 1024)]
# Those on which operands of different dtypes are.
MIXED: list[Shape] = [(8, 1024, 1024), (1024, 1024, 1024)]
# (m, k, n): of a (2, k, m / 2) and a (k, n) array.
CONTRACTIONS: list[Shape] = [(32, 784, 128), (256, 256, 256), (1024, 1024, 1024)]
# (count, m, k, n): stacks of products.
STACKS: list[Shape] = [(64, 32, 32, 32), (1000, 8, 8, 8), (10_000, 9, 9, 9)]
# (m, k, n): dense layers of m samples.
DENSE: list[Shape] = [(m, k, k) for k in (64, 256, 1024) for m in (1, 4, 16, 64, 256, 1024, 4096)]


def text(shape: Shape) -> str:
    """Write a shape as tables show it."""
    return " x ".join(f"{length:,}" for length in shape)


if TYPE_CHECKING:
    _ShapeType = click.ParamType[Shape]
else:  # generic for type checkers only, in older versions of click
    _ShapeType = click.ParamType


class ShapeType(_ShapeType):
    """Two to four lengths, as 4096x1000."""

    name = "shape"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> Shape:
        """Split at each x."""
        try:
            shape = tuple(int(length) for length in value.split("x"))
        except ValueError:
            shape = ()
        if not 2 <= len(shape) <= 4:
            self.fail(f"{value!r} is not of the form 4096x1000.", param, ctx)
        if min(shape) < 1:
            self.fail(f"{value!r} is empty.", param, ctx)
        return shape
