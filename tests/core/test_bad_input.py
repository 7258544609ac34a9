"""Bad input: NumPy's kinds of error, and nothing written."""

from __future__ import annotations

import numpy as np
import pytest

import vekt as vk

PUBLIC = [vk.sigmoid, vk.tanh, vk.relu, vk.leaky_relu, vk.gelu]
BACKWARD = [
    vk.sigmoid_backward,
    vk.tanh_backward,
    vk.relu_backward,
    vk.leaky_relu_backward,
    vk.gelu_backward,
    vk.sigmoid_backward_from_output,
    vk.tanh_backward_from_output,
]
BAD_DTYPES = [
    np.array([1j]),
    np.array(["a"]),
    np.array([b"a"]),
    np.array([None]),
    np.array(["2001-01-01"], "M8[D]"),
    np.zeros(1, "longdouble"),
    np.zeros(1, [("field", float)]),
]


@pytest.mark.parametrize("function", PUBLIC)
@pytest.mark.parametrize("x", BAD_DTYPES, ids=lambda x: str(x.dtype))
def test_dtypes(function, x):
    out = np.full(1, 7.0)
    with pytest.raises(TypeError):
        function(x, out=out)
    assert out == 7


@pytest.mark.parametrize("function", BACKWARD)
@pytest.mark.parametrize("x", BAD_DTYPES, ids=lambda x: str(x.dtype))
def test_dtypes_of_backward(function, x):
    with pytest.raises(TypeError):
        function(np.ones(1), x)
    with pytest.raises(TypeError):
        function(x, np.ones(1))


@pytest.mark.parametrize("function", BACKWARD)
def test_shapes_of_backward(function):
    out = np.full(3, 7.0)
    with pytest.raises(ValueError, match=r"\(3,\).*\(4,\)"):
        function(np.ones(3), np.ones(4), out=out)
    assert (out == 7).all()


@pytest.mark.parametrize("function", PUBLIC)
class TestOut:
    """Wrong outputs are refused before anything is written."""

    def test_read_only(self, function):
        out = np.full(3, 7.0)
        out.flags.writeable = False
        with pytest.raises(ValueError, match="read-only"):
            function(np.ones(3), out=out)
        assert (out == 7).all()

    def test_shape(self, function):
        for shape in [(4,), (1,), ()]:
            out = np.full(shape, 7.0)
            with pytest.raises(ValueError, match="shape|broadcast|dimensions"):
                function(np.ones(3), out=out)
            assert (out == 7).all()

    def test_dtype(self, function):
        for dtype in (int, bool):
            out = np.full(3, 1, dtype)
            with pytest.raises(TypeError, match="cast"):
                function(np.full(3, 0.5), out=out)
            assert (out == np.full(3, 1, dtype)).all()

    def test_not_an_array(self, function):
        with pytest.raises(TypeError):
            function(np.ones(3), out=[0, 0, 0])


@pytest.mark.parametrize("function", PUBLIC)
def test_no_argument_or_an_unknown_one(function):
    with pytest.raises(TypeError):
        function()
    with pytest.raises(TypeError, match="slope"):
        function(np.ones(3), slope=1)


@pytest.mark.parametrize("function", [vk.relu, vk.leaky_relu])
def test_parameters_that_do_not_broadcast(function):
    with pytest.raises(ValueError, match="broadcast"):
        function(np.ones(3), np.ones(4))


@pytest.mark.parametrize("function", [vk.relu, vk.leaky_relu])
def test_parameters_of_other_dtypes(function):
    with pytest.raises(TypeError):
        function(np.ones(3), "steep")


@pytest.mark.parametrize("name", ["sum", "mean", "max", "min", "any", "all", "argmax", "argmin"])
@pytest.mark.parametrize("value", ["a", "", None, 1.0, [True], np.ones(2)])
def test_keepdims_is_a_bool(name, value):
    for x in (np.ones((2, 3)), np.ones((2, 3), "i1"), np.ones((2, 3), "c8")):
        for function in (getattr(vk, name), vk.norm, vk.logsumexp):
            with pytest.raises(TypeError):
                function(x, axis=1, keepdims=value)
    assert getattr(vk, name)(np.ones((2, 3)), axis=1, keepdims=np.True_).shape == (2, 1)
    assert getattr(vk, name)(np.ones((2, 3)), axis=1, keepdims=0).shape == (2,)
