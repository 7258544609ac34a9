"""Backward propagation against central differences."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

if TYPE_CHECKING:
    from vekt.network import Network


def check_gradients(
    network: Network,
    X: ArrayLike,
    Y: ArrayLike,
    *,
    eps: float = 1e-6,
) -> float:
    """Compare backward propagation with central differences.

    Parameters
    ----------
    network : Network
        Of float64; its parameters are as before afterwards.
    X, Y : array_like
        A few samples, as `Network.fit` takes them.
    eps : float, default 1e-6
        Step of the differences.

    Returns
    -------
    error : float
        ``|g - d| / (|g| + |d|)``, g the gradients, d the differences, in the Euclidean norm: some
        1e-8 where all is well, unless a unit sits at a kink.

    Raises
    ------
    TypeError
        If the network is not float64.

    Examples
    --------
    >>> import numpy as np
    >>> from vekt.network import Network, check_gradients
    >>> X = np.random.default_rng(0).normal(size=(3, 5))
    >>> check_gradients(Network([3, 4, 2], "tanh", output="softmax"), X, [0, 1, 1, 0, 1]) < 1e-7
    True
    """
    if network.dtype != np.float64:
        raise TypeError(f"check_gradients: expected a network of float64, not {network.dtype}")
    _, grads = network.gradients(X, Y)
    differences = []
    for p in network.params:
        d = np.empty_like(p)
        for i in np.ndindex(p.shape):
            kept, costs = p[i], []
            for step in (eps, -eps):
                p[i] = kept + step
                costs.append(network.gradients(X, Y)[0])
            p[i] = kept
            d[i] = (costs[0] - costs[1]) / (2 * eps)
        differences.append(d)
    g, d = (np.concatenate([a.ravel() for a in arrays]) for arrays in (grads, differences))
    scale = np.linalg.norm(g) + np.linalg.norm(d)
    return float(np.linalg.norm(g - d) / scale) if scale else 0.0
