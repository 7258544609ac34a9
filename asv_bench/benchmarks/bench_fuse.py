"""Fused functions: NumExpr's classic expressions, gradients, a picture, and how soon they begin."""

from __future__ import annotations

import numpy as np

import vekt as vk

from .common import DTYPES, Timed, normal

SIZES = (8, 10_000, 1_000_000)

EXPRESSIONS = {
    "2*a + 3*b": lambda a, b: 2 * a + 3 * b,
    "2*a*b - 4*a": lambda a, b: 2 * a * b - 4 * a,
    "cubic": lambda a, b: 0.25 * a**3 + 0.75 * a**2 - 1.5 * b - 2,
    "sin**2 + cos**2": lambda a, b: np.sin(a) ** 2 + np.cos(b) ** 2,
    "a**b": lambda a, b: a**b,
    "where(a > b, a, exp(b))": lambda a, b: np.where(a > b, a, np.exp(b)),
    "sqrt(a**2 + b**2)": lambda a, b: np.sqrt(a**2 + b**2),
}


class TimeExpressions(Timed):
    """An expression fused, in both tiers, and by NumPy step by step."""

    params = (tuple(EXPRESSIONS), DTYPES, SIZES, ("compiled", "kernels", "numpy"))
    param_names = ("expression", "dtype", "size", "library")
    version = "2"

    def setup(self, expression, dtype, size, library):
        function = EXPRESSIONS[expression]
        fused = library != "numpy"
        self.function = vk.fuse(function, compile=library == "compiled") if fused else function
        self.a, self.b = (np.abs(normal(dtype, size, seed)) + 0.5 for seed in (0, 1))
        self.function(self.a, self.b)

    def time_call(self, expression, dtype, size, library):
        self.function(self.a, self.b)


class TimeNumbers(Timed):
    """Calls on eight elements with arithmetic among Python's numbers, and a sum."""

    params = (("int", "float", "sum"),)
    param_names = ("number",)
    version = "1"

    def setup(self, number):
        self.call = vk.fuse(
            lambda x, a, b: np.sum(x * (a * b + 1)) if number == "sum" else x * (a * b + 1)
        )
        self.operands = (np.arange(8.0), *((2, 3) if number == "int" else (2.5, 3.5)))
        self.call(*self.operands)

    def time_call(self, number):
        self.call(*self.operands)


class TimeGradients(Timed):
    """Value and gradients of mish(x*w + b)*m, broadcast along rows and columns."""

    params = (DTYPES,)
    param_names = ("dtype",)
    version = "2"

    def setup(self, dtype):
        self.function = vk.fuse(lambda x, w, b, m: vk.mish(x * w + b) * m, compile=True)
        x = normal(dtype, 4096 * 1024, 0).reshape(4096, 1024)
        w, b = normal(dtype, 1024, 1), normal(dtype, 1024, 2)
        self.operands = x, w, b, normal(dtype, 4096, 3).reshape(4096, 1)
        self.function.value_and_grad(*self.operands)

    def time_value_and_grad(self, dtype):
        self.function.value_and_grad(*self.operands)


class TimePicture(Timed):
    """Bytes of eight pictures to normalised float32."""

    tags = ("smoke",)
    version = "2"

    def setup(self):
        self.function = vk.fuse(
            lambda image, mean, deviation: (image / 255 - mean) / deviation, compile=True
        )
        image = np.random.default_rng(0).integers(0, 256, (8, 750, 750, 3), dtype=np.uint8)
        self.operands = image, np.float32([0.5, 0.4, 0.3]), np.float32([0.2, 0.3, 0.2])
        self.out = np.empty(image.shape, np.float32)
        self.function(*self.operands, dtype=np.float32, out=self.out)

    def time_normalise(self):
        self.function(*self.operands, dtype=np.float32, out=self.out)


class TimeFirst(Timed):
    """From the definition to the first result."""

    version = "1"

    def setup(self):
        self.x = np.ones(8)

    def time_fuse_and_call(self):
        vk.fuse(lambda a, b: 2 * a + 3 * b)(self.x, self.x)

    def time_fuse_and_compile(self):
        """With the machine code on disk."""
        vk.fuse(lambda a, b: 2 * a + 3 * b, compile=True)(self.x, self.x)

    def time_evaluate(self):
        vk.evaluate("2*a + 3*b", {"a": self.x, "b": self.x})
