"""What calls on arrays of known shapes do, found once: on few elements, nothing else takes long."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from vekt._core import native

if TYPE_CHECKING:
    from vekt._fuse.passes import Pass

Array = NDArray[Any]


class Recorded:
    """Passes on contiguous arrays of given shapes, in native dtypes.

    Parameters
    ----------
    steps : sequence of (Pass, sequence)
        What is done, and to which values.
    inputs, constants : mapping
        Examples of operands, and arrays that are the same in all calls.
    wanted : sequence
        Values that are asked for.  Those of a pass are its results' nodes, and (pass, number).
    """

    __slots__ = ("_constants", "_steps", "_wanted")

    def __init__(
        self,
        steps: Sequence[tuple[Pass, Sequence[Hashable]]],
        inputs: Mapping[Any, Array],
        constants: Mapping[Any, Array],
        wanted: Sequence[Hashable],
    ) -> None:
        known: dict[Any, tuple[int, tuple[int, ...]]] = {}  # numbers and shapes of values
        for x, array in (*inputs.items(), *constants.items()):
            known[x] = len(known), array.shape
        count = len(known)
        self._constants = tuple(constants.values())
        self._steps: list[Any] = []
        for step, taken in steps:
            layout = step.layout(tuple([known[x][1] for x in taken]))
            takes = [known[x][0] for x in taken]
            made, finals = [], []
            for k, (r, (full, final, _)) in enumerate(
                zip(step.results, layout.results, strict=True)
            ):
                made.append((full, r.made))
                finals.append(None if final == full else final)
                known[r.node] = known[step, k] = count, final
                count += 1
            divisors = tuple([each[2] for each in layout.results])
            self._steps.append((step, takes, layout, made, finals, divisors))
        self._wanted = [(known[y][0], known[y][1] == ()) for y in wanted]

    def __call__(self, arrays: Sequence[Array]) -> list[Any]:
        """Return what is asked for."""
        values = [*arrays, *self._constants]
        for step, takes, layout, made, finals, divisors in self._steps:
            if step.left is not None:
                step.count(layout.elements)
            only = step.only
            outs = [np.empty(full, dtype) for full, dtype in made]
            operands = (*[values[k] for k in takes], *outs)
            native.reduce_program(
                only.target, only.capsule, layout.shape, operands, layout.kinds, divisors
            )
            for y, final in zip(outs, finals, strict=True):
                values.append(y if final is None else y.reshape(final))
        return [values[k][()] if scalar else values[k] for k, scalar in self._wanted]


def can_record(steps: Sequence[Pass]) -> bool:
    """Whether passes are programs alone."""
    return all(
        step.only is not None and all(r.kind == "stored" or r.reduces_in_pass for r in step.results)
        for step in steps
    )
