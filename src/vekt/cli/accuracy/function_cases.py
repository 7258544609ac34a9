"""Elementwise functions that round more than once, as `vekt accuracy` measures them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from vekt._spec.pointwise import activation
from vekt._spec.spec import Kernel, inf, ulp
from vekt.cli.cases import Case


def _case(
    name: str,
    value: Callable[..., Any],
    slope: Callable[..., Any],
    span: tuple[float, float],
    limits: tuple[float, float],
    domain: tuple[float, float] = (-inf, inf),
) -> Case:
    kernel = Kernel(
        name=name,
        value=value,
        gradient=slope,
        formula=f"{name}(x)",
        range=span,
        limits=limits,
        gradient_limits=limits,
        domain=domain,
        max_ulp=ulp(1, 1),
    )
    op = activation(name, kernels=(kernel,), summary=f"vekt.{name}")
    return Case(op, kernel, {}, forms=("value",))


_nan = float("nan")
_ALL = (
    _case("exp", np.exp, np.exp, (0.0, inf), (0.0, inf)),
    _case("log", np.log, np.reciprocal, (-inf, inf), (_nan, inf), (0.0, inf)),
    _case("sin", np.sin, np.cos, (-1.0, 1.0), (_nan, _nan)),
    _case("cos", np.cos, lambda x: -np.sin(x), (-1.0, 1.0), (_nan, _nan)),
)
FUNCTIONS: dict[str, Case] = {case.name: case for case in _ALL}
