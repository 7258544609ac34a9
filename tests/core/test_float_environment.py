"""A call leaves the floating-point environment as it found it, and does not depend on it."""

from __future__ import annotations

import ctypes
import platform
import sys
from collections.abc import Iterator

import numpy as np
import pytest
from numpy.testing import assert_array_equal

import vekt as vk

libm = ctypes.CDLL(None)
FE_INVALID, FE_OVERFLOW_X86, FE_OVERFLOW_ARM = 0x01, 0x08, 0x04
FE_OVERFLOW = FE_OVERFLOW_ARM if platform.machine() in ("aarch64", "arm64") else FE_OVERFLOW_X86

# Where a C library keeps the control word of the vector unit in its fenv_t, and the bits that make
# results and operands below the normal range zero.
FLUSH_TO_ZERO = {
    ("linux", "x86_64"): (28, 0x8040),
    ("linux", "aarch64"): (0, 1 << 24),
    ("darwin", "x86_64"): (4, 0x8040),
    ("darwin", "arm64"): (8, 1 << 24),
}
ALL_FLAGS = 0x9F if FE_OVERFLOW == FE_OVERFLOW_ARM else 0x3F


def environment() -> bytes:
    """Return the C library's fenv_t: control words and flags."""
    state = ctypes.create_string_buffer(64)
    libm.fegetenv(state)
    # On x86 bytes 12 to 27 tell where the last x87 instruction stood, which is no state.
    x86 = platform.machine() in ("x86_64", "AMD64")
    return state.raw[:12] + bytes(16) + state.raw[28:] if x86 else state.raw


def set_environment(state: bytes) -> None:
    libm.fesetenv(ctypes.create_string_buffer(state, len(state)))


def flushing_to_zero(state: bytes) -> bytes:
    offset, bits = FLUSH_TO_ZERO[sys.platform, platform.machine()]
    word = int.from_bytes(state[offset : offset + 4], "little") | bits
    return state[:offset] + word.to_bytes(4, "little") + state[offset + 4 :]


@pytest.fixture
def own_environment() -> Iterator[bytes]:
    """Start without a raised flag; the process gets its own environment back."""
    former = environment()
    libm.feclearexcept(ALL_FLAGS)
    yield environment()
    set_environment(former)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("flag", [0, FE_INVALID, FE_OVERFLOW])
def test_flags_stay(kernels, own_environment, dtype, flag):
    values = [np.nan, np.inf, -np.inf, 6e4, -6e4, 1e-7, -100, 0.5] * 4
    x = np.array(values).astype(dtype)
    large = np.full(10, 1e30, "float32")  # their dot product overflows
    libm.feclearexcept(ALL_FLAGS)
    if flag:
        libm.feraiseexcept(flag)
    before = environment()
    for ufunc in kernels.values():
        ufunc(*[x] * ufunc.nin)
        ufunc(*[x[::2]] * ufunc.nin)
    assert vk.dot(large, large) == np.inf
    assert environment() == before


def test_flush_to_zero_mode(kernels, own_environment):
    """Where another library has switched subnormals off, ours come out right none the less."""
    x = np.array([1e-40, -1e-42, 1e-45, 3.0], "float32")
    half = np.full(4, 0.5, "float32")
    operands = {name: [x] * ufunc.nin for name, ufunc in kernels.items()}
    expected = {name: kernels[name](*operands[name]) for name in kernels}
    before = flushing_to_zero(own_environment)
    set_environment(before)
    flushed = np.multiply(x, half)
    results = {name: kernels[name](*operands[name]) for name in kernels}
    after = environment()
    set_environment(own_environment)
    assert flushed.tolist() == [0, 0, 0, 1.5]  # the mode was on
    for name in kernels:
        assert_array_equal(results[name], expected[name])
    offset = FLUSH_TO_ZERO[sys.platform, platform.machine()][0]
    flags = 0x3F if platform.machine() == "x86_64" else 0  # np.multiply may have raised some
    assert after[offset] | flags == before[offset] | flags
    assert after[offset + 1 : offset + 4] == before[offset + 1 : offset + 4]
