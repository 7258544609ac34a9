"""Fused functions give what NumPy gives step by step: bits, dtypes, shapes, errors."""

import pickle
import pydoc
from array import array
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np
import pytest
from fused import builtin_kind, trees
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

import vekt as vk
from vekt._core import native
from vekt._fuse.lower import Program
from vekt._fuse.plan import Traced


def assert_same(got, want):
    """Expect the same dtype, shape and bits; NaN are all the same."""
    got, want = np.asarray(got), np.asarray(want)
    assert got.dtype == want.dtype
    assert got.shape == want.shape
    np.testing.assert_array_equal(got, want)
    if got.dtype.kind == "f":
        number = ~np.isnan(want)
        np.testing.assert_array_equal(np.signbit(got)[number], np.signbit(want)[number])


@vk.fuse
def leaky(x, slope=0.25):
    """Be a function of the module, to be pickled."""
    return np.where(x > 0, x, slope * x)


@vk.fuse
def both(x, y):
    """Two results."""
    return x + y, np.hypot(x, y)


# ---- random expressions

DTYPES = ("?", "i1", "u1", "i4", "i8", "u8", "f2", "f4", "f8", "c8", "c16")


def _power(x, y):
    """Return x**y from the ufunc's loop: powers of NumPy's scalars have other bits and dtypes."""
    if isinstance(x, np.generic) and isinstance(y, (np.generic, int, float)):
        return (np.asarray(x) ** y)[()]
    return x**y


UNARY = {
    "negative": lambda x: -x,
    "absolute": abs,
    "sin": np.sin,
    "exp": np.exp,
    "sqrt": np.sqrt,
    "square": lambda x: _power(x, 2),
    "reciprocal": lambda x: _power(x, -1.0),
    "half": lambda x: x.real.astype("f2"),
    "real": lambda x: x.real,
    "conjugate": np.conjugate,
    "isfinite": np.isfinite,
    "tanh": vk.tanh,
}
BINARY = {
    "add": lambda x, y: x + y,
    "subtract": lambda x, y: x - y,
    "multiply": lambda x, y: x * y,
    "divide": lambda x, y: x / y,
    "floor_divide": lambda x, y: x // y,
    "remainder": lambda x, y: x % y,
    "power": _power,
    "maximum": np.maximum,
    "arctan2": np.arctan2,
    "less": lambda x, y: x < y,
    "equal": lambda x, y: x == y,
    "and": lambda x, y: x & y,
    "where": lambda x, y: np.where(x > y, x, y),
    "like": lambda x, y: np.zeros_like(x) + y if hasattr(x, "dtype") else x,
}
LEAVES = st.sampled_from(["x", "y", "x", "y", 2, -3, 0.5, 1.0, True, np.float32(1.5), np.int16(7)])
TREES = trees(LEAVES, UNARY, BINARY, 7)


def evaluated(tree, names):
    """Value of a tree of names of functions."""
    if not isinstance(tree, tuple):
        return names.get(tree, tree) if isinstance(tree, str) else tree
    name, *operands = tree
    values = [evaluated(x, names) for x in operands]
    if len(values) == 1:
        (x,) = values
        return UNARY[name](x) if hasattr(x, "dtype") else x
    return BINARY[name](*values) if any(hasattr(x, "dtype") for x in values) else values[0]


def operand(draw, shape):
    """Make an array of any dtype and layout that broadcasts to a shape."""
    dtype = draw(st.sampled_from(DTYPES))
    own = tuple(n if draw(st.booleans()) else 1 for n in shape)[draw(st.integers(0, 1)) :]
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    wide = rng.integers(-4, 5, [2 * n for n in own]) / (1 if dtype[0] in "iu?" else 2)
    array = np.abs(wide).astype(dtype) if dtype[0] == "u" else wide.astype(dtype)
    steps = [draw(st.sampled_from([1, 2, -1])) for _ in own]
    view = array[tuple(slice(None, None, s) for s in steps)]
    view = view[tuple(slice(0, n) for n in own)]
    if draw(st.booleans()):
        view = np.asfortranarray(view)
    return view.byteswap().view(view.dtype.newbyteorder()) if draw(st.booleans()) else view


@st.composite
def operands(draw):
    """Two of them."""
    shape = draw(st.sampled_from([(3,), (2, 5), (4, 1, 3), (2, 0), (70, 33), (1300,)]))
    return operand(draw, shape), operand(draw, shape)


@settings(max_examples=250, deadline=None)
@given(TREES, operands())
@example(("power", np.float32(1.5), "y"), (np.array([True]), np.int8(-3)))
@example(("arctan2", "x", "x"), (np.array([1.5 + 0j], np.complex64), np.True_))
def test_equals_numpy_step_by_step(tree, arrays):
    def function(x, y):
        return evaluated(tree, {"x": x, "y": y})

    with np.errstate(all="ignore"):
        try:
            want = function(*arrays)
        except (TypeError, ValueError, OverflowError, AttributeError) as error:
            # Of complex numbers NumPy's arctan2 raises one or the other, by what was called before.
            kinds = (AttributeError, TypeError)
            with pytest.raises(kinds if isinstance(error, kinds) else builtin_kind(error)):
                vk.fuse(function)(*arrays)
            return
        got = vk.fuse(function)(*arrays)
    want = np.asarray(want)
    assert_same(got, want.astype(want.dtype.newbyteorder("=")))


def test_same_bits_on_every_instruction_set():
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((2, 1001)).astype("f4")
    results = []
    for isa in native.SUPPORTED:
        traced = Traced(
            lambda a, b: vk.gelu(a * b) / (a + 3) - np.where(a > b, a, b), [x.dtype, y.dtype]
        )
        program = Program(traced.inputs, traced.outputs, isa)
        out = np.empty_like(x)
        native.reduce_program(program.target, program.capsule, x.shape, (x, y, out), (0,), (0.0,))
        results.append(out)
    for other in results[1:]:
        assert_same(other, results[0])


def test_same_bits_for_any_number_of_threads():
    f = vk.fuse(lambda x, y: np.sum(vk.mish(x * y), axis=1))
    x, y = np.random.default_rng(0).standard_normal((2, 900, 700)).astype("f4")
    with vk.num_threads(1):
        one = f(x, y), f.value_and_grad(x, y)[1][0]
    with vk.num_threads(2):
        two = f(x, y), f.value_and_grad(x, y)[1][0]
    assert_same(two[0], one[0])
    assert_same(two[1], one[1])


# ---- calls


def test_numbers_are_weak_constants_or_operands():
    x = np.array([-1, 2], "f4")
    assert_same(leaky(x), np.array([-0.25, 2], "f4"))
    assert_same(leaky(x, 0.5), np.array([-0.5, 2], "f4"))
    assert_same(leaky(x, slope=0.5), np.array([-0.5, 2], "f4"))
    assert_same(leaky(x, np.array([1.0, 1.0])), np.array([-1.0, 2.0]))
    f = vk.fuse(lambda x, n, *, twice=False: 2 * x + n if twice else x + n)
    assert_same(f(x, 1), x + 1)
    assert_same(f(x, 1, twice=True), 2 * x + 1)
    assert_same(f(np.uint8([250]), 3), np.uint8([253]))


def test_whole_powers_are_products():
    x = np.random.default_rng(0).standard_normal(100)
    f = vk.fuse(lambda x: (x**3, x**4, x**7))
    for got, n in zip(f(x), (3, 4, 7), strict=True):
        np.testing.assert_allclose(got, x**n, rtol=1e-15)
    both_powers = vk.fuse(lambda x: x**3 + x**2)
    assert str(both_powers.graph(x)).count("square") == 1
    assert "multiply(%1, %0)" in str(both_powers.graph(x))


def test_out_dtype_and_several_results():
    x, y = np.arange(6.0).reshape(2, 3), np.arange(3.0)
    out = np.empty((2, 3)), np.empty((2, 3), "f4")
    got = both(x, y, out=out)
    assert got[0] is out[0]
    assert got[1] is out[1]
    assert_same(out[0], x + y)
    assert_same(out[1], np.hypot(x, y).astype("f4"))
    assert_same(both(x, y, dtype="f4")[1], np.hypot(x.astype("f4"), y.astype("f4")))
    img = np.arange(24, dtype="u1").reshape(2, 4, 3)
    normalised = vk.fuse(lambda img, mean, std: (img / 255 - mean) / std)
    mean, std = np.array([0.1, 0.2, 0.3]), np.array([0.4, 0.5, 0.6])
    want = (img.astype("f4") / 255 - mean.astype("f4")) / std.astype("f4")
    assert_same(normalised(img, mean, std, dtype=np.float32), want)
    with pytest.raises(TypeError, match="cannot cast complex128 to float32"):
        normalised(img * 1j, mean, std, dtype=np.float32)
    with pytest.raises(ValueError, match="read-only"):
        leaky(x, out=np.broadcast_to(np.zeros(3), (2, 3)))
    with pytest.raises(ValueError, match="expected an array of shape"):
        leaky(x, out=np.empty((3, 2)))
    with pytest.raises(TypeError):
        leaky(x, out=np.empty((2, 3), "i4"))
    with pytest.raises(TypeError, match="expected an array"):
        leaky(x, out=[1.0])


@pytest.mark.parametrize("shift", [0, 1, -1])
def test_out_may_overlap(shift):
    memory = np.arange(3000.0)
    x, y = memory[1:-1], np.flip(memory)[1:-1]
    out = memory[1 + shift : memory.size - 1 + shift]
    want = x * 2 + np.exp(-y) * x
    vk.fuse(lambda x, y: x * 2 + np.exp(-y) * x)(x, y, out=out)
    assert_same(out, want)


def test_misaligned_operands():
    raw = np.zeros(8 * 101 + 1, "u1")
    x = raw[1:].view("f8")
    x[:] = np.arange(101)
    assert_same(vk.fuse(lambda x: np.sqrt(x) + np.sin(x))(x), np.sqrt(x.copy()) + np.sin(x.copy()))


def test_reductions():
    x, w = np.random.default_rng(0).standard_normal((2, 30, 40))
    f = vk.fuse(
        lambda x, w: (np.sum(x * w, axis=0), (x * w).max(axis=1, keepdims=True), vk.mean(x))
    )
    for got, want in zip(
        f(x, w), ((x * w).sum(0), (x * w).max(1, keepdims=True), x.mean()), strict=True
    ):
        np.testing.assert_allclose(got, want, rtol=1e-14, atol=1e-14)
        assert np.shape(got) == np.shape(want)
    counts = vk.fuse(lambda x: np.sum(x > 0, axis=-1))(x)
    assert_same(counts, np.sum(x > 0, axis=-1))
    softmax = vk.fuse(lambda x: np.exp(x) / np.sum(np.exp(x), axis=-1, keepdims=True))
    np.testing.assert_allclose(softmax(x), vk.softmax(x), rtol=1e-14)
    for shape in ((0, 3), (3, 0), (0, 0)):
        for axis in (0, 1, None):
            empty = np.ones(shape)
            got = vk.fuse(lambda x, axis=axis: np.sum(x * 2, axis=axis))(empty)
            np.testing.assert_array_equal(got, np.sum(empty, axis))
    with pytest.raises(ValueError, match="zero-size array to reduction operation maximum"):
        vk.fuse(lambda x: np.max(x, axis=0))(np.empty((0, 3)))
    with pytest.raises(np.exceptions.AxisError):
        vk.fuse(lambda x: np.sum(x, axis=2))(x)
    out = np.empty(40, "f4")
    vk.fuse(lambda x: x.sum(axis=0))(x, out=out)
    np.testing.assert_allclose(out, x.sum(0), rtol=1e-6, atol=1e-6)


def test_inlines_and_pickles_and_runs_in_threads():
    x = np.linspace(-2, 2, 1001)
    assert_same(vk.fuse(lambda x: leaky(x) + leaky(x, 0.5))(x), leaky(x) + leaky(x, 0.5))
    again = pickle.loads(pickle.dumps(leaky))
    assert again is leaky
    assert leaky.__doc__ == "Be a function of the module, to be pickled."
    f = vk.fuse(lambda x, y: np.sin(x) * y)
    with ThreadPoolExecutor(4) as pool:
        dtypes = ["f4", "f8", "i4", "f2"] * 4
        results = list(pool.map(lambda d: f(x.astype(d), 2), dtypes))
    for d, got in zip(dtypes, results, strict=True):
        assert_same(got, np.sin(x.astype(d)) * 2)


def test_dtypes_that_only_numpy_knows():
    x = np.array([1, 2], np.longdouble)
    assert_same(vk.fuse(lambda x: x * 2 + 1)(x), x * 2 + 1)
    days = np.array(["2020-01-01"], "M8[D]")
    assert_same(vk.fuse(lambda x, y: x - y)(days, days), days - days)
    masked = np.ma.array([1.0, 2.0], mask=[0, 1])
    assert isinstance(vk.fuse(lambda x: x * 2)(masked), np.ma.MaskedArray)
    with pytest.raises(ValueError, match="negative integer powers"):
        vk.fuse(lambda x, y: x**y)(np.array([2]), np.array([-1]))


def test_expressions_beyond_a_program():
    def long(x):
        y = x
        for k in range(400):
            y = y * x + k
        return y

    x = np.linspace(-1, 1, 50)
    assert_same(vk.fuse(long)(x), long(x))
    slope = (long(x + 1e-6) - long(x - 1e-6)) / 2e-6
    inner = slice(5, -5)
    np.testing.assert_allclose(vk.fuse(long).value_and_grad(x)[1][inner], slope[inner], rtol=1e-4)


def test_bfloat16():
    ml_dtypes = pytest.importorskip("ml_dtypes")
    x = np.linspace(-3, 3, 100).astype(ml_dtypes.bfloat16)
    got = vk.fuse(lambda x: vk.gelu(x) * x)(x)
    want = vk.gelu(x) * x
    assert got.dtype == want.dtype
    np.testing.assert_array_equal(got.view("u2"), want.view("u2"))


@pytest.mark.parametrize("dtype", ["f4", "f8", "f2", "i4"])
def test_vekts_own_functions_keep_their_bits(dtype):
    x = np.linspace(1, 9, 1001).astype(dtype)
    y = x[::-1]
    for function in (
        lambda x, y: vk.exp(x) + vk.log(y),
        lambda x, y: vk.multiply_add(x, y, 2),
        lambda x, y: vk.where(vk.less(x, y), x, vk.clip(y, 2, 3)),
        lambda x, y: vk.gelu(x, approximate=True) * vk.elu(y, alpha=0.5),
    ):
        assert_same(vk.fuse(function)(x, y), function(x, y))


def test_scipy_functions():
    special = pytest.importorskip("scipy.special")
    x = np.linspace(-3, 3, 100)
    assert_same(vk.fuse(lambda x: special.erf(x) * x)(x), special.erf(x) * x)


def test_dask_stays_lazy():
    da = pytest.importorskip("dask.array")
    x = da.arange(10.0, chunks=5)
    result = leaky(x)
    assert isinstance(result, da.Array)
    assert_same(result.compute(), leaky(np.arange(10.0)))


# ---- what cannot be traced


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda x: x if x > 0 else -x, r"write np.where\(condition, a, b\)"),
        (lambda x: float(x), "no number while the function is traced"),
        (lambda x: x[0], "index the array before the call"),
        (lambda x: sum(x), "cannot loop over an array"),
        (lambda x: len(x), "shapes are known only when the function runs"),
        (lambda x: x.shape, "shapes are known only when the function runs"),
        (lambda x: x.T, "the attribute T of an array cannot be fused"),
        (lambda x: np.sort(x), "sort cannot be fused"),
        (lambda x: np.add.accumulate(x), "np.add.accumulate cannot be fused"),
        (lambda x: x @ x, "matmul works on more than one element"),
        (lambda x: vk.softmax(x), "softmax works on more than one element"),
        (lambda x: vk.dot(x, x), "dot works on more than one element"),
        (lambda x: vk.dense(x, x), "dense works on more than one element"),
        (lambda x: np.sum(x, 0, None, None, False, 1.0), "sum: initial= cannot be fused"),
        (lambda x: x.sum(0, None, None, False, 1.0), "sum: initial= cannot be fused"),
        (lambda x: x.max(0, None, False, 1.0), "max: initial= cannot be fused"),
        (lambda x: np.any(x, 0, None, False, where=x > 0), "any: where= cannot be fused"),
        (lambda x: x.all(where=x > 0), "all: where= cannot be fused"),
        (lambda x: x + np.arange(3), "is to be one of its arguments"),
        (lambda x: np.add(x, 1, out=np.empty(3)), "give it to the fused function"),
        (lambda x: x == None, "a comparison with NoneType cannot be fused"),  # noqa: E711
        (lambda x: np.where(x != "a", x, 0), "a comparison with str cannot be fused"),
        (lambda x: x == [0, 1, 2], "a comparison with list cannot be fused"),
        (lambda x: "x", "is to return arrays, not str"),
    ],
)
def test_refuses_with_the_line(function, message):
    with pytest.raises(TypeError, match=message) as info:
        vk.fuse(function)(np.arange(3.0))
    assert "test_fuse.py, line" in str(info.value) or "str" in message


def test_shapes_that_do_not_broadcast():
    with pytest.raises(ValueError, match="could not be broadcast|shape mismatch"):
        both(np.ones(3), np.ones(4))
    with pytest.raises(TypeError):
        both(np.ones(3))


def test_explains_itself():
    text = both.explain(np.ones(3, "f4"), np.ones(3, "f4"))
    assert "1 pass over memory" in text
    assert "y1 = hypot(x0, x1)  # float32, numpy" in text
    assert "8 bytes read and 8 written" in text
    picture = both.graph()
    assert "hypot(%0, %1): float64" in str(picture)
    assert picture.source.startswith('digraph "both"')


def test_partial_and_repr():
    assert repr(both) == "<vekt function both>"
    assert_same(partial(leaky, slope=1.0)(np.ones(2)), np.ones(2))


def test_what_a_fused_function_tells_of_itself():
    product = vk.fuse(lambda a, b: a * b)
    listed = dir(product)
    assert {"backward", "value_and_grad", "explain", "graph", "nin", "outer"} <= set(listed)
    assert not {"add", "run", "fallback", "types"} & set(listed)
    assert [name for name in listed if not hasattr(product, name)] == []
    shown = pydoc.render_doc(leaky, renderer=pydoc.plaintext)
    assert leaky.__doc__ in shown
    shown = pydoc.render_doc(product, renderer=pydoc.plaintext)
    assert "(a, b)" in shown
    assert "explain()" in shown
    assert "fallback" not in shown
    a, b = np.arange(3.0), np.arange(4.0).reshape(2, 2)
    assert_array_equal(product.outer(a, b), np.multiply.outer(a, b))
    with pytest.raises(ValueError, match="<lambda>: reduce is not supported"):
        product.reduce(a)


def test_arrays_of_as_many_dimensions_as_numpy_has():
    x = np.arange(6.0).reshape((2,) + (1,) * 38 + (3,))
    y = np.arange(3.0)
    curved = vk.fuse(lambda x, y: vk.gelu(x) * y + 1)
    assert_array_equal(curved(x, y), vk.gelu(x) * y + 1)
    value, (dx, dy) = curved.value_and_grad(x, y)
    flat, (dx_flat, dy_flat) = curved.value_and_grad(x.reshape(2, 3), y)
    assert value.shape == x.shape
    assert_array_equal(value.ravel(), flat.ravel())
    assert_array_equal(dx.ravel(), dx_flat.ravel())
    assert_array_equal(dy, dy_flat)
    with pytest.raises(ValueError, match="broadcast"):
        curved(x, np.ones(4))


@pytest.mark.parametrize("kind", [memoryview, lambda x: array("d", x)])
def test_buffers_are_arrays(kind):
    x = np.arange(3.0)
    doubled = vk.fuse(lambda x: vk.gelu(x) * 2)
    assert_array_equal(doubled(kind(x)), doubled(x))
    assert_array_equal(doubled.value_and_grad(kind(x))[1], doubled.value_and_grad(x)[1])
