"""The elementwise functions against NumPy: equal results, dtypes and errors in any layout."""

from __future__ import annotations

import copy
import inspect
import pickle
import warnings

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from operands import (
    DTYPES,
    FUNCTIONS,
    INEXACT,
    PAIRS,
    function_of,
    is_close,
    number,
    numpy_of,
    operand,
    outcome,
    output,
    shape_of,
)

import vekt as vk
from vekt import elementwise, reference
from vekt._core import native
from vekt._spec.elementwise import OPS
from vekt.elementwise import _numpy

ML_DTYPES = pytest.importorskip("ml_dtypes")
BINARY = [name for name, op in OPS.items() if op.numpy and len(op.inputs) == 2]


@pytest.mark.parametrize("seed", range(8))
def test_random_calls(isa, seed):
    rng = np.random.default_rng([seed, *isa.encode()])
    for _ in range(60):
        shape = shape_of(rng)
        name = str(rng.choice(list(OPS)))
        dtypes = rng.choice(DTYPES, 3) if rng.random() < 0.5 else [rng.choice(DTYPES)] * 3
        args = [
            number(rng) if rng.random() < 0.15 else operand(rng, shape, str(dtypes[j]))
            for j in range(len(OPS[name].inputs))
        ]
        out = None
        if name != "where" and rng.random() < 0.4:
            full = np.broadcast_shapes(*(np.shape(x) for x in args))
            exact = name not in INEXACT and not any(np.iscomplexobj(x) for x in args)
            natural = [np.asarray(outcome(numpy_of(name), args)).dtype]
            out = output(
                rng, full, rng.choice(["f4", "f8", "f2", "i4", "c16"] if exact else natural)
            )
            if out.ndim and rng.random() < 0.4:
                args[int(rng.integers(len(args)))] = out[::-1] if rng.random() < 0.5 else out
        expected = outcome(numpy_of(name), args, out)
        result = outcome(function_of(name, isa), args, out)
        described = [(getattr(x, "dtype", x), np.shape(x), getattr(x, "strides", ())) for x in args]
        rounds = "exp" if any(map(np.iscomplexobj, args)) else name  # NumPy's loops of complex ones
        assert is_close(rounds, expected, result), (name, described, out is not None)
        assert out is not None or type(result) is type(expected)


@pytest.mark.parametrize("name", BINARY)
def test_result_types(name):
    kinds = [np.ones(3, d) for d in DTYPES]
    others = [*kinds, True, 3, 2.5, 2**70, -1, np.float32(2), np.int8(3)]
    for a in kinds:
        for b in others:
            for args in ((a, b), (b, a)):
                expected = outcome(getattr(np, name), args)
                result = outcome(getattr(vk, name), args)
                assert is_close(name, expected, result), (name, args)


@pytest.mark.parametrize("dtype", ["f2", "bfloat16"])
def test_16_bits_are_rounded_once(isa, dtype, rng):
    dtype = np.dtype(ML_DTYPES.bfloat16 if dtype == "bfloat16" else dtype)
    a, b, c = rng.normal(0, 9, (3, 500)).astype(dtype)
    for name in ("add", "subtract", "multiply", "divide", "maximum", "minimum"):
        expected = getattr(np, name)(a.astype("f4"), b.astype("f4")).astype(dtype)
        assert_array_equal(function_of(name, isa)(a[::-1], b[::-1])[::-1], expected, strict=True)
    exact = a.astype("f8") * b.astype("f8") + c.astype("f8")
    fused = function_of("multiply_add", isa)(a, b, c)
    assert_array_equal(fused, exact.astype("f4").astype(dtype), strict=True)
    assert function_of("less", isa)(a, b).dtype == bool
    assert_array_equal(function_of("where", isa)(a > b, a, b), np.where(a > b, a, b), strict=True)
    assert function_of("add", isa)(a, 1).dtype == dtype


def test_multiply_add_is_fused(isa):
    for dtype, a in (("f4", 1 + 2.0**-12), ("f8", 1 + 2.0**-27)):
        x = np.full(20, a, dtype)
        c = -(x * x)
        exact = np.longdouble(a) * np.longdouble(a) + c.astype("g")
        for name in ("multiply_add", "scale_shift"):
            assert_array_equal(function_of(name, isa)(x, x, c), exact.astype(dtype))
    assert function_of("multiply_add", isa)(np.int8(100), np.int8(2), np.int8(3)) == np.int8(-53)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_accuracy(isa, name, rng):
    for dtype in ("f4", "f8"):
        x = np.clip(rng.normal(0, 20, 20_000), -80, 80).astype(dtype)
        x = np.concatenate([x, 1 + x / 1000, x * np.finfo(dtype).tiny]).astype(dtype)
        kernel = FUNCTIONS[name].kernel
        x = x[kernel.domain[0] <= x]
        exact = kernel.value(x.astype("g"))
        errors = reference.ulp_error(function_of(name, isa)(x), exact)
        assert errors.max() <= kernel.max_ulp[np.dtype(dtype).name]
        special = np.array([np.nan, np.inf, -np.inf, 0.0, -0.0, -1.0, -2.0], dtype)
        with np.errstate(all="ignore"):
            exact = kernel.value(special.astype("g")).astype(dtype)
        result = function_of(name, isa)(special)
        assert_array_equal(reference.ulp_error(result, exact) <= 1, True)
        zeros = exact == 0
        assert_array_equal(np.signbit(result[zeros]), np.signbit(exact[zeros]))
        assert np.isnan(result[~(special >= kernel.domain[0])]).all()


def test_bits_do_not_depend_on_isa_or_threads(rng, set_threads):
    x = rng.normal(0, 3, (500, 700)).astype("f4")
    y = np.abs(x.T.copy().T) + 1
    for name in OPS:
        args = [x, y, x][: len(OPS[name].inputs)]
        first = function_of(name, native.SUPPORTED[0])(*args)
        for other in native.SUPPORTED[1:]:
            if name in (*FUNCTIONS, *PAIRS) and other in ("x86_v2", "generic"):
                continue  # polynomials without fused multiply-adds
            assert first.tobytes() == function_of(name, other)(*args).tobytes(), name
    a = rng.normal(size=(3000, 2000)).astype("f4")
    set_threads(1)
    alone = vk.add(a, a[:2000].T[:1]), vk.exp(a.T)
    set_threads(3)
    assert_array_equal(vk.add(a, a[:2000].T[:1]), alone[0])
    assert_array_equal(vk.exp(a.T), alone[1])


def test_layout_of_the_result(rng):
    a = rng.normal(size=(3, 4, 5))
    for x, y in [
        (a, a),
        (a.T, a.T),
        (a.T, 1.0),
        (a.transpose(1, 0, 2), 2.0),
        (a, a[0]),
        (a, a[:, ::-1]),
    ]:
        assert vk.add(x, y).strides == np.add(x, y).strides


def test_overlap(rng):
    memory = rng.normal(size=60)
    for shift in (-7, -1, 0, 1, 7):
        for step in (1, -1, 2):
            ours, theirs = memory.copy(), memory.copy()
            for m, add in ((ours, vk.add), (theirs, np.add)):
                add(m[10:30], m[20:40], out=m[10 + shift : 50 + shift][::step][:20])
            assert_array_equal(ours, theirs)
    square = rng.normal(size=(90, 90))
    expected = square + square.T
    assert vk.add(square, square.T, out=square) is square
    assert_array_equal(square, expected)


def test_errors_are_numpys():
    a = np.ones((2, 3))
    calls = [
        ((a, np.ones(4)), {}),
        ((a, a), {"out": np.empty((3, 3))}),
        ((a, a), {"out": np.broadcast_to(1.0, (2, 3))}),
        ((a, a), {"out": np.empty((2, 3), "i4")}),
        ((a,), {}),
        ((a, a, a, a), {}),
        ((a, a), {"oout": a}),
        ((a, "x"), {}),
        ((np.ones(3, "u1"), 300), {}),
        ((np.ones(3, "M8[s]"), np.ones(3, "M8[s]")), {}),
        ((a, object()), {}),
    ]
    for args, options in calls:
        errors = []
        for add in (np.add, vk.add):
            with pytest.raises(Exception) as caught:  # noqa: PT011
                add(*args, **options)
            errors.append((caught.type, str(caught.value)))
        assert errors[0] == errors[1]
    with pytest.raises(ValueError, match="negative integer powers"):
        vk.power(np.arange(3), -1)
    with pytest.raises(ValueError, match="both or neither"):
        vk.where(a > 0, a)
    with pytest.raises(TypeError):
        vk.multiply_add(a, a)


def test_numpys_options(rng):
    a, b = rng.normal(size=(2, 5, 6))
    where = a > 0
    for name, op in OPS.items():
        if name == "where":
            continue
        args = [a, b, a][: len(op.inputs)]
        ours, theirs = np.zeros((2, 5, 6), "?" if getattr(vk, name)(*args).dtype == bool else "f8")
        function = _numpy.function(op)
        with np.errstate(all="ignore"):
            if op.numpy or name == "clip":
                function = getattr(np, name)
            function(*args, out=theirs, where=where)
        assert getattr(vk, name)(*args, out=ours, where=where) is ours
        assert is_close(name, theirs, ours)
    assert vk.add(a, b, dtype="f4").dtype == np.float32
    assert vk.multiply_add(a, b, 1, dtype="f4").dtype == np.float32
    assert vk.add(a, b, order="F").flags.f_contiguous
    assert vk.add(a, b, np.empty_like(a)).shape == a.shape
    assert vk.add(a, b, out=(np.empty_like(a),)).shape == a.shape
    assert len(vk.where(where)) == 2
    assert_array_equal(vk.clip(a, None, 0.5), np.clip(a, None, 0.5))
    assert_array_equal(vk.clip(a, min=-0.5), np.clip(a, -0.5, None))


def test_other_arrays():
    class Mine:
        def __array_ufunc__(self, ufunc, method, *inputs, **options):
            return ufunc.__name__

    assert vk.add(np.ones(3), Mine()) == "add"
    assert type(vk.add(np.ma.ones(3), 1)) is np.ma.MaskedArray
    assert_array_equal(vk.add([1, 2], (3, 4)), [4, 6])
    assert_array_equal(vk.add(np.ones(3, ">f4"), 1), np.full(3, 2, "f4"))
    assert_array_equal(vk.add(np.ones(3, "g"), 1), np.full(3, 2, "g"), strict=True)
    unaligned = np.zeros(25, "u1")[1:].view("f8")
    assert_array_equal(vk.add(unaligned, 1.0, out=unaligned), np.ones(3))
    dask = pytest.importorskip("dask.array")
    lazy = vk.multiply_add(dask.ones(3), 2.0, vk.exp(dask.zeros(3)))
    assert isinstance(lazy, dask.Array)
    assert_array_equal(lazy.compute(), np.full(3, 3.0))


def test_quiet():
    with warnings.catch_warnings(), np.errstate(all="raise"):
        warnings.simplefilter("error")
        vk.divide(np.ones(3), np.zeros(3))
        vk.divide(np.ones(3, "i4"), np.zeros(3, "i4"))
        vk.log(np.array([-1.0, 0.0], "f4"))
        vk.sqrt([-1.0])
        vk.exp(np.full(3, 1000.0))
        vk.multiply(np.full(3, 60000, "f2"), np.float16(2))
        vk.less(np.full(3, np.nan), 1.0)


@pytest.mark.parametrize("name", list(OPS))
def test_as_a_function(name):
    function = getattr(vk, name)
    assert pickle.loads(pickle.dumps(function)) is function
    assert copy.deepcopy(function) is function
    assert (function.__name__, function.__module__) == (name, "vekt.elementwise")
    assert getattr(elementwise, name) is function
    assert repr(function) == f"<vekt function {name}>"
    parameters = inspect.signature(function).parameters
    assert list(parameters)[: function.nin] == list(OPS[name].inputs)
    assert OPS[name].summary in function.__doc__
    assert ".. math:: " in function.__doc__
    assert set(OPS) <= set(vk.__all__)


def test_a_name_that_is_not_there():
    with pytest.raises(AttributeError):
        _ = elementwise.addition
    assert set(OPS) == set(dir(elementwise))


@pytest.mark.parametrize("name", list(OPS))
def test_reference(name, rng):
    """The oracle says the same, to the last bit where one rounding is promised."""
    count = len(OPS[name].inputs)
    for dtype in ("f4", "f8", "f2", "i4", "u1"):
        args = [np.abs(x) for x in (rng.normal(0, 3, (3, 40)) + 1).astype(dtype)[:count]]
        expected = getattr(reference, name)(*args)
        result = getattr(vk, name)(*args)
        assert result.dtype == expected.dtype
        if name in (*FUNCTIONS, *PAIRS):
            assert_allclose(
                result,
                expected,
                rtol=4 * np.finfo(result.dtype).eps if result.dtype.kind == "f" else 0,
            )
        else:
            assert_array_equal(result, expected)
    out, where = np.zeros(40, result.dtype), np.arange(40) > 20
    if name != "where":
        assert getattr(reference, name)(*args, out=out, where=where) is out
        assert_array_equal(out, np.where(where, expected, 0))


@pytest.mark.parametrize("name", ["multiply_add", "scale_shift"])
def test_lists_count_with_their_dtype(name):
    """A list is an array, whose dtype the product has, too."""
    x = np.array([[-51.508404 - 1e-38j, 1 / 3]], "c8")
    scale = np.uint8([[7], [9]])
    for shift in ([1.0], (1.0,), [[1.0, 2.0]]):
        wide = x.astype("c16") * scale + np.asarray(shift)
        np.testing.assert_array_equal(getattr(vk, name)(x, scale, shift), wide, strict=True)
