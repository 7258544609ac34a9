"""What multi-layer perceptrons have learnt, by scikit-learn's names."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import validate_data

from vekt._core.axes import is_dask
from vekt._core.foreign import on_dask
from vekt.network import Network

Array = NDArray[Any]


class Learnt(BaseEstimator):  # type: ignore[misc]
    """Outputs and parameters of the network."""

    network_: Network

    def _forward(self, X: Any) -> Array:
        if not hasattr(self, "network_"):
            raise NotFittedError(
                f"this {type(self).__name__} is not fitted yet; call fit before using it"
            )
        if is_dask(X):
            outputs: Array = on_dask("model_outputs")(self, X)
            return outputs
        x = validate_data(self, X, dtype=(np.float64, np.float32), reset=False, order="C")
        return self.network_._predict(x.astype(self.network_.dtype, copy=False))

    @property
    def coefs_(self) -> list[Array]:
        """Weights of the layers, (inputs, units)."""
        return [w.T for w in self.network_.W]

    @property
    def intercepts_(self) -> list[Array]:
        """Biases of the layers."""
        return [b[:, 0] for b in self.network_.b]

    @property
    def n_layers_(self) -> int:
        """Layers, the inputs counted."""
        return len(self.network_.units)

    @property
    def n_outputs_(self) -> int:
        """Units of the last layer."""
        return int(self.network_.units[-1])

    @property
    def out_activation_(self) -> str:
        """Activation of the last layer, by scikit-learn's name."""
        names = {"sigmoid": "logistic", "linear": "identity", "poisson": "exp"}
        return names.get(self.network_.output, self.network_.output)
