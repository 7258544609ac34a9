"""matmul, vecdot, matvec, vecmat, tensordot, and dot of what are not vectors."""

from __future__ import annotations

import inspect
import pickle

import ml_dtypes
import numpy as np
import pytest
from numpy.testing import assert_array_equal

import vekt as vk
from vekt import linalg, reference
from vekt._core import native

NAMES = ["matmul", "vecdot", "matvec", "vecmat"]
INTEGERS = list("?bBhHiIlLqQ")
FLOATS = ["e", ml_dtypes.bfloat16, "f", "d"]
COMPLEX = ["F", "D"]

# Core dimensions of the operands, with n, k, m = 7, 5, 9; stacks come in front.
CORES = {
    "matmul": [(7, 5), (5, 9)],
    "vecdot": [(5,), (5,)],
    "matvec": [(7, 5), (5,)],
    "vecmat": [(5,), (5, 9)],
}
STACKS = [((), ()), ((3,), (3,)), ((3,), ()), ((), (3,)), ((2, 1), (3,)), ((0,), (1,))]


@pytest.fixture
def products(isa):
    return native.build_products(isa)


def operand(rng, shape, dtype):
    """Integers over their whole range, floats of a normal distribution."""
    dtype = np.dtype(dtype)
    if dtype.kind == "b":
        return rng.random(shape) < 0.3
    if dtype.kind in "iu":
        return np.frombuffer(rng.bytes(dtype.itemsize * int(np.prod(shape))), dtype).reshape(shape)
    if dtype.kind == "c":
        return (rng.normal(size=shape) + 1j * rng.normal(size=shape)).astype(dtype)
    return rng.normal(size=shape).astype(dtype)


def assert_close(got, exact, size, k):
    """Equal integers; floats within the bound of sums of k products, of magnitude `size`."""
    assert got.dtype == exact.dtype
    assert got.shape == exact.shape
    if exact.dtype.kind in "biu":
        assert_array_equal(got, exact)
        return
    rounding = float(ml_dtypes.finfo(exact.dtype).eps)
    in_sum = max(4, k) * min(rounding, 2.0**-23)  # complex: 2 k products, halves summed in float
    error = abs(got.astype("D") - exact.astype("D"))
    assert np.all(error <= rounding * abs(exact.astype("D")) + in_sum * size)


def check(products, name, x, y, **options):
    got = products[name](x, y, **options)
    exact = getattr(reference, name)(x, y, **options)
    size = getattr(reference, name)(abs(x.astype("D")).real, abs(y.astype("D")).real, **options)
    assert_close(got, exact, size, x.shape[-1])
    return got


@pytest.mark.parametrize("dtype", [*INTEGERS, *FLOATS, *COMPLEX], ids=str)
@pytest.mark.parametrize("name", NAMES)
def test_values(products, name, dtype, rng):
    for stacks in STACKS:
        shapes = [s + core for s, core in zip(stacks, CORES[name], strict=True)]
        x, y = (operand(rng, shape, dtype) for shape in shapes)
        got = check(products, name, x, y)
        out = np.empty_like(got)
        assert products[name](x, y, out) is out
        assert_array_equal(out, got)


@pytest.mark.parametrize("dtype", [*INTEGERS, *FLOATS, *COMPLEX], ids=str)
def test_vectors_count_as_rows_and_columns(products, dtype, rng):
    x, y = operand(rng, (5,), dtype), operand(rng, (5, 9), dtype)
    check(products, "matmul", x, y)
    check(products, "matmul", y.T, x)
    number = check(products, "matmul", x, x)
    assert type(number) is np.dtype(dtype).type
    assert_array_equal(products["matmul"](x, x, out=np.empty((), dtype)), number)
    check(products, "matmul", x, operand(rng, (2, 5, 9), dtype))
    check(products, "matmul", operand(rng, (2, 7, 5), dtype), x)


@pytest.mark.parametrize("dtype", [*INTEGERS, *FLOATS, *COMPLEX], ids=str)
@pytest.mark.parametrize("name", NAMES)
def test_empty_sums_are_zero(products, name, dtype):
    shapes = [tuple(0 if n == 5 else n for n in core) for core in CORES[name]]
    x, y = (np.empty(shape, dtype) for shape in shapes)
    result = products[name](x, y)
    expected = np.zeros([n for n in shapes[0] + shapes[1] if n], dtype)
    assert result.dtype == expected.dtype
    assert_array_equal(result, expected)
    stack = products[name](np.empty((4, *shapes[0]), dtype), y)
    assert_array_equal(stack, np.zeros((4, *expected.shape), dtype))


def test_the_first_of_complex_vectors_is_conjugated(products, rng):
    a = operand(rng, (3, 5), "D")
    x, y = operand(rng, (3,), "D"), operand(rng, (5,), "D")
    exact = {"rtol": 1e-14}
    np.testing.assert_allclose(products["vecdot"](x, x), np.sum(abs(x) ** 2), **exact)
    np.testing.assert_allclose(products["vecmat"](x, a), x.conj() @ a, **exact)
    np.testing.assert_allclose(products["matvec"](a, y), a @ y, **exact)
    np.testing.assert_allclose(products["matmul"](x, a), x @ a, **exact)
    # More rows than are conjugated at a time.
    many, one = operand(rng, (3000, 3), "F"), operand(rng, (3,), "F")
    np.testing.assert_allclose(products["vecdot"](many, one), many.conj() @ one, rtol=1e-4)
    np.testing.assert_allclose(products["vecdot"](one, many), many @ one.conj(), rtol=1e-4)


def test_the_integers_of_the_notes():
    a, b = np.array([[1, 2], [3, 4]]), np.array([[5, 6], [7, 8]])
    assert_array_equal(vk.matmul(a, b), [[19, 22], [43, 50]])
    assert vk.matmul(a, b).dtype == a.dtype
    assert vk.matmul([1, 2, 3], [4, 5, 6]) == 32
    assert_array_equal(vk.tensordot([1, 2], [3, 4, 5], 0), [[3, 4, 5], [6, 8, 10]])


@pytest.mark.parametrize("name", NAMES)
def test_result_types_are_those_of_numpy(name):
    product = getattr(vk, name)
    arrays = {c: np.ones((4, 4), c) for c in [*INTEGERS, *"efdFD"]}
    for a in arrays.values():
        for b in arrays.values():
            assert product(a, b).dtype == np.matmul(a, b).dtype
    half = np.ones((4, 4), ml_dtypes.bfloat16)
    for c, dtype in {
        "?": half.dtype,
        "B": half.dtype,
        "e": "f",
        "f": "f",
        "h": "f",
        "i": "d",
    }.items():
        assert product(half, arrays[c]).dtype == dtype
        assert product(arrays[c], half).dtype == dtype
        assert getattr(reference, name)(half, arrays[c]).dtype == dtype
    assert product(half, half, dtype="f").dtype == np.float32
    assert product(half.astype("f"), half, dtype=half.dtype, casting="unsafe").dtype == half.dtype


@pytest.mark.parametrize("dtype", ["f", "d"])
def test_bits_do_not_depend_on_the_batch(products, dtype, rng):
    x, w = operand(rng, (33, 300), dtype), operand(rng, (300, 40), dtype)
    whole = products["matmul"](x, w)
    for i in (0, 7, 32):
        assert_array_equal(products["matmul"](x[i], w), whole[i])
        assert_array_equal(products["matmul"](x[i : i + 1], w)[0], whole[i])
        assert_array_equal(products["vecmat"](x[i], w), whole[i])
    assert_array_equal(products["matmul"](x[:7], w), whole[:7])
    assert_array_equal(products["vecmat"](x, w), whole)
    assert_array_equal(products["matmul"](x.reshape(3, 11, 300), w).reshape(33, 40), whole)
    assert_array_equal(
        products["matmul"](x[::-1].reshape(11, 3, 300), w).reshape(33, 40), whole[::-1]
    )
    assert_array_equal(products["matmul"](x, np.broadcast_to(w, (2, 300, 40))), [whole, whole])

    column = products["matmul"](x, w[:, :1])[:, 0]
    assert_array_equal(products["matmul"](x, w[:, 0]), column)
    assert_array_equal(products["matvec"](x, w[:, 0]), column)
    assert_array_equal(products["vecdot"](x, w[:, 0]), column)
    assert_array_equal(products["vecdot"](w[:, 0], x), column)
    assert_array_equal(products["matvec"](x, w.T)[:3], [products["matvec"](x, v) for v in w.T[:3]])
    for i in (0, 7, 32):
        assert products["vecdot"](x[i], w[:, 0]) == column[i]
        assert products["matmul"](x[i], w[:, 0]) == column[i]


@pytest.mark.parametrize("dtype", ["f", "d"])
@pytest.mark.parametrize("k", [1, 3, 16, 65, 300, 17000])
def test_bits_of_a_stack_of_vectors(isa, products, dtype, k, rng):
    x, y = operand(rng, (19, k), dtype), operand(rng, (19, k), dtype)
    x[3], y[3] = 0.0, -1.0
    stack = products["vecdot"](x, y)
    singles = [products["vecdot"](a, b) for a, b in zip(x, y, strict=True)]
    assert_array_equal(stack, singles)
    assert_array_equal(np.signbit(stack), np.signbit(singles))
    assert_array_equal(products["vecdot"](x[::2], y[::2]), stack[::2])
    assert_array_equal(products["vecdot"](x, y.copy("F")), stack)
    dots = [native.build("dot", isa)(a, b) for a, b in zip(x, y, strict=True)]
    assert_array_equal(stack, dots)


@pytest.mark.parametrize("dtype", ["e", "f", "d", "F", "D"])
@pytest.mark.parametrize("name", NAMES)
def test_special_values_come_without_warnings(products, name, dtype):
    x, y = (np.ones(core, dtype) for core in CORES[name])
    x[..., 2], y[2, ...] = np.inf, 0
    huge = np.finfo(dtype).max
    with np.errstate(all="raise"):
        assert np.isnan(products[name](x, y)).all()
        assert np.isnan(products[name](np.stack([x, x]), y)).all()
        assert np.isinf(products[name](x, np.full_like(y, huge)).real).all()


@pytest.mark.parametrize("name", NAMES)
def test_axes(products, name, rng):
    x, y = (operand(rng, (2, *core), "d") for core in CORES[name])
    expected = products[name](x, y)
    cores = [x.ndim - 1, y.ndim - 1, expected.ndim - 1]
    x, y, expected = (np.moveaxis(v, 0, -1) for v in (x, y, expected))  # the stack comes last
    axes = [tuple(range(n)) for n in cores]
    assert_array_equal(products[name](x, y, axes=axes), expected)
    assert_array_equal(products[name](x, y, out=np.empty_like(expected), axes=axes), expected)
    if name == "vecdot":
        assert_array_equal(products[name](x, y, axis=0), expected)
        assert_array_equal(products[name](x, y, axis=0, keepdims=True), expected[None])
        exact = reference.vecdot(x, y, axis=0, keepdims=True)[0]
    else:
        exact = getattr(reference, name)(x, y, axes=axes)
    np.testing.assert_allclose(exact, expected, rtol=1e-12)


TENSORS = [  # shapes and axes
    ((3, 4, 5), (4, 3, 2), ((1, 0), (0, 1))),
    ((3, 4, 5), (4, 5, 2), 2),
    ((3, 4), (5, 6), 0),
    ((3, 4), (4, 5), 1),
    ((3, 4, 5), (5, 4, 3), ([0, 1, 2], [2, 1, 0])),
    ((3, 4, 5), (2, 4, 6), (1, 1)),
    ((3, 4, 5), (2, 4, 6), (-2, [1])),
    ((0, 4), (4, 3), 1),
    ((3, 0), (0, 4), 1),
    ((), (3,), 0),
    ((), (), 0),
]


@pytest.mark.parametrize("dtype", ["l", "B", "f", "d", "D"])
@pytest.mark.parametrize(("a", "b", "axes"), TENSORS)
def test_tensordot(a, b, axes, dtype, rng):
    x, y = operand(rng, a, dtype), operand(rng, b, dtype)
    got, expected = vk.tensordot(x, y, axes), np.tensordot(x, y, axes)
    assert type(got) is np.ndarray
    assert got.dtype == expected.dtype
    assert got.shape == expected.shape
    np.testing.assert_allclose(got, expected, rtol=1e-4 if dtype == "f" else 1e-12)
    np.testing.assert_allclose(got, reference.tensordot(x, y, axes), rtol=1e-4)
    assert_array_equal(vk.tensordot(x.copy("F"), y.copy("F"), axes), got)


def test_tensordot_copies_nothing_that_strides_can_tell(rng, monkeypatch):
    seen = []
    monkeypatch.setattr(
        "vekt.linalg._tensordot.matmul", lambda x, y: seen.append((x, y)) or vk.matmul(x, y)
    )
    x, y = rng.normal(size=(3, 4, 5)), rng.normal(size=(4, 5, 6))
    vk.tensordot(x, y)
    vk.tensordot(x.T, y.T, ((1, 0), (2, 1)))
    assert all(np.shares_memory(a, x) and np.shares_memory(b, y) for a, b in seen)


DOTS = [((3,), (3,)), ((2, 3), (3,)), ((3,), (3, 4)), ((2, 3), (3, 4)), ((2, 3), (5, 3, 4))]
DOTS += [((6, 2, 3), (5, 3, 4)), ((6, 2, 3), (3,)), ((3,), (5, 3, 4)), ((), (2, 3)), ((2, 3), ())]


@pytest.mark.parametrize("dtype", ["l", "f", "d", "D"])
@pytest.mark.parametrize(("a", "b"), DOTS)
def test_general_dot(a, b, dtype, rng):
    x, y = operand(rng, a, dtype), operand(rng, b, dtype)
    got, expected = vk.dot(x, y), np.dot(x, y)
    assert type(got) is type(expected)
    assert got.dtype == expected.dtype
    np.testing.assert_allclose(got, expected, rtol=1e-4 if dtype == "f" else 1e-12)
    np.testing.assert_allclose(reference.dot(x, y), expected, rtol=1e-4 if dtype == "f" else 1e-12)
    out = np.empty(np.shape(got), dtype)
    assert vk.dot(x, y, out) is out
    assert_array_equal(out, got)


class TestFace:
    """What the functions look like from Python."""

    @pytest.mark.parametrize("name", NAMES)
    def test_signature_and_pickle(self, name):
        function = getattr(vk, name)
        assert pickle.loads(pickle.dumps(function)) is function
        assert function.__name__ == name
        parameters = inspect.signature(function).parameters
        assert list(parameters)[:3] == ["x1", "x2", "out"]
        assert parameters["x1"].kind is inspect.Parameter.POSITIONAL_ONLY
        defaults = {n: p.default for n, p in parameters.items() if p.kind is p.KEYWORD_ONLY}
        result = function(np.eye(5), np.eye(5), **defaults)
        assert_array_equal(result, function(np.eye(5), np.eye(5)))

    @pytest.mark.parametrize("name", [*NAMES, "tensordot"])
    def test_the_oracle_has_the_same_parameters(self, name):
        ours = inspect.signature(getattr(vk, name)).parameters
        assert set(inspect.signature(getattr(reference, name)).parameters) <= set(ours)

    def test_modules(self):
        assert set(linalg.__all__) == {*NAMES, "dot", "tensordot"}
        assert set(linalg.__all__) <= set(vk.__all__)
        assert set(linalg.__all__) <= set(reference.__all__)

    def test_subclasses_stay_what_they_are(self):
        matrix = np.ones((3, 3)).view(np.matrix)
        assert type(vk.matmul(matrix, matrix)) is np.matrix
        masked = np.ma.masked_array(np.ones((3, 3)), np.eye(3))
        with pytest.raises(TypeError, match="x1 is a masked array"):  # NumPy's mask means nothing
            vk.matmul(masked, masked)

    def test_foreign_arrays_are_asked(self):
        class Foreign:
            def __array_ufunc__(self, ufunc, method, *inputs, **kwargs):
                return ufunc.__name__, method, len(inputs), kwargs

        assert vk.matmul(Foreign(), np.ones(3)) == ("matmul", "__call__", 2, {})
        assert vk.vecdot(np.ones(3), Foreign(), axis=0)[3] == {"axis": 0}


class TestDask:
    """Lazy, block by block, with the same bits."""

    def test_matmul(self, rng):
        da = pytest.importorskip("dask.array")
        x, w = operand(rng, (50, 300), "f"), operand(rng, (300, 20), "f")
        blocks = da.from_array(x, chunks=(20, 100))
        for other in (w, da.from_array(w, chunks=(70, 6)), w[:, 0]):
            result = vk.matmul(blocks, other)
            assert isinstance(result, da.Array)
            assert result.dtype == np.float32
            expected = vk.matmul(x, np.asarray(other))
            assert_array_equal(result.compute(scheduler="sync"), expected)
        assert_array_equal(vk.matmul(w.T, blocks.T).compute(scheduler="sync"), vk.matmul(w.T, x.T))
        stack = da.from_array(np.stack([x, x]), chunks=(1, 30, 300))
        expected = vk.matmul(np.stack([x, x]), w, dtype="d")
        assert_array_equal(vk.matmul(stack, w, dtype="d").compute(scheduler="sync"), expected)
        with pytest.raises(ValueError, match="enough dimensions"):
            vk.matmul(blocks, 2.0)
        with pytest.raises(ValueError, match="Chunks"):
            vk.matmul(blocks, w[1:])

    def test_vectors(self, rng):
        da = pytest.importorskip("dask.array")
        x, w = operand(rng, (50, 30), "f"), operand(rng, (30, 20), "f")
        blocks = da.from_array(x, chunks=(20, 30))
        for name, other in [("vecmat", w), ("vecdot", w[:, 0]), ("vecdot", blocks)]:
            result = getattr(vk, name)(blocks, other)
            assert isinstance(result, da.Array)
            expected = getattr(vk, name)(x, x if other is blocks else other)
            assert_array_equal(result.compute(scheduler="sync"), expected)

    def test_tensordot_and_general_dot_refuse(self):
        da = pytest.importorskip("dask.array")
        for function in (vk.tensordot, vk.dot):
            with pytest.raises(TypeError, match="own array functions"):
                function(da.ones((3, 3)), np.ones((3, 3)))
