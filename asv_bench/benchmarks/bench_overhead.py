"""What a call costs when there is next to nothing to compute: 8 elements."""

from __future__ import annotations

import numpy as np

import vekt
from vekt._spec.activations import OPS
from vekt._spec.gates import GATE_OPS
from vekt._spec.losses import LOSSES

from .common import CASES, DTYPES, Timed, names, normal

CALLS = 1_000


class TimeCalls(Timed):
    """A thousand calls; np.exp is the yardstick."""

    params = (("np.exp", *names("", "_backward", "_value_and_grad")),)
    param_names = ("function",)
    version = "2"

    def setup(self, function):
        if function == "np.exp":
            self.call, self.operands = np.exp, (normal("float32", 8),)
        else:
            self.call = CASES[function].function("vekt")
            self.operands = CASES[function].operands("float32", 8)

    def time_thousand(self, function):
        call, operands = self.call, self.operands
        for _ in range(CALLS):
            call(*operands)


# A number for each parameter that broadcasts, the other value for each flag; gates and losses at
# their defaults.
NUMBER = 0.5
PARAMETERS = {
    f"{op.name}({p.name})": (op.form(""), {p.name: not p.default if p.kind == "flag" else NUMBER})
    for op in OPS.values()
    for p in op.params
} | {
    form.name: (form, {})
    for spec in (GATE_OPS["geglu"], LOSSES["huber"])
    for form in map(spec.form, spec.kinds)
}


class TimeParameterCalls(Timed):
    """A thousand calls with a parameter by name; np.exp is the yardstick."""

    params = (("np.exp", *PARAMETERS),)
    param_names = ("call",)
    version = "1"

    def setup(self, call):
        if call == "np.exp":
            self.call, self.operands, self.named = np.exp, (normal("float32", 8),), {}
        else:
            form, self.named = PARAMETERS[call]
            self.call = getattr(vekt, form.name)
            self.operands = [normal("float32", 8, seed) for seed in range(len(form.operands))]

    def time_thousand(self, call):
        call, operands, named = self.call, self.operands, self.named
        for _ in range(CALLS):
            call(*operands, **named)


class TimeDotCalls(Timed):
    """A thousand calls of dot; np.dot is the yardstick."""

    params = (("np.dot", "dot"), DTYPES)
    param_names = ("function", "dtype")
    tags = ("smoke",)
    version = "1"

    def setup(self, function, dtype):
        self.call = np.dot if function == "np.dot" else vekt.dot
        self.a, self.b = normal(dtype, 8), normal(dtype, 8, 1)

    def time_thousand(self, function, dtype):
        call, a, b = self.call, self.a, self.b
        for _ in range(CALLS):
            call(a, b)
