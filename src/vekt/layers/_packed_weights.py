"""Weights in the order in which products read them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vekt._core import native
from vekt._core.axes import plain
from vekt._core.native import packed_array
from vekt._core.operands import result_dtype

Array = NDArray[Any]


def computing(stored: np.dtype[Any]) -> np.dtype[Any]:
    """Return the dtype of the kernels that compute what is stored in this one."""
    return np.dtype("f4") if stored.itemsize == 2 else stored.newbyteorder("=")


def converted(x: Any, dtype: np.dtype[Any]) -> Array:
    """Return an array of this dtype; beyond its range infinities, without a warning."""
    with np.errstate(all="ignore"):
        return np.asarray(x, dtype)


class PackedWeights:
    """Weights of a dense layer in the order in which products read them.

    `dense` then reads them as they are, where it would copy large or transposed weights in each
    call.  The results are the same to the last bit, those of ``deterministic="batch"``.

    Parameters
    ----------
    w : array_like, shape (k, n)
        Weights; a transposed view is packed as fast.  float32 and float64 stay, float16 and
        bfloat16 become float32, integers and bool float64.  Later changes of `w` are not seen.

    Attributes
    ----------
    shape : tuple of int
    dtype : dtype
    nbytes : int
        Memory that they take, padding included.

    Raises
    ------
    ValueError
        If `w` is not 2-D.
    TypeError
        If its dtype is not real.

    Examples
    --------
    >>> import numpy as np
    >>> import vekt as vk
    >>> w = vk.PackedWeights(np.eye(3))
    >>> vk.dense(np.array([1.0, 2.0, 3.0]), w)
    array([1., 2., 3.])
    >>> np.asarray(w).shape
    (3, 3)
    """

    __slots__ = ("_packed", "_shape")
    _packed: Any
    _shape: tuple[int, int]

    def __init__(self, w: ArrayLike) -> None:
        plain("PackedWeights", "w", w)
        w = converted(w, computing(result_dtype(None, w)))
        if w.ndim != 2:
            raise ValueError(f"PackedWeights: w must be 2-D, but has shape {w.shape}")
        object.__setattr__(self, "_packed", native.pack_weights(w))
        object.__setattr__(self, "_shape", w.shape)

    def __setattr__(self, name: str, value: Any) -> None:
        """Refuse."""
        raise AttributeError(f"PackedWeights are immutable: cannot set {name!r}")

    @property
    def shape(self) -> tuple[int, int]:
        """Shape (k, n)."""
        return self._shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """float32 or float64."""
        return packed_array(self._packed).dtype

    @property
    def nbytes(self) -> int:
        """Bytes of memory."""
        return packed_array(self._packed).nbytes

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        """Return the weights as a new array of shape (k, n)."""
        if copy is False:
            raise ValueError("PackedWeights cannot be seen as an array without a copy")
        numbers = packed_array(self._packed)
        w = np.empty(self.shape, numbers.dtype)
        bits = np.dtype(f"u{numbers.itemsize}")
        # Where each weight went: its row and its column, from 1 on, packed in the same way.
        k, n = self.shape
        rows = np.broadcast_to(np.arange(1, k + 1, dtype=bits).reshape(k, 1), (k, n))
        columns = np.broadcast_to(np.arange(1, n + 1, dtype=bits), (k, n))
        i, j = (packed_array(native.pack_weights(x.view(w.dtype))) for x in (rows, columns))
        taken = i.view(bits) != 0
        w[i.view(bits)[taken] - 1, j.view(bits)[taken] - 1] = numbers[taken]
        return w if dtype is None else w.astype(dtype, copy=False)

    def __reduce__(self) -> tuple[type[PackedWeights], tuple[Array]]:
        """Pickle the weights; they are packed again where they arrive."""
        return PackedWeights, (np.asarray(self),)

    def __repr__(self) -> str:
        """Say what these are, but not the numbers."""
        return f"PackedWeights(shape={self.shape}, dtype={self.dtype})"
