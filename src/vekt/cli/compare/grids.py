"""Which tasks `vekt compare` measures for the operations, sizes, shapes and dtypes asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec

from vekt._spec.elementwise import OPS
from vekt._spec.reductions import REDUCTIONS
from vekt._spec.scans import SCANS
from vekt._spec.statistics import STATISTICS
from vekt.cli.cases import Case, select_cases
from vekt.cli.compare import choosing_tasks as choosing
from vekt.cli.compare import einsum_tasks as contractions
from vekt.cli.compare import fuse_tasks as fuse
from vekt.cli.compare import layout_tasks as layouts
from vekt.cli.compare import linear_tasks as linear
from vekt.cli.compare import loss_tasks as losses
from vekt.cli.compare import optim_tasks as optim
from vekt.cli.compare import reduction_tasks as reduction
from vekt.cli.compare import shapes as grid
from vekt.cli.compare import training_tasks as training
from vekt.cli.compare.shapes import Shape
from vekt.cli.compare.tasks import GATES, ROWS, Task, elementwise_tasks, gate_tasks, row_tasks
from vekt.cli.peers.trained import EPOCH, LOGISTIC

Tasks = Callable[[], Iterator[Task]]


OTHERS = (
    *ROWS,
    *GATES,
    *losses.ELEMENTWISE,
    losses.SOFTMAX,
    *optim.OPTIMISERS,
    "dot",
    *linear.PRODUCTS,
    *linear.LAYERS,
    *linear.VECTORS,
    contractions.NAME,
    *choosing.NAMES,
    *OPS,
    layouts.GRID,
    *REDUCTIONS,
    *STATISTICS,
    *SCANS,
    *training.NAMES,
    *fuse.NAMES,
    fuse.ALL,
)
"""Operations that are compared beside the activations."""


@dataclass(frozen=True)
class Grid:
    """What is asked for: no operations mean all, no shapes and dtypes the default ones."""

    wanted: set[str]
    sizes: list[int]
    shapes: list[Shape] | None
    dtypes: list[str] | None

    @property
    def cases(self) -> list[Case]:
        """The activations' kernels among the operations."""
        if not set(self.dtypes or linear.FLOATS) & set(linear.FLOATS):
            return []
        wanted = self.wanted - set(OTHERS)
        return [] if self.wanted and not wanted else select_cases(wanted)

    def groups(self) -> Iterator[tuple[str, Tasks]]:
        """Yield titles, and what makes the tasks below them when their time has come."""
        rows = self._among(ROWS)
        vectors = self._among(linear.VECTORS)
        functions = self._among(OPS)
        for dtype in self.dtypes or linear.FLOATS:
            for n in self.sizes:
                yield f"{n:,} elements", partial(self._sized, n, dtype)
                if functions and dtype in linear.FLOATS:
                    tasks = partial(layouts.layout_tasks, functions, n, dtype)
                    yield f"layouts of {n:,} elements", tasks
            if self._among([layouts.GRID]) and dtype in linear.FLOATS:
                grid_tasks = partial(layouts.grid_tasks, max(self.sizes), dtype)
                yield "five dimensions", grid_tasks
            if dtype in linear.FLOATS:
                for shape in self._shapes(2, grid.ROWS) if rows else ():
                    yield grid.text(shape), partial(row_tasks, rows, shape, dtype)
                softmax = self._among([losses.SOFTMAX])
                for shape in self._shapes(2, losses.SHAPES) if softmax else ():
                    yield grid.text(shape), partial(losses.softmax_tasks, [shape], dtype)
                for shape in self._shapes(2, grid.MATRICES) if vectors else ():
                    yield grid.text(shape), partial(linear.matrix_tasks, vectors, shape, dtype)
        yield from self._products()
        yield from self._layers()
        yield from self._reductions()
        yield from self._choosing()
        yield from self._training()
        yield from self._fused()

    def _among(self, names: Iterable[str]) -> list[str]:
        return [n for n in names if not self.wanted or n in self.wanted]

    def _shapes(self, lengths: int, default: list[Shape]) -> list[Shape]:
        if self.shapes is None:
            return default
        return [shape for shape in self.shapes if len(shape) == lengths]

    def _sized(self, n: int, dtype: str) -> Iterator[Task]:
        if self._among(["dot"]):
            yield linear.dot_task(n, dtype)
        if dtype in linear.FLOATS:
            yield from elementwise_tasks(self.cases, n, dtype)
            yield from gate_tasks(self._among(GATES), n, dtype)
            yield from optim.optim_tasks(self._among(optim.OPTIMISERS), n, dtype)
            yield from losses.loss_tasks(self._among(losses.ELEMENTWISE), n, dtype)
            if self._among(["norm"]):
                yield from linear.norm_tasks(n, dtype)

    def _products(self) -> Iterator[tuple[str, Tasks]]:
        names = self._among(linear.PRODUCTS)
        shapes = self._shapes(3, [*grid.SQUARES, *grid.LAYERS])
        stacks = self._shapes(4, grid.STACKS)
        transposed = self._shapes(3, [*grid.MIDDLE_SQUARES, *grid.LAYERS])
        contracted = self._shapes(3, grid.CONTRACTIONS)
        for dtype in self.dtypes or linear.FLOATS:
            if "matmul" in names:
                tasks = partial(linear.product_tasks, [*shapes, *stacks], dtype, transposed)
                yield "matrix products", tasks
            if "tensordot" in names:
                yield "contractions", partial(linear.tensordot_tasks, contracted, dtype)
            if self._among([contractions.NAME]) and self.shapes is None:
                yield "einsum", partial(contractions.einsum_tasks, dtype)
        if self.dtypes is None and "matmul" in names:
            squares = self._shapes(3, grid.MIDDLE_SQUARES)
            for dtype in linear.NARROW:
                if dtype != "bfloat16" or find_spec("ml_dtypes"):
                    yield "matrix products", partial(linear.product_tasks, squares, dtype)
            yield "mixed dtypes", partial(linear.mixed_tasks, self._shapes(3, grid.MIXED))

    def _layers(self) -> Iterator[tuple[str, Tasks]]:
        shapes = self._shapes(3, grid.DENSE)
        for dtype in self.dtypes or linear.FLOATS:
            if dtype in linear.FLOATS:
                for name in self._among(linear.LAYERS):
                    backward = name == "dense_backward"
                    title = f"dense layers, forward{' and backward' if backward else ''}"
                    yield title, partial(linear.dense_tasks, shapes, dtype, backward)

    def _reductions(self) -> Iterator[tuple[str, Tasks]]:
        names = self._among(REDUCTIONS | STATISTICS | SCANS)
        for dtype in self.dtypes or reduction.DTYPES:
            if names and not dtype.startswith("complex"):
                yield "reductions", partial(reduction.reduction_tasks, names, dtype)

    def _choosing(self) -> Iterator[tuple[str, Tasks]]:
        names = self._among(choosing.NAMES)
        for dtype in self.dtypes or linear.FLOATS:
            if names and self.shapes is None and not dtype.startswith("complex"):
                yield "choosing", partial(choosing.choosing_tasks, names, dtype)

    def _training(self) -> Iterator[tuple[str, Tasks]]:
        names = self._among(training.NAMES)
        for dtype in self.dtypes or linear.FLOATS:
            if dtype in linear.FLOATS and EPOCH in names:
                yield "epochs", partial(training.epoch_tasks, self.sizes, dtype)
            if dtype in linear.FLOATS and LOGISTIC in names:
                yield "fits", partial(training.logistic_tasks, self.sizes, dtype)

    def _fused(self) -> Iterator[tuple[str, Tasks]]:
        names = fuse.NAMES if fuse.ALL in self.wanted else self._among(fuse.NAMES)
        dtypes = [dtype for dtype in self.dtypes or linear.FLOATS if dtype in linear.FLOATS]
        expressions = [name for name in names if name not in (fuse.GRADIENT, fuse.NORMALISE)]
        for dtype in dtypes:
            for n in fuse.sizes(self.sizes) if expressions else ():
                title = f"fused functions of {n:,} elements"
                yield title, partial(fuse.expression_tasks, expressions, n, dtype)
            if fuse.GRADIENT in names:
                shapes = self._shapes(2, fuse.GRADIENTS)
                yield "fused gradients", partial(fuse.gradient_tasks, shapes, dtype)
        if fuse.NORMALISE in names and "float32" in dtypes:
            yield "pictures", partial(fuse.normalise_tasks, self._shapes(4, fuse.PICTURES))
