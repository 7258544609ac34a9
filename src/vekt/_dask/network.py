"""Data-parallel training on Dask arrays: samples stay in their chunks, gradients travel.

Imported when the first Dask array comes.  Each step of a network is a graph of its own: for each
chunk a task that gives the gradients over the chunk's samples of the batch, and a tree that adds
them up.  The optimiser runs here, once, and the next graph takes the new weights along.  Whatever
is lost with a worker, Dask makes anew from these graphs.
"""

from __future__ import annotations

import pickle
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from vekt import optim
from vekt._fuse.fused import again
from vekt._spec.layer_activation import fused_behind
from vekt.network._samples import check_samples, check_targets, samples_in_rows, targets_in_rows

if TYPE_CHECKING:
    from vekt.network import Network

dask: Any = import_module("dask")  # it has few types
da: Any = import_module("dask.array")
cloudpickle: Any = import_module("cloudpickle")  # Dask's own

Array = NDArray[Any]
Part = tuple[float, list[Array]]

_ADDED_AT_A_TIME = 8
# Dask warns of graphs that carry more than 10 MB; the weights are meant to be carried.
_QUIET = {"distributed.admin.large-graph-warning-threshold": "1 TB"}


class Twins:
    """Networks like one, each with buffers of its own, as many as there are threads that ask.

    Where the object goes, to another process too, the network goes along, without its buffers.
    """

    def __init__(self, frozen: bytes) -> None:
        self._frozen = frozen
        self._free: deque[Network] = deque()

    @classmethod
    def of(cls, network: Network) -> Twins:
        """Return twins of a network as it is now."""
        file = BytesIO()
        _Pickler(file).dump(network)
        return cls(file.getvalue())

    def __reduce__(self) -> Any:
        return Twins, (self._frozen,)

    @contextmanager
    def one(self) -> Iterator[Network]:
        """Lend a network that no other thread has."""
        try:
            network = self._free.pop()
        except IndexError:
            network = pickle.loads(self._frozen)
        yield network
        self._free.append(network)


class _Pickler(cloudpickle.CloudPickler):  # type: ignore[misc]
    """Functions made by `vekt.fuse` travel as they were written: their names mean nothing there."""

    def reducer_override(self, obj: Any) -> Any:
        fused = fused_behind(obj)
        if fused is None:
            return super().reducer_override(obj)
        return again, (fused.function, fused.compile, fused.nin)


class NetworkSamples:
    """Samples and targets of a network in the chunks of Dask arrays.

    Parameters
    ----------
    function : str
        Who asks, for errors.
    network : Network
        What they are for.
    X, Y : array_like
        As `Network.fit` takes them, one of them a Dask array.  Y is cut as X is.

    Raises
    ------
    ValueError
        As `Network.fit`, and if sizes of chunks are unknown.
    """

    def __init__(self, function: str, network: Network, X: Any, Y: Any) -> None:
        X, Y = (known_sizes(function, name, da.asanyarray(a)) for name, a in (("X", X), ("Y", Y)))
        check_samples(function, network, X.shape)
        check_targets(function, network, X.shape, Y.shape, Y.dtype)
        columns = tuple(n for n in X.chunks[1] if n)
        X = X.rechunk({0: -1, 1: columns})
        Y = Y.rechunk({Y.ndim - 1: columns} | ({0: -1} if Y.ndim > 1 else {}))
        self.m = int(X.shape[1])
        self._network = network
        self._ends = np.cumsum(columns)
        self._twins = dask.delayed(Twins.of(network), traverse=False)
        prepare = dask.delayed(_prepared, pure=False, traverse=False)
        starts = self._ends - columns
        blocks = zip(X.to_delayed()[0], Y.to_delayed().ravel(), starts, strict=True)
        self._chunks = [prepare(function, self._twins, x, y, int(s)) for x, y, s in blocks]

    def __len__(self) -> int:
        return self.m

    def check(self, persist: bool) -> None:
        """Check all chunks, which stay where they are computed if `persist` says so."""
        if persist:
            self._twins, *self._chunks = dask.persist(self._twins, *self._chunks)
        count = dask.delayed(_count, pure=False)
        dask.compute([count(chunk) for chunk in self._chunks])  # raises what there is to raise

    def epoch(
        self, optimizer: optim.Optimizer, size: int, shuffle: bool, l2: float
    ) -> tuple[float, float]:
        """One pass over the samples, in the batches of `Network._epoch`; return what it does."""
        network = self._network
        params, grads = network.params, network.grads
        order = None if size == self.m else network._order(self.m, shuffle)
        total, penalty = 0.0, 0.0
        for start in range(0, self.m, size):
            batch = None if order is None else order[start : start + size]
            m = self.m if batch is None else len(batch)
            cost, sums = self.gradients(batch)
            for g, found in zip(grads, sums, strict=True):
                g[...] = found
            penalty += m * network._penalise(l2, m)
            optimizer.step(params, grads)
            total += m * cost
        return total / self.m, penalty / self.m

    def gradients(self, batch: Array | None = None) -> Part:
        """Return the mean cost and its gradients, over all samples or those of these numbers."""
        params = [p.copy() for p in self._network.params]
        weights = dask.delayed(params, pure=False, traverse=False)
        share = 1 / (self.m if batch is None else len(batch))
        over_chunk = dask.delayed(_gradients, pure=False, traverse=False)
        add = dask.delayed(_added, pure=False)
        parts = [
            over_chunk(self._twins, weights, self._chunks[k], rows, share)
            for k, rows in self._rows(batch)
        ]
        while len(parts) > 1:
            groups = range(0, len(parts), _ADDED_AT_A_TIME)
            parts = [add(parts[i : i + _ADDED_AT_A_TIME]) for i in groups]
        with dask.config.set(_QUIET):
            (result,) = dask.compute(parts[0])
        part: Part = result
        return part

    def _rows(self, batch: Array | None) -> Iterator[tuple[int, Array | None]]:
        """Yield the chunks that have samples of a batch, and which rows of theirs."""
        if batch is None:
            yield from ((k, None) for k in range(len(self._chunks)))
            return
        chunk = np.searchsorted(self._ends, batch, "right")
        for k in np.unique(chunk):
            yield int(k), batch[chunk == k] - (self._ends[k - 1] if k else 0)


def known_sizes(function: str, name: str, array: Any) -> Any:
    """Return a Dask array if it knows its shape."""
    if np.isnan(array.shape).any():
        raise ValueError(
            f"{function}: chunks of {name} have unknown sizes; "
            f"call {name}.compute_chunk_sizes() first"
        )
    return array


def _prepared(function: str, twins: Twins, X: Any, Y: Any, start: int) -> tuple[Array, Array]:
    """Check a chunk, and bring it into the form that the kernels read: samples in rows."""
    with twins.one() as network:
        try:
            x = samples_in_rows(function, network, X)
            return x, targets_in_rows(function, network, X, Y)
        except ValueError as error:
            last = start + np.shape(X)[1] - 1
            raise ValueError(f"{error} (counted in samples {start} to {last})") from None


def _count(chunk: tuple[Array, Array]) -> int:
    return len(chunk[0])


def _gradients(
    twins: Twins,
    params: list[Array],
    chunk: tuple[Array, Array],
    rows: Array | None,
    share: float,
) -> Part:
    """Return what a chunk adds to the mean cost and to its gradients."""
    x, y = (np.require(array, requirements="A") for array in chunk)  # as they come by wire
    with twins.one() as network:
        for mine, new in zip(network.params, params, strict=True):
            mine[...] = new
        buffers = network._room(len(x) if rows is None else len(rows), y)
        if rows is not None:
            np.take(x, rows, 0, out=buffers.x, mode="clip")
            np.take(y, rows, 0, out=buffers.y, mode="clip")
            x, y = buffers.x, buffers.y
        cost = network._step(x, y, buffers, share)
        return cost, [g.copy() for g in network.grads]


def _added(parts: list[Part]) -> Part:
    costs, grads = zip(*parts, strict=True)
    return sum(costs), [_sum(arrays) for arrays in zip(*grads, strict=True)]


def _sum(arrays: tuple[Array, ...]) -> Array:
    total = arrays[0].copy()  # what Dask has is not ours to change
    for array in arrays[1:]:
        total += array
    return total


def network_outputs(network: Network, X: Any) -> Any:
    """Return the outputs for the samples in the columns of a Dask array, lazily."""
    check_samples("predict", network, X.shape)
    units = (network.units[-1],)
    return X.rechunk({0: -1}).map_blocks(
        _predicted,
        twins=Twins.of(network),
        dtype=network.dtype,
        chunks=(units, X.chunks[1]),
        meta=np.empty((0, 0), network.dtype),
    )


def _predicted(X: Array, twins: Twins) -> Array:
    with twins.one() as network:
        return network.predict(X) if X.shape[1] else np.empty((network.units[-1], 0), network.dtype)
