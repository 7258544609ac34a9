"""The same bits in any layout: misaligned, swapped, strided, masked operands, any output."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
from conftest import ufuncs_of
from numpy.testing import assert_array_equal
from operands import FUNCTIONS, PAIRS, function_of

import vekt as vk
from vekt._core import native
from vekt._spec.elementwise import OPS

SHAPE = (23, 37)
DTYPES = ("?", "i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", "f2", "f4", "f8", "c8", "c16")
FLOATS = ("f2", "f4", "f8")


def misaligned(a):
    view = np.zeros(a.nbytes + 1, np.uint8)[1:].view(a.dtype).reshape(a.shape)
    view[...] = a
    return view


def field(a):
    """Return an array that is a field of a packed structure."""
    packed = np.zeros(a.shape, [("tag", "u1"), ("x", a.dtype)])
    packed["x"] = a
    return packed["x"]


def swapped(a):
    return a.astype(a.dtype.newbyteorder())


def backwards(a):
    return a[::-1, ::-1].copy()[::-1, ::-1]


def spread(a):
    room = np.zeros(tuple(3 * n for n in a.shape), a.dtype)[::3, ::3]
    room[...] = a
    return room


def interleaved(a):
    """Return a view whose rows lie between each other's elements."""
    rows, columns = a.shape
    room = np.zeros(columns * 2 * rows + rows, a.dtype)
    view = np.lib.stride_tricks.as_strided(room, a.shape, (a.itemsize, a.itemsize * (rows + 2)))
    view[...] = a
    return view


def swapped_field(a):
    return field(swapped(a))[...]


LAYOUTS = {
    f.__name__: f
    for f in (misaligned, field, swapped, backwards, spread, interleaved, swapped_field)
} | {"fortran": np.asfortranarray}


def numbers(rng, count, dtype, shape=SHAPE):
    x = rng.normal(0, 4, (count, *shape))
    if np.dtype(dtype).kind == "c":
        x = x + 1j * rng.normal(0, 4, x.shape)
    return list((np.abs(x) if np.dtype(dtype).kind == "u" else x).astype(dtype))


def bits(result):
    """Return the bits of a result, or of several, in native byte order."""
    if isinstance(result, tuple):
        return tuple(bits(part) for part in result)
    array = np.asarray(result)
    return array.dtype.newbyteorder("="), array.astype(array.dtype.newbyteorder("=")).tobytes()


def check_layouts(function, operands, names=tuple(LAYOUTS)):
    expected = bits(function(*operands))
    for name in names:
        laid_out = [LAYOUTS[name](x) if x.ndim == 2 else x for x in operands]
        assert bits(function(*laid_out)) == expected, name
        for j in range(len(operands) if len(operands) > 1 else 0):  # one operand alone
            mixed = [*operands[:j], laid_out[j], *operands[j + 1 :]]
            assert bits(function(*mixed)) == expected, (name, j)


@pytest.mark.parametrize("name", [*OPS])
def test_elementwise_operands(isa, name, rng):
    function = function_of(name, isa)
    for dtype in DTYPES:
        operands = numbers(rng, len(OPS[name].inputs), dtype)
        if name == "power":
            operands = [np.abs(x) for x in operands]
        with np.errstate(all="ignore"):
            try:
                function(*operands)
            except TypeError:
                continue  # no such operation
            if name == "power" and dtype in ("c8", "c16"):
                continue  # NumPy's loops
            check_layouts(function, operands)


@pytest.mark.parametrize("name", [name for name in OPS if name != "where"])
def test_elementwise_outputs_and_options(isa, name, rng):
    function = function_of(name, isa)
    for dtype in ("?", "i2", "u2", "i8", *FLOATS, "c16"):
        operands = [np.abs(x) for x in numbers(rng, len(OPS[name].inputs), dtype)]
        try:
            with np.errstate(all="ignore"):
                expected = function(*operands)
        except TypeError:
            continue
        for layout in LAYOUTS.values():
            out = layout(np.zeros_like(expected))
            assert function(*operands, out=out) is out
            assert bits(out) == bits(expected)
            mask = rng.random(SHAPE) < 0.5
            out = layout(np.ones_like(expected))
            assert function(*operands, out=out, where=mask) is out
            assert bits(out) == bits(np.where(mask, expected, np.ones_like(expected)))
        wide = np.zeros(SHAPE, "c16" if expected.dtype.kind == "c" else "f8")
        function(*operands, out=wide)
        assert_array_equal(wide, expected.astype(wide.dtype))
        wide[...] = 0.1
        function(*operands, out=wide, where=mask)
        assert_array_equal(wide, np.where(mask, expected.astype(wide.dtype), 0.1))
        assert bits(function(*operands, dtype=expected.dtype)) == bits(expected)
        larger = np.zeros((2, *SHAPE), expected.dtype)
        assert bits(function(*operands, out=larger)) == bits(np.stack([expected] * 2))
        if "casting" in OPS[name].signature().parameters:
            options = {"casting": "same_kind", "subok": False}
            assert bits(function(*operands, **options)) == bits(expected)
            fortran = function(*operands, order="F")
            assert fortran.flags.f_contiguous
            assert bits(fortran) == bits(expected)


@pytest.mark.parametrize("name", [*FUNCTIONS, *PAIRS, "multiply_add", "scale_shift"])
def test_what_is_not_an_array(isa, name, rng, tmp_path):
    """Lists, numbers, memory maps: their elements have the bits that arrays have."""
    function = function_of(name, isa)
    for dtype in ("i2", "i8", *FLOATS):
        operands = [
            np.abs(x) + np.dtype(dtype).type(1) for x in numbers(rng, len(OPS[name].inputs), dtype)
        ]
        expected = function(*operands)
        single = [function(*(x[0, j] for x in operands)) for j in range(SHAPE[1])]
        assert bits(np.array(single)) == bits(expected[0])
        for j in range(SHAPE[1]):
            out = np.zeros((), expected.dtype)
            function(*(x[0, j] for x in operands), out=out)
            assert bits(out) == bits(expected[0, j])
            assert bits(function(*(x[0, j] for x in operands), where=np.array(True))) == bits(
                expected[0, j]
            )
        maps = [
            np.memmap(tmp_path / f"{j}", dtype, "w+", shape=SHAPE) for j in range(len(operands))
        ]
        for a, b in zip(maps, operands, strict=True):
            a[...] = b
        assert bits(function(*maps)) == bits(expected)
        deep = [x.reshape((1,) * 40 + SHAPE) for x in operands]
        assert bits(function(*deep)) == bits(expected)
    lists = [x.tolist() for x in operands]
    assert bits(function(*lists)) == bits(expected)
    assert bits(function(*(tuple(x[0]) for x in lists))) == bits(expected[0])
    assert bits(function(*(x[0][0] for x in lists))) == bits(expected[0, 0])
    assert function(*operands, dtype="f4").dtype == np.float32
    narrow = [x.astype("f4") for x in operands]
    assert bits(function(*operands, dtype="f4")) == bits(function(*narrow))
    half = [x.astype("f2") for x in operands]
    assert bits(function(*operands, dtype="f2")) == bits(function(*half))


def test_masked_calls_that_overlap(isa, rng):
    add = function_of("add", isa)
    memory = rng.normal(size=60)
    mask = rng.random(20) < 0.5
    for shift in (-3, 0, 2):
        ours, theirs = memory.copy(), memory.copy()
        for m, function in ((ours, add), (theirs, np.add)):
            function(m[20:40], 1.0, out=m[20 + shift : 40 + shift], where=mask)
        assert_array_equal(ours, theirs)
    flags = np.arange(20) % 3 == 0
    expected = np.where(flags, False, flags)
    function_of("logical_not", isa)(flags, out=flags, where=flags)
    assert_array_equal(flags, expected)


@pytest.mark.parametrize("name", sorted({kernel["name"] for kernel in native.kernels()}))
def test_kernels_as_ufuncs(isa, name, rng):
    function = ufuncs_of(isa).get(name)
    if function is None or function.nin > 6:
        pytest.skip("no ufunc")
    for dtype in ("i2", "i8", *FLOATS):
        operands = [np.abs(x) / 4 + 1 for x in numbers(rng, function.nin, "f4")]
        operands = [x.astype(dtype) for x in operands]
        with np.errstate(all="ignore"):
            check_layouts(function, operands, ("misaligned", "swapped", "spread", "fortran"))


REDUCTIONS = ("sum", "mean", "max", "min", "argmax", "argmin", "any", "all")


@pytest.mark.parametrize("name", REDUCTIONS)
@pytest.mark.parametrize("axis", [None, 0, 1])
def test_reductions(name, axis, rng):
    """Sums of doubles follow the steps in memory, but neither alignment nor byte order."""
    for dtype in DTYPES[:-2]:
        steps_matter = dtype == "f8" and name in ("sum", "mean")
        layouts = ("misaligned", "swapped") if steps_matter else tuple(LAYOUTS)
        if axis is None and name.startswith("arg"):
            layouts = tuple(n for n in layouts if n not in ("fortran", "interleaved"))
        check_layouts(partial(getattr(vk, name), axis=axis), numbers(rng, 1, dtype), layouts)


@pytest.mark.parametrize("name", ["softmax", "log_softmax", "softmin", "logsumexp", "sparsemax"])
@pytest.mark.parametrize("axis", [0, 1])
def test_rows(name, axis, rng):
    for dtype in ("i2", *FLOATS):
        check_layouts(partial(getattr(vk, name), axis=axis), numbers(rng, 1, dtype))


@pytest.mark.parametrize("shape", [(3, 5), (23, 37), (70, 130)])
def test_products(isa, shape, rng):
    """Rows and columns of any layout; one row by contiguous columns with `deterministic`."""
    products = native.build_products(isa)
    m, k = shape
    for dtype in DTYPES:
        (a,), (b,) = numbers(rng, 1, dtype, (m, k)), numbers(rng, 1, dtype, (k, m))
        (c,), (x,) = numbers(rng, 1, dtype, (m, k)), numbers(rng, 1, dtype, (k,))
        check_layouts(products["matmul"], [a, b])
        check_layouts(products["vecdot"], [a, c])
        check_layouts(products["matvec"], [a, x])
        row = partial(products["matmul"], deterministic="batch")
        check_layouts(row, [a[:1], b], [n for n in LAYOUTS if n != "interleaved"])
        assert bits(row(a[:1], b)) == bits(products["matmul"](a, b)[:1])


@pytest.mark.parametrize("dtype", ["c8", "c16"])
@pytest.mark.parametrize("k", [1, 3, 8, 64, 65, 300, 16385, 40000])
def test_complex_vectors(isa, dtype, k, rng):
    """The true values; the same bits on every instruction set and in stacks."""
    products = native.build_products(isa)
    others = native.build_products(native.SUPPORTED[0])
    for m in (1, 2, 5, 13):
        (a,), (x,) = numbers(rng, 1, dtype, (m, k)), numbers(rng, 1, dtype, (k,))
        exact = a.astype("G") @ x.astype("G")
        near = partial(
            np.testing.assert_allclose,
            rtol=0,
            atol=float(np.abs(a).astype("f8").sum(1).max() * 30) * np.finfo(dtype).eps,
        )
        column = products["matvec"](a, x)
        near(column, exact)
        near(products["vecmat"](x.conj(), a.T), exact)
        near(products["vecdot"](a.conj(), x), exact)
        near(products["vecdot"](x.conj(), a), exact)
        near(products["matmul"](x, a.T), exact)
        near(products["matmul"](x, np.ascontiguousarray(a.T)), exact)
        for layout in (np.asfortranarray, spread, misaligned):
            assert bits(products["matvec"](layout(a), x)) == bits(column)
        assert bits(products["vecdot"](a.conj(), x)) == bits(column)
        assert bits(products["vecdot"](np.stack([a.conj()] * 3), x)[1]) == bits(column)
        assert_array_equal(products["vecmat"](a[0], a.T), products["matmul"](a[:1].conj(), a.T)[0])
        many = products["vecmat"](a, np.ascontiguousarray(a.T))
        assert bits(many[-1]) == bits(
            products["matmul"](a[-1:].conj(), np.ascontiguousarray(a.T), deterministic="batch")[0]
        )
        if isa not in ("x86_v2", "generic"):
            assert bits(others["matvec"](a, x)) == bits(column)
            assert bits(others["vecmat"](a[0], a.T)) == bits(products["vecmat"](a[0], a.T))
