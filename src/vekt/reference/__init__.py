"""The oracle: every public function in plain NumPy, with its rounding done once, at the end.

float64 input is computed in longdouble, float32, float16 and bfloat16 input in float64.  Names,
signatures and errors are those of `vekt`.  Where longdouble is no wider than float64 (Windows,
macOS on ARM), float64 results carry the rounding of float64 arithmetic.

`wide` and `wide_gradient` give the results before the last rounding, and `ulp_error` measures a
computed result against them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vekt._core.containers import with_masks
from vekt._core.names import no_attribute
from vekt._core.operands import is_half, outs_of, result_dtype, stored
from vekt._core.ulp import ulp_error
from vekt._spec.activations import KERNELS, OPS
from vekt._spec.functions import public_function
from vekt._spec.row_functions import row_functions
from vekt._spec.spec import Kernel
from vekt.reference import _choosing, _linalg, _reductions
from vekt.reference import _optim as optim  # noqa: F401
from vekt.reference._choosing import *  # noqa: F403
from vekt.reference._dense import dense, dense_backward
from vekt.reference._elementwise import FUNCTIONS as _ELEMENTWISE
from vekt.reference._gates import gate_functions
from vekt.reference._linalg import *  # noqa: F403
from vekt.reference._losses import loss_functions
from vekt.reference._reductions import *  # noqa: F403
from vekt.reference._rounding import held, narrowed, wider
from vekt.reference._rows import rows, wide_rows
from vekt.reference._vectors import cosine_similarity, norm, outer, transpose_copy

Array = NDArray[Any]


def wide(kernel: str | Kernel, x: ArrayLike, *params: ArrayLike) -> Array:
    """Value of a kernel before it is rounded to the dtype of the input.

    Parameters
    ----------
    kernel : str or Kernel
        A kernel of an activation's spec, or its name, such as "gelu_tanh".
    x, *params : array_like
        The operands of the kernel, which broadcast.

    Returns
    -------
    ndarray
        longdouble for float64 operands, float64 for all others.
    """
    return _evaluate(_kernel_of(kernel).value, x, *params)


def _kernel_of(kernel: str | Kernel) -> Kernel:
    return KERNELS[kernel] if isinstance(kernel, str) else kernel


def wide_gradient(kernel: str | Kernel, x: ArrayLike, *params: ArrayLike) -> Array:
    """Gradient of a kernel before it is rounded to the dtype of the input; see `wide`."""
    return _evaluate(_kernel_of(kernel).gradient, x, *params)


def wide_from_output(kernel_name: str, y: ArrayLike, *params: ArrayLike) -> Array:
    """Gradient of a kernel as a function of its output, before it is rounded; see `wide`."""
    from_output = KERNELS[kernel_name].from_output
    if from_output is None:
        raise ValueError(f"{kernel_name} has no gradient in terms of its output")
    return _evaluate(from_output, y, *params)


def _evaluate(
    function: Callable[..., Any],
    *operands: Any,
    dtype: np.dtype[Any] | None = None,
    n_params: int = 0,
) -> Array:
    """Round the operands to their common dtype, widen them and apply the function.

    Parameters, the last ones, that are Python's numbers have float32 where that dtype is shorter.
    """
    narrow = result_dtype(None, *operands) if dtype is None else dtype
    params = operands[len(operands) - n_params :]
    exact = is_half(narrow) and any(type(p) in (int, float) for p in params)
    kinds = [narrow] * (len(operands) - n_params) + [np.dtype("f4") if exact else narrow] * n_params
    with np.errstate(all="ignore"):
        arrays = [
            np.asarray(x).astype(kind).astype(wider(narrow))
            for x, kind in zip(operands, kinds, strict=True)
        ]
        shape = np.broadcast_shapes(*(a.shape for a in arrays))
        result = function(*(np.atleast_1d(a) for a in arrays))
        return np.asarray(result, dtype=wider(narrow)).reshape(shape)


def _rounded(*functions: Callable[..., Any], n_params: int = 0) -> Callable[..., Any]:
    """Make a ufunc-like function that computes in the wider dtype and rounds once.

    Several functions of the same operands make one of as many results.
    """

    def call(*operands: ArrayLike, out: Any = None, where: Any = True, dtype: Any = None) -> Any:
        narrow = result_dtype(dtype, *operands)
        with np.errstate(all="ignore"):
            results = [
                narrowed(_evaluate(function, *operands, dtype=narrow, n_params=n_params), narrow)
                for function in functions
            ]
        outs = (out,) if len(results) == 1 else outs_of(out, len(results))
        copies = tuple(
            with_masks(operands, stored(r, to, where), to)
            for r, to in zip(results, outs, strict=True)
        )
        return copies if len(copies) > 1 else copies[0]

    return call


def _raw(kernel: Kernel) -> dict[str, Callable[..., Any]]:
    """Make the functions that stand here where `vekt` has its ufuncs, by the same names."""
    name, n_params = kernel.name, len(kernel.params)
    kept = held if name != "exponential" else np.asarray  # whose product needs no range of it
    raw = {
        name: _rounded(kernel.value, n_params=n_params),
        f"{name}_backward": _rounded(
            lambda dy, x, *params: dy * kept(kernel.gradient(x, *params)), n_params=n_params
        ),
        f"{name}_value_and_grad": _rounded(kernel.value, kernel.gradient, n_params=n_params),
    }
    if kernel.from_output is not None:
        from_output = kernel.from_output
        raw[f"{name}_backward_from_output"] = _rounded(
            lambda dy, y, *params: dy * held(from_output(y, *params)), n_params=n_params
        )
    return raw


def _public() -> dict[str, Callable[..., Any]]:
    functions: dict[str, Callable[..., Any]] = {}
    for op in OPS.values():
        raw: dict[str, Callable[..., Any]] = {}
        for kernel in op.kernels:
            raw |= _raw(kernel)
        for kind in op.kinds:
            functions[op.name + kind] = public_function(op, kind, raw, __name__)
        functions |= {alias: functions[name] for alias, name in op.alias_names.items()}
    functions |= gate_functions(_rounded, __name__) | loss_functions(_rounded, __name__)
    return functions | row_functions(rows, __name__)


_FUNCTIONS = _public() | _ELEMENTWISE
globals().update(_FUNCTIONS)
__all__ = [
    *_FUNCTIONS,
    *_choosing.__all__,
    *_linalg.__all__,
    *_reductions.__all__,
    "cosine_similarity",
    "dense",
    "dense_backward",
    "norm",
    "outer",
    "transpose_copy",
    "ulp_error",
    "wide",
    "wide_from_output",
    "wide_gradient",
    "wide_rows",
]


def __getattr__(name: str) -> Any:
    raise no_attribute(__name__, name, __all__)
