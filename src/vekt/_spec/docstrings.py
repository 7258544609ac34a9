"""NumPy-style docstrings, written from the specs: one way for every function."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from inspect import signature
from math import log2
from typing import Any, TypeVar

from vekt._spec.form import REQUIRED, Param
from vekt._spec.spec import Kernel, Kind, Note, Spec, quoted

Function = TypeVar("Function", bound=Callable[..., Any])


def docstring(
    spec: Spec, kind: str = "", module: str = "vekt", names: Iterable[str] | None = None
) -> str:
    """Docstring of the function of this kind in `vekt`, `vekt.jit` or `vekt.reference`.

    With `names`, of one that takes these parameters alone.
    """
    of = spec.kinds[kind]
    taken = [*of.operands, *spec.params_of(kind), *of.options]
    if names is not None:
        chosen = set(names)
        taken = [p for p in taken if p.name in chosen]
    kernels = spec.kernels_of(kind)
    return _document(spec, kind, of, taken, kernels, module)


def headed(spec: Spec, kind: str = "") -> str:
    """Docstring of an object of C, below its call, which help() would not show."""
    return f"{spec.name}{kind}{spec.signature(kind)}\n\n{docstring(spec, kind)}"


def kernel_docstring(spec: Spec, kind: str, of: Kind, kernel: Kernel) -> str:
    """Docstring of the ufunc of a kernel; the line with the signature is left to NumPy."""
    params = [Param(p.name, doc=p.doc) for p in spec.params if p.name in kernel.params]
    return _document(spec, kind, of, [*of.operands, *params], (kernel,), "vekt")


def documented(spec: Spec, kind: str = "", module: str = "vekt") -> Callable[[Function], Function]:
    """Decorate a function written by hand: its docstring is the spec's, its parameters its own."""

    def decorate(function: Function) -> Function:
        function.__module__ = module
        function.__doc__ = docstring(spec, kind, module, signature(function).parameters)
        return function

    return decorate


def _document(
    spec: Spec, kind: str, of: Kind, taken: list[Param], kernels: tuple[Kernel, ...], module: str
) -> str:
    words = _words(spec, kind, of, kernels, module)
    further = [*_chosen((*of.notes, *spec.notes), module)]
    formulas = not any(note.startswith(".. math::") for note in further)
    notes = [*_of_kernels(kernels, kind, module, formulas), *further]
    notes += [
        f"{head}: {text}"
        for head, text in (("Use", spec.use), ("Cost", spec.cost), ("Compatibility", spec.compat))
        if text
    ]
    sections = {
        "Parameters": _entries(taken, words),
        "Returns": _entries(of.results, words),
        "Raises": "\n".join(f"{name}\n{_wrap(text, 4)}" for name, text in of.raises),
        "See Also": of.see_also,
        "Notes": "\n\n".join(_wrap(_filled(note, words)) for note in notes),
        "References": _wrap(spec.source),
    }
    if not kernels or kernels[0] is spec.kernel:
        sections["Examples"] = _example(of.example, words)
    parts = [f"{title}\n{'-' * len(title)}\n{text}" for title, text in sections.items() if text]
    return "\n\n".join([_wrap(_filled(of.summary, words)), *parts]) + "\n"


def _words(
    spec: Spec, kind: str, of: Kind, kernels: tuple[Kernel, ...], module: str
) -> dict[str, Any]:
    """Return what names in braces stand for."""
    base = f"{module.replace('vekt', 'vk', 1)}.{spec.name}"
    words = {
        "name": spec.name,
        "summary": spec.summary,
        "first": spec.kinds[""].operands[0].name if of.operands else "",
        "last": of.operands[-1].name if of.operands else "",
        "base": base,
        "f": base + kind,
        **spec.facts,
    }
    if kernels:
        kernel = kernels[0]
        words |= {
            "at": kernel.at,
            "value": _shown(kernel.example),
            "slope": _shown(kernel.gradient_example),
            "activation": kernel.activation,
            "gate": kernel.gate,
            "other": "a" if kernel.gate == "b" else "b",
        }
    return words


def _shown(numbers: Any) -> Any:
    return list(numbers) if isinstance(numbers, tuple) else numbers


def _filled(text: str, words: dict[str, Any]) -> str:
    return text.format_map(words) if "{" in text else text


def _chosen(notes: Iterable[Note], module: str) -> Iterator[str]:
    """Choose the notes of all namespaces, and of this one."""
    for note in notes:
        if isinstance(note, str):
            yield note
        elif note[0] == module:
            yield note[1]


def _entries(params: Iterable[Param], words: dict[str, Any]) -> str:
    """One entry for each, or for neighbours of which the same is true."""
    entries: list[tuple[list[str], str, str]] = []
    for p in params:
        head, text = _type(p), _filled(p.doc, words)
        if p.kind == "array" and not p.type and p.default is not REQUIRED:
            text += f" Broadcasts against `{words['first']}`."
        if entries and entries[-1][1:] == (head, text):
            entries[-1][0].append(p.name)
        else:
            entries.append(([p.name], head, text))
    return "\n".join(
        f"{', '.join(names)} : {head}" + (f"\n{_wrap(text, 4)}" if text else "")
        for names, head, text in entries
    )


def _type(p: Param) -> str:
    if "optional" in p.type or "default" in p.type or (p.type and p.default is REQUIRED):
        return p.type
    kind = p.type or ("bool" if p.kind == "flag" else "array_like")
    none = " or None" if p.default is None and "None" not in kind else ""
    return kind + none + ("" if p.default is REQUIRED else f", default {p.default}")


def _of_kernels(
    kernels: tuple[Kernel, ...], kind: str, module: str, formulas: bool
) -> Iterator[str]:
    """Say what the facts of the kernels are: formulas, limits, kinks and bounds."""
    of = "Formula of the function" if "grad" in kind or "backward" in kind else "Formula"
    for kernel in kernels:
        if kernel.formula and formulas:
            label = of + _when(kernel, kernels)
            slope = f"; its gradient: {kernel.gradient_formula}" if kernel.gradient_formula else ""
            yield quoted(f"{label}: {kernel.formula}{slope}.")
    for kernel in kernels[:1]:
        if kernel.limits:
            limits = "{:g} and {:g}".format(*kernel.limits)
            slopes = "{:g} and {:g}".format(*kernel.gradient_limits)
            low, high = kernel.range
            yield (
                f"Limits at -inf and inf: {limits}; of the derivative {slopes}. NaN gives NaN. "
                f"Range: {low:.6g} to {high:.6g}."
            )
    for kernel in kernels[-1:]:
        for kink in kernel.kinks:
            at, slope = (x if isinstance(x, str) else f"{x:g}" for x in (kink.at, kink.gradient))
            yield f"The derivative jumps at x = {at}, where it is {slope}."
    errors: dict[str, list[str]] = {}
    for kernel in kernels:
        text = _accuracy(kernel, kind, module) if kernel.max_ulp else ""
        if text:
            errors.setdefault(text, []).append(_when(kernel, kernels))
    for text, cases in errors.items():
        words = f"{cases[0][1:]}: {text}" if len(errors) > 1 else text
        yield f"{words[0].upper()}{words[1:]}."


def _when(kernel: Kernel, kernels: tuple[Kernel, ...]) -> str:
    """Say which calls a kernel serves, where there are several."""
    if len(kernels) == 1:
        return ""
    flags = " and ".join(f"{name}={value}" for name, value in kernel.flags.items())
    if flags:
        return f" for {flags}"
    return " with other parameters" if kernel.params else " at the defaults"


def _accuracy(kernel: Kernel, kind: str, module: str) -> str:
    if module == "vekt.reference":
        return "computed in a wider dtype and rounded once"
    value, gradient, root_error = kernel.max_ulp, kernel.gradient_max_ulp, "2**-53"
    if module == "vekt.jit":
        value, gradient, root_error = kernel.jit_max_ulp, kernel.jit_gradient_max_ulp, "2**-52"
        if not value:
            return ""
    bounds = {"value": value} if kind in ("", "_value_and_grad") else {}
    bounds |= {"derivative": gradient} if kind else {}
    parts = [
        f"error of the {what} at most {bound['float32']:g} ULP in float32 and "
        f"{bound['float64']:g} ULP in float64"
        for what, bound in bounds.items()
    ]
    if kind and kernel.roots:
        roots = ", ".join(f"{float(root):.6f}" for root in kernel.roots)
        parts.append(
            f"in float64 within {kernel.root_radius:g} of the derivative's root at {roots}, "
            f"where it is at most {root_error} instead"
        )
    if kind and any(kernel.gradient_floor):
        single, double = (f"2**{log2(floor):g}" for floor in kernel.gradient_floor)
        parts.append(f"or, where it cancels, {single} in float32 and {double} in float64")
    return "; ".join(parts) + (". Subnormal results are no exception" if kernel.limits else "")


def _example(text: str, words: dict[str, Any]) -> str:
    imports = ">>> import numpy as np\n" if "np." in text else ""
    return f"{imports}>>> import vekt as vk\n{_filled(text, words)}" if text else ""


def _wrap(text: str, indent: int = 0) -> str:
    """Break lines at 88 columns, but not those of formulas."""
    lines, line, space = [], "", " " * indent
    if text.startswith(".."):
        return space + text
    for word in text.split():
        if line and len(line) + 1 + len(word) > 88 - indent:
            lines.append(space + line)
            line = word
        else:
            line = f"{line} {word}" if line else word
    return "\n".join([*lines, space + line])
