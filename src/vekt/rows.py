"""Functions of rows: softmax and its kin over any axes, with their gradients."""

from __future__ import annotations

from typing import Any

from vekt._core.names import no_attribute
from vekt._core.native import rows
from vekt._spec.row_functions import row_functions

_FUNCTIONS = row_functions(rows, __name__)
globals().update(_FUNCTIONS)
__all__ = list(_FUNCTIONS)


def __getattr__(name: str) -> Any:
    raise no_attribute(__name__, name, __all__)
