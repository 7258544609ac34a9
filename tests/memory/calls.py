"""Calls of every public function, on n elements of a dtype: from its spec, or as written here."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from inspect import signature
from typing import Any

import ml_dtypes
import numpy as np
from forms import values_of

import vekt as vk
from vekt import optim
from vekt._spec.families import ALL
from vekt._spec.form import Form

Array = np.ndarray[Any, Any]
Call = tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]
Maker = Callable[[int, np.dtype[Any]], Iterator[Call]]

KERNEL_DTYPES = ("f4", "f8")
OTHER_DTYPES = ("f2", ml_dtypes.bfloat16, "?", *"bhilBHIL", "F", "D", ">f4", ">f8")

_SMALL = 5


def numbers(shape: Any, dtype: Any) -> Array:
    """Return numbers between 0.1 and 0.9, or few small integers."""
    dtype = np.dtype(dtype)
    count = int(np.prod(shape))
    ramp = np.arange(count).reshape(shape)
    if dtype.kind in "biu":
        return (ramp % 3).astype(dtype)
    return (0.1 + 0.8 * ((ramp * 7) % 13) / 13).astype(dtype)


def _formed(function: Any, form: Form) -> Maker:
    """Return calls with each parameter at each of its values; alike for all families of forms."""

    def make(n: int, dtype: np.dtype[Any]) -> Iterator[Call]:
        axis = any(p.kind == "axis" for p in form.params)
        shapes = [(n,), (3, n), (n, 3)] if axis and form.name[:5] != "prelu" else [(n,)]
        for shape in shapes:
            along = {"axis": 0} if shape == (n, 3) else {}
            args = _operands(form, shape, dtype, **along)
            yield function, args, along
            if "where" in form.options and len(shape) == 1:
                yield function, args, {"where": numbers(shape, "?")}
        args = _operands(form, (n,), dtype)
        for param in form.params:
            if param.kind == "axis":
                continue
            for value in values_of(param)[1:]:
                yield function, args, {param.name: value}
            if param.kind == "array" and form.choices:
                yield function, args, {param.name: numbers((n,), dtype)}

    return make


def _operands(form: Form, shape: tuple[int, ...], dtype: Any, axis: int = -1) -> tuple[Any, ...]:
    name = form.name
    operands = [numbers(shape, dtype) for _ in form.operands]
    if name.startswith("glu"):
        operands[-1] = numbers(
            [n * (1 + (k == axis % len(shape))) for k, n in enumerate(shape)], dtype
        )
    if name == "logsumexp_backward":
        operands[0] = numbers(np.delete(shape, axis), dtype)
    if name == "where":
        operands[0] = numbers(shape, "?")
    if name == "clip":
        operands += [numbers(shape, dtype), numbers(shape, dtype)]
    return tuple(operands)


def _cross_entropy(function: Any) -> Maker:
    def make(n: int, dtype: np.dtype[Any]) -> Iterator[Call]:
        for shape, axis in (((3, n), -1), ((n, 3), -1), ((n, 3), 0)):
            x, classes = numbers(shape, dtype), shape[axis]
            labels = numbers(np.delete(shape, axis), "i8") % max(classes, 1)
            options = {"axis": axis}
            for kind in ("i8", "u1", "i4"):
                yield function, (x, labels.astype(kind)), options
            yield function, (x, numbers(shape, "f8")), options
            weight = numbers((classes,), "f8")
            yield function, (x, labels), {**options, "weight": weight, "reduction": "none"}

    return make


def _reduction(function: Any) -> Maker:
    def make(n: int, dtype: np.dtype[Any]) -> Iterator[Call]:
        for shape, axis in (((n,), None), ((n,), 0), ((3, n), 1), ((n, 3), 0), ((2, n, 3), (0, 2))):
            if isinstance(axis, tuple) and function in (
                vk.argmax,
                vk.argmin,
                vk.cumsum,
                vk.cumprod,
            ):
                continue
            x = numbers(shape, dtype)
            yield function, (x,), {"axis": axis}
            takes = signature(function).parameters
            if "where" in takes:
                first = {"initial": 0} if "initial" in takes else {}
                yield function, (x,), {"axis": axis, "where": numbers(shape, "?"), **first}

    return make


def _shaping(function: Any) -> Maker:
    def make(n: int, dtype: np.dtype[Any]) -> Iterator[Call]:
        if function is vk.broadcast_to:
            yield function, (numbers((n, 1), dtype), (n, 3)), {}
        else:
            for shape in ((n, 1), (3,), (1, 1)):
                yield function, (numbers((n, 3), dtype), shape), {}

    return make


def _of_shapes(function: Any, *shapes: Callable[[int], tuple[Any, ...]], **options: Any) -> Maker:
    """Return calls on arrays of these shapes, each a function of n."""

    def make(n: int, dtype: np.dtype[Any]) -> Iterator[Call]:
        for shape in shapes:
            args = tuple(numbers(s, dtype) for s in shape(n))
            yield function, args, {}
            if options:
                yield function, args, options

    return make


def _norm(n: int, dtype: np.dtype[Any]) -> Iterator[Call]:
    for ord in (None, 1, 2, np.inf, -np.inf, 0, 3):
        for shape, axis in (((n,), None), ((3, n), 1), ((n, 3), 0)):
            yield vk.norm, (numbers(shape, dtype), ord, axis), {}
    yield vk.norm, (numbers((n, 3), dtype), "fro"), {}


_MATMUL = _of_shapes(
    vk.matmul,
    lambda n: ((3, n), (n, _SMALL)),
    lambda n: ((n, 3), (3, n)),
    lambda n: ((_SMALL, n), (n, n)),
    lambda n: ((n,), (n, 3)),
    lambda n: ((3, n), (n,)),
    lambda n: ((2, 3, n), (n, 1)),
    deterministic="batch",
)


def _matmul(n: int, dtype: np.dtype[Any]) -> Iterator[Call]:
    yield from _MATMUL(n, dtype)
    # One operand of another dtype, which is converted, and bytes to int32.
    other = np.dtype("f4" if dtype.itemsize == 1 else "u1")
    for left, right in (((3, n), (n, _SMALL)), ((n, 3), (3, 2)), ((1, n), (n, n))):
        yield vk.matmul, (numbers(left, dtype), numbers(right, other)), {}
        yield vk.matmul, (numbers(left, other), numbers(right, dtype)), {}
        if dtype.char in "bB":
            yield vk.matmul, (numbers(left, dtype), numbers(right, dtype)), {"dtype": np.int32}


def _dense(n: int, dtype: np.dtype[Any]) -> Iterator[Call]:
    for m, k, p in ((3, n, _SMALL), (3, _SMALL, n), (n, 3, 2), (1, n, n)):
        x, w, b = numbers((m, k), dtype), numbers((k, p), dtype), numbers((p,), dtype)
        yield vk.dense, (x, w, b, "gelu"), {}
        yield vk.dense, (x, w, b, ("leaky_relu", {"alpha": 0.25})), {"return_preactivation": True}
        yield vk.dense, (x, w), {"deterministic": "batch"}


def _dense_backward(n: int, dtype: np.dtype[Any]) -> Iterator[Call]:
    for m, k, p in ((3, n, _SMALL), (3, _SMALL, n), (n, 3, 2)):
        dy, x, w = numbers((m, p), dtype), numbers((m, k), dtype), numbers((k, p), dtype)
        yield vk.dense_backward, (dy, x, w, dy, "gelu"), {}
        yield vk.dense_backward, (dy, x, w, dy), {"need_dx": False}


def _by_packed_weights(x: Array, w: Array, b: Array) -> Any:
    return vk.dense(x, vk.PackedWeights(w), b, "silu")


def _stepping(optimiser: Any, **options: Any) -> Callable[..., None]:
    def step(*tensors: Array) -> None:
        half = len(tensors) // 2
        made = optimiser(**options)
        for _ in range(2):
            made.step(list(tensors[:half]), list(tensors[half:]))

    return step


def _clip(*grads: Array) -> None:
    optim.clip_by_global_norm(list(grads), 0.5)


def _optimiser(name: str) -> Maker:
    if name == "clip_by_global_norm":
        return _of_shapes(_clip, lambda n: ((n,), (3, n)))
    options = {"SGD": {"momentum": 0.5, "nesterov": True}, "RMSProp": {"momentum": 0.5}}
    made = getattr(optim, name)
    makers = [
        _of_shapes(_stepping(made, **more), lambda n: ((n,), (n, 3)) * 2)
        for more in ({}, {"weight_decay": 0.1, "max_norm": 0.5, **options.get(name, {})})
    ]

    def make(n: int, dtype: np.dtype[Any]) -> Iterator[Call]:
        for maker in makers:
            yield from maker(n, dtype)

    return make


@vk.fuse
def fused(x: Any, w: Any, b: Any) -> Any:
    """Return what kernels and NumPy's functions make together."""
    return vk.mish(x * w + b) / 2 - np.sqrt(abs(x))


@vk.fuse
def fused_sum(x: Any, w: Any, b: Any) -> Any:
    """Return a sum that is fused."""
    return np.sum(vk.gelu(x * w) + b)


compiled = vk.fuse(lambda x, w, b: (x - w) * b / (2 + x * x), compile=True)


def _fused(n: int, dtype: np.dtype[Any]) -> Iterator[Call]:
    x, w, b = numbers((n,), dtype), numbers((n,), dtype), numbers((1,), dtype)
    for function in (fused, compiled, fused.value_and_grad, fused_sum, fused_sum.value_and_grad):
        yield function, (x, w, b), {}
    yield fused, (numbers((n, 3), dtype), numbers((n, 1), dtype), numbers((3,), dtype)), {}
    yield fused.backward, (x, x, w, b), {}


def evaluated(a: Array, b: Array) -> Any:
    """Evaluate a string."""
    return vk.evaluate("where(a > b, sqrt(a), exp(b)) * 2 - a", {"a": a, "b": b})


def validated(a: Array, b: Array) -> Any:
    """Check a string, and evaluate it."""
    vk.validate("a * 2 + exp(b)", {"a": a, "b": b})
    return vk.re_evaluate({"a": a, "b": b})


def streamed(x: Array) -> Any:
    """Take an array by parts."""
    return vk.stream(vk.gelu, x, chunk_bytes=256)


def _einsum(n: int, dtype: np.dtype[Any]) -> Iterator[Call]:
    """Return contractions in which n is the length of a stack, of rows, of columns or of sums."""
    for text, *shapes in (
        ("ij,jk->ik", (3, n), (n, _SMALL)),
        ("ji,kj->ki", (3, n), (n, 3)),
        ("bij,bkj->kbi", (n, 2, 3), (n, 2, 3)),
        ("iaj,ibj->ab", (3, n, 2), (3, 2, 2)),
        ("ij,ij->j", (3, n), (3, n)),
        ("ij->j", (n, 3)),
        ("ijj->ji", (n, 3, 3)),
        ("i,j,ki->kj", (n,), (3,), (2, n)),
        ("...i,...->i...", (n, 2), (n,)),
    ):
        yield vk.einsum, (text, *(numbers(shape, dtype) for shape in shapes)), {}


def _top_k(n: int, dtype: np.dtype[Any]) -> Iterator[Call]:
    """Return rows of n elements, and of so many that they are walked through in chunks."""
    for shape, axis in (((3, n), 1), ((n, 3), 0), ((1, 1000 + n), 1)):
        x = numbers(shape, dtype)
        for k in {0, min(1, n), n // 2, n}:
            yield vk.top_k, (x, k, axis), {}


def _places(function: Any) -> Maker:
    """Return calls at n places, and of axes of n elements."""

    def make(n: int, dtype: np.dtype[Any]) -> Iterator[Call]:
        for shape, axis, count in (((5,), 0, n), ((n,), 0, 7), ((3, n), 1, 5), ((5, n), 0, 4)):
            x = numbers(shape, dtype)
            few = numbers((count if shape[axis] else 0,), "i8") % max(shape[axis], 1)
            if function is vk.one_hot:
                yield function, (few, 3), {"dtype": dtype}
            elif function is vk.take:
                for mode in ("raise", "wrap", "clip"):
                    yield function, (x, few, axis), {"mode": mode}
                yield function, (x, few, axis), {"out": np.take(x, few, axis)}
            else:
                yield function, (x, few, np.take(x, few, axis), axis), {}

    return make


def _makers() -> dict[str, Maker]:
    made: dict[str, Maker] = {}
    for spec in ALL:
        for kind, name in zip(spec.kinds, spec.public_names, strict=True):
            if spec.family == "optim":
                made[f"optim.{name}"] = _optimiser(name)
            elif name in WRITTEN:
                made[name] = WRITTEN[name]
            elif name.startswith("softmax_cross_entropy"):
                made[name] = _cross_entropy(getattr(vk, name))
            elif name in ("broadcast_to", "sum_to_shape"):
                made[name] = _shaping(getattr(vk, name))
            elif spec.family == "reductions":
                made[name] = _reduction(getattr(vk, name))
            else:
                made[name] = _formed(getattr(vk, name), spec.form(kind))
    return made | WRITTEN


ALIASES = {alias for spec in ALL for alias in spec.alias_names}
"""Other names of the same functions."""

WRITTEN: dict[str, Maker] = {
    "matmul": _matmul,
    "dot": _of_shapes(vk.dot, lambda n: ((n,), (n,)), lambda n: ((2, n), (n, 3))),
    "vecdot": _of_shapes(vk.vecdot, lambda n: ((n,), (n,)), lambda n: ((3, n), (n,))),
    "matvec": _of_shapes(vk.matvec, lambda n: ((3, n), (n,)), lambda n: ((n, 3), (3,))),
    "vecmat": _of_shapes(vk.vecmat, lambda n: ((n,), (n, 3)), lambda n: ((3,), (3, n))),
    "tensordot": _of_shapes(
        vk.tensordot, lambda n: ((2, 3, n), (3, n, 2)), lambda n: ((n, 2, 2), (2, 2, n))
    ),
    "einsum": _einsum,
    "top_k": _top_k,
    "take": _places(vk.take),
    "scatter_add": _places(vk.scatter_add),
    "one_hot": _places(vk.one_hot),
    "outer": _of_shapes(vk.outer, lambda n: ((n,), (3,)), lambda n: ((3,), (n,))),
    "transpose_copy": _of_shapes(
        vk.transpose_copy, lambda n: ((n, 3),), lambda n: ((17, n),), lambda n: ((2, n, 3),)
    ),
    "norm": _norm,
    "cosine_similarity": _of_shapes(
        vk.cosine_similarity, lambda n: ((n,), (n,)), lambda n: ((3, n), (n,))
    ),
    "dense": _dense,
    "dense_backward": _dense_backward,
    "PackedWeights": _of_shapes(
        _by_packed_weights,
        lambda n: ((3, n), (n, _SMALL), (_SMALL,)),
        lambda n: ((3, _SMALL), (_SMALL, n), (n,)),
    ),
    "fuse": _fused,
    "evaluate": _of_shapes(evaluated, lambda n: ((n,), (n,)), lambda n: ((n, 3), (3,))),
    "validate": _of_shapes(validated, lambda n: ((n,), (n,))),
    "re_evaluate": _of_shapes(validated, lambda n: ((n, 3), (3,))),
    "stream": _of_shapes(streamed, lambda n: ((n,),), lambda n: ((n, 3),)),
}
"""Calls of functions whose operands no form tells."""

MAKERS = _makers()
"""The calls of each public function."""
