"""Faults that are known and not yet mended: a reason for each."""

from __future__ import annotations

import re
from typing import Any

import numpy as np


def _narrow(case: Any) -> bool:
    operands = [*case.args, case.options.get("dtype")]
    kinds = [x.dtype if hasattr(x, "dtype") else x for x in operands]
    return any(str(k) in ("float16", "bfloat16", "f2") or k == np.dtype(">f2") for k in kinds)


def _of_zeros(problem: str) -> bool:
    numbers = re.search(r"([^ ]+) for ([^ ]+) at", problem)
    text = re.sub(r"np\.\w+", "", numbers[0]) if numbers else "1"
    return not re.search(r"[1-9]|nan|inf", text)


def known(group: str, case: Any, problem: str) -> str:
    """Return why a failure is not a finding, or ""."""
    if "sign of zero" in problem:
        return "signs of zeros differ between kernels and references"
    if group == "activations" and _narrow(case):
        return "parameters of 16-bit calls are rounded to 16 bits"
    if case.name in ("multiply_add", "scale_shift"):
        return "three operands of mixed kinds: NumPy's two steps give other dtypes and errors"
    if group == "elementwise" and "where" in case.options and "dtype |O" in problem:
        return "NumPy's objects of nothing have a dtype of their own"
    if _of_zeros(problem) and re.search("clip|fmax|maximum|minimum", f"{case.name} {case.notes}"):
        return "which zero NumPy's clip, fmax and maximum give of both depends on strides"
    return ""
