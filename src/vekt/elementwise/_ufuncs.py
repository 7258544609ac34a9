"""The ufuncs behind elementwise operations: NumPy's, and those that NumPy does not have."""

from __future__ import annotations

from typing import Any

import numpy as np

from vekt._core import native
from vekt._core.clip import CLIP
from vekt._core.names import no_attribute
from vekt._spec.docstrings import docstring
from vekt._spec.elementary import ELEMENTARY
from vekt._spec.spec import Spec

TYPED_AS = {"rsqrt": np.sqrt}
"""NumPy's ufuncs that take the dtypes of functions which it has not."""
_OWN = {op.name: op for op in ELEMENTARY if not op.numpy and op.name not in TYPED_AS}


def ufunc_of(op: Spec) -> Any:
    """Return the ufunc that has an operation's rules of dtypes; None where there is none."""
    if op.name == "clip":
        return CLIP
    if op.numpy:
        return getattr(np, op.numpy)
    if op.name in TYPED_AS:
        return TYPED_AS[op.name]
    return globals().get(op.name) or __getattr__(op.name) if op.name in _OWN else None


def __getattr__(name: str) -> Any:  # by which pickle finds them
    if name not in _OWN:
        raise no_attribute(__name__, name, [*_OWN])
    op = _OWN[name]
    return globals().setdefault(name, native.build_ufunc(op.kernel.name, 0, doc=docstring(op)))
