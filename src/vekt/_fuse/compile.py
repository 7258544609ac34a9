"""Segments as machine code, made by LLVM and kept on disk."""

from __future__ import annotations

import hashlib
import os
from threading import RLock
from typing import Any
from weakref import WeakValueDictionary

from vekt._fuse import cache
from vekt._fuse.emit import MACHINES
from vekt._fuse.loops import lanes, loop
from vekt._fuse.segments import Loop, Segment

_LEAST_LLVM = (20,)
_EXTRA = "pip install 'vekt[fuse]'"
_lock = RLock()
_loaded: WeakValueDictionary[str, _Code] = WeakValueDictionary()

if hasattr(os, "register_at_fork"):  # a child never finds it held by a thread that it does not have
    os.register_at_fork(
        before=_lock.acquire, after_in_parent=_lock.release, after_in_child=_lock.release
    )


class _Code:
    """Machine code, as long as it is wanted."""

    def __init__(self, engine: Any) -> None:
        self.engine = engine
        self.address = int(engine.get_function_address("loop"))


def compiled(segment: Segment, isa: str) -> Loop:
    """Compile a segment for an instruction set, or find it compiled.

    Raises
    ------
    ImportError
        If there is no llvmlite, or one that is too old.
    """
    with _lock:
        llvm = _llvm()
        text = loop(segment, isa)
        key = _key(llvm, text, isa)
        code = _loaded.get(key)
        if code is None:
            code = _loaded[key] = _load(llvm, text, isa, key)
        return Loop(segment, lanes(segment, isa), code.address, code)


def _llvm() -> Any:
    try:
        import llvmlite.binding as llvm
    except (ImportError, OSError) as error:
        raise ImportError(f"compiled expressions want llvmlite: {_EXTRA}") from error
    if llvm.llvm_version_info < _LEAST_LLVM:
        version = ".".join(map(str, llvm.llvm_version_info))
        raise ImportError(
            f"compiled expressions want a llvmlite of LLVM 20, not {version}: {_EXTRA}"
        )
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    return llvm


def _key(llvm: Any, text: str, isa: str) -> str:
    parts = (text, MACHINES[isa].cpu, llvm.get_process_triple(), llvm.llvm_version_info)
    return hashlib.sha256(repr(parts).encode()).hexdigest()


def _machine(llvm: Any, isa: str) -> Any:
    return llvm.Target.from_triple(llvm.get_process_triple()).create_target_machine(
        cpu=MACHINES[isa].cpu, opt=2, jit=True
    )


def _load(llvm: Any, text: str, isa: str, key: str) -> _Code:
    machine = _machine(llvm, isa)
    data = cache.load(key)
    if data is None:
        data = _object(llvm, machine, text)
        cache.store(key, data)
    engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), machine)
    engine.add_object_file(llvm.ObjectFileRef.from_data(data))
    engine.finalize_object()
    return _Code(engine)


def _object(llvm: Any, machine: Any, text: str) -> bytes:
    """Compile without passes over the module: what could be saved has been in the graph."""
    module = llvm.parse_assembly(text)
    module.triple, module.data_layout = machine.triple, str(machine.target_data)
    module.verify()
    data: bytes = machine.emit_object(module)
    return data
