"""The greatest elements, elements at places and sums there, against NumPy's ways."""

from __future__ import annotations

import numpy as np

import vekt as vk

from .common import DTYPES, Timed, normal, refuse_gaps

LIBRARIES = ("vekt", "numpy")
ORDERS = ("random", "rising", "falling", "constant")
TABLES = {
    "1000 of 1000": ((1000,), 0, 1000),
    "100000 of 1000000": ((1_000_000,), 0, 100_000),
    "1024 rows of 20000x768": ((20_000, 768), 0, 1024),
    "100 columns of 1000x1000": ((1000, 1000), 1, 100),
}

refuse_gaps("vekt.choosing", ("top_k", "take", "scatter_add", "one_hot"))


def top_k(x, k):
    """Choose as NumPy users do."""
    places = np.argpartition(x, x.shape[-1] - k, -1)[:, x.shape[-1] - k :]
    values = np.take_along_axis(x, places, -1)
    order = np.argsort(values, -1)[:, ::-1]
    return np.take_along_axis(values, order, -1), np.take_along_axis(places, order, -1)


class TimeTopK(Timed):
    """64 rows of 50,000."""

    params = ((1, 10, 100), ORDERS, DTYPES, LIBRARIES)
    param_names = ("k", "order", "dtype", "library")
    version = "1"

    def setup(self, k, order, dtype, library):
        x = normal(dtype, 64 * 50_000).reshape(64, 50_000)
        rising = np.sort(x, axis=-1)
        orders = {"random": x, "rising": rising, "falling": rising[:, ::-1].copy()}
        self.x = orders.get(order, x * 0)
        self.call = vk.top_k if library == "vekt" else top_k

    def time_top_k(self, k, order, dtype, library):
        self.call(self.x, k)


class TimePlaces(Timed):
    """Elements taken at places, and values added there."""

    params = (("take", "scatter_add"), tuple(TABLES), DTYPES, LIBRARIES)
    param_names = ("function", "table", "dtype", "library")
    version = "1"

    def setup(self, function, table, dtype, library):
        shape, axis, count = TABLES[table]
        x = normal(dtype, int(np.prod(shape))).reshape(shape)
        places = np.random.default_rng(1).integers(0, shape[axis], count)
        values = np.take(x, places, axis)
        calls = {
            ("take", "vekt"): (vk.take, x, places, axis),
            ("take", "numpy"): (np.take, x, places, axis),
            ("scatter_add", "vekt"): (vk.scatter_add, x, places, values, axis),
            ("scatter_add", "numpy"): (np.add.at, x, (slice(None),) * axis + (places,), values),
        }
        self.call, *self.operands = calls[function, library]

    def time_call(self, function, table, dtype, library):
        self.call(*self.operands)


class TimeOneHot(Timed):
    """Classes of ten and of a thousand."""

    params = (((100_000, 10), (1000, 1000)), DTYPES, LIBRARIES)
    param_names = ("shape", "dtype", "library")
    version = "1"

    def setup(self, shape, dtype, library):
        self.places = np.random.default_rng(1).integers(0, shape[1], shape[0])

    def time_call(self, shape, dtype, library):
        if library == "vekt":
            vk.one_hot(self.places, shape[1], dtype=dtype)
        else:
            np.eye(shape[1], dtype=dtype)[self.places]
