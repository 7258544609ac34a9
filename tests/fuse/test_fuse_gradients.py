"""Gradients of fused functions: the notes' graph, differences, shapes, reductions, layers."""

from functools import partial

import numpy as np
import pytest
from operands import FUNCTIONS

import vekt as vk
from vekt._fuse.rules import RULES
from vekt._spec.activations import OPS
from vekt._spec.losses import LOSSES

RNG = np.random.default_rng(7)


def differences(function, dy, operands):
    """Gradients of sum(dy * f) by central differences."""
    gradients = []
    for k, x in enumerate(operands):
        gradient = np.zeros(x.shape)
        for index in np.ndindex(x.shape):
            high, low = [a.copy() for a in operands], [a.copy() for a in operands]
            high[k][index] += 1e-6
            low[k][index] -= 1e-6
            with np.errstate(invalid="ignore"):
                gradient[index] = np.sum(dy * (function(*high) - function(*low))) / 2e-6
        gradients.append(gradient)
    return gradients


def check(function, *operands):
    """`backward` and `value_and_grad` against differences."""
    fused = vk.fuse(function)
    with np.errstate(invalid="ignore"):
        value = np.asarray(function(*operands))
    dy = RNG.standard_normal(value.shape)
    got = fused.backward(dy, *operands)
    for weight, gradients in (
        (dy, got),
        (np.ones(value.shape), fused.value_and_grad(*operands)[1]),
    ):
        gradients = gradients if isinstance(gradients, tuple) else (gradients,)
        for gradient, want in zip(gradients, differences(function, weight, operands), strict=True):
            assert gradient.shape == want.shape
            np.testing.assert_allclose(gradient, want, rtol=3e-6, atol=3e-7)
    np.testing.assert_allclose(fused.value_and_grad(*operands)[0], value, rtol=1e-14)


def test_the_notes_computational_graph():
    @vk.fuse
    def cost(a, b, c):
        return 3 * (a + b * c)

    assert cost(5.0, 3.0, 2.0) == 33
    assert cost.backward(1.0, 5.0, 3.0, 2.0) == (3, 6, 9)
    value, (da, db, dc) = cost.value_and_grad(5.0, 3.0, 2.0)
    assert (value, da, db, dc) == (33, 3, 6, 9)
    a, b, c = RNG.standard_normal((3, 50)).astype("f4")
    da, db, dc = cost.backward(np.float32(1), a, b, c)
    assert np.all(da == 3)
    assert da.dtype == np.float32
    assert da.shape == a.shape
    np.testing.assert_array_equal(db, 3 * c)
    np.testing.assert_array_equal(dc, 3 * b)


ONE = {
    **{
        name: getattr(np, name)
        for name in [
            "negative",
            "square",
            "absolute",
            "fabs",
            "exp",
            "exp2",
            "expm1",
            "sin",
            "cos",
            "tan",
            "sinh",
            "cosh",
            "tanh",
            "reciprocal",
            "deg2rad",
            "radians",
            "rad2deg",
            "degrees",
            "sqrt",
            "cbrt",
            "log",
            "log2",
            "log10",
            "log1p",
            "arctan",
            "arcsinh",
            "positive",
            "floor",
            "conjugate",
        ]
    },
    "arcsin": lambda x: np.arcsin(x / 9),
    "arccos": lambda x: np.arccos(x / 9),
    "arctanh": lambda x: np.arctanh(x / 9),
    "arccosh": lambda x: np.arccosh(x + 1),
    "power": lambda x: x**2.5 + x**-2 + 2.0**x + x**3,
    "clip": lambda x: np.clip(x, 0.3, 1.1) + x.clip(0.5),
    "where": lambda x: np.where(x > 1, np.sqrt(x - 1), x),
    "copysign": lambda x: np.copysign(x, -1.0),
    "modf": lambda x: np.modf(x)[0],
    "cast": lambda x: x.astype("f8") * 2 if x.dtype == "f8" else x,
    **{f"vk.{name}": getattr(vk, name) for name in FUNCTIONS},
    "exponential": vk.exp,
    "rsqrt": vk.rsqrt,
    "multiply_add": lambda x: vk.multiply_add(x, 2 * x, 3.0) + vk.log(x),
    "copy": lambda x: x,
    "mish": lambda x: vk.mish(x) * vk.gelu(x, approximate=True),
    "elu": lambda x: vk.elu(-x, alpha=0.3),
}
TWO = {
    **{
        name: getattr(np, name)
        for name in [
            "add",
            "subtract",
            "multiply",
            "divide",
            "arctan2",
            "hypot",
            "maximum",
            "minimum",
            "fmax",
            "fmin",
            "logaddexp",
            "logaddexp2",
            "remainder",
            "fmod",
            "float_power",
        ]
    },
    "clip": lambda x, y: np.clip(x, y - 1, y + 0.3),
    "divmod": lambda x, y: np.divmod(x, y)[1] + np.divmod(x, y)[0],
    "swiglu": vk.swiglu,
}


@pytest.mark.parametrize("name", ONE)
def test_functions_of_one(name):
    check(ONE[name], np.array([0.21, 0.7, 1.3, 2.6]))


@pytest.mark.parametrize("name", TWO)
def test_functions_of_two(name):
    check(TWO[name], np.array([0.23, 0.7, 1.3, 2.6]), np.array([0.4, 0.9, 1.1, 0.8]))


# Values of the parameters of each activation that has some: away from kinks of ACTIVATED.
ACTIVATED = np.array([-1.9, -0.6, 0.35, 0.8, 2.7])
PARAMETERS = {
    "relu": (0.3, 2.2, 0.5),
    "leaky_relu": (0.3,),
    "hard_tanh": (-1.1, 0.9),
    "soft_shrink": (0.5,),
    "hard_shrink": (0.5,),
    "threshold": (0.4, 1.5),
    "squareplus": (2.0,),
    "softplus": (1.7,),
    "elu": (0.7,),
    "celu": (0.7,),
}


@pytest.mark.parametrize("name", PARAMETERS)
def test_parameters_of_activations(name):
    check(getattr(vk, name), ACTIVATED, *map(np.array, PARAMETERS[name]))
    check(getattr(vk, name), ACTIVATED, *(np.full(5, p) for p in PARAMETERS[name]))


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_losses_by_all_that_they_take(name, dtype):
    loss = getattr(vk, name)
    y, t = RNG.uniform(0.1, 0.4, 5), RNG.uniform(0.6, 0.9, (3, 1))
    more = [np.array(0.37)] if name == "huber" else []
    check(loss, y, t, *more)
    check(lambda t, *more: loss(0.3, t * t, *more), t, *more)
    check(lambda x: loss(x, x * x), y)
    got = vk.fuse(loss).backward(np.ones((3, 5), dtype), *(x.astype(dtype) for x in (y, t, *more)))
    assert all(g.dtype == dtype for g in got)


def test_slopes_of_prelu():
    for slopes in (np.array(0.3), RNG.uniform(0.1, 0.4, 5), RNG.uniform(0.1, 0.4, (2, 1))):
        x = RNG.standard_normal((2, 5))
        assert np.array_equal(vk.fuse(vk.prelu)(x, slopes), vk.prelu(x, slopes))
        check(lambda x, a: vk.prelu(x, a) * 2, x, slopes)


def test_each_parameter_is_tried():
    wanted = {op.name: len(op.params) for op in OPS.values() if op.params and op.name != "gelu"}
    assert {name: len(values) for name, values in PARAMETERS.items()} == wanted


def test_gradient_of_softplus_with_respect_to_beta_keeps_its_digits():
    x = np.array([-np.inf, -40.0, -1e-9, 40.0, np.inf])
    _, dbeta = vk.fuse(vk.softplus).backward(np.ones(5), x, np.ones(5))
    tail = -41 * np.exp(-40.0)
    np.testing.assert_allclose(dbeta, [0, tail, -np.log(2), tail, 0], rtol=1e-15)


def test_each_rule_is_tried():
    special = {"expit", "erf", "erfc"}
    outputs = {name for name in RULES if ", output" in name}
    assert set(RULES) - special - outputs <= {*ONE, *TWO}


def test_scipy_functions():
    special = pytest.importorskip("scipy.special")
    check(lambda x: special.expit(x) * special.erf(x) + special.erfc(x), np.array([-1.3, 0.2, 2.0]))


SHAPES = ((4, 5), (5,), (4, 1), ())


@pytest.mark.parametrize(
    "function",
    [
        lambda x, w, m, s: vk.mish(x * w + s) * m,
        lambda x, w, m, s: np.sum(vk.tanh(x * w + s) * m, axis=0),
        lambda x, w, m, s: np.mean(x * w * x + s * m, axis=-1, keepdims=True),
        lambda x, w, m, s: np.max(x * w + m * s, axis=1),
        lambda x, w, m, s: (x * w * m * s).min(),
        lambda x, w, m, s: np.sqrt(np.mean(np.square(x * w + m + s))),
        lambda x, w, m, s: np.exp(x) / np.sum(np.exp(x * w), axis=-1, keepdims=True) * m + s,
    ],
)
def test_gradients_have_the_operands_shapes(function):
    check(function, *(RNG.standard_normal(shape) for shape in SHAPES))


def test_ties_share_the_gradient():
    f = vk.fuse(lambda x: np.max(x))
    np.testing.assert_array_equal(f.backward(1.0, np.array([1.0, 3, 3])), [0, 0.5, 0.5])
    g = vk.fuse(np.maximum)
    assert g.backward(1.0, 2.0, 2.0) == (0.5, 0.5)


def test_no_gradient_where_none_passes():
    f = vk.fuse(lambda x: np.where(x > 0, np.log(x) * np.sqrt(x), 0.0))
    x = np.array([-1.0, 0.0, 2.0])
    with np.errstate(all="ignore"):
        dx = f.backward(np.ones(3), x)
    np.testing.assert_array_equal(dx[:2], 0)
    assert vk.fuse(lambda x, n: x * n).backward(1.0, x, np.arange(3))[1] is None
    np.testing.assert_array_equal(
        vk.fuse(lambda x, n: x * n).backward(1.0, x, np.arange(3))[0], np.arange(3)
    )


def test_float32_gradients_keep_their_dtype_and_sum_in_double():
    x = np.full((100_000, 2), 0.1, "f4")
    w = np.ones(2, "f4")
    _, (dx, dw) = vk.fuse(lambda x, w: x * w).value_and_grad(x, w)
    assert dx.dtype == dw.dtype == np.float32
    np.testing.assert_array_equal(dw, np.float32(100_000 * float(np.float32(0.1))))


def test_errors():
    f = vk.fuse(lambda x, y: (x * y, x + y))
    x = np.ones(3)
    with pytest.raises(ValueError, match="expected 2 arrays, got 1"):
        f.backward((x,), x, x)
    with pytest.raises(ValueError, match="dy"):
        f.backward((np.ones((2, 3)), x), x, x)
    with pytest.raises(TypeError, match="complex"):
        vk.fuse(lambda x: abs(x + 1j)).backward(1.0, x)
    with pytest.raises(TypeError, match="int64 has no gradient"):
        vk.fuse(lambda x: x * 2).backward(1, np.arange(3))
    with pytest.raises(TypeError, match="spacing|nextafter"):
        vk.fuse(lambda x: np.nextafter(x, 1.0)).backward(1.0, x)
    with pytest.raises(TypeError, match="second gradient"):
        vk.fuse(vk.gelu_backward).backward(1.0, x, x)


# ---- layers


@vk.fuse
def swish(x, beta=1.0):
    """Be an activation of one's own."""
    return x * vk.sigmoid(beta * x)


@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("beta", [1.0, 2.0])
def test_an_activation_of_dense(dtype, beta):
    x, w, b = (RNG.standard_normal(shape).astype(dtype) for shape in ((37, 20), (20, 70), 70))
    act = swish if beta == 1 else partial(swish, beta=beta)
    y, z = vk.dense(x, w, b, act, return_preactivation=True)
    np.testing.assert_array_equal(y, swish(z, beta=beta))
    dy = RNG.standard_normal(y.shape).astype(dtype)
    dz = swish.backward(dy, z, beta=beta)
    got = vk.dense_backward(dy, x, w, z, act)
    for gradient, want in zip(got, vk.dense_backward(dz, x, w, z), strict=True):
        np.testing.assert_array_equal(gradient, want)


def test_what_dense_refuses():
    x = np.ones((2, 2))
    with pytest.raises(TypeError, match="z is missing"):
        vk.dense_backward(x, x, x, None, swish)
    with pytest.raises(TypeError, match="one result of that dtype for each element"):
        vk.dense(x, x, None, vk.fuse(lambda x: np.sum(x)))
    with pytest.raises(TypeError, match="np.where"):
        vk.dense(x, x, None, vk.fuse(lambda x: x if x > 0 else -x))
    with pytest.raises(TypeError, match="slope"):
        vk.dense(x, x, None, (swish, {"slope": 1}))


SOFTPLUS = -4 * (np.log1p(np.exp(0.5)) - 0.5 / (1 + np.exp(-0.5)))


@pytest.mark.parametrize(
    ("name", "parameter", "expected"),
    [
        ("relu", "negative_slope", [np.nan, 0, -np.inf, 0, -1]),
        ("leaky_relu", "negative_slope", [np.nan, 0, -np.inf, 0, -1]),
        ("elu", "alpha", [np.nan, 0, -1, 0, np.expm1(-1)]),
        ("celu", "alpha", [np.nan, 0, -1, 0, 3 * np.exp(-2) - 1]),
        ("softplus", "beta", [np.nan, 0, 0, SOFTPLUS, SOFTPLUS]),
        ("squareplus", "b", [np.nan, 0, 0, 24**-0.5, 24**-0.5]),
    ],
)
@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_parameters_at_infinities_and_nan(name, parameter, expected, dtype):
    """The limits of the derivative by the parameter, here 1/2."""
    x = np.array([np.nan, np.inf, -np.inf, 1, -1], dtype)
    f = vk.fuse(lambda x, p: getattr(vk, name)(x, **{parameter: p}))
    slope = f.backward(np.ones_like(x), x, np.full_like(x, 0.5))[1]
    np.testing.assert_allclose(slope, expected, 1e-5 if dtype == "f4" else 1e-11)
