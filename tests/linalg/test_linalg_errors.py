"""Where NumPy raises, so do the products: its kinds of errors, before anything is written."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_array_equal

import vekt as vk
from vekt import reference

NAMES = ["matmul", "vecdot", "matvec", "vecmat"]
A, X = np.ones((3, 4)), np.ones(4)
# What fits each function: both operands, and the shape of the result.
FITS = {
    "matmul": (A, A.T, (3, 3)),
    "vecdot": (A, X, (3,)),
    "matvec": (A, X, (3,)),
    "vecmat": (X, A.T, (3,)),
}


def readonly(shape):
    out = np.empty(shape)
    out.flags.writeable = False
    return out


OPERANDS = {
    "lengths": (A, np.ones(3)),
    "lengths of matrices": (A, A),
    "lengths of stacks": (np.ones((2, 3, 4)), np.ones((2, 5, 3))),
    "stacks": (np.ones((2, 4, 4)), np.ones((3, 4, 4))),
    "a scalar in front": (2.0, A),
    "a scalar behind": (A, 2.0),
    "scalars": (np.float64(1), 2),
    "text": (np.array([["a"]]), np.array([["b"]])),
    "text and numbers": (np.ones((1, 1)), [["b"]]),
    "dates": (np.ones((1, 1), "M8[s]"), np.ones((1, 1))),
    "records": (np.ones((1, 1), "f4,f4"), np.ones((1, 1))),
    "ragged": ([[1, 2], [3]], X),
    "empty against full": (np.ones((3, 0)), X),
}


@pytest.mark.parametrize("case", OPERANDS)
@pytest.mark.parametrize("name", NAMES)
def test_operands(name, case):
    operands = OPERANDS[case]
    theirs = getattr(np, name, None)
    if theirs is None:
        pytest.skip("NumPy 2.2 has this function")
    try:
        theirs(*operands)
    except Exception as error:
        kind = type(error)
    else:
        pytest.skip("no error")
    for _ in range(2):  # the second time, NumPy has it in its cache
        with pytest.raises(kind if kind in (ValueError, TypeError) else TypeError) as raised:
            getattr(vk, name)(*operands)
        assert any(word in str(raised.value) for word in (name, "broadcast", "inhomogeneous"))


def test_messages_tell_the_lengths():
    with pytest.raises(ValueError, match=r"matmul.*size 3 is different from 4"):
        vk.matmul(A, A)
    with pytest.raises(ValueError, match=r"matmul.*not have enough dimensions"):
        vk.matmul(A, 1.0)


@pytest.mark.parametrize("dtype", ["S"])
@pytest.mark.parametrize("name", NAMES)
def test_dtypes_without_products(name, dtype):
    a, b, _ = FITS[name]
    foreign = a.astype(dtype), b.astype(dtype)
    for operands in [(foreign[0], b), (a, foreign[1]), foreign]:
        for namespace in (vk, reference):
            with pytest.raises(TypeError):
                getattr(namespace, name)(*operands)
    with pytest.raises(TypeError, match=name):
        getattr(vk, name)(a, b, dtype=dtype)


OUTS = {
    "too small": (ValueError, lambda shape: np.empty([n - 1 for n in shape])),
    "too large": (ValueError, lambda shape: np.empty([n + 1 for n in shape])),
    "too few dimensions": (ValueError, lambda shape: np.empty(shape[1:])),
    "read-only": (ValueError, readonly),
    "integers": (TypeError, lambda shape: np.empty(shape, int)),
    "a list": (TypeError, lambda shape: np.zeros(shape).tolist()),
    "a number": (TypeError, lambda shape: 1.0),
    "two": ((ValueError, TypeError), lambda shape: (np.empty(shape), np.empty(shape))),
}


@pytest.mark.parametrize("case", OUTS)
@pytest.mark.parametrize("name", NAMES)
def test_out(name, case):
    a, b, shape = FITS[name]
    kind, make = OUTS[case]
    out = make(shape)
    before = np.array(out)
    if hasattr(np, name):
        with pytest.raises(kind):
            getattr(np, name)(a, b, out=out)
    for call in (lambda f: f(a, b, out=out), lambda f: f(a, b, out)):
        with pytest.raises(kind):
            call(getattr(vk, name))
    with pytest.raises((ValueError, TypeError)):
        getattr(reference, name)(a, b, out=out)
    assert_array_equal(np.array(out), before)


@pytest.mark.parametrize("name", NAMES)
def test_out_that_numpy_takes(name):
    """Other shapes and dtypes that a result can be broadcast or cast to."""
    a, b, shape = FITS[name]
    single = np.empty(shape, "f")
    assert getattr(vk, name)(a, b, single) is single
    assert_array_equal(single, getattr(vk, name)(a, b))
    complex_out = np.empty(shape, "D")
    assert getattr(vk, name)(a, b, out=(complex_out,)) is complex_out
    stack = np.empty((2, *shape))
    assert getattr(vk, name)(a[None], b, out=stack) is stack
    assert_array_equal(stack, np.broadcast_to(single, stack.shape))
    integers = np.empty(shape, int)
    assert getattr(vk, name)(a, b, out=integers, casting="unsafe") is integers
    assert_array_equal(integers, single)
    assert_array_equal(getattr(vk, name)(a, b, None), single)
    assert_array_equal(getattr(vk, name)(a, b, out=None), single)


@pytest.mark.parametrize("name", NAMES)
def test_arguments(name):
    function = getattr(vk, name)
    a, b, shape = FITS[name]
    out = np.empty(shape)
    for bad in [
        lambda: function(),
        lambda: function(a),
        lambda: function(a, b, out, out),
        lambda: function(a, b, out, out=out),
        lambda: function(a, b, no_such=1),
        lambda: function(x1=a, x2=b),
        lambda: function(a, b, where=True),
        lambda: function(a, b, casting=3),
        lambda: function(a, b, axes=5),
    ]:
        with pytest.raises(TypeError):
            bad()
    with pytest.raises(ValueError, match="axes"):
        function(a, b, axes=[(0, 1)])
    with pytest.raises(TypeError, match="cast"):
        function(a, b, dtype=int)
    with pytest.raises(ValueError, match="axes|out of bounds"):
        function(a, b, axes=[5, 5, 5] if name == "vecdot" else [(7, 8), (7, 8), (7, 8)])


def test_axis():
    with pytest.raises(TypeError, match="axis"):
        vk.matmul(A, A.T, axis=0)
    with pytest.raises(ValueError, match="axis"):
        vk.vecdot(A, A, axis=2)


AXES = [4, (1, 2, 3), (0,), ((0,), (7,)), ((0, 0), (0, 0)), ((0, 1), (0,)), (0, 1)]
AXES += [1, 1.0, "ab", None]


@pytest.mark.parametrize("axes", AXES)
def test_tensordot(axes):
    a = np.ones((3, 4, 5))
    with pytest.raises((ValueError, TypeError, IndexError)) as theirs:
        np.tensordot(a, a, axes)
    kind = ValueError if theirs.type is IndexError else theirs.type
    for module in (vk, reference):
        with pytest.raises(theirs.type if module is reference else kind):
            module.tensordot(a, a, axes)


def test_tensordot_dtypes():
    for bad in (np.ones(3, "M8[s]"), np.ones(3, "V4"), np.array(["a", "b", "c"])):
        with pytest.raises(TypeError):
            vk.tensordot(bad, np.ones(3), 1)


@pytest.mark.parametrize(
    ("a", "b"),
    [
        (A, A),
        (np.ones((2, 3, 4)), np.ones((2, 3, 4))),
        (X, np.ones((2, 3, 5))),
        (np.ones((2, 3)), X),
    ],
)
def test_general_dot(a, b):
    for dot in (np.dot, vk.dot, reference.dot):
        with pytest.raises(ValueError, match=r"aligned|mismatch"):
            dot(a, b)


@pytest.mark.parametrize(
    "out",
    [
        np.empty((3, 4)),
        np.empty((3, 3), "f"),
        np.empty((3, 3)).T[::-1],
        np.asfortranarray(np.empty((3, 3))),
        np.empty((3, 3), np.dtype("d").newbyteorder()),
        readonly((3, 3)),
    ],
)
def test_out_of_general_dot(out):
    for dot in (np.dot, vk.dot):
        with pytest.raises(ValueError, match="out"):
            dot(A, A.T, out)
    with pytest.raises(TypeError):
        vk.dot(A, A.T, [1])
