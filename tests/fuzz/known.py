"""Faults that are known and not yet mended: a reason for each."""

from __future__ import annotations

from typing import Any

import numpy as np


def _narrow(case: Any) -> bool:
    operands = [*case.args, case.options.get("dtype")]
    kinds = [x.dtype if hasattr(x, "dtype") else x for x in operands]
    return any(str(k) in ("float16", "bfloat16", "f2") or k == np.dtype(">f2") for k in kinds)


def known(group: str, case: Any, problem: str) -> str:
    """Return why a failure is not a finding, or ""."""
    if problem.startswith("RecursionError") and "dtype" in case.options:
        return "issue 13, 2: dtype= without a loop"
    if "sign of zero" in problem:
        return "issue 13, 19: signs of zeros"
    if group == "activations" and _narrow(case):
        return "issue 13, 20: parameters of 16-bit calls"
    if group == "rows" and "DTypePromotionError" in problem:
        return "issue 13, 23: row backwards of bfloat16 beside others"
    if group == "elementwise" and case.name.startswith("stream") and "copyto" in problem:
        return "issue 13, 23: stream of 0-d"
    if case.name == "where" and "not ndarray" in problem:
        return "issue 13, 23: where of 0-d"
    if case.name in ("logical_and", "logical_or", "where") and "c" in _kinds(case):
        return "issue 13, 8: complex to bool"
    if (
        group == "elementwise"
        and case.name in _ONE_ALGORITHM
        and ("bits" in problem or _converted(case))
    ):
        return "issue 13, 14: one algorithm for every element"
    if case.name == "mean" and "NotImplementedType" in problem:
        return "issue 13, 23: mean(where=) of 0-d"
    if group == "reductions" and "where" in case.options and _narrow(case):
        return "sums of 16 bits with where="
    if case.name == "norm" and "bfloat16" in str(case.args[0].dtype):
        return "issue 13, 18: norms of bfloat16"
    if group == "gradients" and problem.startswith("NotImplementedError"):
        return "losses by their targets"
    return ""


_ONE_ALGORITHM = ("exp", "log", "sin", "cos", "multiply_add", "scale_shift")


def _converted(case: Any) -> bool:
    return bool({"dtype", "where"} & set(case.options)) or case.out is not None


def _kinds(case: Any) -> str:
    return "".join(np.asarray(x).dtype.kind for x in case.args)
