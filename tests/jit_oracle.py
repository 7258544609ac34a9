"""The scalar functions of `vekt.jit` in as many digits as it takes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from mpmath import mp

from vekt._spec.activations import KERNELS
from vekt._spec.spec import Kernel

PRECISION = 1300
"""Bits in which no formula below loses anything that float64 could show."""

_ALPHA, _SCALE = "1.67326324235437728481704297681", "1.05070098735548049341933498033"


# Parameters of no particular value, exact in float32.
_A, _S, _T = (float(np.float32(p)) for p in (1.3, 0.3, 0.7))


@dataclass(frozen=True)
class Truth:
    """Value and derivative as functions of (x, *params), and parameters to test with.

    `roots` are the derivative's, away from which `gradient_ulp` holds; `kinks` are points with the
    derivative there.
    """

    value: Callable[..., Any]
    gradient: Callable[..., Any]
    params: tuple[float, ...] = ()
    roots: tuple[float, ...] = ()
    kinks: tuple[tuple[float, float], ...] = ()
    ulp: float = 2.0
    gradient_ulp: float = 4.0


def _sigmoid(x: Any) -> Any:
    return 1 / (1 + mp.exp(-x))


def _clip(x: Any, low: Any, high: Any) -> Any:
    return min(max(x, low), high)


def _inside(x: Any, low: Any, high: Any, slope: Any = 1) -> Any:
    return slope if low < x < high else 0


def _mish_gradient(x: Any) -> Any:
    t = mp.tanh(mp.log1p(mp.exp(x)))
    return t + x * (1 - t * t) * _sigmoid(x)


def _ncdf(x: Any) -> Any:
    return mp.ncdf(x) if abs(x) < 1000 else mp.mpf(x > 0)


def _tanh_form(x: Any) -> tuple[Any, Any]:
    """Return the argument of the sigmoid in the tanh form of gelu, and its derivative."""
    k1 = mp.sqrt(8 / mp.pi)
    k3 = k1 * mp.mpf("0.044715")
    return x * (k1 + k3 * x * x), k1 + 3 * k3 * x * x


def _gelu_tanh_gradient(x: Any) -> Any:
    v, slope = _tanh_form(x)
    return _sigmoid(v) * (1 + x * slope * _sigmoid(-v))


def _selu(name: str) -> Any:
    return {"scale": mp.mpf(_SCALE), "floor": mp.mpf(_ALPHA) * mp.mpf(_SCALE)}[name]


def _log1mexp(x: Any) -> Any:
    return mp.log(-mp.expm1(-x)) if x > 0 else (-mp.inf if x == 0 else mp.nan)


TRUTH: dict[str, Truth] = {
    "sigmoid": Truth(_sigmoid, lambda x: _sigmoid(x) * _sigmoid(-x)),
    "tanh": Truth(mp.tanh, lambda x: mp.sech(x) ** 2),
    "silu": Truth(
        lambda x: x * _sigmoid(x),
        lambda x: _sigmoid(x) * (1 + x * _sigmoid(-x)),
        roots=(-1.2784645427610738,),
    ),
    "softplus": Truth(lambda x: mp.log1p(mp.exp(x)), _sigmoid),
    "softplus_general": Truth(
        lambda x, b: mp.log1p(mp.exp(b * x)) / b, lambda x, b: _sigmoid(b * x), (_A,)
    ),
    "log_sigmoid": Truth(lambda x: -mp.log1p(mp.exp(-x)), lambda x: _sigmoid(-x)),
    "log1mexp": Truth(
        _log1mexp,
        lambda x: 1 / mp.expm1(x) if x > 0 else (mp.inf if x == 0 else mp.nan),
    ),
    "mish": Truth(
        lambda x: x * mp.tanh(mp.log1p(mp.exp(x))),
        _mish_gradient,
        roots=(-1.1924312145154,),
        ulp=3.5,
        gradient_ulp=7.0,
    ),
    "exponential": Truth(mp.exp, mp.exp),
    "elu": Truth(
        lambda x, a: x if x > 0 else a * mp.expm1(x),
        lambda x, a: 1 if x > 0 else a * mp.exp(x),
        (_A,),
        kinks=((0.0, _A),),
    ),
    "celu": Truth(
        lambda x, a: x if x > 0 else a * mp.expm1(x / a),
        lambda x, a: 1 if x > 0 else mp.exp(x / a),
        (_A,),
        kinks=((0.0, 1.0),),
    ),
    "selu": Truth(
        lambda x: _selu("scale") * x if x > 0 else _selu("floor") * mp.expm1(x),
        lambda x: _selu("scale") if x > 0 else _selu("floor") * mp.exp(x),
        kinks=((0.0, 1.7580993408473768),),
    ),
    "linear": Truth(lambda x: x, lambda x: 1),
    "relu": Truth(lambda x: max(x, 0), lambda x: 1 if x > 0 else 0, kinks=((0.0, 0.0),)),
    "relu6": Truth(
        lambda x: _clip(x, 0, 6), lambda x: _inside(x, 0, 6), kinks=((0.0, 0.0), (6.0, 0.0))
    ),
    "leaky_relu": Truth(
        lambda x, s: x if x > 0 else s * x,
        lambda x, s: 1 if x > 0 else s,
        (_S,),
        kinks=((0.0, _S),),
    ),
    "relu_general": Truth(
        lambda x, s, m, t: m if x >= m else (x if x >= t else s * (x - t)),
        lambda x, s, m, t: 0 if x >= m else (1 if x > t else s),
        (_S, 2.5, 0.5),
        kinks=((0.5, _S), (2.5, 0.0)),
    ),
    "hard_tanh": Truth(_clip, _inside, (-_T, _A), kinks=((-_T, 0.0), (_A, 0.0))),
    "hard_sigmoid": Truth(
        lambda x: _clip(x + 3, 0, 6) / 6,
        lambda x: _inside(x, -3, 3, mp.mpf(1) / 6),
        kinks=((-3.0, 0.0), (3.0, 0.0)),
    ),
    "hard_silu": Truth(
        lambda x: x * _clip(x + 3, 0, 6) / 6,
        lambda x: 0 if x <= -3 else (1 if x >= 3 else (2 * x + 3) / 6),
        kinks=((-3.0, 0.0), (3.0, 1.0)),
    ),
    "sparse_sigmoid": Truth(
        lambda x: _clip(x + 1, 0, 2) / 2,
        lambda x: _inside(x, -1, 1, mp.mpf(1) / 2),
        kinks=((-1.0, 0.0), (1.0, 0.0)),
    ),
    "sparse_plus": Truth(
        lambda x: 0 if x <= -1 else (x if x >= 1 else (x + 1) ** 2 / 4),
        lambda x: 0 if x <= -1 else (1 if x >= 1 else (x + 1) / 2),
        kinks=((-1.0, 0.0), (1.0, 1.0)),
    ),
    "squareplus": Truth(
        lambda x, b: (x + mp.sqrt(x * x + b)) / 2,
        lambda x, b: (1 + x / mp.sqrt(x * x + b)) / 2,
        (4.5,),
    ),
    "softsign": Truth(lambda x: x / (1 + abs(x)), lambda x: 1 / (1 + abs(x)) ** 2),
    "soft_shrink": Truth(
        lambda x, t: x - t if x > t else (x + t if x < -t else 0),
        lambda x, t: 1 if abs(x) > t else 0,
        (_T,),
        kinks=((-_T, 0.0), (_T, 0.0)),
    ),
    "hard_shrink": Truth(
        lambda x, t: x if abs(x) > t else 0,
        lambda x, t: 1 if abs(x) > t else 0,
        (_T,),
        kinks=((-_T, 0.0), (_T, 0.0)),
    ),
    "threshold": Truth(
        lambda x, t, d: x if x > t else d,
        lambda x, t, d: 1 if x > t else 0,
        (_T, -_S),
        kinks=((_T, 0.0),),
    ),
    "tanh_shrink": Truth(lambda x: x - mp.tanh(x), lambda x: mp.tanh(x) ** 2, ulp=4.0),
    "gelu": Truth(
        lambda x: x * _ncdf(x),
        lambda x: _ncdf(x) + x * mp.npdf(x),
        roots=(-0.7517915246935645,),
        ulp=5.0,
        gradient_ulp=5.0,
    ),
    "gelu_tanh": Truth(
        lambda x: x * _sigmoid(_tanh_form(x)[0]),
        _gelu_tanh_gradient,
        roots=(-0.7524614220710163,),
        ulp=5.0,
        gradient_ulp=8.0,
    ),
}


def _of_formula(kernel: Kernel) -> Truth:
    """Take a kernel at its word: the formula, and its slope by differences in many digits."""
    names = {name: getattr(mp, name) for name in ("exp", "expm1", "log", "tanh", "erf", "sqrt")}
    scope = names | {"pi": mp.pi, "abs": abs, "min": min, "max": max}
    value = eval(f"lambda {', '.join(['x', *kernel.params])}: {kernel.formula}", scope)
    assert not kernel.params, f"{kernel.name}: parameters to test with stand above"
    return Truth(
        value,
        lambda x: mp.diff(value, x),
        roots=tuple(map(float, kernel.roots)),
        kinks=tuple((float(kink.at), float(kink.gradient)) for kink in kernel.kinks),
        ulp=kernel.jit_max_ulp["float64"],
        gradient_ulp=kernel.jit_gradient_max_ulp["float64"],
    )


TRUTH |= {name: _of_formula(kernel) for name, kernel in KERNELS.items() if name not in TRUTH}


Outputs = tuple[Callable[..., Any], tuple[float, float]]

OUTPUTS: dict[str, Outputs] = {
    "sigmoid": (lambda y: y * (1 - y), (0.0, 1.0)),
    "tanh": (lambda y: 1 - y * y, (-1.0, 1.0)),
    "softplus": (lambda y: -mp.expm1(-y), (0.0, 800.0)),
    "log_sigmoid": (lambda y: -mp.expm1(y), (-800.0, 0.0)),
    "log1mexp": (lambda y: mp.expm1(-y), (-700.0, 0.0)),
    "exponential": (lambda y: y, (0.0, 1e300)),
    "elu": (lambda y, a: 1 if y > 0 else y + a, (-_A, 3.0)),
    "celu": (lambda y, a: 1 if y > 0 else 1 + y / a, (-_A, 3.0)),
    "selu": (lambda y: _selu("scale") if y > 0 else y + _selu("floor"), (-1.758, 3.0)),
    "linear": (lambda y: 1, (-9.0, 9.0)),
    "relu": (lambda y: 1 if y > 0 else 0, (0.0, 9.0)),
    "relu6": (lambda y: _inside(y, 0, 6), (0.0, 6.0)),
    "leaky_relu": (lambda y, s: 1 if y > 0 else s, (-9.0, 9.0)),
    "hard_tanh": (_inside, (-_T, _A)),
    "hard_sigmoid": (lambda y: _inside(y, 0, 1, mp.mpf(1) / 6), (0.0, 1.0)),
    "sparse_sigmoid": (lambda y: _inside(y, 0, 1, mp.mpf(1) / 2), (0.0, 1.0)),
    "sparse_plus": (lambda y: mp.sqrt(y) if y < 1 else 1, (0.0, 2.0)),
    "squareplus": (lambda y, b: y * y / (y * y + b / 4), (1e-100, 1e100)),
    "softsign": (lambda y: (1 - abs(y)) ** 2, (-1.0, 1.0)),
    "soft_shrink": (lambda y, t: 1 if y else 0, (-9.0, 9.0)),
}
"""The derivative as a function of (y, *params), y the value, and the values that y takes."""


def ulp_errors(got: np.ndarray, true: list[Any]) -> np.ndarray:
    """Errors in units of the last place of the true value, 0 where both are the same infinity."""
    info: Any = np.finfo(got.dtype)
    digits, lowest = info.nmant + 1, int(np.log2(info.smallest_subnormal))
    errors = []
    for value, want in zip(got.tolist(), true, strict=True):
        if not mp.isfinite(want) or (np.isinf(value) and abs(want) > float(info.max)):
            same = mp.isnan(want) if np.isnan(value) else value == want or mp.isfinite(want)
            errors.append(0.0 if same else np.inf)
            continue
        place = max(mp.frexp(want)[1] - digits, lowest)
        errors.append(float(abs(mp.mpf(value) - want) / mp.ldexp(1, place)))
    return np.array(errors)
