"""The largest error of every kernel over a sample of all inputs, in units of the last place."""

from __future__ import annotations

import numpy as np

from vekt.reference import ulp_error, wide, wide_from_output, wide_gradient

from .common import CASES, DTYPES, names

SAMPLES = 100_000
# The page's JSON knows no infinity.
HOPELESS = 1e9


def sample(dtype, seed=0):
    """Half of them random bit patterns, tails and subnormals included, half near zero."""
    rng = np.random.default_rng(seed)
    unsigned = np.dtype(f"u{np.dtype(dtype).itemsize}")
    patterns = rng.integers(0, 2 ** (8 * unsigned.itemsize), SAMPLES // 2, dtype=unsigned)
    return np.concatenate(
        [patterns.view(dtype), rng.uniform(-15, 15, SAMPLES - SAMPLES // 2).astype(dtype)]
    )


class Accuracy:
    """Forward, gradient, and gradient from the output, against `vekt.reference`."""

    params = (names("", "_backward", "_backward_from_output"), DTYPES)
    param_names = ("kernel", "dtype")
    unit = "ULP"
    version = "2"
    namespace = "vekt"

    def setup(self, kernel, dtype):
        self.case = CASES[kernel]
        self.call = self.case.function(self.namespace)
        self.x = sample(dtype)

    def track_max_ulp(self, kernel, dtype):
        case, x = self.case, self.x
        name, params = case.kernel.name, case.params
        one = x.dtype.type(1)
        if case.form == "":
            computed, true = self.call(x), wide(name, x, *params)
        elif case.form == "_backward":
            computed, true = self.call(one, x), wide_gradient(name, x, *params)
        else:
            y = CASES[name].function("vekt")(x)
            computed, true = self.call(one, y), wide_from_output(name, y, *params)
        error = ulp_error(computed, true)
        if case.form == "_backward" and dtype == "float64":
            with np.errstate(invalid="ignore"):  # signalling NaN
                distances = [np.abs(x - float(root)) for root in case.kernel.roots]
            for distance in distances:  # near a root the promise is on the absolute error
                error = np.where(distance < case.kernel.root_radius, 0, error)
        return min(float(error.max()), HOPELESS)


class JitAccuracy(Accuracy):
    """The same of `vekt.jit` in float64: its float32 results come from there."""

    params = (names("", "_backward"), ("float64",))
    namespace = "jit"
    version = "1"

    def track_max_ulp(self, kernel, dtype):
        return super().track_max_ulp(kernel, dtype)
