"""Contractions of one to four operands, by random subscripts."""

from __future__ import annotations

from typing import Any

import numpy as np

import vekt as vk

from . import arrays
from .activations import add_output
from .check import Case, expected
from .draws import Draw
from .truth import Truth, common_dtype, unit

NAMES = {"einsum"}
_SIZES = (2, 3, 1, 4, 5, 0, 17, 33)
_MOST = 20_000


def case(draw: Draw) -> Case:
    """Draw a contraction."""
    text, shapes = _subscripts(draw)
    dtype = draw.pick(arrays.NUMBERS)
    operands = [
        arrays.laid_out(
            draw,
            arrays.values(
                draw, s, draw.pick(arrays.NUMBERS) if draw.chance(10) else dtype, tame=True
            ),
        )
        for s in shapes
    ]
    options: dict[str, Any] = {}
    if draw.chance(25):
        options["optimize"] = draw.pick((False, "greedy", "optimal"))
    if draw.chance(10):
        options["deterministic"] = "batch"
    if draw.chance(10):
        options["order"] = draw.pick("CFA")
    made = Case("einsum", vk.einsum, [text, *operands], options, _expect)
    if draw.chance(25):
        made.options["casting"] = "same_kind"
        add_output(draw, made)
        truth = expected(made, made.args, made.options)
        floats = made.out is not None and truth[0].dtype.kind in "fV" and made.out.dtype.kind == "f"
        if made.out is not None and made.out.dtype != truth[0].dtype and (floats or not made.bad):
            made.out, made.bad = None, ""  # whose dtype counts among those of the operands
    made.threads = 1 + draw.below(2)
    made.same_bits = all(x.dtype.kind in "biu" for x in operands)
    return made


def _subscripts(draw: Draw) -> tuple[str, list[tuple[int, ...]]]:
    """Return subscripts and the shapes of their operands; at times some that do not fit."""
    letters = "jikabc"
    sizes = {x: draw.pick(_SIZES) for x in letters}
    while np.prod([max(n, 1) for n in sizes.values()]) > _MOST:
        longest = max(sizes, key=lambda x: sizes[x])
        sizes[longest] //= 2
    hidden = tuple(draw.pick((2, 3, 1)) for _ in range(draw.below(3))) if draw.chance(20) else ()
    terms, shapes = [], []
    for _ in range(1 + draw.below(4)):
        term = "".join(draw.pick(letters) for _ in range(draw.below(4)))
        shape = [1 if term.count(x) == 1 and draw.chance(8) else sizes[x] for x in term]
        if hidden:
            before = draw.below(len(term) + 1)
            term = f"{term[:before]}...{term[before:]}"
            shape[before:before] = hidden[draw.below(len(hidden) + 1) :]
        if shape and draw.chance(1):
            shape[0] += 1
        terms.append(term)
        shapes.append(tuple(shape))
    text = ",".join(terms)
    if draw.chance(80):
        known = sorted({x for x in text if x.isalpha()})
        order = draw.shuffled(len(known))
        wanted = "".join(known[i] for i in order[: draw.below(len(known) + 1)])
        text += "->" + ("..." if hidden else "") + wanted
    return text, shapes


def _expect(text: str, *operands: Any, casting: str = "safe", **options: Any) -> Truth:
    stored = common_dtype(*operands)
    if stored.kind in "biu":
        result = _contracted(text, [x.astype(stored) for x in operands])
        return Truth(result, stored, kind=np.ndarray if result.ndim else stored.type)
    wide_kind = np.clongdouble if stored.kind == "c" else np.longdouble
    wide = [x.astype(stored).astype(wide_kind) for x in operands]
    model = _contracted(text, wide)
    size = np.asarray(_contracted(text, [np.abs(x) for x in wide]), np.longdouble)
    part = np.empty(0, stored).real.dtype if stored.kind == "c" else stored
    compute = np.dtype("f4") if part.itemsize < 4 else part
    terms = 64 + 8 * sum(x.size for x in operands) ** 0.5
    slack = size * float(np.finfo(compute).eps) * terms + unit(np.zeros_like(size), compute) * terms
    kind = np.ndarray if model.ndim else stored.type
    return Truth(model, stored, slack, kind=kind, free=~(size < np.finfo(compute).max / 4))


def _contracted(text: str, operands: list[Any]) -> Any:
    """Multiply all that is to be summed, and sum it: no step of NumPy's, which may crash.

    Its parser tells what is wrong with subscripts.
    """
    np.einsum_path(text, *operands)
    given, arrow, wanted = text.partition("->")
    terms = given.split(",")
    most = max(x.ndim - len(t.replace(".", "")) for x, t in zip(operands, terms, strict=True))
    hidden = "".join(map(str, range(most)))
    if not arrow:
        once = sorted(x for x in given if x.isalpha() and given.count(x) == 1)
        wanted = hidden + "".join(once)
    wanted = wanted.replace("...", hidden)
    known = wanted + "".join(sorted({x for x in given if x.isalpha()} - {*wanted}))
    product: Any = operands[0].dtype.type(1)
    for x, term in zip(operands, terms, strict=True):
        own = x.ndim - len(term.replace(".", ""))
        labels = term.replace("...", hidden[most - own :])
        while len({*labels}) < len(labels):
            j = next(j for j, label in enumerate(labels) if label in labels[:j])
            i = labels.index(labels[j])
            if x.shape[i] != x.shape[j]:
                raise ValueError(f"no diagonal of {x.shape} along {labels[i]}")
            x = np.diagonal(x, 0, i, j)
            labels = "".join(y for k, y in enumerate(labels) if k not in (i, j)) + labels[i]
        order = [labels.index(y) for y in known if y in labels]
        shape = [x.shape[labels.index(y)] if y in labels else 1 for y in known]
        product = product * x.transpose(order).reshape(shape)
    over = tuple(range(len(wanted), len(known)))
    if product.dtype == np.bool_:
        return np.asarray(np.any(product, over))
    return np.asarray(np.sum(product, over, dtype=product.dtype))
