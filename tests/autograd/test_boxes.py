"""What autograd traces, given to `vekt` itself: never an answer without a gradient."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from autograd import grad
from autograd.tracer import isbox

import vekt as vk
from vekt._spec.families import ALL

X = np.array([[0.3, 0.5], [0.7, 0.2]])
OTHERS: dict[str, tuple[Any, ...]] = {
    "broadcast_to": ((2, 2),),
    "one_hot": (3,),
    "scatter_add": ([0, 1], X),
    "softmax_cross_entropy": ([0, 1],),
    "softmax_cross_entropy_value_and_grad": ([0, 1],),
    "sum_to_shape": ((2,),),
    "take": ([0],),
    "top_k": (1,),
}
FUNCTIONS = [(s, s.name + k, k) for s in ALL if s.family != "optim" for k in s.kinds]
# Those that made an array of objects of it.
POINTING = {"broadcast_to", "dot", "outer", "sum_to_shape", "take", "tensordot", "transpose_copy"}
POINTING |= {"cosine_similarity", "dense", "dense_backward", "norm", "one_hot", "top_k"}
POINTING |= {"prelu_backward", "scatter_add", "softmax_cross_entropy", "cumsum", "cumprod"}


@pytest.mark.filterwarnings("ignore:Output seems independent")  # autograd's, of comparisons
@pytest.mark.parametrize(("spec", "name", "kind"), FUNCTIONS, ids=[n for _, n, _ in FUNCTIONS])
def test_no_function_drops_the_gradient(spec: Any, name: str, kind: str) -> None:
    count = len(spec.form(kind).operands)
    seen: list[Any] = []

    def cost(x: Any) -> Any:
        given = (x, *OTHERS[name]) if name in OTHERS else (x,) * count
        y = getattr(vk, name)(*(("ij->", x) if name == "einsum" else given))
        seen.extend(y if isinstance(y, tuple) else (y,))
        return (seen[0] * X).sum()

    said = "no error"
    try:
        grad(cost)(X)
    except (TypeError, ValueError) as error:
        said = str(error)
    assert name not in POINTING or "vekt.autograd" in said
    assert all(isbox(y) or y.dtype != object for y in seen)
