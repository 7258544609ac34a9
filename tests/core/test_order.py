"""New arrays lie as NumPy's order "K" has it, whatever the layouts of the operands."""

import numpy as np
import pytest
from operands import operand

import vekt as vk
from vekt._spec import elementwise
from vekt._spec.activations import OPS
from vekt._spec.gates import GATE_OPS
from vekt._spec.losses import LOSSES

SHAPES = ([3, 4, 5], [2, 7], [5], [4, 1, 3, 2], [2, 0, 3])
FUSED = {
    "one": (1, lambda x: x * 2 - np.sin(x)),
    "two": (2, lambda x, y: (x * y, x > y)),
    "three": (3, vk.multiply_add),
    "integers": (2, lambda x, y: x.astype("i8") + y.astype("i4")),
    "gelu": (1, vk.gelu),
}


def in_order_k(shape, operands):
    """Return what NumPy's iterator allocates for operands of a shape."""
    flags = [["readonly"]] * len(operands) + [["writeonly", "allocate"]]
    dtypes = [None] * len(operands) + ["f8"]
    return np.nditer((*operands, None), ["zerosize_ok"], flags, dtypes).operands[-1]


def strides(x):
    """Return steps in elements, along axes that have more than one."""
    return [s // x.itemsize for s, n in zip(x.strides, x.shape, strict=True) if n > 1]


def check(function, count, seed=0, dtypes=("f4", "f8")):
    """Compare the layouts of all results of the operands' common shape."""
    rng = np.random.default_rng(seed)
    for _ in range(40):
        shape = SHAPES[rng.integers(len(SHAPES))]
        operands = [operand(rng, shape, dtypes[rng.integers(len(dtypes))]) for _ in range(count)]
        want = in_order_k(shape, operands)
        results = function(*operands)
        for y in results if isinstance(results, tuple) else (results,):
            if np.ndim(y):
                assert y.shape == want.shape
                assert strides(y) == strides(want), [x.strides for x in operands]


def forms(name):
    """Yield a function, its gradient and both, with the number of operands that each takes."""
    yield getattr(vk, name), 0
    for suffix, more in (("_backward", 1), ("_value_and_grad", 0)):
        if hasattr(vk, name + suffix):
            yield getattr(vk, name + suffix), more


@pytest.mark.parametrize("name", OPS)
def test_activations(name):
    for function, more in forms(name):
        check(function, 1 + more)


@pytest.mark.parametrize("name", [name for name in GATE_OPS if name != "glu"])
def test_gates(name):
    for function, more in forms(name):
        check(function, 2 + more)


def test_gates_of_halves_and_slopes():
    check(lambda x: vk.prelu(x, 0.25), 1)
    check(lambda dy, x: vk.prelu_backward(dy, x, 0.25)[0], 2)
    x = np.asfortranarray(np.ones((4, 6)))
    assert vk.glu(x).flags.f_contiguous
    assert vk.glu_backward(np.ones((4, 3)), x).flags.f_contiguous
    assert np.ndim(vk.prelu_backward(1.0, 2.0, 0.5)[0]) == 0


@pytest.mark.parametrize("name", LOSSES)
def test_losses(name):
    for function, more in forms(name):
        check(function, 2 + more)


@pytest.mark.parametrize("name", elementwise.OPS)
def test_elementwise(name):
    if name == "where":
        check(lambda x, y: vk.where(True, x, y), 2)
    elif name == "clip":
        check(lambda x: vk.clip(x, 0.2, 0.4), 1)
    else:
        check(getattr(vk, name), len(elementwise.OPS[name].inputs))


@pytest.mark.parametrize("name", FUSED)
def test_fused(name):
    count, function = FUSED[name]
    fused = vk.fuse(function)
    check(fused, count)
    check(fused, count, 1, (">f4", "f8"))
    if name == "one":
        check(fused.value_and_grad, 1)
        check(lambda x: fused.backward(1.0, x), 1)


@pytest.mark.parametrize("axis", [0, 1, 2, (0, 2), None])
@pytest.mark.parametrize("keepdims", [False, True])
def test_fused_reductions(axis, keepdims):
    rng = np.random.default_rng(0)
    for reduction in (np.sum, np.mean, np.max, np.min):

        def function(x, y, reduce=reduction):
            return reduce(x * y, axis=axis, keepdims=keepdims), x / reduce(y, axis, keepdims=True)

        for _ in range(10):
            x, y = (operand(rng, [3, 4, 5], "f8") for _ in range(2))
            x, y = (np.broadcast_to(a, (3, 4, 5)).copy("K") for a in (x, y))
            for got, want in zip(vk.fuse(function)(x, y), function(x, y), strict=True):
                assert np.shape(got) == np.shape(want)
                assert not np.ndim(got) or strides(got) == strides(want)
