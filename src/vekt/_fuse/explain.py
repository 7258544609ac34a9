"""What a fused function does, as a text and as a picture."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np

from vekt._fuse.graph import REDUCTIONS, Node, topological
from vekt._fuse.lower import Instruction, Program
from vekt._fuse.parts import Part
from vekt._fuse.passes import Pass
from vekt._fuse.plan import Plan
from vekt._fuse.segments import Loop


def _label(node: Node) -> str:
    if node.op == "input":
        return f"argument {node.value}"
    if node.op == "constant":
        return f"{node.value}"
    if node.op in REDUCTIONS:
        axis, keepdims = node.value
        return f"{node.op}, axis={axis}" + (", keepdims" if keepdims else "")
    if node.value:
        return f"{node.name}, output {node.value}"
    return node.name


def _dtype(node: Node) -> str:
    return f"{node.weak.__name__}" if node.weak else node.dtype.name


class Picture:
    """A graph: its str is a text, `source` is in graphviz' language.

    Parameters
    ----------
    name : str
        Title.
    plan : Plan
        Whose graph it is.
    """

    def __init__(self, name: str, plan: Plan) -> None:
        self.name = name
        self.outputs = plan.traced.outputs
        inputs = plan.traced.inputs
        order = topological(self.outputs)
        self.nodes = [*(x for x in inputs if x not in order), *order]

    def __str__(self) -> str:
        """One line for each value."""
        number = {node: k for k, node in enumerate(self.nodes)}
        lines = [
            f"%{k} = {_label(node)}"
            + (f"({', '.join(f'%{number[x]}' for x in node.args)})" if node.args else "")
            + f": {_dtype(node)}"
            for node, k in number.items()
        ]
        results = ", ".join(f"%{number[y]}" for y in self.outputs)
        return "\n".join([f"{self.name}:", *(f"  {line}" for line in lines), f"  return {results}"])

    __repr__ = __str__

    @property
    def source(self) -> str:
        """The picture in the language DOT."""
        number = {node: k for k, node in enumerate(self.nodes)}
        lines = [f'digraph "{self.name}" {{', "  rankdir=LR; node [shape=box, style=rounded];"]
        for node, k in number.items():
            shape = ", shape=ellipse" if not node.args else ""
            bold = ", penwidth=2" if node in self.outputs else ""
            lines.append(f'  n{k} [label="{_label(node)}\\n{_dtype(node)}"{shape}{bold}];')
            lines += [f"  n{number[x]} -> n{k};" for x in node.args]
        return "\n".join([*lines, "}"])

    def render(self, filename: str, **options: Any) -> str:
        """Write the picture to a file; the format is told by its ending.  Wants graphviz."""
        path: str = self._graphviz().render(outfile=filename, **options)
        return path

    def _repr_svg_(self) -> str | None:
        try:
            svg: str = self._graphviz().pipe(format="svg", encoding="utf-8")
        except (ImportError, RuntimeError):  # without it, notebooks show the text
            return None
        return svg

    def _graphviz(self) -> Any:
        try:
            return import_module("graphviz").Source(self.source)
        except ImportError:
            raise ImportError(
                "pictures of graphs want the package graphviz and its programs"
            ) from None


def explanation(name: str, plan: Plan) -> str:
    """Instructions, block sizes and bytes of the passes of a plan."""
    passes = len(plan.forward)
    lines = [f"{name}: {passes} pass{'es' * (passes > 1)} over memory on {plan.tier.isa}"]
    for k, step in enumerate(plan.forward):
        lines += _pass_lines(k, step)
    return "\n".join(lines)


def _pass_lines(number: int, step: Pass) -> list[str]:
    read = sum(x.dtype.itemsize for x in step.inputs)
    written = sum(r.dtype.itemsize for r in step.results if r.kind == "stored")
    count = sum(len(part.program.instructions) for part in step.parts)
    blocks = _blocks(step.only) if step.only else f" in {len(step.parts)} parts"
    lines = [
        f"  pass {number}: {count} instruction{'s' * (count > 1)}{blocks}; "
        f"{read} bytes read and {written} written for each",
    ]
    kept: dict[Node, str] = {}
    for k, part in enumerate(step.parts):
        program = part.program
        if not step.only:
            lines.append(f"    part {k}{_blocks(program)}")
        kept |= {node: f"k{len(kept) + i}" for i, node in enumerate(part.kept)}
        names = _names(part, kept)
        lines += _program_lines(program, names)
        lines += [
            f"    {names[len(program.inputs) + i]}: {r.kind}, axis={r.axis}"
            for i, r in enumerate(step.results[k] for k in part.results)
            if r.kind != "stored"
        ]
    if step.left is not None:
        lines.append(f"    {step.operations} operations are compiled after {step.left} elements")
    return lines


def _program_lines(program: Program, names: dict[int, str]) -> list[str]:
    lines = []
    for i in program.instructions:
        sources = ", ".join(names[v] for v in i.values[: i.nin])
        results = ", ".join(names[v] for v in i.values[i.nin :])
        if isinstance(i.what, Loop):
            lanes = i.what.lanes
            lines.append(f"    {results} = compiled({sources})  # {lanes} elements at a time")
            lines += [f"      {line}" for line in _compiled_lines(i, names)]
            continue
        kind = "vekt" if isinstance(i.what, str) else "numpy" if _is_numpys(i.what) else "ufunc"
        dtype = program.dtypes[i.values[-1]].name
        lines.append(f"    {results} = {i.name}({sources})  # {dtype}, {kind}")
    return lines


def _blocks(program: Program) -> str:
    """Say how many elements are in the first-level cache, if they have to be there."""
    only = program.instructions[0].what if len(program.instructions) == 1 else None
    if isinstance(only, Loop) and program.first_register == len(program.dtypes):
        return " on all elements"
    return f" on blocks of {program.block} elements"


def _compiled_lines(instruction: Instruction, names: dict[int, str]) -> list[str]:
    """Write the operations of a segment; t0, t1... stay in registers."""
    segment = instruction.what.segment
    operands = (*segment.inputs, *segment.outputs)
    known: dict[Node, str] = {}
    for node, value in zip(operands, instruction.values, strict=True):
        known.setdefault(node, names[value])
    lines: list[str] = []
    for node in segment.nodes:
        known.setdefault(node, f"t{len(lines)}")
        sources = (
            f"{np.asarray(x.value)[()]!s}" if x.op == "constant" else known[x] for x in node.args
        )
        lines.append(f"{known[node]} = {node.name}({', '.join(sources)})  # {node.dtype.name}")
    return lines


def _is_numpys(ufunc: Any) -> bool:
    return getattr(np, ufunc.__name__, None) is ufunc


def _names(part: Part, kept: dict[Node, str]) -> dict[int, str]:
    """How values are called: arguments, results, constants, those that are kept, registers."""
    program = part.program
    names = {
        k: kept.get(x) or (f"x{x.value}" if x.op == "input" else f"{x.op}{k}")
        for k, x in enumerate(program.inputs)
    }
    outputs = [*(f"y{k}" for k in part.results), *(kept[node] for node in part.kept)]
    names |= dict(enumerate(outputs, len(names)))
    names |= {len(names) + k: f"{c.value}" for k, c in enumerate(program.constants)}
    first = program.first_register
    return names | {v: f"r{v - first}" for v in range(first, len(program.dtypes))}
