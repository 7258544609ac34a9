"""Which operations of an expression are compiled together.

An operation that `emit` knows is *plain*; all others, such as transcendental functions and other
libraries' ufuncs, are *barriers*.  A plain operation's level is the number of barriers on the
longest way to it.  Those of one level are a segment: a way out of it that leads through a barrier
leads to a higher level, and never back.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from vekt._fuse.emit import has_type, is_plain
from vekt._fuse.graph import Node

MAX_OPERANDS = 32
MAX_NODES = 96
"""Of a segment: the time it takes to compile one grows with both."""


class Segment:
    """Plain operations in an order in which they can be done, what they need and what they give."""

    __slots__ = ("inputs", "nodes", "outputs")

    def __init__(
        self, nodes: Sequence[Node], inputs: Sequence[Node], outputs: Sequence[Node]
    ) -> None:
        self.nodes, self.inputs, self.outputs = tuple(nodes), tuple(inputs), tuple(outputs)

    def __len__(self) -> int:
        return len(self.nodes)


class Loop:
    """What a program runs for a segment: machine code, which `owner` keeps."""

    __slots__ = ("address", "lanes", "nin", "owner", "segment")

    def __init__(self, segment: Segment, lanes: int, address: int, owner: object) -> None:
        self.segment, self.lanes, self.nin = segment, lanes, len(segment.inputs)
        self.address, self.owner = address, owner


Call = list[Node]
Step = Call | Segment


def segmented(
    calls: Sequence[Call], inputs: Sequence[Node], outputs: Sequence[Node], isa: str
) -> list[Step]:
    """Put plain calls together.

    Parameters
    ----------
    calls : sequence of list of Node
        What is to be done, in order: the results of each call.
    inputs, outputs : sequence of Node
        Of all of them.
    isa : str
        Instruction set.

    Returns
    -------
    list of Segment or list of Node
        The same, in an order of its own.  A single segment has all inputs and outputs.
    """
    plain = {call[0]: len(call) == 1 and is_plain(call[0], isa) for call in calls}
    if all(plain.values()) and all(has_type(x.dtype, isa) for x in (*inputs, *outputs)):
        whole = Segment([call[0] for call in calls], inputs, outputs)
        if 1 < len(whole) <= MAX_NODES:
            return [whole]
    level = _levels(calls, plain)
    users = _users(calls, outputs)
    steps: list[Step] = []
    for depth in range(max(level.values(), default=0) + 1):
        steps += [call for call in calls if not plain[call[0]] and level[call[0]] == depth]
        nodes = [call[0] for call in calls if plain[call[0]] and level[call[0]] == depth]
        for segment in _pieces(nodes, users):
            steps += [segment] if len(segment) > 1 else [[node] for node in segment.nodes]
    return steps


def _levels(calls: Sequence[Call], plain: dict[Node, bool]) -> dict[Node, int]:
    """Barriers as early as can be; what is plain as late, beside those that want it."""
    level: dict[Node, int] = {}
    for call in calls:
        depth = max((level.get(x, 0) for x in call[0].args), default=0)
        level |= dict.fromkeys(call, depth if plain[call[0]] else depth + 1)
    latest: dict[Node, float] = {}
    for call in reversed(calls):
        node = call[0]
        if plain[node] and node in latest:
            level[node] = int(latest[node])
        bound = level[node] if plain[node] else level[node] - 1
        for x in node.args:
            latest[x] = min(latest.get(x, math.inf), bound)
    return level


def _users(calls: Sequence[Call], outputs: Sequence[Node]) -> dict[Node, set[Node | None]]:
    """Who reads a value; None stands for the caller."""
    users: dict[Node, set[Node | None]] = {node: {None} for node in outputs}
    for call in calls:
        for x in call[0].args:
            users.setdefault(x, set()).add(call[0])
    return users


def _pieces(nodes: list[Node], users: dict[Node, set[Node | None]]) -> list[Segment]:
    """Nodes of one level as one segment, or more where it would be too large."""
    if not nodes:
        return []
    inside = set(nodes)
    needed = dict.fromkeys(x for node in nodes for x in node.args if x.op != "constant")
    inputs = [x for x in needed if x not in inside]
    outputs = [node for node in nodes if users[node] - inside]
    if len(nodes) <= MAX_NODES and len(inputs) + len(outputs) <= MAX_OPERANDS:
        return [Segment(nodes, inputs, outputs)]
    half = len(nodes) // 2
    return _pieces(nodes[:half], users) + _pieces(nodes[half:], users)


_SLOW = {"divide": 16, "reciprocal": 16, "sqrt": 20}
"""Operations that take as long as so many additions."""


def cost(segment: Segment) -> int:
    """Rough picoseconds per element: those of reading and writing, and of operations."""

    def of(node: Node) -> int:
        wide = max(x.dtype.itemsize for x in (node, *node.args))
        return 2 * wide * _SLOW.get(node.name, 1)

    moved = sum(x.dtype.itemsize for x in (*segment.inputs, *segment.outputs))
    return 3 * moved + sum(of(node) for node in segment.nodes)
