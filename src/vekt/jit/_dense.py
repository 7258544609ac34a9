"""Dense layers: what Python calls."""

from __future__ import annotations

from vekt._spec.layers import DENSE
from vekt.jit._linalg import forwarded

dense = forwarded(DENSE)
dense_backward = forwarded(DENSE, "_backward")
