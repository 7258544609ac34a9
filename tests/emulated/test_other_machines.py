"""Kernels of other machines, cross-compiled and run under qemu, give the bits of this one's.

Debian: qemu-user; gcc-aarch64-linux-gnu libc6-dev-arm64-cross; gcc-s390x-linux-gnu
libc6-dev-s390x-cross: `python -m pytest -m emulated tests/emulated`.
"""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from operands import FUNCTIONS, PAIRS
from products import DTYPES, multiply
from products import operands as matrices

from vekt import elementwise, ufuncs
from vekt._core import native

pytestmark = pytest.mark.emulated

ROOT = Path(__file__).parents[2]
ROWS = native.kernels()


@dataclass(frozen=True)
class Machine:
    """What a machine runs, and which instruction set of this one has the same bits."""

    isa: str
    same_as: str
    byte_order: str
    samples: int
    flags: str


MACHINES = {
    "aarch64": Machine("neon", "x86_v3", "<", 200_000, "-O3"),
    # Its numbers begin with the high byte; its compiler knows a fast fma.
    "s390x": Machine("generic", "x86_v3", ">", 20_000, "-O1"),
}


@dataclass(frozen=True)
class Driver:
    """A program for an emulated machine, which runs a kernel on numbers from its input."""

    machine: Machine
    command: list[str]

    def __call__(self, *arguments: str, operands: list[np.ndarray] | None = None) -> bytes:
        order = self.machine.byte_order
        data = b"".join(x.astype(x.dtype.newbyteorder(order)).tobytes() for x in operands or [])
        done = subprocess.run(
            [*self.command, *arguments], input=data, check=True, capture_output=True
        )
        return done.stdout

    def numbers(self, dtype: np.dtype, *arguments: str, operands: list[np.ndarray]) -> np.ndarray:
        """Return what a kernel makes of operands, in the order of bytes of this machine."""
        written = np.frombuffer(
            self(*arguments, operands=operands), dtype.newbyteorder(self.machine.byte_order)
        )
        return written.astype(dtype)


@pytest.fixture(scope="module", params=MACHINES)
def driver(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Driver:
    """Compile with the flags of meson.build."""
    name, machine = request.param, MACHINES[request.param]
    gcc, qemu = f"{name}-linux-gnu-gcc", f"qemu-{name}"
    if not (shutil.which(gcc) and shutil.which(qemu)):
        pytest.skip(f"no {gcc} or no {qemu}")
    program = tmp_path_factory.mktemp(name) / "driver"
    flags = "-std=gnu11 -fno-trapping-math -fno-math-errno -ffp-contract=off -Wall -Wextra"
    subprocess.run(
        [gcc, *flags.split(), machine.flags, f"-DVEKT_ISA={machine.isa}", "-static", "-Icsrc",
         "-o", str(program), "csrc/target/target.c", "csrc/target/gemm.c",
         "csrc/vmath/angle.c", "csrc/runtime/machine.c", "csrc/runtime/workspace.c",
         "tests/emulated/driver.c", "-lm"],
        cwd=ROOT, check=True,
    )  # fmt: skip
    return Driver(machine, [qemu, str(program)])


@pytest.fixture(scope="module")
def kernels(driver: Driver) -> dict[str, np.ufunc]:
    """Return the kernels of this machine that have the bits of the emulated one."""
    return ufuncs.build_ufuncs(driver.machine.same_as)


def operands(count: int, dtype: np.dtype, samples: int) -> list[np.ndarray]:
    """Bit patterns of every kind, among them special values; parameters and inputs alike."""
    rng = np.random.default_rng(0)
    unsigned = np.dtype(f"u{dtype.itemsize}")
    info = np.finfo(dtype)
    special = [0.0, 1.0, info.tiny, info.smallest_subnormal, info.max, np.inf, np.nan]
    result = []
    for _ in range(count):
        bits = rng.integers(0, 2 ** (8 * dtype.itemsize), samples // 2, dtype=unsigned)
        near = rng.uniform(-15, 15, samples - samples // 2 - 2 * len(special))
        values = [bits.view(dtype), near.astype(dtype), np.array(special, dtype)]
        result.append(rng.permutation(np.concatenate([*values, -values[-1]])))
    return result


def test_the_same_kernels(driver: Driver) -> None:
    listed = [line.split() for line in driver().decode().splitlines()]
    expected = [[r["name"], r["dtype"].name, str(r["nin"]), str(r["nout"])] for r in ROWS]
    assert sorted(listed) == sorted(expected)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row['name']}-{row['dtype'].name}")
def test_the_same_bits(driver: Driver, kernels: dict[str, np.ufunc], row: dict) -> None:
    name, dtype, samples = row["name"], row["dtype"], driver.machine.samples
    inputs = operands(row["nin"], dtype, samples)
    result = driver.numbers(dtype, name, dtype.name, str(samples), operands=inputs)
    result = result.reshape(row["nout"], samples)
    expected = np.reshape(kernels[name](*inputs), (row["nout"], samples))
    # Which NaN comes out is not promised: machines differ in the sign and payload they make.
    nan = np.isnan(expected)
    np.testing.assert_array_equal(np.isnan(result), nan)
    bits = f"u{dtype.itemsize}"
    np.testing.assert_array_equal(result.view(bits)[~nan], expected.view(bits)[~nan])


@pytest.mark.parametrize("dtype", [np.dtype("f4"), np.dtype("f8")], ids=str)
@pytest.mark.parametrize("name", [*(set(FUNCTIONS) - {"exp"}), *PAIRS, "multiply_add"])
def test_the_same_bits_of_elementwise_functions(driver: Driver, name: str, dtype: np.dtype) -> None:
    samples = driver.machine.samples
    count = 3 if name == "multiply_add" else 2 if name in PAIRS else 1
    inputs = operands(count, dtype, samples)
    result = driver.numbers(dtype, name, dtype.name, str(samples), operands=inputs)
    expected = elementwise.build(name, driver.machine.same_as)(*inputs)
    np.testing.assert_array_equal(result, expected)  # NaN equals NaN
    zero = result == 0
    np.testing.assert_array_equal(np.signbit(result[zero]), np.signbit(expected[zero]))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    "shape",
    [(1, 300, 70), (3, 513, 40), (9, 9, 9), (30, 260, 1), (70, 520, 90), (200, 64, 150)],
    ids=lambda shape: "x".join(map(str, shape)),
)
def test_the_same_products(driver: Driver, dtype: type, shape: tuple[int, int, int]) -> None:
    a, b = matrices(np.random.default_rng(1), *shape, dtype)
    arguments = ["product", np.dtype(dtype).name, *map(str, shape)]
    result = driver.numbers(np.dtype(dtype), *arguments, operands=[a, b])
    assert result.tobytes() == multiply(a, b, isa=driver.machine.same_as).tobytes()
