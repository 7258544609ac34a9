"""All specs: what has one is public, and what is public in these families has one."""

from __future__ import annotations

from vekt._spec.activations import OPS
from vekt._spec.choosing import CHOOSING
from vekt._spec.cross_entropy import CROSS_ENTROPY
from vekt._spec.elementwise import OPS as ELEMENTWISE
from vekt._spec.gates import GATE_OPS, PRELU
from vekt._spec.layers import DENSE
from vekt._spec.linalg import LINALG
from vekt._spec.losses import LOSSES
from vekt._spec.optim import OPTIM
from vekt._spec.reductions import REDUCTIONS, SHAPING
from vekt._spec.rows import ROW_OPS
from vekt._spec.scans import SCANS
from vekt._spec.spec import Spec
from vekt._spec.statistics import STATISTICS

ALL: tuple[Spec, ...] = (
    *OPS.values(),
    *GATE_OPS.values(),
    PRELU,
    *LOSSES.values(),
    CROSS_ENTROPY,
    *ELEMENTWISE.values(),
    *ROW_OPS.values(),
    *REDUCTIONS.values(),
    *STATISTICS.values(),
    *SCANS.values(),
    *SHAPING.values(),
    *LINALG.values(),
    *CHOOSING.values(),
    DENSE,
    *OPTIM.values(),
)


def specs(family: str) -> tuple[Spec, ...]:
    """Return the specs of a family, which is named after its room."""
    return tuple(spec for spec in ALL if spec.family == family)
