"""Gradients of other libraries' arrays: of their values, with their labels, or a clear refusal."""

import numpy as np
import pytest

import vekt as vk

X = np.array([[1.0, -0.0, 3.0], [0.5, 2.0, -1.0]])


@vk.fuse
def sine(x, w):
    """Be elementwise."""
    return np.sin(x) * w + x


@vk.fuse
def total(x, w):
    """Be reduced."""
    return np.sum(np.exp(x) * w)


def kinds():
    """Yield arrays of other libraries of these values."""
    pandas, xarray = pytest.importorskip("pandas"), pytest.importorskip("xarray")
    yield pandas.Series(X[0], index=list("abc"), name="x"), X[0]
    yield pandas.DataFrame(X, columns=list("abc")), X
    yield xarray.DataArray(X, dims=("t", "x"), coords={"t": [2, 3]}), X
    yield X.view(np.matrix), X
    yield X.astype("f4").view(np.recarray), X.astype("f4")


@pytest.mark.parametrize("function", [sine, total])
def test_gradients_are_of_the_kind_of_their_operands(function):
    for x, values in kinds():
        y, (dx, dw) = function.value_and_grad(x, 2.0)
        want, (dx_want, dw_want) = function.value_and_grad(values, 2.0)
        assert type(y) is type(function(x, 2.0))
        assert type(dx) is type(x)
        assert dx.shape == x.shape
        np.testing.assert_allclose(y, want)
        np.testing.assert_array_equal(dx, dx_want)
        assert dw == dw_want
        np.testing.assert_array_equal(function.backward(1.0, x, 2.0)[0], dx_want)
        for labels in ("index", "columns", "coords", "dims", "name"):
            own, its = getattr(x, labels, None), getattr(dx, labels, None)
            assert own.equals(its) if hasattr(own, "equals") else own == its


def test_gradients_of_labels_that_fit():
    pandas, xarray = pytest.importorskip("pandas"), pytest.importorskip("xarray")
    s = pandas.Series(X[0], index=list("abc"))
    dx, dw = sine.backward(s, s, s)
    np.testing.assert_array_equal(dw, X[0] * np.sin(X[0]))
    with pytest.raises(TypeError, match="align their labels"):
        sine.backward(1.0, s, s[::-1])
    with pytest.raises(TypeError, match="other labels"):
        sine.backward(s[::-1], s, s)
    a = xarray.DataArray(X, dims=("t", "x"))
    dx, dw = sine.backward(1.0, a, xarray.DataArray(X[0], dims="x"))
    assert dx.dims == ("t", "x")
    assert dw.dims == ("x",)
    with pytest.raises(TypeError, match="align their labels"):
        sine.backward(1.0, a, xarray.DataArray(X[:, 0], dims="t"))


@pytest.mark.filterwarnings("ignore:the matrix subclass:PendingDeprecationWarning")
def test_what_has_no_gradient_says_why():
    masked = np.ma.array(X, mask=X > 1)
    for call in (sine.value_and_grad, lambda *x: sine.backward(1.0, *x)):
        with pytest.raises(TypeError, match="sine: masked arrays have no gradients; fill them"):
            call(masked, 2.0)
        with pytest.raises(TypeError, match="no gradient for operands of .*128, float"):
            call(X.astype("g"), 2.0)
    with pytest.raises(TypeError, match="masked arrays"):
        sine.backward(masked, X, 2.0)
    square = np.ones((2, 2)).view(np.matrix)  # whose product is that of matrices
    with pytest.raises(TypeError, match="something else for matrix"):
        sine.backward(1.0, square, square)
