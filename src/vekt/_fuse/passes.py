"""One pass over memory: a program on arrays that broadcast, its results stored or reduced."""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import suppress
from functools import cache
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple
from numpy.typing import NDArray

from vekt import _native, _ufuncs

from .graph import FLOAT, REDUCTIONS, Graph, Node, UnfusableError
from .lower import Program
from .parts import parts_of, run_parts

Array = NDArray[Any]
_KIND = {"stored": 0, "sum": 1, "mean": 1, "max": 2, "min": 3}
SCALAR = -1
"""In place of an input that a result has the shape of: no dimensions at all."""
_DOUBLE = np.dtype("f8")
PAYS = 1 << 30
"""Operations on elements that take kernels as long as it takes to compile: some 50 ms."""


class Result:
    """What becomes of an output of a pass: stored, or reduced along axes or to a shape."""

    __slots__ = ("axis", "dtype", "keepdims", "kind", "like", "node", "value")

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

    def __init__(self, compile: bool | None = None, isa: str = _native.SELECTED) -> None:
        self.compile, self.isa = compile, isa


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
        self.parts = parts_of(inputs, self._outputs, self.tier.isa)
        self.left: int | None = None
        if self.operations and self.tier.compile is None:
            self.left = max(PAYS // self.operations, 1)
        elif self.operations and self.tier.compile:
            self._compile()

    @property
    def operations(self) -> int:
        """How many of them are, or would be, compiled."""
        return sum(part.program.operations for part in self.parts)

    @property
    def only(self) -> Program | None:
        """The one program, if there are no more."""
        return self.parts[0].program if len(self.parts) == 1 else None

    @property
    def _outputs(self) -> list[Node]:
        return [r.value for r in self.results]

    def _compile(self) -> None:
        with suppress(UnfusableError):  # more values at a time than a block has room for
            self.parts = parts_of(self.inputs, self._outputs, self.tier.isa, compile=True)

    def promote(self) -> None:
        """Have it compiled, if there is a compiler."""
        self.left = None
        with suppress(ImportError):
            self._compile()

    def _count(self, elements: int) -> None:
        if self.left is not None:
            self.left -= elements
            if self.left <= 0:
                self.promote()

    def __call__(self, arrays: Sequence[Array], out: Sequence[Array | None] = ()) -> list[Any]:
        """Run on arrays, into those of `out` that are given."""
        arrays = [_plain(a, x) for a, x in zip(arrays, self.inputs, strict=True)]
        shape = np.broadcast_shapes(*(a.shape for a in arrays))
        self._count(math.prod(shape))
        given = [*out, *(None,) * (len(self.results) - len(out))]
        targets: list[Any] = []
        views, finals, divisors = [], [], []
        for result, target in zip(self.results, given, strict=True):
            full, final, divisor = _shapes(result, shape, arrays)
            if target is not None and target.shape != final:
                raise ValueError(f"out: expected an array of shape {final}, got {target.shape}")
            usable = target is not None and _is_plain(target, result, arrays, targets)
            in_pass = result.reduces_in_pass or result.like is not None
            dtype = result.dtype if in_pass else result.value.dtype
            like = arrays if result.like is None else [arrays[result.like]]
            array: Any = target if usable else _ufuncs.empty(full, dtype, tuple(like))
            targets.append(array)
            views.append(array.reshape(full))
            finals.append(final)
            divisors.append(divisor)
        kinds = [_kind(r, v.shape != shape) for r, v in zip(self.results, views, strict=True)]
        if self.only is None:
            given_to = dict(zip(self.inputs, arrays, strict=True))
            run_parts(execute, self.parts, shape, given_to, views, kinds, divisors)
        else:
            execute(self.only, shape, arrays, views, kinds, divisors)
        return [_finished(*each) for each in zip(self.results, views, finals, given, strict=True)]


def _plain(x: Any, node: Node) -> Array:
    """Return an array as the engine takes it."""
    array: Array = np.asarray(x, node.dtype if node.weak else None)
    if array.flags.aligned and array.dtype.isnative:
        return array
    return np.array(array, array.dtype.newbyteorder("="))


def _kind(result: Result, smaller: bool) -> int:
    if result.like is not None:
        return _KIND["sum"] if smaller else _KIND["stored"]
    return _KIND[result.kind] if result.reduces_in_pass else _KIND["stored"]


def _shapes(
    result: Result, shape: tuple[int, ...], arrays: Sequence[Array]
) -> tuple[tuple[int, ...], tuple[int, ...], float]:
    """Shape of a result with all dimensions, and in the end, and what sums are divided by."""
    if result.like is not None:
        own = () if result.like == SCALAR else arrays[result.like].shape
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
    """Return the result in its own shape, in `target` if there is one; scalars as NumPy does."""
    if result.kind != "stored" and not result.reduces_in_pass:
        reduce = getattr(np, result.kind)
        return reduce(view, axis=result.axis, keepdims=result.keepdims, out=target)
    view = view.reshape(final)
    if target is None:
        return view if view.ndim else view[()]
    if not np.may_share_memory(target, view):
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
    if not any(kinds):
        _runner(program.isa).run(program.capsule, tuple(inputs), tuple(outputs))
        return
    target = _native._address(_native.TARGETS[program.isa])
    arrays = (*inputs, *outputs)
    _ufuncs.reduce_program(target, program.capsule, shape, arrays, tuple(kinds), tuple(divisors))


@cache
def _runner(isa: str) -> Any:
    """Make a dispatcher of no operations of its own, for the kernels of a target."""
    return _native.build_dispatcher("run", 1, 0, print, "", isa=isa)
