"""Functions of rows: softmax and its kin over any axes, with their gradients."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from vekt._core.native import rows
from vekt._spec.row_functions import row_functions

_FUNCTIONS = row_functions(rows, __name__)
globals().update(_FUNCTIONS)
__all__ = list(_FUNCTIONS)

if TYPE_CHECKING:

    def __getattr__(name: str) -> Callable[..., Any]: ...
