"""What the bridge has beside public functions: objects that are built, methods, wrong arguments."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
from fuzz.targets import programs

import vekt as vk
from vekt import _ufuncs, dlpack
from vekt._core import native

Case = tuple[str, Callable[..., Any], tuple[Any, ...], dict[str, Any]]

_TARGET = native._address(native.TARGETS[native.SELECTED])
_X = np.linspace(0.1, 0.9, 6)
_F4, _F8 = np.dtype("f4"), np.dtype("f8")
_PROGRAM = programs.program_of(_F8)
_CAPSULE = native.program(*_PROGRAM)
_PACKED = native.pack_weights(np.ones((3, 4)))


def _each(name: str, function: Any, *calls: Any) -> Callable[[], list[Case]]:
    """Return calls with these positional arguments."""
    return lambda: [(f"{name} {k}", function, tuple(c), {}) for k, c in enumerate(calls)]


def _dispatcher(*added: Any, **options: Any) -> Any:
    made = native.build_dispatcher("made", 2, 0, lambda *_: None, "A function.")
    made.add(*added, **options)
    made.attribute = made  # a circle
    return made(_X, _X)


def _dispatchers() -> list[Case]:
    two = (_F8, _F8)
    capsule = native.kernel_operation("geglu", _F8)
    adds: list[tuple[Any, ...]] = [
        (two, capsule, (_F8,)),
        ((_F8,), capsule, (_F8,)),
        ((_F8, "a"), capsule, (_F8,)),
        (two, capsule, ("a",)),
        (two, capsule, (np.dtype("O"),)),
        (two, None, (_F8,)),
        (two, capsule, (_F8,), np.dtype("O")),
        (two, capsule, (_F8,), None, np.dtype("O")),
        (two, capsule, (_F8,), None, None, (0, print)),
        (two, capsule, (_F8,), None, None, (5,)),
    ]
    runner = native.build_dispatcher("runner", 2, 0, None, "")
    runs: list[Any] = [
        (_CAPSULE, (_X, _X), (_X.copy(),)),
        (_CAPSULE, (_X,), (_X.copy(),)),
        (_CAPSULE, (_X, "a"), (_X.copy(),)),
        (_CAPSULE, (_X, np.ones(5)), (_X.copy(),)),
        (None, (_X, _X), (_X.copy(),)),
    ]
    return [
        *((f"Dispatcher.add {k}", _dispatcher, a, {}) for k, a in enumerate(adds)),
        *((f"Dispatcher.run {k}", runner.run, r, {}) for k, r in enumerate(runs)),
        ("Dispatcher", _ufuncs.Dispatcher, ("a", 99, 1, None, ""), {}),
        ("Dispatcher 1", _ufuncs.Dispatcher, ("a", 2, 1, None, "", 5), {}),
    ]


def _programs() -> list[Case]:
    inputs = [programs.seed(line) for line in programs.CORPUS.read_text().splitlines()]
    calls = [(f"program {k}", programs.one_input, (x,), {}) for k, x in enumerate(inputs)]
    return [("program", native.program, _PROGRAM, {}), *calls]


def _methods() -> list[Case]:
    made: list[Case] = []
    for function in (vk.add, vk.gelu, vk.silu, vk.elu, vk.tanh):
        what = function.__name__
        for method in ("reduce", "accumulate", "outer", "at", "reduceat", "no_such"):
            for args in ((_X,), (_X, _X), (None,), ("a", "b")):
                made.append((f"{what}.{method}", _method, (function, method, *args), {}))
        for attribute in ("types", "ntypes", "nargs", "identity", "signature", "__doc__"):
            made.append((f"{what}.{attribute}", getattr, (function, attribute), {}))
        made.append((f"{what} pickled", _pickled, (function,), {}))
        made.append((f"{what} copied", copy.deepcopy, (function,), {}))
    return made


def _method(function: Any, name: str, *args: Any) -> Any:
    return getattr(function, name)(*args)


def _pickled(value: Any) -> Any:
    return pickle.loads(pickle.dumps(value))


def _made_from_dlpack(x: Any) -> Any:
    return dlpack.gelu(x)


def _packed(w: Any) -> Any:
    packed = vk.PackedWeights(w)
    return packed.dtype, packed.nbytes, np.asarray(packed), _pickled(packed)


@vk.fuse
def _squared(x: Any) -> Any:
    return x * x / (1 + x)


def _fused_once(x: Any) -> Any:
    return vk.fuse(lambda v: vk.gelu(v) * 2 - v)(x)


# Called once; they change what all others do.
AT_IMPORT = {"connect", "provide", "watch_signals", "keep_results"}


def garbage() -> list[Case]:
    """Arguments that no caller gives: refused, whatever they are."""
    capsule = native.kernel_operation("gelu", _F8)
    pools = (None, "gelu", -1, _TARGET, _X, (), [], (_F8, _F8), _F4, capsule, _PACKED, b"a", 1.5)
    made: list[Case] = []
    for name in dir(_ufuncs):
        function = getattr(_ufuncs, name)
        if name in AT_IMPORT or name.startswith("__") or isinstance(function, type):
            continue
        for length in range(12):
            for k in range(3):
                args = tuple(
                    pools[(k * 5 + i * (k + 1) + length) % len(pools)] for i in range(length)
                )
                made.append((f"{name} {args!r:.200}", function, args, {}))
    return made


BRIDGE: dict[str, Callable[[], list[Case]]] = {
    "bridge Dispatcher": _dispatchers,
    "bridge program": _programs,
    "bridge methods": _methods,
    "bridge garbage": garbage,
    "bridge build": _each("build", native.build, ("dot", native.SELECTED), ("no such", "x86")),
    "bridge build_products": _each("build_products", native.build_products, (native.SELECTED,)),
    "bridge operations": lambda: [
        ("kernel_operation", native.kernel_operation, ("gelu", _F8), {}),
        ("kernel_operation 1", native.kernel_operation, ("no such", _F8), {}),
        ("kernel_operation 2", native.kernel_operation, ("gelu", "O"), {}),
        ("numpy_operation", native.numpy_operation, (np.add, (_F8,) * 3, 100), {}),
        ("numpy_operation 1", native.numpy_operation, (np.add, (_F8,), 100), {}),
        ("numpy_operation 2", native.numpy_operation, (np.add, (np.dtype("O"),) * 3, 100), {}),
        ("numpy_operation 3", native.numpy_operation, (5, (_F8,) * 3, 100), {}),
        ("activation", native.build_activation, ("elu", (0.5,)), {}),
        ("activation 1", native.build_activation, ("no such", ()), {}),
        ("activation 2", native.build_activation, ("elu", ("a",)), {}),
    ],
    "bridge packed": _each("packed", _packed, (np.ones((3, 4)),), (np.ones(3),), ("a",)),
    "bridge dlpack": _each("dlpack", _made_from_dlpack, (_X,), (None,), ("a",)),
    "bridge fused activation": lambda: [
        ("dense", vk.dense, (np.ones((2, 3)), np.ones((3, 4)), None, _squared), {}),
        ("dense 1", vk.dense, (np.ones((2, 3)), np.ones((4, 4)), None, _squared), {}),
        ("fuse", _fused_once, (_X,), {}),
    ],
}
"""Calls beside those of `memory.calls`, by what is called."""
