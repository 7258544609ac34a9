"""Write docs/gallery.md and a picture of every function: `python tools/gallery.py`.

Everything comes from the specs of an installed `vekt`; `--print` prints the page instead.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

from vekt._core import native
from vekt._spec.activations import OPS
from vekt._spec.gates import GATE_OPS, PRELU
from vekt._spec.rows import ROW_OPS
from vekt._spec.spec import Kernel, Kink, Spec

ROWS, GATES = tuple(ROW_OPS.values()), (*GATE_OPS.values(), PRELU)
DOCS = Path(__file__).parents[1] / "docs"
_COSTS = {k["name"]: k["cost"] for k in native.kernels() if k["dtype"] == "float32"}
_HEAD = """# Gallery

Every activation and gate with its derivative, made from the specs by `python tools/gallery.py`.

In the pictures f is blue, its derivative red; a dot is the gradient that is chosen where the
derivative jumps. Each elementwise `NAME` has `NAME_backward(dy, x)`, which returns dy * f'(x), and
`NAME_value_and_grad(x)`, in `vekt`, `vekt.jit` and `vekt.reference` alike.
`NAME_backward_from_output(dy, y)` is there where the notes say so. Bounds are in units of the last
place, subnormal results and tails included; costs are rough, for one float32 element in the cache
of a processor with AVX-512.
"""


def page() -> str:
    """Return the text of docs/gallery.md."""
    parts = [_HEAD, _index(), *(_section(op) for op in OPS.values())]
    parts += ["# Along an axis\n", *map(_row_section, ROWS)]
    parts += ["# Gates\n", *map(_gate_section, GATES)]
    return "\n".join(parts)


def picture_names() -> list[str]:
    """Names of the files in docs/gallery, without their ending."""
    kernels = [kernel.name for op in OPS.values() for kernel in op.kernels]
    return [*kernels, *(op.name for op in (*ROWS, *GATES))]


def _index() -> str:
    lines = [("function", "other names", "f(x)", "used for")]
    for op in OPS.values():
        formula = f"`{_escape(op.kernels[0].formula)}`"
        lines.append((_link(op.name), ", ".join(op.aliases), formula, op.use))
    for other in ROWS:
        lines.append((_link(other.name), "", f"`{_escape(other.kernel.formula)}`", other.use))
    for other in GATES:
        lines.append((_link(other.name), "", other.summary, other.use))
    return table(lines)


def functions_table(gallery: str) -> str:
    """Return the table of activations in docs/learn, with links to their sections here."""
    lines = [("function", "f(x)", "f'(x)", "range", "used for")]
    for op in OPS.values():
        kernel = op.kernels[0]
        formulas = (f"`{_short(text)}`" for text in (kernel.formula, kernel.gradient_formula))
        use = op.use.rstrip(".")
        lines.append((f"[{op.name}]({gallery}#{op.name})", *formulas, _interval(kernel.range), use))
    return table(lines)


def _short(formula: str) -> str:
    """Escape a formula whose numbers are cut to four decimals."""
    return _escape(re.sub(r"\d+\.\d{5,}", lambda number: f"{float(number[0]):.4f}", formula))


def _section(op: Spec) -> str:
    calls = [call_of(op, kernel) for kernel in op.kernels]
    rows = [
        ("", *(f"`{call}`" for call in calls)),
        ("", *(_picture(kernel.name) for kernel in op.kernels)),
        ("f(x)", *(f"`{_escape(kernel.formula)}`" for kernel in op.kernels)),
        ("f'(x)", *(f"`{_escape(kernel.gradient_formula)}`" for kernel in op.kernels)),
        ("domain", *(_interval(kernel.domain) for kernel in op.kernels)),
        ("range", *(_interval(kernel.range) for kernel in op.kernels)),
        ("f(-∞), f(∞)", *(_interval(kernel.limits, ", ") for kernel in op.kernels)),
        ("f'(-∞), f'(∞)", *(_interval(kernel.gradient_limits, ", ") for kernel in op.kernels)),
        ("kinks", *(_kinks(kernel.kinks) for kernel in op.kernels)),
        ("f' is 0 at", *(", ".join(_digits(r) for r in kernel.roots) for kernel in op.kernels)),
        ("ULP of f", *(_bounds(kernel.max_ulp) for kernel in op.kernels)),
        ("ULP of f'", *(_gradient_bounds(kernel) for kernel in op.kernels)),
        ("cost", *(_cost(kernel.name) for kernel in op.kernels)),
    ]
    notes = [
        *(f"`{p.name}` = {p.default}: {p.doc}" for p in op.params),
        f"Used for: {op.use}",
        f"Work: {op.cost}",
        *([f"Elsewhere: {op.compat}"] if op.compat else []),
        *([f"Also called {' and '.join(f'`{a}`' for a in op.aliases)}."] if op.aliases else []),
        *([f"`{op.name}_backward_from_output(dy, y)` needs no x."] if _from_output(op) else []),
        f"Source: {op.source}",
    ]
    # A fact that no kernel has is left out.
    kept = [row for row in rows if any(row[1:])]
    return f"## {op.name}\n\n{op.summary}\n\n{table(kept)}\n{_bullets(notes)}"


def _row_section(op: Spec) -> str:
    notes = [
        f"Gradient: `{op.kernel.gradient_formula}`",
        f"Special values: {op.facts['special']}",
        f"Error: {op.facts['bound']}; of the gradient: {op.facts['backward_bound']}.",
        f"Used for: {op.use}",
        f"Elsewhere: {op.compat}",
        f"Source: {op.source}",
    ]
    facts = f"{_picture(op.name)}\n\n`{op.kernel.formula}`"
    return f"## {op.name}\n\n{op.summary}\n\n{facts}\n\n{_bullets(notes)}"


def _gate_section(op: Spec) -> str:
    notes = [
        *(
            f"`{gate.name}`: `{gate.formula}`; ULP {_bounds(gate.max_ulp)}, "
            f"gradients {_bounds(gate.gradient_max_ulp)}"
            for gate in op.kernels
        ),
        f"Used for: {op.use}",
        f"Elsewhere: {op.compat}",
        f"Source: {op.source}",
    ]
    return f"## {op.name}\n\n{op.summary}\n\n{_picture(op.name)}\n\n{_bullets(notes)}"


def call_of(op: Spec, kernel: Kernel) -> str:
    """Return how a kernel is called."""
    flags = [f"{name}={on}" for name, on in kernel.flags.items()]
    return f"{op.name}({', '.join(['x', *kernel.params, *flags])})"


def _from_output(op: Spec) -> bool:
    return op.kernels[0].from_output is not None


def _cost(name: str) -> str:
    forward, backward = _COSTS[name] / 1000, _COSTS[f"{name}_backward"] / 1000
    return f"{forward:g} ns, gradient {backward:g} ns"


def _bounds(bounds: Mapping[str, float]) -> str:
    return ", ".join(f"{bounds[dtype]:g} in {dtype}" for dtype in ("float32", "float64"))


def _gradient_bounds(kernel: Kernel) -> str:
    bounds = _bounds(kernel.gradient_max_ulp)
    if not kernel.roots:
        return bounds
    return f"{bounds}; in float64 within {kernel.root_radius:g} of its root 2^-53"


def _kinks(kinks: Iterable[Kink]) -> str:
    return "; ".join(f"f'({_number(kink.at)}) = {_number(kink.gradient)}" for kink in kinks)


def _interval(ends: tuple[float, ...], between: str = " to ") -> str:
    return between.join(map(_number, ends))


def _number(value: float | str) -> str:
    return (
        value
        if isinstance(value, str)
        else f"{value:.6g}".replace("inf", "∞").replace("nan", "NaN")
    )


def _digits(root: str) -> str:
    return f"{float(root):.12g}"


def _picture(name: str) -> str:
    return f"![Graph of {name}](gallery/{name}.svg)"


def _link(name: str) -> str:
    return f"[{name}](#{name})"


def _escape(text: str) -> str:
    """Keep a vertical bar from ending the cell."""
    return text.replace("|", r"\|")


def table(rows: list[tuple[str, ...]]) -> str:
    """Return a table in Markdown; its head comes first."""
    first, *others = rows
    lines = [first, ("---",) * len(first), *others]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _bullets(notes: Iterable[str]) -> str:
    return "".join(f"- {note}\n" for note in notes)


def main() -> None:
    """Write the page and the pictures, and remove pictures of what is gone."""
    if "--print" in sys.argv[1:]:
        sys.stdout.write(page())
        return
    from gallery_pictures import draw_all

    folder = DOCS / "gallery"
    folder.mkdir(parents=True, exist_ok=True)
    for path in folder.glob("*.svg"):
        if path.stem not in picture_names():
            path.unlink()
    draw_all(folder, ROWS, GATES)
    (DOCS / "gallery.md").write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
