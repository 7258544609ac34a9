"""One pass over memory: a program on arrays that broadcast, its results stored or reduced."""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import suppress
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple
from numpy.typing import NDArray

from vekt._core import native
from vekt._fuse.graph import FLOAT, REDUCTIONS, Graph, Node, UnfusableError
from vekt._fuse.lower import Program
from vekt._fuse.operands import broadcast_shape
from vekt._fuse.parts import Part, parts_of, run_parts

Array = NDArray[Any]
_KIND = {"stored": 0, "sum": 1, "mean": 1, "max": 2, "min": 3}
SCALAR = -1
"""In place of an input that a result has the shape of: no dimensions at all."""
_DOUBLE = np.dtype("f8")
_MOST_LAYOUTS = 256
PAYS = 1 << 30
"""Operations on elements that take kernels as long as it takes to compile: some 50 ms."""


class Result:
    """What becomes of an output of a pass: stored, or reduced along axes or to a shape."""

    __slots__ = ("axis", "dtype", "keepdims", "kind", "like", "made", "node", "value")

    def __init__(self, graph: Graph, node: Node, like: int | None = None) -> None:
        """Take a node, reduced or not; `like` reduces it to the shape of that input by summing."""
        self.node, self.dtype, self.like = node, node.dtype, like
        self.kind: str = node.name if node.name in REDUCTIONS else "stored"
        self.axis: Any = node.value[0] if self.kind != "stored" else None
        self.keepdims: bool = self.kind != "stored" and node.value[1]
        self.value = node if self.kind == "stored" else node.args[0]
        if self.reduces_in_pass or like is not None:
            wide = self.value.dtype.kind in "biu" or self.value.dtype == _DOUBLE
            self.value = graph.cast(self.value, _DOUBLE if wide else FLOAT)
            self.made = self.dtype
        else:
            self.made = self.value.dtype

    @property
    def final_dtype(self) -> np.dtype[Any]:
        """The dtype in the end, where NumPy reduces what has been stored."""
        reduced: np.dtype[Any] = self.dtype
        return self.made if self.kind == "stored" or self.reduces_in_pass else reduced

    @property
    def reduces_in_pass(self) -> bool:
        """Whether blocks are reduced as they come; others are stored and reduced by NumPy."""
        return self.kind in _KIND and self.kind != "stored" and self.dtype.kind not in "biuc"


class Tier:
    """When a pass has its operations compiled, on which instruction set.

    Parameters
    ----------
    compile : bool, optional
        At once, never, or, by default, when it has done so much work that it pays.
    isa : str
        Instruction set.
    """

    __slots__ = ("compile", "isa")

    def __init__(self, compile: bool | None = None, isa: str = native.SELECTED) -> None:
        self.compile, self.isa = compile, isa


Shapes = tuple[tuple[int, ...], tuple[int, ...], float]
"""Of a result: with all dimensions, and in the end; and what its sums are divided by."""


class Layout(NamedTuple):
    """What calls on arrays of the same shapes have in common."""

    shape: tuple[int, ...]
    elements: int
    results: list[Shapes]
    kinds: tuple[int, ...]
    divisors: tuple[float, ...]
    packed: tuple[Any, ...] | None
    """What `native.run_pass` takes, unless NumPy reduces something."""


class Pass:
    """Values of one shape that depend on the same inputs, computed together.

    Kernels compute them first; `left` elements later, or never where that is None, `promote` has
    what it can compiled.
    """

    def __init__(
        self, inputs: Sequence[Node], results: Sequence[Result], tier: Tier | None = None
    ) -> None:
        self.inputs, self.results = tuple(inputs), tuple(results)
        self.tier = tier or Tier()
        self._set(parts_of(inputs, self._outputs, self.tier.isa))
        self.left: int | None = None
        self.layout = lru_cache(_MOST_LAYOUTS)(self._layout)
        if self.operations and self.tier.compile is None:
            self.left = max(PAYS // self.operations, 1)
        elif self.operations and self.tier.compile:
            self._compile()

    def _set(self, parts: list[Part]) -> None:
        self.parts = parts
        self.only = parts[0].program if len(parts) == 1 else None

    @property
    def operations(self) -> int:
        """How many of them are, or would be, compiled."""
        return sum(part.program.operations for part in self.parts)

    @property
    def _outputs(self) -> list[Node]:
        return [r.value for r in self.results]

    def _compile(self) -> None:
        with suppress(UnfusableError):  # more values at a time than a block has room for
            self._set(parts_of(self.inputs, self._outputs, self.tier.isa, compile=True))

    def promote(self) -> None:
        """Have it compiled, if there is a compiler."""
        self.left = None
        with suppress(ImportError):
            self._compile()

    def count(self, elements: int) -> None:
        """Have it compiled when so many elements have gone through it that it pays."""
        left = self.left  # another thread may be counting, too: some elements more or less
        if left is None:
            return
        if left > elements:
            self.left = left - elements
        else:
            self.promote()

    def _layout(self, shapes: tuple[tuple[int, ...], ...]) -> Layout:
        """Return what calls on arrays of these shapes have in common."""
        shape = broadcast_shape(*shapes)
        results = [_shapes(result, shape, shapes) for result in self.results]
        kinds = [_kind(r, each[0] != shape) for r, each in zip(self.results, results, strict=True)]
        divisors = tuple([each[2] for each in results])
        packed: Any = None
        if all(r.kind == "stored" or r.reduces_in_pass for r in self.results):
            made = tuple(
                (full, None if final == full else final, r.made, -1 if r.like is None else r.like)
                for r, (full, final, _) in zip(self.results, results, strict=True)
            )
            packed = shape, made, tuple(kinds), divisors
        return Layout(shape, math.prod(shape), results, tuple(kinds), divisors, packed)

    def run(self, layout: Layout, arrays: list[Array]) -> list[Array]:
        """Return results, as arrays, for plain arrays of the layout's shapes."""
        only = self.only
        if only is not None and layout.packed is not None:
            if self.left is not None:
                self.count(layout.elements)
            return native.run_pass(only.target, only.capsule, layout.packed, arrays)
        targets = [
            native.empty(shapes[0], r.made, tuple(arrays) if r.like is None else (arrays[r.like],))
            for r, shapes in zip(self.results, layout.results, strict=True)
        ]
        self._execute(layout, arrays, targets)
        return [
            _finished(r, y, shapes[1], None)
            for r, y, shapes in zip(self.results, targets, layout.results, strict=True)
        ]

    def _execute(self, layout: Layout, arrays: Sequence[Array], targets: Sequence[Array]) -> None:
        if self.left is not None:
            self.count(layout.elements)
        only = self.only
        if only is None:
            given = dict(zip(self.inputs, arrays, strict=True))
            run_parts(
                execute, self.parts, layout.shape, given, targets, layout.kinds, layout.divisors
            )
        else:
            execute(only, layout.shape, arrays, targets, layout.kinds, layout.divisors)

    def __call__(self, arrays: Sequence[Array], out: Sequence[Array | None]) -> list[Any]:
        """Run on arrays, into those of `out` that are given."""
        arrays = tuple([_plain(a, x) for a, x in zip(arrays, self.inputs, strict=True)])
        layout = self.layout(tuple([a.shape for a in arrays]))
        targets: list[Any] = []
        for result, target, shapes in zip(self.results, out, layout.results, strict=True):
            full, final, _ = shapes
            if target is not None and target.shape != final:
                raise ValueError(f"out: expected an array of shape {final}, got {target.shape}")
            if target is None or not _is_plain(target, result, arrays, targets):
                targets.append(native.empty(full, result.made, arrays))
            else:
                targets.append(target.reshape(full))
        self._execute(layout, arrays, targets)
        finished = [
            _finished(result, view, shapes[1], target)
            for result, view, shapes, target in zip(
                self.results, targets, layout.results, out, strict=True
            )
        ]
        return [
            y[()] if target is None and not y.shape else y
            for y, target in zip(finished, out, strict=True)
        ]


def _plain(x: Any, node: Node) -> Array:
    """Return an array as the engine takes it."""
    array: Array = x
    if type(x) is not np.ndarray or node.weak:
        array = np.asarray(x, node.dtype if node.weak else None)
    if array.flags.aligned and array.dtype.isnative:
        return array
    return np.array(array, array.dtype.newbyteorder("="))


def _kind(result: Result, smaller: bool) -> int:
    if result.like is not None:
        return _KIND["sum"] if smaller else _KIND["stored"]
    return _KIND[result.kind] if result.reduces_in_pass else _KIND["stored"]


def _shapes(result: Result, shape: tuple[int, ...], shapes: Sequence[tuple[int, ...]]) -> Shapes:
    """Shape of a result with all dimensions, and in the end, and what sums are divided by."""
    if result.like is not None:
        own = () if result.like == SCALAR else shapes[result.like]
        return (1,) * (len(shape) - len(own)) + own, own, 0.0
    if result.kind == "stored":
        return shape, shape, 0.0
    axes: Any = range(len(shape))
    is_one = shape == () and result.kind != "mean" and result.axis in (0, -1)
    if result.axis is not None and not is_one:  # for one number, NumPy takes those axes, too
        axes = normalize_axis_tuple(result.axis, len(shape))
    count = math.prod(shape[k] for k in axes)
    if count == 0 and result.kind in ("max", "min"):
        name = {"max": "maximum", "min": "minimum"}[result.kind]
        raise ValueError(f"zero-size array to reduction operation {name} which has no identity")
    kept = tuple(1 if k in axes else n for k, n in enumerate(shape))
    final = kept if result.keepdims else tuple(n for k, n in enumerate(shape) if k not in axes)
    if not result.reduces_in_pass:
        return shape, final, 0.0
    return kept, final, (count or math.nan) if result.kind == "mean" else 0.0


def _is_plain(
    target: Array, result: Result, arrays: Sequence[Array], others: Sequence[Array]
) -> bool:
    """Whether results can be written to an array as they come."""
    return (
        type(target) is np.ndarray
        and target.dtype == result.dtype
        and (result.reduces_in_pass or result.kind == "stored")
        and target.flags.writeable
        and target.flags.aligned
        and target.flags.c_contiguous
        and not any(np.may_share_memory(target, a) for a in (*arrays, *others))
    )


def _finished(result: Result, view: Array, final: tuple[int, ...], target: Array | None) -> Any:
    """Return the result in its own shape, in `target` if there is one."""
    if result.kind != "stored" and not result.reduces_in_pass:
        reduce = getattr(np, result.kind)
        with np.errstate(all="ignore"):
            y = reduce(view, axis=result.axis, keepdims=result.keepdims, out=target)
        return np.asarray(y) if target is None else target
    if view.shape != final:
        view = view.reshape(final)
    if target is None:
        return view
    if not np.may_share_memory(target, view):
        with np.errstate(all="ignore"):
            np.copyto(target, view, casting="same_kind")
    return target


def execute(
    program: Program,
    shape: tuple[int, ...],
    inputs: Sequence[Array],
    outputs: Sequence[Array],
    kinds: Sequence[int],
    divisors: Sequence[float],
) -> None:
    """Run a program on arrays that broadcast to a shape; outputs that do too are reduced."""
    native.reduce_program(
        program.target,
        program.capsule,
        shape,
        (*inputs, *outputs),
        tuple(kinds),
        tuple(divisors),
    )
