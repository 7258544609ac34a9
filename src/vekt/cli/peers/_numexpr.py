"""NumExpr: one expression, which it evaluates block by block."""

from __future__ import annotations

from vekt.cli.peers import _fuse
from vekt.cli.peers._expressions import EXPRESSIONS
from vekt.cli.peers._names import Namespace


def _into(out: str, expression: str) -> str:
    return f"ne.evaluate({expression!r}, out={out})"


# A reduction must be the last operation of an expression, and has no keepdims.
_SUMS = "np.expand_dims(ne.evaluate('sum({0}, axis=1)' if axis else 'sum({0}, axis=0)'), axis)"
_SHIFTED = "r = np.max(x, axis, keepdims=True); "
_ROWS = {
    "softmax": (
        f"{_SHIFTED}{_into('out', 'exp(x - r)')}; s = {_SUMS.format('out')}; "
        + _into("out", "out / s")
    ),
    "softmax_backward": f"s = {_SUMS.format('dy * y')}; {_into('out', 'y * (dy - s)')}",
    "softmin": (
        f"r = np.min(x, axis, keepdims=True); {_into('out', 'exp(r - x)')}; "
        f"s = {_SUMS.format('out')}; {_into('out', 'out / s')}"
    ),
    "softmin_backward": f"s = {_SUMS.format('dy * y')}; {_into('out', 'y * (s - dy)')}",
    "log_softmax": (
        f"{_SHIFTED}s = {_SUMS.format('exp(x - r)')}; np.log(s, s); np.add(s, r, s); "
        + _into("out", "x - s")
    ),
    "log_softmax_backward": f"s = {_SUMS.format('dy')}; {_into('out', 'dy - s * exp(y)')}",
    "logsumexp": (
        f"{_SHIFTED}s = {_SUMS.format('exp(x - r)')}; np.log(s, s); np.add(s, r, reduced)"
    ),
    "logsumexp_backward": (
        f"{_SHIFTED}{_into('out', 'exp(x - r)')}; s = {_SUMS.format('out')}; "
        + _into("out", "out * (dreduced / s)")
    ),
}

_A_SIGMOID = "(1 / (1 + exp(-a)))"
_B_SIGMOID = "(1 / (1 + exp(-b)))"
_A_GELU_TANH = "(1 + tanh(a * (c1 + c3 * a * a)))"
_GATES = {
    "glu": _into("out", "a / (1 + exp(-b))"),
    "glu_backward": (
        _into("da", f"dy * {_B_SIGMOID}") + "; " + _into("db", f"da * a * (1 - {_B_SIGMOID})")
    ),
    "swiglu": _into("out", "b * a / (1 + exp(-a))"),
    "swiglu_backward": (
        _into("db", f"dy * a * {_A_SIGMOID}")
        + "; "
        + _into("da", f"dy * b * {_A_SIGMOID} * (1 + a - a * {_A_SIGMOID})")
    ),
    "geglu_tanh": _into("out", f"half * a * b * {_A_GELU_TANH}"),
    "geglu_tanh_backward": (
        _into("db", f"dy * half * a * {_A_GELU_TANH}")
        + "; "
        + _into(
            "da",
            f"dy * b * half * {_A_GELU_TANH} * (1 + a * (1 - tanh(a * (c1 + c3 * a * a)))"
            " * (c1 + 3 * c3 * a * a))",
        )
    ),
    "reglu": _into("out", "where(a > 0, a * b, 0)"),
    "reglu_backward": (
        _into("da", "where(a > 0, dy * b, 0)") + "; " + _into("db", "where(a > 0, dy * a, 0)")
    ),
    "prelu": _into("out", "where(x > 0, x, alpha * x)"),
    "prelu_backward": (
        f"{_into('out', 'where(x > 0, dy, alpha * dy)')}; "
        "dalpha[...] = ne.evaluate('sum(where(x > 0, 0, x * dy), axis=0)')"
    ),
}

_FUNCTIONS = {"arctan": "arctan(a)", "arctan2": "arctan2(a, b)", "power": "a**b", "tan": "tan(a)"}

STATEMENTS = {
    "dot": "ne.evaluate('sum(x * dy)')",
    **{name: _into("out", expression) for name, expression in EXPRESSIONS.items()},
    **_ROWS,
    **_GATES,
    **{name: _into("out", expression) for name, expression in _FUNCTIONS.items()},
    **_fuse.NUMEXPR,
}


def load(threads: int) -> Namespace:
    """Load NumExpr with so many threads."""
    import numexpr

    numexpr.set_num_threads(threads)
    return {"ne": numexpr}
