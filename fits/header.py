"""How constants are written as C."""

import mpmath as mp
import numpy as np
from approximate import round_to

Float = type[np.floating]

SUFFIX = {np.float32: "f32", np.float64: "f64"}
C_TYPE = {np.float32: "float", np.float64: "double"}


def literal(dtype: Float, x: mp.mpf, least: float = 2.0**-100) -> str:
    """Write x, rounded, as a C constant; 0 below `least`.

    That is what interpolation leaves of a coefficient that is 0.
    """
    if abs(x) < least:
        x = mp.mpf(0)
    return float(round_to(dtype, x)).hex() + ("f" if dtype is np.float32 else "")


def bits(error: mp.mpf) -> str:
    """Write an error as a power of two."""
    return f"2^{float(mp.log(error, 2)):.1f}"


def emit(
    name: str, dtype: Float, values: list[mp.mpf], note: str, least: float = 2.0**-100
) -> None:
    """Print one array."""
    body = ",\n    ".join(literal(dtype, v, least) for v in values)
    align = " __attribute__((aligned(64)))" if len(values) >= 16 else ""
    print(f"/* {note} */")
    print(f"static const {C_TYPE[dtype]} {name}_{SUFFIX[dtype]}[{len(values)}]{align} = {{")
    print(f"    {body}}};")
