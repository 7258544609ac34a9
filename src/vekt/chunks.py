"""Functions over arrays that do not fit in memory, a part at a time."""

from __future__ import annotations

import mmap
from collections.abc import Callable, Iterator
from itertools import product
from math import prod
from typing import Any

import numpy as np

from vekt._core import native
from vekt._core.axes import unmasked

__all__ = ["stream"]

_CHUNK_BYTES = 1 << 26


def stream(
    function: Callable[..., Any],
    *arrays: Any,
    out: Any = None,
    combine: Callable[[Any, Any], Any] | None = None,
    chunk_bytes: int = _CHUNK_BYTES,
    progress: Callable[[int, int], object] | None = None,
) -> Any:
    r"""Apply a function to arrays larger than memory, such as `numpy.memmap`, part by part.

    Parameters
    ----------
    function : callable
        Takes a part of each array.  Without `combine` it is elementwise: it returns an array of the
        shape to which the parts broadcast.
    *arrays : ndarray
        They broadcast against each other; memory maps are read as they are.
    out : ndarray, optional
        Receives the results, converted to its dtype; it may be a writable `numpy.memmap`, or one of
        the arrays.
    combine : callable, optional
        Makes one result of two, the one so far and that of the next part, in the order of the
        elements; then `function` may return anything.
    chunk_bytes : int, optional
        Bytes of the arrays and of `out` that are in use at a time.  What `function` allocates comes
        on top.
    progress : callable, optional
        Called after each part with the number of elements done, and of all elements.

    Returns
    -------
    ndarray or object
        `out`, or a new array of the dtype of the first part's result; with `combine` its result.

    Raises
    ------
    ValueError
        If shapes do not broadcast, `out` has another shape, is read-only or shares memory with an
        array that it is not, a part's result has another shape than the part, or with `combine`
        there are no elements.
    TypeError
        If results cannot be cast to the dtype of `out`, or both `out` and `combine` are given.

    Notes
    -----
    .. math:: y = f(x_1) \cup f(x_2) \cup \ldots \quad\text{or}\quad
        y = (f(x_1) \circ f(x_2)) \circ \ldots

    A part is contiguous along the leading axes: some indices of the first axis, or where one of
    them is too large, some of the second for one of the first, and so on.  Parts depend on the
    shapes, the dtypes and `chunk_bytes` alone, so that results are reproducible.  Pages of memory
    maps are given back to the system after each part; what was written to them stays.

    References
    ----------
    T. F. Chan, G. H. Golub, R. J. LeVeque, Algorithms for computing the sample variance, 1983:
    how results of parts combine.

    Examples
    --------
    >>> import numpy as np
    >>> import vekt as vk
    >>> video = np.arange(24, dtype=np.uint8).reshape(2, 4, 3)
    >>> vk.stream(lambda x: vk.multiply(x, np.float32(0.5)), video, chunk_bytes=60)[0, 1]
    array([1.5, 2. , 2.5], dtype=float32)
    >>> vk.stream(lambda x: vk.sum(x, (0, 1)), video, combine=np.add, chunk_bytes=12)
    array([ 84,  92, 100], dtype=uint64)
    """
    operands = [np.asanyarray(unmasked("stream", "array", a)) for a in arrays]
    shape = np.broadcast_shapes(*(a.shape for a in operands))
    if out is not None:
        if combine is not None:
            raise TypeError("stream: out and combine exclude each other")
        _check_out(out, shape)
        for a in operands:
            _check_overlap(out, a)
    total = prod(shape)
    if chunk_bytes < 1:
        raise ValueError(f"chunk_bytes: expected a positive number, got {chunk_bytes}")
    maps = [m for m in map(_map_of, [*operands, out]) if m is not None]
    bytes_each = sum(a.dtype.itemsize for a in operands if a.size > 1) or 1
    if combine is None:
        bytes_each += 4 if out is None else out.dtype.itemsize
    parts = _parts(shape, max(1, chunk_bytes // bytes_each))
    done = 0
    result: Any = None
    for number, part in enumerate(parts):
        value = function(*(a[(*_own_part(part, a.shape), ...)] for a in operands))
        size = prod(s.stop - s.start for s in part)
        if combine is not None:
            result = combine(result, value) if number else value
        else:
            value = np.asanyarray(value)
            wanted = tuple(s.stop - s.start for s in part)
            if value.shape != wanted:
                raise ValueError(
                    f"function: expected a result of shape {wanted} for this part, "
                    f"got {value.shape}"
                )
            if out is None:
                out = native.empty(shape, value.dtype, ())
            np.copyto(out[(*part, ...)], value, casting="same_kind")
        del value
        for mapped in maps:
            mapped.madvise(mmap.MADV_DONTNEED)
        done += size
        if progress is not None:
            progress(done, total)
    if combine is not None:
        if total == 0:
            raise ValueError(f"stream: no elements to combine, the shape is {shape}")
        return result
    return np.empty(shape) if out is None else out


def _check_out(out: Any, shape: tuple[int, ...]) -> None:
    if not isinstance(out, np.ndarray):
        raise TypeError(f"out: expected an ndarray, got {type(out).__name__}")
    if not out.flags.writeable:
        raise ValueError("out: the array is read-only")
    if out.shape != shape:
        raise ValueError(f"out: expected shape {shape}, got {out.shape}")


def _check_overlap(out: Any, operand: Any) -> None:
    """Refuse an `out` in which results would replace elements that are yet to be read."""
    same = (
        out.__array_interface__["data"] == operand.__array_interface__["data"]
        and out.shape == operand.shape
        and out.strides == operand.strides
        and out.itemsize == operand.itemsize
    )
    if same or not np.may_share_memory(out, operand):
        return
    steps: Any = 10_000  # the exact answer may take exponential time
    try:
        shared = np.shares_memory(out, operand, max_work=steps)
    except np.exceptions.TooHardError:
        shared = True
    if shared:
        raise ValueError(
            f"out: shares memory with an operand of shape {operand.shape} and strides "
            f"{operand.strides}, element by others; expected the operand itself or other memory"
        )


def _parts(shape: tuple[int, ...], elements: int) -> Iterator[tuple[slice, ...]]:
    """Yield slices that cover the shape in C order, of at most so many elements where possible."""
    if not prod(shape):
        return
    if not shape:
        yield ()
        return
    inner = prod(shape)
    axis = 0
    while axis < len(shape) - 1 and inner // shape[axis] > elements:
        inner //= shape[axis]
        axis += 1
    inner //= shape[axis]
    count = -(-shape[axis] // max(1, min(shape[axis], elements // inner)))
    length = -(-shape[axis] // count)
    rest = tuple(slice(0, n) for n in shape[axis + 1 :])
    for index in product(*map(range, shape[:axis])):
        for start in range(0, shape[axis], length):
            stop = min(start + length, shape[axis])
            yield (*(slice(i, i + 1) for i in index), slice(start, stop), *rest)


def _own_part(part: tuple[slice, ...], shape: tuple[int, ...]) -> tuple[slice, ...]:
    """Select a part of an operand that broadcasts."""
    own = part[len(part) - len(shape) :]
    return tuple(slice(0, 1) if n == 1 else s for s, n in zip(own, shape, strict=True))


def _map_of(array: Any) -> Any:
    """Return the memory map that holds an array, if its pages can be given back without loss."""
    while isinstance(array, np.ndarray):
        base: Any = array.base
        if isinstance(array, np.memmap) and isinstance(base, mmap.mmap):
            # A private copy of the pages would be lost.
            can = array.mode != "c" and hasattr(mmap, "MADV_DONTNEED")
            return base if can else None
        array = base
    return None
