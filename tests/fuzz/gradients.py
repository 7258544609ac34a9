"""Gradients of `vekt.autograd` and of fused functions, beside differences."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from autograd import grad

import vekt as vk
from vekt import autograd as va

from . import arrays
from .check import Case
from .draws import Draw
from .truth import Truth

NAMES = set()  # of vekt.autograd
_STEP = 1e-6
_EXPRESSIONS = (
    lambda a, b, c: a * b + c,
    lambda a, b, c: vk.sigmoid(a) * b - c / (2 + a),
    lambda a, b, c: np.where(a > b + 2, a * c, b * c),
    lambda a, b, c: np.sqrt(a * a + b * b + 1) * c,
    lambda a, b, c: vk.mish(a * b) + vk.gelu(c),
    lambda a, b, c: np.maximum(a, b + 3) * np.minimum(c, 4),
    lambda a, b, c: np.exp(a) / (1 + np.exp(b)) + np.log(c * c + 1),
    lambda a, b, c: np.sin(a) ** 2 * vk.tanh(b) + abs(c) ** 3,
    lambda a, b, c: np.sum(vk.softplus(a * b) * c),
)


def case(draw: Draw) -> Case:
    """Draw a gradient in one direction."""
    n = draw.pick((1, 2, 3, 5, 8))
    kind = draw.below(5)
    if kind == 4:
        return _fused(draw, n)
    if kind == 0:
        name = draw.pick(va._activations.__all__)
        shapes = [(n, 3)] * (2 if name.endswith("_backward") else 1)
        function, model = getattr(va, name), getattr(vk, name)
    elif kind == 1:
        name = draw.pick(
            ("softmax", "softmin", "log_softmax", "logsumexp", "glu", "norm", "transpose_copy")
        )
        shapes, function, model = [(n, 4)], getattr(va, name), getattr(vk, name)
    elif kind == 2:
        name = draw.pick(
            (
                "swiglu",
                "geglu",
                "reglu",
                "prelu",
                "squared_error",
                "huber",
                "cosine_similarity",
                "vecdot",
            )
        )
        shapes, function, model = [(n, 4), (n, 4)], getattr(va, name), getattr(vk, name)
    else:
        name = draw.pick(
            ("matmul", "dot", "outer", "tensordot", "matvec", "vecmat", "dense", "einsum")
        )
        shapes = _shapes(name, n)
        function, model = getattr(va, name), getattr(vk, name)
        if name == "tensordot":
            function, model = (_one_axis(f) for f in (function, model))
        if name == "einsum":
            text = draw.pick(("ij,jk->ki", "ij,jk->", "ij,jk->j", "ij,jk->ijk", "ij,kl->jl"))
            function, model = partial(function, text), partial(model, text)
    args = [_away_from_kinks(draw, shape) for shape in shapes]
    which = draw.below(len(args))
    weights = _away_from_kinks(draw, np.shape(model(*args)))
    direction = _away_from_kinks(draw, args[which].shape)

    def slope(*args: Any) -> Any:
        def cost(x: Any) -> Any:
            given = [*args[:which], x, *args[which + 1 :]]
            return (weights * function(*given)).sum()

        return np.float64(np.sum(grad(cost)(args[which]) * direction))

    def expect(*args: Any) -> Truth:
        up, down = (
            np.sum(
                weights
                * model(*args[:which], args[which] + sign * _STEP * direction, *args[which + 1 :])
            )
            for sign in (1, -1)
        )
        size = max(1.0, abs(up), abs(down))
        return Truth(np.longdouble((up - down) / (2 * _STEP)), np.dtype("f8"), 1e-4 * size)

    return Case(f"autograd.{name}", slope, args, {}, expect, same_bits=False, notes={"by": which})


def _fused(draw: Draw, n: int) -> Case:
    """Draw the gradient of a fused function of operands that broadcast, in any layout."""
    model = draw.pick(_EXPRESSIONS)
    shapes = [draw.pick(((n, 4), (4,), (n, 1), (1, 4), ())) for _ in range(3)]
    args = [_away_from_kinks(draw, shape) for shape in shapes]
    weights = _away_from_kinks(draw, np.shape(model(*args)))
    directions = [_away_from_kinks(draw, shape) for shape in shapes]
    backward = vk.fuse(model).backward

    def slopes(*args: Any) -> Any:
        found = backward(weights, *args)
        if [np.shape(g) for g in found] != shapes:
            raise AssertionError(f"shapes {[np.shape(g) for g in found]} for {shapes}")
        return tuple(np.float64((g * d).sum()) for g, d in zip(found, directions, strict=True))

    def expect(*args: Any) -> Any:
        truths = []
        for k, direction in enumerate(directions):
            up, down = (
                np.sum(weights * model(*args[:k], args[k] + step * direction, *args[k + 1 :]))
                for step in (_STEP, -_STEP)
            )
            slack = 1e-4 * max(1.0, abs(up), abs(down))
            truths.append(Truth(np.longdouble((up - down) / (2 * _STEP)), np.dtype("f8"), slack))
        return tuple(truths)

    args = [arrays.laid_out(draw, x) for x in args]
    return Case("fuse.backward", slopes, args, {}, expect, same_bits=False)


def _one_axis(function: Any) -> Any:
    return lambda a, b: function(a, b, axes=1)


def _shapes(name: str, n: int) -> list[tuple[int, ...]]:
    return {
        "outer": [(n,), (3,)],
        "matvec": [(n, 3), (3,)],
        "vecmat": [(3,), (3, n)],
    }.get(name, [(n, 3), (3, 4)])


def _away_from_kinks(draw: Draw, shape: tuple[int, ...]) -> Any:
    rng = draw.numbers()
    size = rng.uniform(0.1, 0.4, shape) + rng.integers(0, 2, shape) * 0.5
    return size * rng.choice([-1, 1], shape)
