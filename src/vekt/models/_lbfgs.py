"""The search of SciPy's L-BFGS-B for the parameters of a network."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vekt.network import Network

Array = NDArray[Any]


def lbfgs(
    network: Network,
    cost: Callable[[], float],
    alpha: float,
    whole: float,
    limits: dict[str, Any],
    note: Callable[[float], None],
) -> Any:
    """Minimise the mean cost and the penalty over the parameters of a network.

    Parameters
    ----------
    network : Network
        It gets the parameters of the minimum.
    cost : callable
        Returns the mean cost of all samples, and writes its gradients to the network's.
    alpha, whole : float
        Weight of the penalty, and what the samples weigh.
    limits : dict
        Options of L-BFGS-B.
    note : callable
        Called with the loss after each iteration.

    Returns
    -------
    OptimizeResult
        As `scipy.optimize.minimize` does.
    """
    from scipy.optimize import minimize

    params, grads = network.params, network.grads
    ends = np.cumsum([p.size for p in params])[:-1]

    def put(flat: Array) -> None:
        for p, part in zip(params, np.split(flat, ends), strict=True):
            p[...] = part.reshape(p.shape)

    def loss(flat: Array) -> tuple[float, Array]:
        put(flat)
        value = cost() + network._penalise(alpha, whole)
        return value, np.concatenate([g.ravel() for g in grads]).astype(np.float64)

    def after(intermediate_result: Any) -> None:
        note(float(intermediate_result.fun))

    # Below what the sum of the losses has digits for, nothing falls any more.
    smallest = max(1e7 * np.finfo(float).eps, float(np.finfo(network.dtype).eps))
    start = np.concatenate([p.ravel() for p in params]).astype(np.float64)
    options = {**limits, "ftol": smallest}
    found = minimize(loss, start, jac=True, method="L-BFGS-B", callback=after, options=options)
    put(found.x)
    return found
