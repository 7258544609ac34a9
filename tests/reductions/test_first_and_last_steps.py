"""Reductions that begin with a number, end in a shorter dtype or meet both zeros; and their kin."""

from __future__ import annotations

import warnings
from itertools import product
from sysconfig import get_config_var

import ml_dtypes
import numpy as np
import pytest
from interpreters import run

import vekt as vk
from vekt import reductions
from vekt._spec.elementwise import OPS

BFLOAT16 = np.dtype(ml_dtypes.bfloat16)
SHORT = [np.dtype("f2"), BFLOAT16, np.dtype("f4")]
FLOATS = [*SHORT, np.dtype("f8")]
NUMBERS = [*FLOATS, np.dtype(">f4"), *(np.dtype(c) for c in "?bBhHiIqQ")]


def numbers(dtype, shape, seed=0):
    rng = np.random.default_rng(seed)
    return (rng.random(shape) * 100).astype(dtype)


# ---- one rounding ----


@pytest.mark.parametrize("dtype", SHORT, ids=str)
@pytest.mark.parametrize("source", NUMBERS, ids=str)
@pytest.mark.parametrize("name", ["sum", "mean"])
def test_a_shorter_dtype_is_rounded_to_once(name, source, dtype):
    x = numbers(source, (7, 130))
    for axis, where in product(
        (None, 0, 1, (0, 1)), (True, np.add.outer(np.arange(7), np.arange(130)) % 3 > 0)
    ):
        wide = getattr(np, name)(x.astype("f8"), axis, where=where)
        with np.errstate(over="ignore"):
            expected = np.asarray(wide).astype(dtype)
        out = np.empty(expected.shape, dtype)
        result = getattr(vk, name)(x, axis, dtype=dtype, where=where)
        assert result.dtype == dtype
        np.testing.assert_array_equal(np.asarray(result), expected)
        assert getattr(vk, name)(x, axis, dtype=dtype, where=where, out=out) is out
        np.testing.assert_array_equal(out, expected)


@pytest.mark.parametrize("dtype", SHORT, ids=str)
def test_means_of_what_overflows_as_a_sum(dtype):
    x = np.full(3000, float(ml_dtypes.finfo(dtype).max) / 1.5)
    for source in ("f8", "f4", dtype):
        narrow = x.astype(source)
        assert vk.mean(narrow, dtype=dtype) == narrow[0].astype(dtype)
        assert vk.mean(narrow, dtype=dtype, where=np.ones(3000, bool)) == narrow[0].astype(dtype)
    assert vk.mean(np.full(10, 27723, "u2"), dtype="f2") == np.float16(27723)


@pytest.mark.parametrize("dtype", SHORT, ids=str)
@pytest.mark.parametrize("initial", [300, -2.5, np.float32(1e-3), True])
def test_an_initial_number_is_added_before_the_rounding(initial, dtype):
    x = (numbers("f8", (5, 41)) / 300).astype(dtype)
    for axis, where in product(
        (None, 0, 1), (True, np.add.outer(np.arange(5), np.arange(41)) % 2 > 0)
    ):
        wide = np.sum(x.astype("f8"), axis, where=where) + float(initial)
        expected = np.asarray(wide).astype(dtype)
        for layout in (x, np.asfortranarray(x), x.astype(dtype.newbyteorder(">"))):
            result = vk.sum(layout, axis, initial=initial, where=where)
            assert result.dtype == dtype
            np.testing.assert_array_equal(np.asarray(result), expected)
        out = np.empty(expected.shape, dtype)
        assert vk.sum(x, axis, initial=initial, where=where, out=out) is out
        np.testing.assert_array_equal(out, expected)


@pytest.mark.parametrize("dtype", NUMBERS, ids=str)
def test_masked_means_beside_empty_ones(dtype):
    x = numbers(dtype, (4, 1000))
    mask = np.arange(4000).reshape(4, 1000) % 3 > 0
    mask[1] = False
    with pytest.warns(RuntimeWarning, match="Mean of empty slice"):
        result = vk.mean(x, 1, where=mask)
    stored = np.dtype("f8") if dtype.kind in "biu" else dtype.newbyteorder("=")
    assert result.dtype == stored
    for row in (0, 2, 3):
        true = np.mean(x[row].astype("g"), where=mask[row])
        assert abs(result[row].astype("g") - true) <= abs(true) * ml_dtypes.finfo(stored).eps * 0.51
    assert np.isnan(result[1].astype("f8"))


# ---- zeros ----


def zeros_of(dtype, shape, odd, base):
    x = np.full(shape, base, dtype)
    x.reshape(-1)[odd] = -base
    return x


@pytest.mark.parametrize("dtype", FLOATS, ids=str)
@pytest.mark.parametrize("base", [0.0, -0.0])
def test_of_both_zeros_the_greatest_is_0_and_the_least_minus_0(base, dtype):
    for n, m in ((1, 2), (3, 5), (2, 33), (70, 9), (5, 3000), (1200, 17)):
        for odd in (0, n * m - 1, n * m // 2):
            x = zeros_of(dtype, (n, m), odd, base)
            for layout in (x, np.asfortranarray(x), x[::-1, ::-1], x.astype(dtype.newbyteorder())):
                for axis in (None, 0, 1):
                    signs = np.signbit(layout.astype("f8"))
                    for threads in (1, 2):
                        with vk.num_threads(threads):
                            most, least = vk.max(layout, axis), vk.min(layout, axis)
                        assert np.array_equal(np.signbit(np.float64(most)), signs.all(axis))
                        assert np.array_equal(np.signbit(np.float64(least)), signs.any(axis))


@pytest.mark.parametrize("dtype", FLOATS, ids=str)
def test_zeros_of_masks_initial_numbers_and_fused_functions(dtype):
    plus, minus = np.zeros(5, dtype), np.full(5, -0.0, dtype)

    def sign(x):
        return bool(np.signbit(np.float64(x)))

    mask = np.array([True, True, False, True, True])
    assert not sign(vk.max(minus, initial=0.0))
    assert not sign(vk.max(plus, initial=-0.0))
    assert sign(vk.min(minus, initial=0.0))
    assert sign(vk.min(plus, initial=-0.0))
    assert not sign(vk.max(minus, initial=0.0, where=mask))
    assert sign(vk.min(plus, initial=-0.0, where=mask))
    for odd in range(5):
        x = zeros_of(dtype, 5, odd, 0.0)
        assert not sign(vk.fuse(lambda x: np.max(x * 1.0))(x))
        assert sign(vk.fuse(lambda x: np.min(x * 1.0))(x))
        if dtype != BFLOAT16:
            assert sign(vk.evaluate("min(x)", {"x": x}))


@pytest.mark.parametrize("dtype", [*FLOATS, np.dtype("c8"), np.dtype(">c16")], ids=str)
def test_sums_that_begin_with_minus_0(dtype):
    """Each part of a complex number alone; nothing but -0.0 leaves it."""
    values = [complex(a, b) for a in (0.0, -0.0) for b in (0.0, -0.0)]
    is_complex = dtype.kind == "c"
    for first, element in product(values if is_complex else (0.0, -0.0), repeat=2):
        for n, odd in product((0, 1, 2, 9, 150), (None, 0.0)):
            x = np.full((n, 3), element, dtype)
            x[n // 2 : n // 2 + 1, 1] = element if odd is None else odd
            for mask in (True, np.arange(3) < 2):
                for axis, initial in product((None, 0, 1), (first, np.array(first))):
                    options = {"axis": axis, "initial": initial, "where": mask}
                    result = np.asarray(vk.sum(x, **options)).astype("c16")
                    expected = np.sum(x.astype("c16" if is_complex else "f8"), **options)
                    expected = np.asarray(expected).astype("c16")
                    assert np.array_equal(np.signbit(result.real), np.signbit(expected.real))
                    assert np.array_equal(np.signbit(result.imag), np.signbit(expected.imag))


@pytest.mark.parametrize("dtype", FLOATS, ids=str)
@pytest.mark.parametrize("name", ["maximum", "minimum"])
def test_of_two_equal_elements_the_second_is_taken(name, dtype):
    function = getattr(vk, name)
    fused = vk.fuse(lambda x, y: getattr(np, name)(x, y))
    for n, first in product((1, 2, 7, 33, 1000), (0.0, -0.0)):
        for step in (1, 2, -1):
            x, y = (np.full(2 * n, z, dtype)[::step] for z in (first, -first))
            others = (y, y[0], y[:1], float(-first))
            for other in others:
                assert (np.signbit(function(x, other).astype("f8")) == np.signbit(-first)).all()
            if dtype.itemsize > 2:  # fused, those of 16 bits are NumPy's
                assert (np.signbit(fused(x, y).astype("f8")) == np.signbit(-first)).all()


# ---- the manners of NumPy ----

COMPARISONS = [name for name, op in OPS.items() if op.facts["compares"]]


@pytest.mark.skipif(
    bool(get_config_var("Py_GIL_DISABLED")), reason="NumPy's own comparisons die of it there"
)
@pytest.mark.parametrize("name", COMPARISONS)
def test_masked_comparisons_with_integers_out_of_range(name):
    script = f"""
import numpy as np, vekt as vk
mask = np.array([True, False, True])
for dtype in "?bBhHiIqQefdD":
    x = np.array([1, 0, 1], dtype)
    for y in (-1, 300, -300, 2**40, -2**63, 2**63, 2**64, -(2**70), 2**70):
        for where in (mask, [True, False, True], np.array(False)):
            for pair in ((x, y), (y, x), (x[0], y), (x.tolist(), y)):
                try:
                    with np.errstate(all="ignore"):
                        expected = np.where(where, np.{name}(*pair), False)
                except OverflowError:  # of a list
                    continue
                out = np.zeros(expected.shape, bool)
                assert vk.{name}(*pair, where=where, out=out) is out
                assert np.array_equal(out, expected), (dtype, pair, where)
"""
    done = run(script, check=False)
    assert done.returncode == 0, done.stderr[-300:]


def test_powers_whose_exponents_become_negative():
    for given, asked in product("BHIQhiq", "bhiq"):
        info = np.iinfo(given)
        x = np.array([2, info.max], given)
        for operand in (x, x[::-1], x.astype(x.dtype.newbyteorder()), x[1:], x[1]):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                try:
                    expected = np.power(3, operand, dtype=asked)
                except ValueError:
                    with pytest.raises(ValueError, match="negative integer powers"):
                        vk.power(3, operand, dtype=asked)
                    continue
                np.testing.assert_array_equal(vk.power(3, operand, dtype=asked), expected)


@pytest.mark.parametrize("name", ["multiply_add", "scale_shift"])
def test_three_operands_compute_in_their_result_type(name):
    kinds = [bool, int, float, *(np.dtype(c) for c in "?bBhHiIqQefdFD"), np.dtype(">f4")]

    def example(kind):
        return kind(1) if isinstance(kind, type) else np.ones(2, kind)

    for kind in product(kinds, kinds, kinds):
        operands = [example(k) for k in kind]
        result = np.asarray(getattr(vk, name)(*operands))
        expected = np.result_type(*operands)
        assert result.dtype == expected, kind
        assert (result == (1 if expected.kind == "b" else 2)).all(), kind


def test_three_operands_of_integers_that_do_not_fit():
    small = np.array([200], "u1")
    for operands in ((small, 300, small), (small, small, -1), (300, small, 2)):
        with pytest.raises(OverflowError):
            vk.multiply_add(*operands)
    assert vk.multiply_add(small, 300, np.float32(1)) == 60001
    assert vk.multiply_add(small, small, np.int32(1)) == 40001


@pytest.mark.parametrize("name", [name for name in OPS if name != "where"])
def test_the_result_is_out(name):
    op = OPS[name]
    limits = [(None, None), (0, None), (None, 1), (0, 1)] if name == "clip" else [(1,) * 2]
    for x, others in product((0.5, np.float32(0.5), np.array(0.5), np.ones(2), [0.5]), limits):
        for dtype, wrapped in product(("f8", ">f8", "c16"), (False, True)):
            operands = (x, *(others * 2)[: len(op.inputs) - 1])
            out = np.zeros(np.shape(x), dtype)
            assert getattr(vk, name)(*operands, out=(out,) if wrapped else out) is out
            np.testing.assert_array_equal(out, getattr(vk, name)(*operands))


def test_norms_by_singular_values_are_numpys():
    for shape, order in product(((1, 1), (3, 2)), (2, -2, "nuc")):
        with pytest.raises(TypeError):
            vk.norm(np.ones(shape, "f2"), order)
        assert vk.norm(np.ones(shape, "f4"), order) == np.linalg.norm(np.ones(shape, "f4"), order)


# ---- quiet ----

EXTREME = [0, -0.0, 1, -2, np.nan, np.inf, -np.inf, 1e30, -1e-30, 1e300]


def quiet_calls(x, y, matrix):
    for name, op in OPS.items():
        if name not in ("where", "power") or x.dtype.kind == "f":
            yield name, getattr(vk, name), (x, y, y)[: len(op.inputs)], {}
    for name in (*reductions.__all__[:-2], "sum_to_shape"):
        if name == "broadcast_to":
            continue
        if name == "sum_to_shape":
            yield name, vk.sum_to_shape, (x, ()), {}
            continue
        yield name, getattr(vk, name), (x,), {}
        if name in ("sum", "max", "min"):
            yield name, getattr(vk, name), (x,), {"initial": 0}
            yield name, getattr(vk, name), (x,), {"initial": 0, "where": np.array(True)}
        if name in ("sum", "mean"):
            for dtype in ("f2", "f4", "f8", "c8"):
                yield name, getattr(vk, name), (x,), {"dtype": dtype}
    for order in (None, 1, 2, np.inf, -np.inf, 0, 3, 0.5):
        yield "norm", vk.norm, (np.atleast_1d(x), order), {"axis": -1}
    for order in (None, 1, -1, np.inf, -np.inf, "fro"):
        yield "norm", vk.norm, (matrix, order), {"axis": (-1, 0)}
    for name in ("dot", "outer"):
        yield name, getattr(vk, name), (x, y), {}
    for name in ("matmul", "tensordot"):
        yield name, getattr(vk, name), (matrix, matrix), {}
    yield "transpose_copy", vk.transpose_copy, (matrix,), {}
    yield "cosine_similarity", vk.cosine_similarity, (np.atleast_1d(x), np.atleast_1d(y)), {}
    for name in ("softmax", "log_softmax", "logsumexp", "sparsemax"):
        yield name, getattr(vk, name), (matrix,), {}


@pytest.mark.parametrize("dtype", [*FLOATS, np.dtype(">f4")], ids=str)
def test_no_function_warns_of_numbers(dtype):
    with np.errstate(all="ignore"):
        several = np.array(EXTREME).astype(dtype)
    several = several[:7] if dtype.name == "float16" else several
    matrix = np.outer(np.ones(len(several)), np.arange(len(several))).astype(dtype)
    matrix[0] = several
    pairs = [(several, several[::-1]), *((x, y) for x in several for y in several)]
    pairs += [(np.array(x), several) for x in several] + [(several, np.array(x)) for x in several]
    loud = set()
    for x, y in pairs:
        for name, function, args, options in quiet_calls(np.asarray(x), np.asarray(y), matrix):
            try:
                with np.errstate(all="raise"), warnings.catch_warnings():
                    warnings.simplefilter("error")
                    function(*args, **options)
            except (FloatingPointError, RuntimeWarning) as error:
                if not (name.startswith("nan") and "slice" in str(error)):  # nothing but NaN
                    loud.add((name, str(error), str(options)))
            except (TypeError, ValueError):  # not for these shapes or dtypes
                pass
    assert not loud


def test_of_nothing_whatever_was_computed_before() -> None:
    """No number of an earlier call is left where there are no elements."""
    rng = np.random.default_rng(0)
    memory = rng.standard_normal(20_000)
    nothing = [
        np.ndarray(shape, dtype, memory.data.cast("B"), 80_000, strides)
        for dtype in ("<f8", ">f8", "f4", "f2")
        for shape, strides in (
            ((0, 300, 7), (2400, 8, 2400)),
            ((5, 0, 65), (8, -80, 40)),
            ((0, 300), (8, 8)),
            ((300, 0), (8, 16)),
            ((0,), (8,)),
        )
    ]
    earlier = (
        vk.softmax,
        lambda x: vk.softmax_cross_entropy(x, np.zeros(len(x), int)),
        lambda x: vk.norm(x[:, ::-1], axis=1),
        lambda x: vk.sum(x.astype(">f4")[::-1], axis=0),
        lambda x: vk.matmul(x, x.T),
        lambda x: vk.norm(x.astype(">f8")),
        lambda x: vk.mean(x.astype("f2")[:, ::-1], axis=1),
    )
    for call in 40 * earlier:
        x = rng.standard_normal(rng.integers(1, (400, 60)))
        for empty in nothing:
            call(x)
            assert vk.norm(empty) == 0
            assert vk.sum(empty) == 0
            assert not vk.any(empty)
            assert vk.all(empty)


@pytest.mark.parametrize("name", ["sum", "nansum", "prod"])
@pytest.mark.parametrize("dtype", ["?", "b", "Q"])
def test_integers_begin_with_no_float_that_is_none(name: str, dtype: str) -> None:
    x = np.ones((2, 3), dtype)
    for initial, error in ((np.nan, ValueError), (np.inf, OverflowError), (-1e300, OverflowError)):
        for axis in (None, 1):
            with pytest.raises(error, match="cannot convert|too (big|large)"):
                getattr(vk, name)(x, axis, initial=initial)
    np.testing.assert_array_equal(
        getattr(vk, name)(x, 1, initial=2.5), getattr(np, name)(x, 1, initial=2.5)
    )


def test_nan_is_skipped_at_the_beginning_and_kept_in_ddof() -> None:
    x = np.array([[1.0, 2.0], [np.nan, np.nan]])
    np.testing.assert_array_equal(vk.nanmax(x, 1, initial=np.nan), [2, np.nan])
    np.testing.assert_array_equal(vk.nanmin(x, 1, initial=np.nan), [1, np.nan])
    for name in ("var", "std", "nanvar"):
        assert np.isnan(getattr(vk, name)(x[0], ddof=np.nan))


@pytest.mark.parametrize("dtype", ["?", "u1", "u2", "u4", "u8", "i1", "i8"])
@pytest.mark.parametrize("initial", [-3, -1, 300, 2**63, 2**64 - 1, 2**64])
def test_sums_begin_with_what_they_can_hold(dtype: str, initial: int) -> None:
    x = np.ones(5, dtype)
    try:
        with np.errstate(all="ignore"):
            expected = np.sum(x, initial=initial)
    except OverflowError:
        for form in (x, x[::-1], x.reshape(5, 1)):
            with pytest.raises(OverflowError):
                vk.sum(form, initial=initial)
    else:
        np.testing.assert_array_equal(vk.sum(x, initial=initial), expected, strict=True)
