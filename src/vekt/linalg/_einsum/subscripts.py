"""The grammar of einsum: from text, or lists of numbers, to the labels of axes."""

from __future__ import annotations

from collections.abc import Sequence
from operator import index
from string import ascii_letters, ascii_uppercase
from typing import Any

Label = str | int
"""A letter; of an axis under an ellipsis its number, counted in the broadcast shape."""

Labels = tuple[Label, ...]

LETTERS = ascii_uppercase + ascii_letters[:26]
"""Letters in their order, which is that of the numbers 0 to 51 of the other form."""


def as_text(arguments: Sequence[Any]) -> tuple[str, tuple[Any, ...]]:
    """Return subscripts as text without blanks, and the operands."""
    if not arguments:
        raise ValueError("einsum: expected subscripts and operands, or operands with their labels")
    first = arguments[0]
    if isinstance(first, bytes):
        first = first.decode("ascii", "replace")
    if isinstance(first, str):
        return first.replace(" ", ""), tuple(arguments[1:])
    if len(arguments) < 2:
        raise ValueError("einsum: expected a list of labels after each operand")
    pairs = len(arguments) // 2
    text = ",".join(_letters(arguments[2 * i + 1]) for i in range(pairs))
    if len(arguments) % 2:
        text += "->" + _letters(arguments[-1])
    return text, tuple(arguments[0 : 2 * pairs : 2])


def _letters(numbers: Any) -> str:
    """Return a list of labels of the other form as text."""
    try:
        items = list(numbers)
    except TypeError:
        raise TypeError(
            f"einsum: labels must be a list of int or Ellipsis, not {type(numbers).__name__}"
        ) from None
    text = ""
    for item in items:
        if item is Ellipsis:
            text += "..."
            continue
        try:
            number = index(item)
        except TypeError:
            raise TypeError(f"einsum: a label must be an int or Ellipsis, not {item!r}") from None
        if not 0 <= number < len(LETTERS):
            raise ValueError(f"einsum: label {number} is not in the range from 0 to 51")
        text += LETTERS[number]
    return text


def parsed(text: str, dimensions: Sequence[int]) -> tuple[tuple[Labels, ...], Labels]:
    """Return the labels of the axes of the operands and of the result.

    Parameters
    ----------
    text : str
        Subscripts without blanks.
    dimensions : sequence of int
        The number of axes of each operand.
    """
    given, arrow, wanted = text.partition("->")
    terms = given.split(",")
    if not dimensions:
        raise ValueError(f"einsum: no operands for the subscripts {text!r}")
    if len(terms) != len(dimensions):
        raise ValueError(
            f"einsum: the subscripts {text!r} are for {len(terms)} operands, "
            f"of which there are {len(dimensions)}"
        )
    split = [_split(term, text) for term in terms]
    hidden = [
        _hidden(i, term, parts, ndim)
        for i, (term, parts, ndim) in enumerate(zip(terms, split, dimensions, strict=True))
    ]
    most = max(hidden)
    inputs = tuple(
        (*parts[0], *range(most - n, most), *parts[-1]) if len(parts) == 2 else tuple(parts[0])
        for parts, n in zip(split, hidden, strict=True)
    )
    if not arrow:
        letters = "".join("".join(parts) for parts in split)
        return inputs, (*range(most), *sorted(x for x in set(letters) if letters.count(x) == 1))
    return inputs, _output(wanted, text, inputs, most)


def _split(term: str, text: str) -> list[str]:
    """Return the letters of a term, or those before and those behind its ellipsis."""
    parts = term.split("...")
    for letter in "".join(parts):
        if letter not in ascii_letters:
            raise ValueError(
                f"einsum: {letter!r} in the subscripts {text!r}; expected letters, commas, one "
                "'->' and in each term at most one '...'"
            )
    if len(parts) > 2:
        raise ValueError(f"einsum: more than one ellipsis in {term!r}")
    return parts


def _hidden(i: int, term: str, parts: list[str], ndim: int) -> int:
    """Return how many axes of an operand an ellipsis stands for."""
    named = len("".join(parts))
    if named > ndim or (len(parts) == 1 and named < ndim):
        raise ValueError(f"einsum: {term!r} names {named} of the {ndim} axes of operand {i}")
    return ndim - named


def _output(wanted: str, text: str, inputs: tuple[Labels, ...], most: int) -> Labels:
    """Return the labels of a result that is told."""
    parts = _split(wanted, text)
    letters = "".join(parts)
    known = {label for labels in inputs for label in labels}
    for letter in letters:
        if letter not in known:
            raise ValueError(f"einsum: {letter!r} of the result is in no operand: {text!r}")
        if letters.count(letter) > 1:
            raise ValueError(f"einsum: {letter!r} occurs twice in the result: {text!r}")
    if len(parts) == 2:
        return (*parts[0], *range(most), *parts[1])
    if most:
        raise ValueError(
            f"einsum: the result of {text!r} has no '...', for which operands have {most} axes"
        )
    return tuple(letters)


def lengths(inputs: tuple[Labels, ...], shapes: Sequence[Sequence[int]]) -> dict[Label, int]:
    """Return the length of each label, of which 1 broadcasts, but not along a diagonal."""
    found: dict[Label, int] = {}
    for i, (labels, shape) in enumerate(zip(inputs, shapes, strict=True)):
        own: dict[Label, int] = {}
        for label, n in zip(labels, shape, strict=True):
            if own.setdefault(label, n) != n:
                raise ValueError(
                    f"einsum: {label!r} has the lengths {own[label]} and {n} in operand {i}, "
                    f"shape {tuple(shape)}"
                )
            known = found.setdefault(label, n)
            if known == 1:
                found[label] = n
            elif n not in (1, known):
                raise ValueError(
                    f"einsum: {label!r} has length {n} in operand {i}, shape {tuple(shape)}, "
                    f"and {known} before"
                )
    return found
