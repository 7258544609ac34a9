"""Logistic regression: Newton's method in blocks of rows, and L-BFGS for many classes."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from vekt import layers, linalg, losses
from vekt._core.native import cross_entropy

Array = NDArray[Any]

_losses: Any = losses

# Rows taken at a time: they stay in the cache between the products that read them.
_BLOCK = 2048
# With this many samples, every 16th of them tells where to begin, and every
# 8th block suffices for the second derivatives: the gradient says where the minimum is.
_MANY, _EVERY_SAMPLE, _EVERY_BLOCK = 64 * _BLOCK, 16, 8


def newton(
    x: Array,
    t: Array,
    weights: Array,
    w: Array,
    decay: Array,
    intercept: bool,
    max_iter: int,
    tol: float,
) -> tuple[Array, int, float]:
    """Minimise sum(weights * loss(x w)) + sum(decay * w**2) / 2 over w.

    `x` has samples in rows; the last weight is the intercept, which may be held.  Returns the
    weights, the steps taken, and the largest element of the gradient.
    """
    every = 1
    if len(x) >= _MANY and len(x) >= 1000 * x.shape[1]:
        every = _EVERY_BLOCK
        x_part, t_part, part = (np.ascontiguousarray(a[::_EVERY_SAMPLE]) for a in (x, t, weights))
        if part.sum() > 0:
            part *= weights.sum() / part.sum()
            w, _, _ = newton(x_part, t_part, part, w, decay, intercept, max_iter, tol)

    def at(w: Array) -> tuple[float, Array, Array]:
        return _pass(x, t, weights, w, decay, intercept, every)

    value, slope, curvature = at(w)
    for step in range(max_iter):
        largest = float(np.abs(slope).max())
        if largest <= tol:
            return w, step, largest
        direction = _solve(curvature, slope)
        decrease, length = float(slope @ direction), 1.0
        while True:
            candidate = w - length * direction
            new = at(candidate)
            if new[0] <= value - 1e-4 * length * decrease or length < 1e-8:
                break
            length /= 2
        if new[0] >= value and length < 1e-8:
            return w, step, largest
        if length < 1:
            every = 1
        w, (value, slope, curvature) = candidate, new
    return w, max_iter, float(np.abs(slope).max())


def _solve(curvature: Array, slope: Array) -> Array:
    """Newton's direction; where the matrix is all but singular, with a little on its diagonal."""
    ridge = 1e-12 * float(np.trace(curvature)) / len(slope)
    try:
        result: Array = np.linalg.solve(curvature + ridge * np.eye(len(slope)), slope)
    except np.linalg.LinAlgError:
        return slope
    return result if slope @ result > 0 else slope


def _pass(
    x: Array, t: Array, weights: Array, w: Array, decay: Array, intercept: bool, every: int = 1
) -> tuple[float, Array, Array]:
    """Value, gradient and second derivatives, in one pass over the samples.

    The last are those of every so many blocks, times their number.
    """
    m, n = x.shape
    value, slope, curvature = 0.0, np.zeros(n + 1), np.zeros((n + 1, n + 1))
    room = np.empty((min(m, _BLOCK), n), x.dtype)
    slopes = w[:n].astype(x.dtype)
    for start in range(0, m, _BLOCK):
        rows = x[start : start + _BLOCK]
        target, weight = t[start : start + _BLOCK], weights[start : start + _BLOCK]
        z = linalg.matvec(rows, slopes)
        z += x.dtype.type(w[n])
        loss, d = _losses.sigmoid_cross_entropy_value_and_grad(z, target)
        value += float(np.dot(loss, weight))
        p = d + target
        d *= weight
        slope[:n] += linalg.matvec(rows.T, d)
        slope[n] += d.sum()
        if start // _BLOCK % every:
            continue
        p = p * (1 - p) * weight
        part = room[: len(rows)]
        np.multiply(rows, p[:, None], out=part)
        curvature[:n, :n] += linalg.matmul(rows.T, part)
        border = linalg.matvec(rows.T, p)
        curvature[:n, n] += border
        curvature[n, :n] += border
        curvature[n, n] += p.sum()
    curvature *= every
    value += 0.5 * float(np.dot(decay, w * w))
    slope += decay * w
    curvature[np.diag_indices(n + 1)] += decay
    if not intercept:
        slope[n], curvature[n], curvature[:, n], curvature[n, n] = 0, 0, 0, 1
    return value, slope, curvature


def many_classes(
    x: Array,
    labels: Array,
    weights: Array,
    start: Array,
    decay: Array,
    intercept: bool,
    max_iter: int,
    tol: float,
) -> tuple[Array, int, float]:
    """Minimise the cross entropy of softmax over weights (classes, features + 1) by L-BFGS."""
    from scipy.optimize import minimize

    m, n = x.shape
    classes = len(start)
    z, dz = (np.empty((m, classes), x.dtype) for _ in range(2))
    loss = np.empty(m, x.dtype)

    def cost(flat: Array) -> tuple[float, Array]:
        w = flat.reshape(classes, n + 1)
        narrow = w.astype(x.dtype)
        layers.dense(x, narrow[:, :n].T, narrow[:, n], None, out=z)
        cross_entropy(z, labels, weights, 1.0, 0.0, loss, dz, False)
        slope = np.empty_like(w)
        slope[:, :n] = linalg.matmul(dz.T, x)
        slope[:, n] = dz.sum(0, dtype=np.float64) if intercept else 0
        value = float(np.dot(loss, weights)) + 0.5 * float((decay * w * w).sum())
        return value, (slope + decay * w).ravel()

    found = minimize(
        cost,
        start.ravel(),
        jac=True,
        method="L-BFGS-B",
        options={"maxiter": max_iter, "gtol": tol, "maxls": 50, "ftol": 64 * np.finfo(float).eps},
    )
    return found.x.reshape(start.shape), int(found.nit), float(np.abs(found.jac).max())
