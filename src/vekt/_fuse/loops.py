"""A segment in LLVM's language: one loop of the kernels' signature, `vekt_loop` in csrc/vekt.h.

Vectors of a few registers are written out; the last elements go through the same instructions on
padded copies, so that the bits of an element do not depend on its place.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from vekt._fuse.emit import MACHINES, Emitter, llvm_type, value_of
from vekt._fuse.graph import Node

if TYPE_CHECKING:
    from vekt._fuse.segments import Segment

_MOST_STEPS = 4
"""Vectors of the widest dtype that are computed together, where registers allow."""


def _most_alive(segment: Segment) -> int:
    """How many values are in registers at a time, at most."""
    last = {x: k for k, node in enumerate(segment.nodes) for x in node.args}
    alive: set[Node] = set()
    most = 1
    for k, node in enumerate(segment.nodes):
        alive |= {x for x in node.args if x.op != "constant"} | {node}
        most = max(most, len(alive))
        alive -= {x for x in alive if last.get(x, k) <= k}
    return most


def lanes(segment: Segment, isa: str) -> int:
    """How many elements are computed at a time."""
    machine = MACHINES[isa]
    wide = max(x.dtype.itemsize for x in (*segment.inputs, *segment.nodes))
    steps = _MOST_STEPS
    while steps > 1 and steps * _most_alive(segment) > machine.registers:
        steps //= 2
    return steps * machine.vector_bytes // wide


def _body(e: Emitter, segment: Segment) -> list[str]:
    """Write what is done to the elements from number %i on."""
    values: dict[Node, str] = {}

    def value(node: Node) -> str:
        if node.op == "constant":
            return e.constant(node.value, node.dtype)
        return values[node]

    for k, x in enumerate(segment.inputs):
        kind = "i8" if x.dtype.kind == "b" else llvm_type(x.dtype)
        index = e.new(f"and i64 %i, %mask{k}")
        at = e.new(f"getelementptr {kind}, ptr %from{k}, i64 {index}")
        loaded = e.new(f"load {e.type(kind)}, ptr {at}, align 1")
        if x.dtype.kind == "b":
            loaded = e.new(f"icmp ne {e.type('i8')} {loaded}, zeroinitializer")
        values[x] = loaded
    for node in segment.nodes:
        values[node] = value_of(e, node, [value(x) for x in node.args])
    for k, node in enumerate(segment.outputs, len(segment.inputs)):
        kind, result = llvm_type(node.dtype), value(node)
        if node.dtype.kind == "b":
            kind, result = "i8", e.new(f"zext {e.type('i1')} {result} to {e.type('i8')}")
        at = e.new(f"getelementptr {kind}, ptr %to{k}, i64 %i")
        e.lines.append(f"  store {e.type(kind)} {result}, ptr {at}, align 1")
    return e.lines


def loop(segment: Segment, isa: str) -> str:
    """Return a module of one function: @loop(args, advance, n).

    Parameters
    ----------
    segment : Segment
        What is computed.
    isa : str
        Instruction set.
    """
    machine, n_inputs = MACHINES[isa], len(segment.inputs)
    width = lanes(segment, isa)
    e = Emitter(width)
    body = _body(e, segment)
    operands = [*segment.inputs, *segment.outputs]
    kinds = ["i8" if x.dtype.kind == "b" else llvm_type(x.dtype) for x in operands]
    sizes = [x.dtype.itemsize for x in operands]
    zeros = f"<{width} x i32> zeroinitializer"
    start, outer, rest, finish = [], [], [], []
    for k, (kind, size) in enumerate(zip(kinds, sizes, strict=True)):
        vector = e.type(kind)
        start += [
            f"  %room{k} = alloca {vector}, align 64",
            f"  %args{k} = getelementptr ptr, ptr %args, i64 {k}",
            f"  %arg{k} = load ptr, ptr %args{k}",
        ]
        end = [
            f"  %bytes{k} = mul i64 %left, {size}",
            f"  %end{k} = getelementptr {kind}, ptr %arg{k}, i64 %main",
        ]
        if k >= n_inputs:
            outer += [f"  %to{k} = phi ptr [%arg{k}, %start], [%room{k}, %rest]"]
            finish += [*end, _copy(f"%end{k}", f"%room{k}", f"%bytes{k}")]
            continue
        start += [  # one number for all is repeated; of an array, the padding is its first element
            f"  %steps{k} = getelementptr i64, ptr %advance, i64 {k}",
            f"  %step{k} = load i64, ptr %steps{k}",
            f"  %one{k} = icmp eq i64 %step{k}, 0",
            f"  %mask{k} = select i1 %one{k}, i64 0, i64 -1",
            f"  %first{k} = load {kind}, ptr %arg{k}, align 1",
            f"  %lane{k} = insertelement {vector} poison, {kind} %first{k}, i64 0",
            f"  %all{k} = shufflevector {vector} %lane{k}, {vector} poison, {zeros}",
            f"  store {vector} %all{k}, ptr %room{k}, align 64",
            f"  %begin{k} = select i1 %one{k}, ptr %room{k}, ptr %arg{k}",
        ]
        outer += [f"  %from{k} = phi ptr [%begin{k}, %start], [%room{k}, %rest]"]
        rest += [
            *end,
            f"  %copied{k} = and i64 %bytes{k}, %mask{k}",
            _copy(f"%room{k}", f"%end{k}", f"%copied{k}"),
        ]
    lines = [
        "define void @loop(ptr %args, ptr %advance, i64 %n) #0 {",
        "  %empty = icmp sle i64 %n, 0",
        "  br i1 %empty, label %exit, label %start",
        "start:",
        *start,
        f"  %main = and i64 %n, {-width}",
        "  %left = sub i64 %n, %main",
        "  %few = icmp eq i64 %main, 0",
        "  br i1 %few, label %rest, label %outer",
        "outer:",
        *outer,
        f"  %count = phi i64 [%main, %start], [{width}, %rest]",
        "  %padded = phi i1 [false, %start], [true, %rest]",
        "  br label %inner",
        "inner:",
        "  %i = phi i64 [0, %outer], [%next, %inner]",
        *body,
        f"  %next = add i64 %i, {width}",
        "  %more = icmp slt i64 %next, %count",
        "  br i1 %more, label %inner, label %done",
        "done:",
        "  br i1 %padded, label %finish, label %check",
        "check:",
        "  %whole = icmp eq i64 %left, 0",
        "  br i1 %whole, label %exit, label %rest",
        "rest:",
        *rest,
        "  br label %outer",
        "finish:",
        *finish,
        "  br label %exit",
        "exit:",
        "  ret void",
        "}",
        "declare void @llvm.memcpy.p0.p0.i64(ptr, ptr, i64, i1)",
        *sorted(e.declarations),
        f'attributes #0 = {{ nounwind "prefer-vector-width"="{8 * machine.vector_bytes}" '
        f'"min-legal-vector-width"="{8 * machine.vector_bytes}" }}',
    ]
    return "\n".join(lines) + "\n"


def _copy(to: str, source: str, size: str) -> str:
    return (
        f"  call void @llvm.memcpy.p0.p0.i64(ptr align 1 {to}, ptr align 1 {source}, "
        f"i64 {size}, i1 false)"
    )
