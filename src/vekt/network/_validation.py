"""Samples that a network does not learn from: its costs and scores by them, and when to stop."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf, isnan, nan
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from vekt.network._samples import samples_in_rows, targets_in_rows

if TYPE_CHECKING:
    from vekt.network import Network

Array = NDArray[Any]


class Validation:
    """What a network makes of samples held out, after each epoch.

    Parameters
    ----------
    network : Network
        Which learns.
    data : pair of array_like or None
        Samples and targets, as `Network.fit` takes them; None if there are none.
    patience : int or None
        Epochs without a lower cost after which learning ends, and the weights are the best ones.
    """

    def __init__(self, network: Network, data: Any, patience: int | None) -> None:
        self._network, self._patience = network, patience
        self._samples: tuple[Array, Array] | None = None
        self._lowest, self._waited = inf, 0
        self._best: Sequence[Array] | None = None
        if data is None:
            if patience is not None:
                raise ValueError("fit: patience needs validation_data")
            return
        if not isinstance(data, tuple | list) or len(data) != 2:
            raise ValueError("fit: expected validation_data to be a pair: samples, targets")
        function = "fit: validation_data"
        self._samples = (
            samples_in_rows(function, network, data[0]),
            targets_in_rows(function, network, *data),
        )

    def __call__(self) -> tuple[float, float]:
        """Return cost and score as they are now; NaN where there is nothing to tell them by."""
        if self._samples is None:
            return nan, nan
        cost, score = self._network._evaluate(*self._samples)
        if self._patience is not None:
            self._waited += 1
            if cost < self._lowest or (self._best is None and not isnan(cost)):
                self._lowest, self._waited = cost, 0
                self._best = [p.copy() for p in self._network.params]
        return cost, score

    @property
    def ended(self) -> bool:
        """Whether there is no more patience."""
        return self._patience is not None and self._waited >= self._patience

    def end(self) -> None:
        """Give the network its best weights back."""
        if self._best is not None:
            for p, kept in zip(self._network.params, self._best, strict=True):
                p[...] = kept
