"""Products of vectors, matrices and tensors: what Python calls."""

from __future__ import annotations

from typing import Any

from vekt._core.operands import checked_out
from vekt._spec.docstrings import documented
from vekt._spec.linalg import LINALG
from vekt.threading import num_threads


def finished(result: Any, dtype: Any, out: Any) -> Any:
    """Return an array in its dtype, one of no axes as a scalar; or `out` that has received it."""
    result = result.astype(dtype, copy=False)
    if out is None:
        return result[()]
    target = checked_out(out, result.shape, dtype)
    target[...] = result
    return target


def on_this_thread(name: str, *arguments: Any, **options: Any) -> Any:
    """Call the function of `vekt`, whose kernels compiled functions call too."""
    import vekt

    with num_threads(1):
        return getattr(vekt, name)(*arguments, **options)


@documented(LINALG["matmul"], "", "vekt.jit")
def matmul(x1: Any, x2: Any, out: Any = None) -> Any:
    return on_this_thread("matmul", x1, x2, out=out)


@documented(LINALG["matvec"], "", "vekt.jit")
def matvec(x1: Any, x2: Any, out: Any = None) -> Any:
    return on_this_thread("matvec", x1, x2, out=out)


@documented(LINALG["vecmat"], "", "vekt.jit")
def vecmat(x1: Any, x2: Any, out: Any = None) -> Any:
    return on_this_thread("vecmat", x1, x2, out=out)


@documented(LINALG["vecdot"], "", "vekt.jit")
def vecdot(x1: Any, x2: Any, out: Any = None, axis: int = -1) -> Any:
    return on_this_thread("vecdot", x1, x2, out=out, axis=axis)


@documented(LINALG["tensordot"], "", "vekt.jit")
def tensordot(a: Any, b: Any, axes: Any = 2) -> Any:
    return on_this_thread("tensordot", a, b, axes)
