"""The NEON kernels give the bits of x86_v3.  They are cross-compiled and run under qemu.

Needs aarch64-linux-gnu-gcc and qemu-aarch64 (Debian: gcc-aarch64-linux-gnu libc6-dev-arm64-cross
qemu-user): `python -m pytest -m neon tests/neon/test_neon.py`.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import pytest
from products import DTYPES, multiply
from products import operands as matrices

from vekt import elementwise, ufuncs
from vekt._core import native

pytestmark = pytest.mark.neon

ROOT = Path(__file__).parents[2]
SAMPLES = 200_000
KERNELS = native.kernels()


@pytest.fixture(scope="module")
def driver(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Compile with the flags of meson.build; return the command that runs a NEON kernel."""
    program = tmp_path_factory.mktemp("neon") / "driver"
    flags = "-std=gnu11 -O3 -fno-trapping-math -fno-math-errno -ffp-contract=off -Wall -Wextra"
    subprocess.run(
        ["aarch64-linux-gnu-gcc", *flags.split(), "-DVEKT_ISA=neon", "-static", "-Icsrc",
         "-o", str(program), "csrc/target/target.c", "csrc/target/gemm.c",
         "csrc/vmath/angle.c", "csrc/runtime/workspace.c",
         "tests/neon/driver.c", "-lm"],
        cwd=ROOT, check=True,
    )  # fmt: skip
    return ["qemu-aarch64", str(program)]


@pytest.fixture(scope="module")
def x86_v3() -> dict[str, np.ufunc]:
    return ufuncs.build_ufuncs("x86_v3")


def operands(count: int, dtype: np.dtype) -> list[np.ndarray]:
    """Bit patterns of every kind, among them special values; parameters and inputs alike."""
    rng = np.random.default_rng(0)
    unsigned = np.dtype(f"u{dtype.itemsize}")
    info = np.finfo(dtype)
    special = [0.0, 1.0, info.tiny, info.smallest_subnormal, info.max, np.inf, np.nan]
    result = []
    for _ in range(count):
        bits = rng.integers(0, 2 ** (8 * dtype.itemsize), SAMPLES // 2, dtype=unsigned)
        near = rng.uniform(-15, 15, SAMPLES - SAMPLES // 2 - 2 * len(special))
        values = [bits.view(dtype), near.astype(dtype), np.array(special, dtype)]
        result.append(rng.permutation(np.concatenate([*values, -values[-1]])))
    return result


def test_the_same_kernels(driver: list[str]) -> None:
    done = subprocess.run(driver, check=True, capture_output=True, text=True)
    listed = [line.split() for line in done.stdout.splitlines()]
    expected = [[r["name"], r["dtype"].name, str(r["nin"]), str(r["nout"])] for r in KERNELS]
    assert sorted(listed) == sorted(expected)


@pytest.mark.parametrize(
    "kernel", KERNELS, ids=lambda kernel: f"{kernel['name']}-{kernel['dtype'].name}"
)
def test_the_same_bits(driver: list[str], x86_v3: dict[str, np.ufunc], kernel: dict) -> None:
    name, dtype = kernel["name"], kernel["dtype"]
    inputs = operands(kernel["nin"], dtype)
    done = subprocess.run(
        [*driver, name, dtype.name, str(SAMPLES)],
        input=b"".join(x.tobytes() for x in inputs),
        check=True,
        capture_output=True,
    )
    neon = np.frombuffer(done.stdout, dtype).reshape(kernel["nout"], SAMPLES)
    expected = np.reshape(x86_v3[name](*inputs), (kernel["nout"], SAMPLES))
    # Which NaN comes out is not promised: x86 and ARM differ in the sign and payload they make.
    nan = np.isnan(expected)
    np.testing.assert_array_equal(np.isnan(neon), nan)
    bits = f"u{dtype.itemsize}"
    np.testing.assert_array_equal(neon.view(bits)[~nan], expected.view(bits)[~nan])


@pytest.mark.parametrize("dtype", [np.dtype("f4"), np.dtype("f8")], ids=str)
@pytest.mark.parametrize("name", ["log", "sin", "cos", "multiply_add"])
def test_the_same_bits_of_elementwise_functions(
    driver: list[str], name: str, dtype: np.dtype
) -> None:
    inputs = operands(3 if name == "multiply_add" else 1, dtype)
    done = subprocess.run(
        [*driver, name, dtype.name, str(SAMPLES)],
        input=b"".join(x.tobytes() for x in inputs),
        check=True,
        capture_output=True,
    )
    neon = np.frombuffer(done.stdout, dtype)
    expected = elementwise.build(name, "x86_v3")(*inputs)
    np.testing.assert_array_equal(neon, expected)  # NaN equals NaN
    np.testing.assert_array_equal(np.signbit(neon[neon == 0]), np.signbit(expected[neon == 0]))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    "shape",
    [(1, 300, 70), (3, 513, 40), (9, 9, 9), (30, 260, 1), (70, 520, 90), (200, 64, 150)],
    ids=lambda shape: "x".join(map(str, shape)),
)
def test_the_same_products(driver: list[str], dtype: type, shape: tuple[int, int, int]) -> None:
    a, b = matrices(np.random.default_rng(1), *shape, dtype)
    done = subprocess.run(
        [*driver, "product", np.dtype(dtype).name, *map(str, shape)],
        input=a.tobytes() + b.tobytes(),
        check=True,
        capture_output=True,
    )
    assert done.stdout == multiply(a, b, isa="x86_v3").tobytes()
