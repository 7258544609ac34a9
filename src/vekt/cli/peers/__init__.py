"""What `vekt compare` competes with: each peer's statement for an operation, as its users call it.

A statement is timed as it stands, with the names in its task's operands: for elementwise
operations the NumPy arrays `x`, `dy`, `y` (the output), `t` (scratch) and `out`, and the kernel's
parameters by their names.  For torch, `X`, `DY`... are the same memory as tensors and `ALPHA`...
the parameters as Python numbers; `JX`, `JDY`... are JAX arrays.  Peers that can write to `out` do.
A dense layer has the names of its formulas: `x`, `w`, `b`, `z` (before the activation), `out` and
the gradients `dy`, `dz`, `dx`, `dw`, `db`; its backward statement begins with the forward pass.

Statements use as few passes as the peer allows, must hold for every input but for a result that
overflows, and include the forward pass where a peer's backward takes the output, save in
`_backward_from_output`.  Where one is missing, the peer has no such operation.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

from vekt.cli.peers import _fuse, _jax, _numba, _numexpr, _numpy, _scipy, _torch, training
from vekt.cli.peers._names import CONSTANTS, Namespace, UnsupportedError, require_floats
from vekt.cli.peers.trained import EPOCH

__all__ = ["CONSTANTS", "PEERS", "Namespace", "Peer", "UnsupportedError"]


class Peer(NamedTuple):
    """A competitor: its statements, what loads it, and what makes their names from operands."""

    statements: dict[str, str]
    load: Callable[[int], Namespace]  # of the number of threads; ImportError if not installed
    # of the operation and its operands; UnsupportedError if not for their dtype
    bind: Callable[[str, Namespace], Namespace]


def _as_they_are(name: str, operands: Namespace) -> dict[str, Any]:
    return {}


def _floats_as_they_are(name: str, operands: Namespace) -> dict[str, Any]:
    require_floats(operands)
    return {}


def _training_too(name: str, peer: Peer) -> Peer:
    """Let a peer train networks."""

    def bind(task: str, operands: Namespace) -> Namespace:
        if task == EPOCH:
            return training.bind(name, operands)
        return peer.bind(task, operands)

    return Peer({**peer.statements, **training.statement(name)}, peer.load, bind)


_compiler = partial(training.load_compiler, _torch.load)
PEERS: dict[str, Peer] = {
    "numpy": _training_too("numpy", Peer(_numpy.STATEMENTS, _numpy.load, _as_they_are)),
    "scipy": Peer(_scipy.STATEMENTS, _scipy.load, _scipy.bind),
    "numexpr": Peer(_numexpr.STATEMENTS, _numexpr.load, _floats_as_they_are),
    "torch": _training_too("torch", Peer(_torch.STATEMENTS, _torch.load, _torch.bind)),
    "torch_compile": _training_too("torch_compile", Peer({}, _compiler, _as_they_are)),
    "jax": _training_too("jax", Peer(_jax.STATEMENTS, _jax.load, _jax.bind)),
    "sklearn": Peer(training.SKLEARN, training.load_sklearn, training.bind_sklearn),
    "autograd": Peer(_fuse.AUTOGRAD, _fuse.load_autograd, _as_they_are),
    "numba": Peer(_numba.STATEMENTS, _numba.load, _numba.bind),
}
