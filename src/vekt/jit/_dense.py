"""Dense layers: what Python calls."""

from __future__ import annotations

from typing import Any

from vekt._spec.docstrings import documented
from vekt._spec.layers import DENSE
from vekt.jit._linalg import on_this_thread


@documented(DENSE, "", "vekt.jit")
def dense(
    x: Any,
    w: Any,
    b: Any = None,
    activation: Any = None,
    out: Any = None,
    return_preactivation: bool = False,
) -> Any:
    return on_this_thread(
        "dense", x, w, b, activation, out=out, return_preactivation=return_preactivation
    )


@documented(DENSE, "_backward", "vekt.jit")
def dense_backward(
    dy: Any, x: Any, w: Any, z: Any, activation: Any = None, need_dx: bool = True
) -> Any:
    return on_this_thread("dense_backward", dy, x, w, z, activation, need_dx=need_dx)
