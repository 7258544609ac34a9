"""What differs from the truth, and is documented: a reason for each."""

from __future__ import annotations

import re
from typing import Any

import numpy as np


def _of_zeros(problem: str) -> bool:
    numbers = re.search(r"([^ ]+) for ([^ ]+) at", problem)
    text = re.sub(r"np\.\w+", "", numbers[0]) if numbers else "1"
    return not re.search(r"[1-9]|nan|inf", text)


def _rows_of(case: Any) -> set[int]:
    return {np.shape(x)[-2] if np.ndim(x) > 1 else 1 for x in case.args}


def known(group: str, case: Any, problem: str) -> str:
    """Return why a failure is not a finding, or ""."""
    zeros = "clip|fmax|maximum|minimum|(max|min)\\("  # reductions of fused ones are vekt's
    if _of_zeros(problem) and re.search(zeros, f"{case.name} {case.notes}"):
        return "which zero NumPy's own loops give of both depends on strides and dtypes"
    numbers = [x for x in case.args if not hasattr(x, "dtype")] + [*case.options.values()]
    narrow = str(case.options.get("dtype")) in ("f2", "float16", "bfloat16")
    if group == "activations" and narrow and len(numbers) > 1 and " for " in problem:
        return "parameters of calls in 16 bits have the digits that they are given with"
    one_row = group == "linalg" and problem.startswith("other bits in this layout")
    if one_row and case.name in ("matmul", "vecmat", "dot") and 1 in _rows_of(case):
        return "one row times transposed weights has dot's order, as docs/linalg.md says"
    reduced = group == "expressions" and re.search(r"'(sum|mean)'", str(case.notes))
    if reduced and re.match(r"np\.complex\d+\(.*(inf|nan)", problem):
        return "complex numbers are reduced by NumPy, whose partial sums overflow"
    if case.masked and any(
        getattr(getattr(x, "dtype", None), "hasobject", False) for x in case.args
    ):
        return "objects under a mask: the truth knows no mask, and fails at what is not computed"
    return ""
