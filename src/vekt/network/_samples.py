"""Samples and targets of a network, checked and in the form that the kernels read: in rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vekt._core.axes import unmasked
from vekt.network._outputs import Softmax

if TYPE_CHECKING:
    from vekt.network import Network

Array = NDArray[Any]


def samples_in_rows(function: str, network: Network, X: ArrayLike) -> Array:
    """Return samples in rows."""
    given = np.asarray(unmasked(function, "X", X))
    check_samples(function, network, given.shape)
    x = np.ascontiguousarray(given.T, network.dtype)
    if not np.isfinite(x).all():
        raise ValueError(f"{function}: X has NaN or infinite elements")
    return x


def check_samples(function: str, network: Network, shape: tuple[int, ...]) -> None:
    """Raise ValueError for samples of a wrong shape."""
    n = network.units[0]
    if len(shape) != 2 or shape[0] != n:
        raise ValueError(f"{function}: expected X of shape ({n}, m), got {shape}")
    if shape[1] == 0:
        raise ValueError(f"{function}: X of shape {shape} has no samples")


def targets_in_rows(function: str, network: Network, X: ArrayLike, Y: ArrayLike) -> Array:
    """Return targets in rows, or labels."""
    given = np.asarray(unmasked(function, "Y", Y))
    if check_targets(function, network, np.shape(X), given.shape, given.dtype):
        y = np.ascontiguousarray(given, np.int64)
    else:
        y = np.ascontiguousarray(given.T, network.dtype)
        if not np.isfinite(y).all():
            raise ValueError(f"{function}: Y has NaN or infinite elements")
    network._output.check(function, y, network.units[-1])
    return y


def check_targets(
    function: str,
    network: Network,
    x_shape: tuple[int, ...],
    shape: tuple[int, ...],
    dtype: np.dtype[Any],
) -> bool:
    """Tell whether targets are labels; ValueError if they are of a wrong shape."""
    labels = isinstance(network._output, Softmax) and len(shape) == 1 and dtype.kind in "iu"
    expected = x_shape[1:] if labels else (network.units[-1], *x_shape[1:])
    if shape != expected:
        raise ValueError(
            f"{function}: expected {'labels' if labels else 'Y'} of shape {expected} "
            f"for X of shape {x_shape}, got {shape}"
        )
    return labels
