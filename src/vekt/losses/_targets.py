"""What softmax_cross_entropy is asked for, checked and brought to the form of its kernel."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index
from numpy.typing import NDArray

from vekt._core.axes import plain
from vekt._core.operands import result_dtype

Array = NDArray[Any]

REDUCTIONS = ("mean", "sum", "none")


class Targets:
    """Logits with their classes along the last axis, and what is wanted of them.

    `labels` are classes as int64, -1 for the rows that do not count, or None; else `t` holds the
    target of each class.  `weights` are those of the rows, and `total` what a mean is divided by.
    """

    def __init__(
        self,
        function: str,
        logits: Any,
        labels: Any,
        axis: Any,
        label_smoothing: Any,
        ignore_index: Any,
        weight: Any,
    ) -> None:
        self.function = function
        x = np.asarray(plain(function, "logits", logits))
        self.axis, self.shape = normalize_axis_index(axis, x.ndim), x.shape
        self.dtype = result_dtype(None, x)
        self.logits = np.moveaxis(x.astype(self.dtype, copy=False), self.axis, -1)
        *rows, self.n = self.logits.shape
        self.rows = tuple(rows)
        if self.n == 0:
            raise ValueError(f"{function}: logits of shape {x.shape} have no classes")
        self.smoothing = self._smoothing(label_smoothing)
        self.class_weights = None if weight is None else self._class_weights(weight)
        self.t: Array | None = None
        given = np.asarray(plain(function, "labels", labels))
        if given.ndim == x.ndim:
            self._probabilities(given, ignore_index)
        else:
            self._classes(given, ignore_index)

    def _smoothing(self, label_smoothing: Any) -> float:
        smoothing = float(label_smoothing)
        if not 0 <= smoothing <= 1:
            raise ValueError(
                f"{self.function}: label_smoothing must be in [0, 1], got {label_smoothing!r}"
            )
        return smoothing

    def _class_weights(self, weight: Any) -> Array:
        weights = np.asarray(plain(self.function, "weight", weight), np.float64)
        if weights.shape != (self.n,):
            raise ValueError(
                f"{self.function}: expected weight of shape {(self.n,)}, got {weights.shape}"
            )
        return weights

    def _classes(self, given: Array, ignore_index: Any) -> None:
        if given.shape != self.rows:
            raise ValueError(
                f"{self.function}: expected labels of shape {self.rows}, or {self.shape} for "
                f"probabilities, got {given.shape}"
            )
        if given.dtype.kind not in "iu":
            raise TypeError(f"{self.function}: labels must be integers, not {given.dtype}")
        if given.dtype.kind == "u" and given.size and given.max() >= self.n:
            self._refuse(given, ignore_index)
        labels = np.asarray(given, np.int64, order="C")
        if ignore_index is not None:
            out = labels < 0
            ignored = labels == ignore_index
            if (out & ~ignored).any():
                self._refuse(given, ignore_index)
            labels = np.asarray(np.where(ignored, -1, labels))
        self.labels: Array | None = labels
        self.may_ignore = ignore_index is not None
        if self.class_weights is None and not self.may_ignore:
            self.weights = np.broadcast_to(1.0, self.rows)
            self.total = float(labels.size)
            return
        if labels.size and not -self.may_ignore <= labels.min() <= labels.max() < self.n:
            self._refuse(given, ignore_index)
        ones = np.ones(self.n) if self.class_weights is None else self.class_weights
        self.weights = np.asarray(np.append(ones, 0.0)[labels])  # -1 is the last
        self.total = float(self.weights.sum())
        if self.class_weights is not None and self.smoothing:
            self._dense(labels)

    def _refuse(self, labels: Array, ignore_index: Any) -> None:
        wrong = (labels < 0) | (labels >= self.n)
        if ignore_index is not None:
            wrong &= labels != ignore_index
        if wrong.any():
            first = tuple(int(i[0]) for i in np.nonzero(wrong))
            raise ValueError(
                f"{self.function}: label {labels[first]} at {first} is not a class: expected "
                f"0 to {self.n - 1}"
            )

    def _dense(self, labels: Array) -> None:
        """Targets whose shared part is not the same for all classes."""
        t = np.zeros((*self.rows, self.n))
        np.put_along_axis(t, np.maximum(labels, 0)[..., None], 1 - self.smoothing, -1)
        t = (t + self.smoothing / self.n) * self.class_weights
        self.t = (t * (labels >= 0)[..., None]).astype(self.dtype)
        self.weights = np.broadcast_to(1.0, self.rows)
        self.labels = None

    def _probabilities(self, given: Array, ignore_index: Any) -> None:
        if given.shape != self.shape:
            raise ValueError(
                f"{self.function}: expected labels of shape {self.rows}, or {self.shape} for "
                f"probabilities, got {given.shape}"
            )
        if ignore_index is not None:
            raise ValueError(f"{self.function}: ignore_index is for labels, not probabilities")
        result_dtype(None, given)
        t = np.moveaxis(given, self.axis, -1)
        if self.smoothing:
            t = t * (1 - self.smoothing) + self.smoothing / self.n
        if self.class_weights is not None:
            t = t * self.class_weights
        self.t = t.astype(self.dtype, copy=False)
        self.labels, self.may_ignore = None, False
        self.weights = np.broadcast_to(1.0, self.rows)
        self.total = float(np.prod(self.rows))

    def run(
        self, kernel: Callable[..., Any], loss: Array, dlogits: Array | None, reduction: str
    ) -> None:
        """Write the loss of each row, before its weight, and the gradient."""
        check_reduction(self.function, reduction)
        if reduction == "mean" and not self.total:
            raise ValueError(f"{self.function}: there is no row, or none that counts, to average")
        x = self.logits
        native = x.dtype.newbyteorder("=")
        targets = self.labels
        share = self.smoothing / self.n
        if targets is None:
            assert self.t is not None
            targets, share = self.t.astype(native, copy=False), 0.0
        if dlogits is not None and np.may_share_memory(dlogits, targets):
            targets = targets.copy()
        x, loss_of = x.astype(native, copy=False), loss
        result = dlogits
        if dlogits is not None and (dlogits.dtype != native or _overlaps(dlogits, x)):
            result = np.empty_like(x)
        factors = self.weights
        if reduction == "mean" and not any(factors.strides):
            factors = np.broadcast_to(1 / self.total, self.rows)
        elif reduction == "mean":
            factors = factors / self.total
        kernel(
            x,
            targets,
            factors,
            1 - self.smoothing,
            share,
            loss_of,
            result,
            self.may_ignore,
        )
        if dlogits is not None and result is not dlogits:
            dlogits[...] = result


def check_reduction(function: str, reduction: Any) -> None:
    """Raise ValueError for what is not one of `REDUCTIONS`."""
    if reduction not in REDUCTIONS:
        raise ValueError(f"{function}: reduction must be one of {REDUCTIONS}, got {reduction!r}")


def _overlaps(out: Array, x: Array) -> bool:
    """Tell whether they share memory other than element for element."""
    same = out.__array_interface__["data"] == x.__array_interface__["data"]
    return not (same and out.strides == x.strides) and np.may_share_memory(out, x)


def reduced(targets: Targets, loss: Array, reduction: str) -> Any:
    """Return the loss of all rows in the dtype of the logits."""
    with np.errstate(all="ignore"):  # infinite losses, of weight 0 or of both signs
        wide = loss.astype(np.float64, copy=False) * targets.weights
        if reduction == "none":
            return wide.astype(targets.dtype)[()]
        total = wide.sum()
        return targets.dtype.type(total / targets.total if reduction == "mean" else total)
