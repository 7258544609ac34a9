"""Sums of products over labelled axes: what Python calls."""

from __future__ import annotations

from typing import Any

from vekt._spec.docstrings import documented
from vekt._spec.einsum import EINSUM
from vekt.jit._linalg import on_this_thread


@documented(EINSUM, "", "vekt.jit")
def einsum(
    *operands: Any,
    out: Any = None,
    dtype: Any = None,
    order: Any = "K",
    casting: Any = "safe",
    optimize: Any = True,
    deterministic: Any = None,
) -> Any:
    options = {"out": out, "dtype": dtype, "order": order, "casting": casting}
    return on_this_thread(
        "einsum", *operands, **options, optimize=optimize, deterministic=deterministic
    )
