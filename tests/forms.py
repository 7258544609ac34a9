"""Every public function with a form: the namespaces it is in, operands and parameters for it."""

from __future__ import annotations

import numpy as np
import pytest

import vekt as vk
from vekt import reference
from vekt._core.native import Function
from vekt._spec.activations import OPS
from vekt._spec.gates import GATE_OPS, PRELU
from vekt._spec.losses import LOSSES
from vekt._spec.rows import ROW_OPS

try:
    from vekt import jit
except ImportError:  # there is no Numba for this Python
    jit = None

SPECS = (*OPS.values(), *GATE_OPS.values(), PRELU, *LOSSES.values(), *ROW_OPS.values())
FORMS = {form.name: form for spec in SPECS for form in map(spec.form, spec.kinds)}
NAMESPACES = {"vekt": vk, "jit": jit, "reference": reference}
NAMESPACES = {name: namespace for name, namespace in NAMESPACES.items() if namespace}
CALLS = [(name, space) for name in FORMS for space, m in NAMESPACES.items() if hasattr(m, name)]
ELEMENTWISE = [name for name, form in FORMS.items() if "dtype" in form.options and form.choices]
OWN = [name for name in FORMS if isinstance(getattr(vk, name), Function)]

everywhere = pytest.mark.parametrize(("name", "space"), CALLS)
of_elements = pytest.mark.parametrize("name", ELEMENTWISE)
own = pytest.mark.parametrize("name", OWN)


def function_of(name, space):
    return getattr(NAMESPACES[space], name)


def operands_of(name, dtype="f8", shape=(6,)):
    rng = np.random.default_rng(len(name))
    operands = [rng.uniform(0.1, 0.9, shape).astype(dtype) for _ in FORMS[name].operands]
    if name in ("glu_backward", "logsumexp_backward"):  # of a result that has another shape
        operands[0] = operands[0][: shape[0] // 2] if name.startswith("glu") else operands[0][0]
    return operands


def values_of(param):
    """Values of a parameter: the default, and another one."""
    if param.kind == "axis":
        return param.default, 0
    return param.default, (not param.default if param.kind == "flag" else 0.5)
