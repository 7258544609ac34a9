"""Names of all activations: of single elements, of rows, and of halves."""

from __future__ import annotations

from vekt._spec.activations import OPS
from vekt._spec.rows import ROW_OPS

NAMES = (*(name for op in OPS.values() for name in (op.name, *op.aliases)), *ROW_OPS, "glu")
"""Names that `vekt.activations.get` takes."""
