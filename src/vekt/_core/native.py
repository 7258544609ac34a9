"""The one place where Python meets the compiled code.

``_kernels`` holds the kernels, the choice among instruction sets and the thread pool; ``_ufuncs``
is their NumPy face and is given addresses from here.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from itertools import count
from reprlib import repr as shortened
from threading import current_thread, main_thread
from typing import Any

import numpy as np
from numpy._core._exceptions import _UFuncNoLoopError

from vekt._core import environment, foreign, memory, ufunc_methods
from vekt._core.axes import plain
from vekt._core.domains import at_least
from vekt._kernels import __file__ as kernels_file
from vekt._kernels import ffi, lib
from vekt._ufuncs import (
    Dispatcher,
    Function,
    activation,
    call_aligned,
    call_halves,
    connect,
    cross_entropy,
    dense,
    dense_backward,
    dot,
    empty,
    keep_results,
    kept_results,
    mark,
    matmul,
    matvec,
    norms,
    numpy_operation,
    optim_step,
    outer,
    pack,
    packed_array,
    prelu,
    prelu_backward,
    program,
    program_activation,
    program_block,
    provide,
    reduce,
    reduce_program,
    retype_dlpack,
    rows,
    run_pass,
    scan,
    scatter_add,
    take,
    top_k,
    transpose_copy,
    vecdot,
    vecmat,
    watch,
    watch_signals,
)
from vekt._ufuncs import build as _build
from vekt._ufuncs import build_products as _build_products
from vekt._ufuncs import build_ufunc as _build_ufunc
from vekt._ufuncs import kernel_operation as _kernel_operation


def _address(pointer: Any) -> int:
    return int(ffi.cast("uintptr_t", pointer))


def _isa_name(target: Any) -> str:
    return str(ffi.string(target.isa).decode())


TARGETS: dict[str, Any] = {
    _isa_name(lib.vekt_target_at(i)): lib.vekt_target_at(i) for i in range(lib.vekt_n_targets())
}
"""Compiled targets by name of their instruction set, best first."""

SUPPORTED: tuple[str, ...] = tuple(
    name for i, name in enumerate(TARGETS) if lib.vekt_target_supported(i)
)
"""Names of the targets that this CPU runs, best first."""

if not SUPPORTED:
    raise ImportError(f"this build of vekt is for {', '.join(TARGETS)}: this CPU runs none of it")


def _select() -> Any:
    cap = environment.value(environment.ISA)
    target = lib.vekt_select_target(os.fsencode(cap))
    if not target:
        raise ValueError(
            f"{environment.ISA}={shortened(cap)} is not an instruction set of this build; "
            f"choose one of {', '.join(TARGETS)}"
        )
    return target


SELECTED: str = _isa_name(_select())
"""Name of the target in use: the best supported one, capped by ``VEKT_ISA``."""

MACHINES: tuple[str, ...] = tuple(
    ffi.string(name).decode()
    for name in iter(map(lib.vekt_machine_name, count()).__next__, ffi.NULL)
)
"""Names of the machines that can be pretended."""


def _choose_machine() -> None:
    name = environment.value(environment.MACHINE)
    if lib.vekt_choose_machine(os.fsencode(name)) < 0:
        raise ValueError(
            f"{environment.MACHINE}={shortened(name)} is not a machine that is known; "
            f"choose one of {', '.join(MACHINES)}"
        )


def machine() -> dict[str, Any]:
    """Return what is known of this machine, or of the one pretended; sizes in bytes."""
    found = lib.vekt_this_machine
    caches = zip(("L1d", "L2", "L3"), found.cache, strict=True)
    return {
        "machine": {
            "name": ffi.string(found.name).decode(),
            "vendor": ffi.string(found.vendor).decode(),
            "pretended": bool(found.pretended),
            "page": found.page,
        },
        "caches": {
            level: {"size": c.size, "ways": c.ways, "line": c.line, "shared_by": c.shared}
            for level, c in caches
            if c.size
        },
        "thresholds": {
            "copy": found.copy_bytes,
            "near": found.near_bytes,
            "passing": found.passing_bytes,
            "from_memory": found.from_memory_bytes,
            "turned": found.turned_bytes,
            "block": found.block_bytes,
            "stream": found.measured.stream_bytes,
        },
    }


_choose_machine()
connect(_address(lib.vekt_drivers()), _address(TARGETS[SELECTED]))
keep_results(memory.bytes_kept())
SIGNALS_SECONDS = 0.05
"""How often a long call looks after signals."""

if current_thread() is main_thread():  # the only one in which Python runs their handlers
    watch_signals(SIGNALS_SECONDS)
provide("AxisError", np.exceptions.AxisError)
provide("NoLoopError", _UFuncNoLoopError)
provide("plain", plain)
provide("several", foreign.several)
provide("lazy_matmul", foreign.matmul)
provide("at_least", at_least)
provide("method", ufunc_methods.method)
provide("directory", ufunc_methods.directory)
provide("attribute", ufunc_methods.attribute)


def kernels(isa: str = SELECTED) -> list[dict[str, Any]]:
    """Return a supported target's table of kernels: name, dtype, nin, nout and cost."""
    _require_supported(isa)
    target = TARGETS[isa]
    table = (target.kernels[i] for i in range(target.n_kernels))
    return [
        {
            "name": ffi.string(kernel.name).decode(),
            "dtype": np.dtype("float32" if kernel.dtype == lib.VEKT_F32 else "float64"),
            "nin": kernel.nin,
            "nout": kernel.nout,
            "cost": kernel.cost,
        }
        for kernel in table
    ]


def build_ufunc(name: str, n_params: int, isa: str = SELECTED, doc: str = "") -> np.ufunc:
    """Return a new ufunc over a supported target's kernels of this name.

    The last `n_params` inputs are parameters.
    """
    _require_supported(isa)
    return _build_ufunc(_address(TARGETS[isa]), name, doc, n_params)


def build(name: str, isa: str) -> Callable[..., Any]:
    """Return the bridge's function of a name such as "dot" over a supported target's kernels."""
    _require_supported(isa)
    return _build(_address(TARGETS[isa]), name)


def build_products(isa: str) -> dict[str, Callable[..., Any]]:
    """Return ``matmul`` and its kin over a supported target's kernels, by name."""
    _require_supported(isa)
    return _build_products(_address(TARGETS[isa]))


def build_dispatcher(
    name: str,
    nin: int,
    nout: int,
    fallback: Callable[..., Any] | None,
    doc: str,
    isa: str = SELECTED,
    *,
    options: bool = False,
) -> Any:
    """Return a new dispatcher in front of the broadcast engine, on a supported target.

    Calls that no operation takes go to `fallback`.  With `options`, its keywords where and dtype
    are those of ufuncs.
    """
    _require_supported(isa)
    return Dispatcher(name, nin, nout, fallback, doc, _address(TARGETS[isa]), options)


def kernel_operation(name: str, dtype: Any, isa: str = SELECTED) -> Any:
    """Return a supported target's kernel for operands of this dtype as the engine runs it."""
    _require_supported(isa)
    return _kernel_operation(_address(TARGETS[isa]), name, np.dtype(dtype))


def build_prelu(isa: str = SELECTED) -> tuple[Callable[..., None], Callable[..., None]]:
    """Return the drivers of prelu and its backward pass over a supported target's kernels."""
    _require_supported(isa)
    target = _address(TARGETS[isa])
    return partial(prelu, target), partial(prelu_backward, target)


def build_activation(name: str | None, params: tuple[float, ...], isa: str = SELECTED) -> Any:
    """Return a supported target's kernels of an activation, None for none, as layers take them."""
    _require_supported(isa)
    return activation(_address(TARGETS[isa]), name, params)


def build_program_activation(programs: tuple[Any, Any, Any, Any], isa: str = SELECTED) -> Any:
    """Return programs as layers take activations: value and gradient, in float32 and float64."""
    _require_supported(isa)
    return program_activation(_address(TARGETS[isa]), *programs)


def pack_weights(w: Any, isa: str = SELECTED) -> Any:
    """Return a matrix of float32 or float64 in the order in which a target's products read it."""
    _require_supported(isa)
    return pack(_address(TARGETS[isa]), w)


def _require_supported(isa: str) -> None:
    if isa not in SUPPORTED:
        raise ValueError(f"{isa!r} does not run here; choose one of {', '.join(SUPPORTED)}")
