"""Print a Markdown table of every function, from the specs: `python tools/functions.py`.

A row for each kernel, bounds as float32/float64.  Needs an installed `vekt`.
"""

from __future__ import annotations

from collections.abc import Mapping

from gallery import table

from vekt._spec.activations import OPS
from vekt._spec.spec import Kernel, Spec

COLUMNS = (
    "function",
    "f(x)",
    "range",
    "f' jumps at",
    "ULP: value, gradient",
    "used for",
    "differs",
)


def _bounds(kernel: Kernel) -> str:
    def both(bounds: Mapping[str, float]) -> str:
        return "/".join(f"{bounds[dtype]:g}" for dtype in ("float32", "float64"))

    return f"{both(kernel.max_ulp)}, {both(kernel.gradient_max_ulp)}"


def _row(op: Spec, kernel: Kernel) -> tuple[str, ...]:
    arguments = ["x", *kernel.params, *(f"{flag}={on}" for flag, on in kernel.flags.items())]
    kinks = ", ".join(f"{kink.at} (there {kink.gradient})" for kink in kernel.kinks)
    return (
        f"`{op.name}({', '.join(arguments)})`",
        f"`{kernel.formula}`",
        f"{kernel.range[0]:g} to {kernel.range[1]:g}",
        kinks or "nowhere",
        _bounds(kernel),
        op.use,
        op.compat,
    )


if __name__ == "__main__":
    print(
        table([COLUMNS, *(_row(op, kernel) for op in OPS.values() for kernel in op.kernels)]),
        end="",
    )
