"""Run one call in a random layout, and compare it with the truth and with plain arrays."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from fused import builtin_kind

import vekt as vk

from .arrays import Array, memory_of
from .truth import Truth, same_elements

KINDS = (TypeError, ValueError, OverflowError)  # AxisError is a ValueError


@dataclass
class Case:
    """A call: a public name, its function, operands, options, and what it should return.

    `expect` gets the operands and options with plain arrays in their places, and returns a Truth
    for each result, or raises.  `out` is one array to write to or several.  `same_bits` says
    whether the layout makes no difference.  `masked` says that `where` is a ufunc's.  `bad` says
    that the call must be refused, `may_refuse` that it may.  `quiet` says that nothing may be
    warned of.  `errors` are kinds that may stand for each other and for the truth's own.
    """

    name: str
    function: Callable[..., Any]
    args: list[Any]
    options: dict[str, Any]
    expect: Callable[..., Any]
    out: Any = None
    same_bits: bool = True
    masked: bool = False
    bad: str = ""
    threads: int = 1
    quiet: bool = True
    may_refuse: bool = False
    errors: tuple[type[Exception], ...] = KINDS
    notes: dict[str, Any] = field(default_factory=dict)

    def describe(self) -> str:
        """Write the call down."""
        args = [_described(x) for x in self.args]
        options = dict(self.options) if self.out is None else {**self.options, "out": self.out}
        args += [f"{key}={_described(x)}" for key, x in options.items()]
        return f"{self.name}({', '.join(args)}){self.notes or ''}{' must raise' * bool(self.bad)}"


def _described(x: Any) -> str:
    if isinstance(x, tuple | list):
        return f"({', '.join(map(_described, x))})"
    if not isinstance(x, np.ndarray):
        return repr(x)
    text = f"{x.dtype.str if x.dtype.kind != 'V' else x.dtype}{x.shape}strides{x.strides}"
    if not x.flags.writeable:
        text += " read-only"
    return f"<{text} {x.tolist()!r}>" if x.size <= 4 else f"<{text}>"


def plain(x: Any) -> Any:
    """Return a copy that is contiguous, aligned and native."""
    if isinstance(x, np.ndarray):
        return np.array(x, x.dtype.newbyteorder("="), order="C", copy=True)
    if isinstance(x, tuple | list):
        return type(x)(map(plain, x))
    return x


def outcome(function: Callable[..., Any], args: Any, options: Any, flags: Any = "raise") -> Any:
    """Return the results as a tuple, or the error."""
    try:
        with np.errstate(all=flags, under="ignore"):
            result = function(*args, **options)
    except Exception as error:  # whatever it is: it is judged later
        return error
    return result if isinstance(result, tuple) else (result,)


def expected(case: Case, args: Any, options: Any) -> Any:
    """Return the truth for each result, or the error."""
    try:
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            truth = case.expect(*args, **options)
            truths = truth if isinstance(truth, tuple) else (truth,)
            if case.masked:
                for true in truths:
                    np.broadcast_shapes(np.shape(true.wide), np.shape(options["where"]))
    except Exception as error:  # NumPy's, or Python's of its own numbers
        return error
    return truths


def _arrays(case: Case) -> list[Array]:
    found = [*case.args, *case.options.values()]
    found += case.out if isinstance(case.out, tuple) else [case.out]
    found = [y for x in found for y in (x if isinstance(x, tuple | list) else (x,))]
    return [x for x in found if isinstance(x, np.ndarray)]


def fault(case: Case) -> str:
    """Return what is wrong, or ""."""
    with vk.num_threads(case.threads):
        return _fault(case)


def _fault(case: Case) -> str:
    args, options = [plain(x) for x in case.args], {k: plain(x) for k, x in case.options.items()}
    truth = expected(case, [plain(x) for x in args], {k: plain(x) for k, x in options.items()})
    mask = options.get("where", True) if case.masked else True
    # NumPy tells of what overflows in a cast to `dtype` or `out`, too.
    narrows = options.get("dtype") is not None or not case.quiet
    first = outcome(case.function, args, options, "ignore" if narrows else "raise")
    problem = _judged(first, truth, mask, case.errors)
    if problem and not (case.may_refuse and isinstance(first, TypeError)):
        return problem
    memories = {id(memory_of(a)): memory_of(a) for a in _arrays(case)}
    before = {key: memory.copy() for key, memory in memories.items()}
    given = dict(case.options)
    if case.out is not None:
        given["out"] = case.out
    narrows |= case.out is not None
    got = outcome(case.function, case.args, given, "ignore" if narrows else "raise")
    if isinstance(first, Exception) or case.bad:
        if not isinstance(got, Exception):
            return (
                f"no {type(first).__name__} in this layout: {first}" if not case.bad else case.bad
            )
        if not isinstance(got, (*KINDS, type(first))):
            return f"{type(got).__name__}: {got}"
        return _written(memories, before, ())
    if isinstance(got, Exception):
        return f"only in this layout {type(got).__name__}: {got}"
    outs = case.out if isinstance(case.out, tuple) else (case.out,)
    problem = _written(memories, before, [o for o in outs if o is not None])
    with np.errstate(all="ignore"):
        return problem or _compared(case, got, first, truth, mask, outs)


def _compared(case: Case, got: Any, first: Any, truth: Any, mask: Any, outs: Any) -> str:
    if len(got) != len(first):
        return f"{len(got)} results, not {len(first)}"
    outs = (*outs, *(None,) * len(got))
    for result, model, true, out in zip(got, first, truth, outs, strict=False):
        if result is None or model is None:
            if result is not model:
                return f"{result!r} for {model!r}"
            continue
        if out is not None and result is not out:
            return "the result is not out"
        native = np.asarray(result)
        if out is None:
            if native.dtype != np.asarray(model).dtype:
                return f"dtype {native.dtype.str} in this layout, not {np.asarray(model).dtype}"
        else:
            model = np.asarray(model).astype(out.dtype.newbyteorder("="))
            native = native.astype(native.dtype.newbyteorder("="))
        if native.shape != np.shape(model) and (out is None or np.ndim(mask) == 0):
            return f"shape {native.shape} in this layout, not {np.shape(model)}"
        if case.same_bits:
            right = same_elements(native, np.asarray(model)) | ~np.asarray(mask)
            if not right.all():
                count = f"{np.sum(~right)} of {right.size}"
                return f"other bits in this layout, {count}: {_pair(native, model, right)}"
        elif out is None or out.dtype.newbyteorder("=") == true.dtype:
            true = Truth(true.wide, true.dtype, true.tolerance, free=true.free)
            problem = true.refutes(native, mask)
            if problem:
                return "in this layout " + problem
    return ""


def _pair(got: Any, model: Any, right: Any) -> str:
    at = tuple(int(i[0]) for i in np.nonzero(~right)) if right.ndim else ()
    one, other = (np.broadcast_to(x, right.shape)[at] for x in (got, model))
    return f"{one!r} for {other!r} at {at}"


def _judged(result: Any, truth: Any, mask: Any, errors: tuple[type[Exception], ...]) -> str:
    if isinstance(truth, Exception):
        if not isinstance(result, Exception):
            return f"no {type(truth).__name__}: {truth}"
        alike = isinstance(result, (*errors, builtin_kind(truth)))
        return "" if alike else f"{type(result).__name__}: {result}"
    if isinstance(result, Exception):
        return f"{type(result).__name__}: {result}"
    if len(result) != len(truth):
        return f"{len(result)} results, not {len(truth)}"
    for k, (got, true) in enumerate(zip(result, truth, strict=True)):
        problem = (
            true.refutes(got, mask) if true is not None else ("" if got is None else "not None")
        )
        if problem:
            return f"result {k}: {problem}" if len(truth) > 1 else problem
    return ""


def _written(memories: Any, before: Any, outs: Any) -> str:
    """Compare the memory with what it was, but for the elements of the outputs."""
    for out in outs:
        if not out.size:
            continue
        memory = memory_of(out)
        old = before[id(memory)]
        start = out.__array_interface__["data"][0] - memory.__array_interface__["data"][0]
        view = np.ndarray(out.shape, out.dtype, old, start, out.strides)
        view[...] = out
    for key, memory in memories.items():
        if memory.dtype.hasobject:
            continue
        if memory.tobytes() != before[key].tobytes():
            return "memory beside the results was written"
    return ""
