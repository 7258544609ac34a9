"""Random choices that can be repeated and made simpler."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np

T = TypeVar("T")


class Draw:
    """Choices by a seed, or those of a list, and 0 after its end.

    Each choice is a number, the less the simpler: a failure is made simpler by leaving choices out
    and by lowering them, whatever they decide.
    """

    def __init__(self, seed: object = None, choices: Sequence[int] | None = None) -> None:
        self.choices: list[int] = []
        self._given = choices
        self._random = random.Random(str(seed))

    def below(self, n: int) -> int:
        """Return an integer from 0 to n - 1."""
        if self._given is None:
            choice = self._random.randrange(n)
        else:
            i = len(self.choices)
            choice = min(self._given[i], n - 1) if i < len(self._given) else 0
        self.choices.append(choice)
        return choice

    def chance(self, percent: int) -> bool:
        """Return True in so many of 100 cases."""
        if self._given is None:
            self.choices.append(int(self._random.randrange(100) < percent))
            return bool(self.choices[-1])
        return bool(self.below(2))

    def pick(self, options: Sequence[T]) -> T:
        """Return one of the options, of which the first is the simplest."""
        return options[self.below(len(options))]

    def shuffled(self, n: int) -> list[int]:
        """Return 0 to n - 1 in any order."""
        left = list(range(n))
        return [left.pop(self.below(len(left))) for _ in range(n)]

    def numbers(self) -> np.random.Generator:
        """Return a generator for the elements of an array."""
        return np.random.default_rng(self.below(1 << 16))


def simplified(
    choices: list[int], fails: Callable[[list[int]], bool], tries: int = 400
) -> list[int]:
    """Return choices with fewer or lower numbers that fail, too."""
    best = choices
    improved = True
    while improved and tries > 0:
        improved = False
        for candidate in _simpler(best):
            tries -= 1
            if tries <= 0:
                break
            if fails(candidate):
                best, improved = candidate, True
                break
    return best


def _simpler(choices: list[int]) -> list[list[int]]:
    n = len(choices)
    found = [choices[:k] for k in (n // 4, n // 2, 3 * n // 4)]
    for width in (8, 4, 2, 1):
        found += [[*choices[:i], *choices[i + width :]] for i in range(0, n, width)]
    for i, choice in enumerate(choices):
        found += [
            [*choices[:i], lower, *choices[i + 1 :]]
            for lower in sorted({0, choice // 2, choice - 1})
            if 0 <= lower < choice
        ]
    return found
