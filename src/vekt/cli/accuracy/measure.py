"""What a worker of `vekt accuracy` does: the errors of one kernel over one stretch of inputs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

import vekt as vk
from vekt import elementwise, reference, ufuncs
from vekt._core.ulp import Float32Errors
from vekt.cli.accuracy.function_cases import FUNCTIONS
from vekt.cli.accuracy.samples import (
    finite_patterns,
    float32_patterns,
    float64_patterns,
    gradient_error,
    kinks,
    typed,
)
from vekt.cli.cases import Case, case_of
from vekt.cli.peers.functions import peer_functions

FORMS = ("value", "gradient")
BINS = 5  # half ULPs that are counted apart; the last one is for all that is beyond
# Small enough for the reference's many temporaries to stay in a cache of 1 MB.
BLOCK = 1 << 15
_BLOCK_OF_DIGITS = 1 << 6

Errors = Callable[[NDArray[Any]], NDArray[np.float64]]
Results = dict[str, list[NDArray[Any]]]


@dataclass
class Finding:
    """The errors of a kernel's values or gradients: the largest, where, how many in each half ULP.

    `subject` is an instruction set or a peer.  `at` are the bits of the input with the largest
    error, of the smallest such bits; `same_bits` tells whether all results are those of the first
    subject.  `max_ulp` is below 0 if nothing was measured.  `flushed` tells of a peer that it takes
    subnormal numbers for zero, which is not among its errors.
    """

    kernel: str
    form: str
    subject: str
    max_ulp: float = -1.0
    at: int = 0
    counts: list[int] = field(default_factory=lambda: [0] * BINS)
    same_bits: bool = True
    flushed: bool = False

    def add(self, max_ulp: float, at: int, counts: Sequence[int]) -> None:
        """Take the errors at some inputs into account."""
        if (max_ulp, -at) > (self.max_ulp, -self.at):
            self.max_ulp, self.at = max_ulp, at
        self.counts = [a + b for a, b in zip(self.counts, counts, strict=True)]

    def merge(self, other: Finding) -> None:
        """Take the findings at other inputs into account."""
        self.add(other.max_ulp, other.at, other.counts)
        self.same_bits &= other.same_bits
        self.flushed |= other.flushed


@dataclass(frozen=True)
class Plan:
    """What is measured against what: `inputs` values of a dtype, on `isas` and with `peers`.

    `oracle` is "reference", or "formula" for the spec's formula in as many digits as it takes.
    """

    dtype: str
    inputs: int
    isas: tuple[str, ...]
    peers: tuple[str, ...] = ()
    oracle: str = "reference"

    def empty(self, kernel: str) -> list[Finding]:
        """Return findings of nothing yet: of each form, one for each subject."""
        subjects = (*self.isas, *self.peers)
        forms = _case(kernel).forms
        return [Finding(kernel, form, subject) for form in forms for subject in subjects]


def _case(kernel: str) -> Case:
    return FUNCTIONS.get(kernel) or case_of(kernel)


def measure(plan: Plan, kernel: str, begin: int, end: int) -> list[Finding]:
    """Measure a kernel's errors at the inputs number `begin` to `end` of the plan."""
    case = _case(kernel)
    findings = plan.empty(kernel)
    with vk.num_threads(1), np.errstate(all="ignore"):
        for x in _blocks(plan, begin, end):
            kernels = [_isa_results(isa, case, x) for isa in plan.isas]
            peers = [_peer_results(peer, case, x) for peer in plan.peers]
            of_form = iter(findings)
            for form in case.forms:
                errors = _errors(plan, case, form, x)
                _add_kernels(of_form, errors, x, [results[form] for results in kernels])
                for results in peers:
                    finding = next(of_form)
                    for result in results[form]:
                        found = errors(result)
                        found[_skipped(case, x)] = 0
                        lost = _flushed(x, result, found)
                        finding.flushed |= bool(lost.any())
                        found[lost] = 0
                        finding.add(*_summary(x, found))
    return findings


def _blocks(plan: Plan, begin: int, end: int) -> Iterator[NDArray[Any]]:
    dtype = np.dtype(plan.dtype)
    size = BLOCK if plan.oracle == "reference" else _BLOCK_OF_DIGITS
    for first in range(begin, end, size):
        last = min(first + size, end)
        if plan.oracle != "reference":
            yield finite_patterns(dtype, first, last, plan.inputs)
        elif dtype == np.float32:
            yield float32_patterns(first, last, plan.inputs)
        else:
            yield float64_patterns(first, last)


def _errors(plan: Plan, case: Case, form: str, x: NDArray[Any]) -> Errors:
    """Return the function that measures results at x; its result may be overwritten by the next."""
    if plan.oracle != "reference":
        from vekt.cli.accuracy.oracle import formula_errors

        return formula_errors(case.kernel, tuple(typed(case.params, x)), form, x)
    evaluate = reference.wide if form == "value" else reference.wide_gradient
    wide = evaluate(case.kernel, x, *typed(case.params, x))
    if x.dtype == np.float32:
        meter = _meter()
        meter.against(wide)
        return meter
    if form == "value":
        return lambda results: reference.ulp_error(results, wide)
    return lambda results: gradient_error(case.kernel, x, results, wide)


@cache
def _meter() -> Float32Errors:
    return Float32Errors(BLOCK)


@cache
def _ufuncs(isa: str) -> dict[str, np.ufunc]:
    return ufuncs.build_ufuncs(isa)


@cache
def _function(name: str, isa: str) -> Callable[..., NDArray[Any]]:
    function: Callable[..., NDArray[Any]] = elementwise.build(name, isa)
    return function


def _isa_results(isa: str, case: Case, x: NDArray[Any]) -> Results:
    if case.name in FUNCTIONS:
        return {"value": [_function(case.name, isa)(x)]}
    ufuncs = _ufuncs(isa)
    operands = (x, *typed(case.params, x))
    value, gradient = ufuncs[f"{case.name}_value_and_grad"](*operands)
    with_one = ufuncs[f"{case.name}_backward"](x.dtype.type(1), *operands)
    return {"value": [ufuncs[case.name](*operands), value], "gradient": [with_one, gradient]}


def _peer_results(peer: str, case: Case, x: NDArray[Any]) -> Results:
    return {
        form: [] if function is None else [function(x, *case.params)]
        for form, function in zip(FORMS, peer_functions(peer, case.name), strict=True)
    }


def _add_kernels(
    findings: Iterator[Finding], errors: Errors, x: NDArray[Any], results: list[list[NDArray[Any]]]
) -> None:
    """Add each instruction set's errors; those of the first serve all that have its bits."""
    first = results[0]
    of_first = _summary(x, _largest(errors, first))
    for arrays in results:
        finding = next(findings)
        pairs = list(zip(arrays, first, strict=True))
        if all(_equal_bits(a, b) for a, b in pairs):
            finding.add(*of_first)
        else:
            finding.add(*_summary(x, _largest(errors, arrays)))
            finding.same_bits = finding.same_bits and all(_differ_by_nan(a, b) for a, b in pairs)


def _largest(errors: Errors, results: list[NDArray[Any]]) -> NDArray[np.float64]:
    """Errors of several results for the same inputs: the larger ones."""
    first, *others = results
    found = errors(first)
    for other in others:
        if not _equal_bits(other, first):
            found = found.copy()
            np.maximum(found, errors(other), out=found)
    return found


def _bits(a: NDArray[Any]) -> NDArray[Any]:
    return a.view(f"u{a.itemsize}")


def _equal_bits(a: NDArray[Any], b: NDArray[Any]) -> bool:
    return a is b or bool((_bits(a) == _bits(b)).all())


def _differ_by_nan(a: NDArray[Any], b: NDArray[Any]) -> bool:
    """Whether the bits are equal but for those of NaN."""
    other = _bits(a) != _bits(b)
    return bool((np.isnan(a[other]) & np.isnan(b[other])).all())


def _skipped(case: Case, x: NDArray[Any]) -> NDArray[np.bool_]:
    """Mark where peers may differ: at what is not finite, and at kinks, as conventions do."""
    skipped: NDArray[np.bool_] = ~np.isfinite(x)
    for at, _ in kinks(case.kernel, case.params):
        skipped |= x == at
    return skipped


def _flushed(
    x: NDArray[Any], result: NDArray[Any], errors: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Mark errors of subnormal numbers taken for zero: of the input, or of the result.

    Their unit is the smallest of them, so that a result of 0 is off by fewer units than the
    smallest normal number has; where a normal number is lost, by at least as many.
    """
    info: Any = np.finfo(x.dtype)
    small: NDArray[np.bool_] = np.abs(x) < info.smallest_normal
    small |= (result == 0) & (errors < 2.0**info.nmant)
    return small & (errors > 0.5)


def _summary(x: NDArray[Any], errors: NDArray[np.float64]) -> tuple[float, int, list[int]]:
    """Largest error, the bits of its input, and how many errors lie in each half ULP."""
    worst = int(errors.argmax())
    largest = float(errors[worst])
    beyond = [errors.size]
    for half in range(1, BINS):
        beyond.append(int(np.count_nonzero(errors > half / 2)) if largest > half / 2 else 0)
    counts = [more - less for more, less in pairwise([*beyond, 0])]
    return largest, int(_bits(x)[worst]), counts
