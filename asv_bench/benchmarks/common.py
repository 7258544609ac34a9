"""What the suites share: the activations' kernels as calls of one form, and operands for them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache, partial
from importlib import import_module
from time import process_time
from typing import Any

import numpy as np
from numpy.typing import NDArray

import vekt
from vekt._spec.activations import OPS
from vekt._spec.families import ALL
from vekt._spec.spec import Kernel, Spec
from vekt.cli.compare.formulas import plain
from vekt.cli.compare.tasks import in_domain

Array = NDArray[Any]

DTYPES = ("float32", "float64")
SIZES = (1_000, 100_000, 10_000_000)
NAMESPACES = ("vekt", "jit", "numpy")

FORMS = ("", "_backward", "_value_and_grad", "_backward_from_output")


@dataclass(frozen=True)
class Case:
    """A kernel in one of its forms: "" is the value, the others are endings of its name."""

    op: Spec
    kernel: Kernel
    form: str

    @property
    def name(self) -> str:
        """The name in the table of C kernels."""
        return self.kernel.name + self.form

    @property
    def keywords(self) -> dict[str, float | bool | None]:
        """The parameters with which the public function runs this kernel and no other."""
        values: dict[str, float | bool | None] = dict(self.kernel.flags)
        if self.kernel is not self.op.kernels[0]:
            for param in self.op.array_params:
                values[param.name] = 4.0 if param.default is None else float(param.default) + 0.125
        return values

    @property
    def params(self) -> tuple[Any, ...]:
        """The kernel's parameters, in its order."""
        values = {p.name: p.value for p in self.op.array_params} | self.keywords
        return tuple(values[name] for name in self.kernel.params)

    def function(self, namespace: str) -> Callable[..., Any]:
        """Return the call in "vekt", "jit" or "reference", or as a "numpy" user writes it."""
        if namespace == "numpy":
            return self._formula()
        module = vekt if namespace == "vekt" else import_module(f"vekt.{namespace}")
        function: Callable[..., Any] = getattr(module, self.op.name + self.form)
        if self.form == "_backward_from_output" or not self.keywords:
            return function
        return partial(function, **self.keywords)

    def _formula(self) -> Callable[..., Any]:
        formulas = plain(self.kernel.name, self.kernel.value, self.kernel.gradient)
        params = self.params
        if self.form == "_backward":
            return lambda dy, x: dy * formulas.gradient(x, *params)
        if self.form == "_value_and_grad":
            return lambda x: formulas.value_and_grad(x, *params)
        if self.form == "_backward_from_output":
            from_output: Any = self.kernel.from_output
            return lambda dy, y: dy * from_output(y, *params)
        return lambda x: formulas.value(x, *params)

    def operands(self, dtype: str, size: int) -> tuple[Array, ...]:
        """Return what `function` takes: (x,), (dy, x) or (dy, y)."""
        x = in_domain(self.kernel, normal(dtype, size))
        if self.form == "_backward":
            return normal(dtype, size, 1), x
        if self.form == "_backward_from_output":
            return normal(dtype, size, 1), getattr(vekt, self.op.name)(x)
        return (x,)


class Timed:
    """What the dashboard reads in the classes of benchmarks, and their clock.

    `tags` has "smoke" for the few that are always measured, `yardstick` names that of
    `bench_yardstick` whose limit is most like theirs: np.exp, memcpy or fma.  Both are written
    down as literals.  `marks` are lines to draw: their labels, and seconds.
    """

    # Processor time: that of others on a busy machine does not count.  All is done by one thread.
    timer = process_time
    # asv makes a sample of one call where there is a setup, and by default takes five.
    repeat = (5, 100, 0.3)
    tags: tuple[str, ...] = ()
    yardstick = "np.exp"
    marks: Mapping[str, float] = {}


# asv runs `setup` in a new process for each combination and again before every sample, so this
# must be quick: a large array repeats a part of itself, and what was made is kept.
@lru_cache(maxsize=4)
def normal(dtype: str, size: int, seed: int = 0) -> Array:
    """Return standard normal numbers, the same in every run."""
    part = np.random.default_rng(seed).standard_normal(min(size, 100_000)).astype(dtype)
    return np.resize(part, size)


def refuse_gaps(home: str, benchmarked: Iterable[str]) -> None:
    """Raise ImportError if a function of this module, or one below it, has no benchmark."""
    homes = (home, f"{home}._prelu")
    names = [name for spec in ALL if spec.home in homes for name in spec.public_names]
    missing = sorted(set(names) - set(benchmarked))
    if missing:
        raise ImportError(f"no benchmark for {', '.join(missing)}")


def names(*forms: str) -> tuple[str, ...]:
    """Return the kernels' names in these forms."""
    return tuple(name for name, case in CASES.items() if case.form in forms)


CASES: dict[str, Case] = {
    case.name: case
    for op in OPS.values()
    for kernel in op.kernels
    for case in (Case(op, kernel, form) for form in FORMS)
    if case.form != "_backward_from_output" or kernel.from_output is not None
}
