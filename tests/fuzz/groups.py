"""All groups: which public names each covers, and how it draws a call."""

from __future__ import annotations

from typing import Any

from . import (
    activations,
    choosing,
    contractions,
    elementwise,
    expressions,
    fused,
    gates,
    gradients,
    layers,
    linalg,
    losses,
    optimisers,
    reductions,
    rows,
    statistics,
)

GROUPS: dict[str, Any] = {
    "activations": activations,
    "gates": gates,
    "rows": rows,
    "losses": losses,
    "elementwise": elementwise,
    "reductions": reductions,
    "statistics": statistics,
    "linalg": linalg,
    "contractions": contractions,
    "choosing": choosing,
    "layers": layers,
    "optimisers": optimisers,
    "fused": fused,
    "expressions": expressions,
    "gradients": gradients,
}

# The threads of a call are drawn for each; and what takes no arrays.
ELSEWHERE = {
    "UpcastWarning",
    "get_num_threads",
    "num_threads",
    "set_num_threads",
    "show_config",
    "warn_upcasts",
}
