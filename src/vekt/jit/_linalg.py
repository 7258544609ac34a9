"""Products of vectors, matrices and tensors: what Python calls."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from vekt._core.operands import checked_out
from vekt._spec.functions import python_function
from vekt._spec.linalg import LINALG
from vekt._spec.spec import Spec
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


def forwarded(spec: Spec, kind: str = "") -> Callable[..., Any]:
    """Make the function that hands all on to that of `vekt`."""
    form = spec.form(kind)
    options = [p.name for p in form.params] + list(form.options or {})
    given = ", ".join([repr(form.name), *form.operands, *(f"{name}={name}" for name in options)])
    return python_function(
        spec, kind, "vekt.jit", [f"return _call({given})"], {"_call": on_this_thread}
    )


matmul, matvec, vecmat, vecdot, tensordot = (
    forwarded(LINALG[name]) for name in ("matmul", "matvec", "vecmat", "vecdot", "tensordot")
)
