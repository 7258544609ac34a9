"""Rows of the gated units and of prelu, as `vekt._spec.activations` has them of activations."""

from __future__ import annotations

from dataclasses import dataclass
from inspect import Signature

from vekt._spec.activations import KERNELS, Kernel
from vekt._spec.form import OPTIONS, Choice, Form, Param


def activation_of(gate: Gate) -> Kernel:
    """Return the activation's row."""
    return KERNELS[gate.activation]


@dataclass(frozen=True, eq=False, repr=False, match_args=False)
class Gate:
    """A product of an activation f of one operand with the other.

    The C kernel `name`, of two operands a and b, computes f(gate) * other, NAME_backward both of
    its gradients.  `gate`, "a" or "b", names the operand that goes through f.  `activation` is the
    kernel of the registry that f is.  `example` holds the value and the gradients, for dy = 1,
    at a = 2, b = 3.
    """

    name: str
    activation: str
    gate: str
    formula: str
    example: tuple[float, float, float]

    @property
    def ulp(self) -> dict[str, float]:
        """Bound for the error by dtype: that of f, whose unit may be twice the result's."""
        bounds = activation_of(self).max_ulp
        return {dtype: 2 * bound + 0.5 for dtype, bound in bounds.items()}

    @property
    def gradient_ulp(self) -> dict[str, float]:
        """Bound for the gradient of the gate: dy times the other operand is rounded, too."""
        bounds = activation_of(self).gradient_max_ulp
        return {dtype: 2 * bound + 1.5 for dtype, bound in bounds.items()}


@dataclass(frozen=True, eq=False, repr=False, match_args=False)
class GateOp:
    """A public function and its backward pass; the second gate serves `approximate=True`.

    Backward passes that add up or put together elements take no options but `out`.
    """

    name: str
    summary: str
    gates: tuple[Gate, ...]
    source: str
    use: str
    compat: str
    operands: tuple[str, ...] = ("a", "b")
    params: tuple[Param, ...] = ()
    elementwise: tuple[bool, bool] = (True, True)
    gradients: int = 2

    @property
    def kinds(self) -> tuple[str, str]:
        """What follows the name in the names of its functions."""
        return "", "_backward"

    def form(self, kind: str) -> Form:
        """Return how the function of this kind is called."""
        backward = kind == "_backward"
        flags = [p.name for p in self.params if p.kind == "flag"]
        return Form(
            self.name + kind,
            ("dy", *self.operands) if backward else self.operands,
            self.params,
            tuple(
                Choice(gate.name + kind, (), dict.fromkeys(flags, bool(i)))
                for i, gate in enumerate(self.gates)
            ),
            tuple(OPTIONS) if self.elementwise[backward] else ("out",),
            self.gradients if backward else 1,
        )

    def signature(self, kind: str) -> Signature:
        """Return the signature of the function of this kind, in every namespace."""
        return self.form(kind).signature


_SHAZEER = "N. Shazeer, GLU variants improve transformer, arXiv:2002.05202 (2020)."
_SWAPPED = (
    "torch, JAX and Keras have no such function. The first operand is the one that goes through "
    "the activation, as in the paper; where one projection gives both halves, codes differ in "
    "which of them that is."
)

GATE_OPS: dict[str, GateOp] = {
    op.name: op
    for op in (
        GateOp(
            name="glu",
            summary="Gated linear unit: the first half times the sigmoid of the second.",
            gates=(Gate("glu", "sigmoid", "b", "a / (1 + exp(-b))", (1.9051, 0.9526, 0.0904)),),
            source="Y. N. Dauphin, A. Fan, M. Auli, D. Grangier, arXiv:1612.08083 (2016).",
            use="Convolutional and recurrent layers whose other half says what passes.",
            compat="As in Keras, torch and JAX. The default axis is -1 in all of them.",
            operands=("x",),
            params=(Param("axis", -1, "Axis whose two halves are a and b.", kind="axis"),),
            elementwise=(True, False),
            gradients=1,
        ),
        GateOp(
            name="swiglu",
            summary="Gated unit of silu: silu(a) * b.",
            gates=(Gate("swiglu", "silu", "a", "a * b / (1 + exp(-a))", (5.2848, 3.2724, 1.7616)),),
            source=_SHAZEER,
            use="Feed-forward layers of most large language models.",
            compat=_SWAPPED,
        ),
        GateOp(
            name="geglu",
            summary="Gated unit of gelu: gelu(a) * b.",
            gates=(
                Gate(
                    "geglu",
                    "gelu",
                    "a",
                    "a * (1 + erf(a / sqrt(2))) / 2 * b",
                    (5.8635, 3.2557, 1.9545),
                ),
                Gate(
                    "geglu_tanh",
                    "gelu_tanh",
                    "a",
                    "a * (1 + tanh(sqrt(2 / pi) * (a + 0.044715 * a**3))) / 2 * b",
                    (5.8638, 3.2583, 1.9546),
                ),
            ),
            source=_SHAZEER,
            use="Feed-forward layers of transformers.",
            compat=_SWAPPED + " JAX's gelu approximates by default.",
            params=(
                Param(
                    "approximate",
                    False,
                    "Whether to use gelu's tanh form in place of erf.",
                    kind="flag",
                ),
            ),
        ),
        GateOp(
            name="reglu",
            summary="Gated unit of relu: relu(a) * b.",
            gates=(Gate("reglu", "relu", "a", "max(a, 0) * b", (6.0, 3.0, 2.0)),),
            source=_SHAZEER,
            use="Feed-forward layers of transformers, with sparse products.",
            compat=_SWAPPED,
        ),
    )
}
GATES: dict[str, Gate] = {gate.name: gate for op in GATE_OPS.values() for gate in op.gates}
GATE_KERNELS: dict[str, tuple[int, int]] = {
    name + kind: counts for name in GATES for kind, counts in (("", (2, 1)), ("_backward", (3, 2)))
}
"""Names in the table of C kernels, with their counts of inputs and outputs."""

PRELU = GateOp(
    name="prelu",
    summary="leaky_relu whose slopes are learnt: x where x > 0, else alpha * x.",
    gates=(),
    source="K. He, X. Zhang, S. Ren, J. Sun, arXiv:1502.01852 (2015).",
    use="Hidden layers of convolutional networks, one slope for each channel.",
    compat=(
        "The slope's side includes 0, as in torch. torch takes one slope, or one for each index of "
        "axis 1 (axis=1 here). Keras' layer has slopes of shape x.shape[1:] with ones along its "
        "shared_axes, which broadcast as they are."
    ),
    operands=("x", "alpha"),
    params=(
        Param(
            "axis",
            None,
            "Axis of `x` along which a 1-d `alpha` runs; None: NumPy's rules, so the last.",
            kind="axis",
        ),
    ),
    elementwise=(True, False),
)

PUBLIC_NAMES = tuple(name + kind for name in (*GATE_OPS, PRELU.name) for kind in ("", "_backward"))
"""What these rows add to `vekt`, `vekt.jit` and `vekt.reference`."""
