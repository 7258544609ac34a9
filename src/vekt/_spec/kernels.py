"""The kernels that compute element by element, by the names that the table in C has for them."""

from __future__ import annotations

from typing import NamedTuple

from vekt._spec.activations import OPS
from vekt._spec.docstrings import kernel_docstring
from vekt._spec.gates import GATE_OPS
from vekt._spec.losses import LOSSES
from vekt._spec.pointwise import GATE
from vekt._spec.spec import Kernel, Kind, Spec


class Entry(NamedTuple):
    """A kernel in one of its kinds, and how its ufunc is called: kinds of glu halve an array."""

    spec: Spec
    kind: str
    called: Kind
    kernel: Kernel

    @property
    def counts(self) -> tuple[int, int]:
        """Numbers of inputs, of which the parameters come last, and of outputs."""
        operands, results = self.called.operands, self.called.results
        return len(operands) + len(self.kernel.params), len(results)

    @property
    def docstring(self) -> str:
        """Docstring of the ufunc."""
        return kernel_docstring(self.spec, self.kind, self.called, self.kernel)


TABLE: dict[str, Entry] = {
    kernel.name + kind: Entry(spec, kind, (GATE if kernel.gate else spec.kinds)[kind], kernel)
    for spec in (*OPS.values(), *GATE_OPS.values(), *LOSSES.values())
    for kind in spec.kinds
    for kernel in spec.kernels_of(kind)
}
