"""Elementwise functions that round more than once, as `vekt accuracy` measures them."""

from __future__ import annotations

from dataclasses import replace

from vekt._spec.elementary import ELEMENTARY
from vekt.cli.cases import Case

FUNCTIONS: dict[str, Case] = {
    op.name: Case(op, replace(op.kernel, name=op.name), {}, ("value",)) for op in ELEMENTARY
}
