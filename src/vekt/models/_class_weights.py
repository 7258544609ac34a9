"""How much classes count."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


def class_weights(given: Any, classes: Array, numbers: Array, weights: Array | None) -> Array:
    """Return the weight of each class, of samples of these classes' numbers.

    "balanced" makes all classes count alike: the mean count over the count, each sample by its
    weight.  A dict may leave classes out, which then count 1, unless it has labels that are none.
    """
    if isinstance(given, str):
        counts = np.bincount(numbers, weights, len(classes)).astype(float)
        there = counts > 0
        result = np.zeros(len(classes))
        result[there] = counts.sum() / (there.sum() * counts[there])
        return result
    labels = classes.tolist()
    missing = [label for label in labels if label not in given]
    strange = [label for label in given if label not in labels]
    if missing and strange:
        raise ValueError(
            f"class_weight: {strange} are none of the classes, and {missing} have no weight"
        )
    try:
        result = np.array([given.get(label, 1.0) for label in labels], float)
    except (TypeError, ValueError):
        result = np.array([np.nan])
    return checked(result, given)


def checked(weights: Array, given: Any) -> Array:
    """Return weights if they are some."""
    if not (np.isfinite(weights) & (weights >= 0)).all():
        raise ValueError(f"class_weight: expected finite numbers, none negative, got {given}")
    return weights
