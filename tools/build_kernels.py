"""Declares vekt's C interface to cffi, from the very headers the C sources include.

Run by ``cffi-gen-src exec-python`` at build time, which reads ``ffibuilder``.
"""

from pathlib import Path

from cffi import FFI

CSRC = Path(__file__).resolve().parents[1] / "csrc"
HEADERS = (
    "vekt.h",
    "linalg/matmul.h",
    "linalg/dense.h",
    "runtime/interrupt.h",
    "runtime/machine.h",
    "engine/iterate.h",
    "reduce/reduce_operation.h",
    "drivers.h",
    "jit/jit_entry.h",
)


def declarations(header: str) -> str:
    """Return the text of a header without its preprocessor lines."""
    lines = (CSRC / header).read_text(encoding="utf-8").splitlines()
    return "\n".join(line for line in lines if not line.startswith("#"))


ffibuilder = FFI()
for name in HEADERS:
    ffibuilder.cdef(declarations(name))
ffibuilder.set_source(
    "vekt._kernels",
    # What cffi writes converts as Python's numbers do, and is not ours to mend.
    '#pragma GCC diagnostic ignored "-Wconversion"\n'
    '#pragma GCC diagnostic ignored "-Wsign-conversion"\n'
    + "".join(f'#include "{name}"\n' for name in HEADERS),
)
