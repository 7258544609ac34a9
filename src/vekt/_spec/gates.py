"""The gated units and prelu."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from vekt._spec.activations import KERNELS
from vekt._spec.form import Param
from vekt._spec.pointwise import DY, ELEMENT, GATE, OPTIONS, OUT, OUTS, X
from vekt._spec.spec import RAISES, Kernel, Kind, Spec, ulp


def _gate(
    name: str,
    activation: str,
    gate: str,
    formula: str,
    example: float,
    gradient_example: tuple[float, float],
    flags: Mapping[str, bool] = MappingProxyType({}),
) -> Kernel:
    """Make the facts of a kernel that computes activation(gate) * other of two operands, a and b.

    The error is that of the activation, whose unit may be twice the result's; in the gradient, dy
    times the other operand is rounded, too.  The examples are at a = 2, b = 3, for dy = 1.
    """
    of = KERNELS[activation]
    return Kernel(
        name=name,
        activation=activation,
        gate=gate,
        formula=formula,
        at=(2.0, 3.0),
        example=example,
        gradient_example=gradient_example,
        flags=flags,
        max_ulp=ulp(*(2 * bound + 0.5 for bound in of.max_ulp.values())),
        gradient_max_ulp=ulp(*(2 * bound + 1.5 for bound in of.gradient_max_ulp.values())),
        jit_max_ulp={},
    )


_SHAZEER = "N. Shazeer, GLU variants improve transformer, arXiv:2002.05202 (2020)."
_SWAPPED = (
    "torch, JAX and Keras have no such function. The first operand is the one that goes through "
    "the activation, as in the paper; where one projection gives both halves, codes differ in "
    "which of them that is."
)
_UNEVEN = (
    RAISES[0],
    ("ValueError", "For an axis of odd length, shapes that do not fit, and a read-only `out`."),
)
_GLU = {
    "": Kind(
        "{summary}",
        (X,),
        (Param("y", doc="`x` with half the length along the axis.", type="ndarray"),),
        OPTIONS,
        GATE[""].notes,
        ">>> {f}([2.0, 3.0]).round(4).tolist()\n[{value}]",
        by_name=True,
        raises=_UNEVEN,
    ),
    "_backward": Kind(
        "Gradient of a loss through `glu`, both halves in one pass.",
        (Param("dy", doc="Gradient of the loss with respect to the output; broadcasts to it."), X),
        (Param("dx", doc="In the shape of `x`.", type="ndarray"),),
        (OUT,),
        GATE["_backward"].notes,
        ">>> {f}([1.0], [2.0, 3.0]).round(4).tolist()\n{slope}",
        by_name=True,
        raises=_UNEVEN,
    ),
}


def _unit(name: str, use: str, *kernels: Kernel, compat: str = "", **facts: Any) -> Spec:
    """Make the spec of a gated unit of two operands."""
    of = kernels[0].activation
    summary = f"Gated unit of {of}: {of}(a) * b."
    return Spec(
        name,
        summary,
        GATE,
        "vekt.gates",
        kernels,
        source=_SHAZEER,
        use=use,
        compat=_SWAPPED + compat,
        **facts,
    )


GATE_OPS: dict[str, Spec] = {
    spec.name: spec
    for spec in (
        Spec(
            name="glu",
            summary="Gated linear unit: the first half times the sigmoid of the second.",
            kinds=_GLU,
            home="vekt.gates",
            kernels=(_gate("glu", "sigmoid", "b", "a / (1 + exp(-b))", 1.9051, (0.9526, 0.0904)),),
            params=(Param("axis", -1, "Axis whose two halves are a and b.", "axis", type="int"),),
            source="Y. N. Dauphin, A. Fan, M. Auli, D. Grangier, arXiv:1612.08083 (2016).",
            use="Convolutional and recurrent layers whose other half says what passes.",
            compat="As in Keras, torch and JAX. The default axis is -1 in all of them.",
        ),
        _unit(
            "swiglu",
            "Feed-forward layers of most large language models.",
            _gate("swiglu", "silu", "a", "a * b / (1 + exp(-a))", 5.2848, (3.2724, 1.7616)),
        ),
        _unit(
            "geglu",
            "Feed-forward layers of transformers.",
            _gate(
                "geglu",
                "gelu",
                "a",
                "a * (1 + erf(a / sqrt(2))) / 2 * b",
                5.8635,
                (3.2557, 1.9545),
                {"approximate": False},
            ),
            _gate(
                "geglu_tanh",
                "gelu_tanh",
                "a",
                "a * (1 + tanh(sqrt(2 / pi) * (a + 0.044715 * a**3))) / 2 * b",
                5.8638,
                (3.2583, 1.9546),
                {"approximate": True},
            ),
            compat=" JAX's gelu approximates by default.",
            params=(
                Param(
                    "approximate",
                    False,
                    "Whether to use gelu's tanh form in place of erf.",
                    kind="flag",
                ),
            ),
        ),
        _unit(
            "reglu",
            "Feed-forward layers of transformers, with sparse products.",
            _gate("reglu", "relu", "a", "max(a, 0) * b", 6.0, (3.0, 2.0)),
        ),
    )
}
GATES: dict[str, Kernel] = {k.name: k for spec in GATE_OPS.values() for k in spec.kernels}

_SLOPES = Param("alpha", doc="Slopes for x <= 0; they broadcast against `x`.")
_NOT_1D = (
    RAISES[0],
    (
        "ValueError",
        "For shapes that do not fit, an `alpha` not 1-d beside `axis`, a read-only `out`.",
    ),
)
_EXAMPLE = ">>> x, alpha = np.array([[-1.0, 4.0], [3.0, -2.0]]), np.array([0.25, 0.5])\n"
_SUMMED = "dalpha is summed in float64 in short stretches, these pairwise, and rounded once"
PRELU = Spec(
    name="prelu",
    summary="leaky_relu whose slopes are learnt: x where x > 0, else alpha * x.",
    kinds={
        "": Kind(
            "{summary}",
            (X, _SLOPES),
            (Param("y", doc="In the broadcast shape of `x` and `alpha`.", type=ELEMENT),),
            OPTIONS,
            example=_EXAMPLE + ">>> {f}(x, alpha).tolist()\n[[-0.25, 4.0], [3.0, -1.0]]",
            by_name=True,
            raises=_NOT_1D,
        ),
        "_backward": Kind(
            "Gradients of a loss through `prelu`, for x and the slopes, in one pass.",
            (DY, X, _SLOPES),
            (
                Param("dx", doc="In the broadcast shape of the operands.", type=ELEMENT),
                Param("dalpha", doc="In the shape of `alpha`.", type=ELEMENT),
            ),
            (OUTS,),
            (
                "dx is dy where x > 0, else dy * alpha. dalpha is the sum of dy * x over the "
                "elements that are not positive and have that slope.",
                ("vekt.reference", "dalpha is summed in longdouble and rounded once."),
                ("vekt.jit", f"{_SUMMED}."),
                (
                    "vekt",
                    f"{_SUMMED}; the order depends on the shapes alone, so its bits are the same "
                    "for any number of threads and any layout in memory.",
                ),
                ("vekt", "Arrays that are not contiguous in C order are copied first."),
            ),
            _EXAMPLE
            + """\
>>> dx, dalpha = {f}(np.ones((2, 2)), x, alpha)
>>> dx.tolist()
[[0.25, 1.0], [1.0, 0.5]]
>>> dalpha.tolist()
[-1.0, -2.0]""",
            by_name=True,
            raises=_NOT_1D,
        ),
    },
    home="vekt.gates._prelu",
    params=(
        Param(
            "axis",
            None,
            "Axis of `x` along which a 1-d `alpha` runs; None: NumPy's rules, so the last.",
            "axis",
            type="int or None",
        ),
    ),
    notes=("x where x > 0, else alpha * x; 0 where alpha is 0, at -inf too. NaN gives NaN.",),
    source="K. He, X. Zhang, S. Ren, J. Sun, arXiv:1502.01852 (2015).",
    use="Hidden layers of convolutional networks, one slope for each channel.",
    compat=(
        "The slope's side includes 0, as in torch. torch takes one slope, or one for each index of "
        "axis 1 (axis=1 here). Keras' layer has slopes of shape x.shape[1:] with ones along its "
        "shared_axes, which broadcast as they are."
    ),
)

PUBLIC_NAMES = tuple(name for spec in (*GATE_OPS.values(), PRELU) for name in spec.public_names)
"""What these specs add to `vekt`, `vekt.jit` and `vekt.reference`."""
