"""Contractions; the gradient by an operand is a contraction of the others."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import autograd.numpy as np
from autograd.extend import defvjp_argnum, primitive
from autograd.numpy.numpy_vjps import match_complex

import vekt as vk
from vekt.linalg._einsum.subscripts import LETTERS, Label, as_text, lengths, parsed

Function = Callable[..., Any]

__all__ = ["einsum"]

_einsum: Function = primitive(vk.einsum)


def einsum(
    *operands: Any,
    dtype: Any = None,
    order: Any = "K",
    casting: Any = "safe",
    optimize: Any = True,
    deterministic: Any = None,
) -> Any:
    """`vekt.einsum`: sums of products over labelled axes."""
    text, arrays = as_text(operands)
    options: dict[str, Any] = {"dtype": dtype, "order": order, "casting": casting}
    return _einsum(text, *arrays, optimize=optimize, deterministic=deterministic, **options)


def _gradient(argnum: int, y: Any, arguments: Any, options: dict[str, Any]) -> Function:
    """Return the gradient by one operand.

    What the operand alone has is repeated by ones, and what was its diagonal goes back to it by an
    identity matrix: both are operands of the contraction.
    """
    text, *operands = arguments
    chosen = argnum - 1
    shapes = [np.shape(x) for x in operands]
    inputs, output = parsed(text, [len(shape) for shape in shapes])
    sizes = lengths(inputs, shapes)
    repeats = len(inputs[chosen]) - len({*inputs[chosen]})
    if len(sizes) + repeats > len(LETTERS):
        raise ValueError(f"einsum: no gradient of {len(sizes)} labels; at most {len(LETTERS)}")
    names: dict[Label, str] = dict(zip(sizes, LETTERS, strict=False))
    free = iter(LETTERS[len(sizes) :])
    given = [labels for i, labels in enumerate(inputs) if i != chosen]
    factors = [x for i, x in enumerate(operands) if i != chosen]
    terms = ["".join(names[x] for x in labels) for labels in (output, *given)]
    x, wanted, shape = operands[chosen], "", []
    # What others have of length 1 they do not tell the length of.
    known = {names[label] for label in output}
    for i, (labels, lengths_of) in enumerate(zip(inputs, shapes, strict=True)):
        pairs = zip(labels, lengths_of, strict=True)
        known |= {names[label] for label, n in pairs if i != chosen and n == sizes[label]}
    dtype = np.result_type(x)
    for label, n in zip(inputs[chosen], shapes[chosen], strict=True):
        letter = names[label]
        shape.append(n)
        if n != sizes[label]:  # it was repeated: the sum over it
            continue
        if letter in wanted:
            other = next(free)
            factors.append(np.eye(n, dtype=dtype))
            terms.append(letter + other)
            letter = other
        elif letter not in known:
            factors.append(np.ones(n, dtype=dtype))
            terms.append(letter)
        wanted += letter

    def vjp(g: Any) -> Any:
        dx = _einsum(
            f"{','.join(terms)}->{wanted}", g, *factors, deterministic=options["deterministic"]
        )
        return match_complex(x, np.reshape(dx, shape))

    return vjp


defvjp_argnum(_einsum, _gradient)
