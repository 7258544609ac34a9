"""dtype=, signature= and casting= that no loop serves are errors of NumPy's kind, at once."""

from __future__ import annotations

import inspect
import warnings

import ml_dtypes
import numpy as np
import pytest
from operands import FUNCTIONS

import vekt as vk
from vekt import ufuncs
from vekt._core import native
from vekt._ufuncs import Dispatcher

UFUNCS = {name: getattr(ufuncs, name) for name in ufuncs.__all__}
PRODUCTS = ("matmul", "matvec", "vecdot", "vecmat")
BFLOAT16 = np.dtype(ml_dtypes.bfloat16)
WRONG = ["i4", "?", "u8", "c8", "c16", "g", "G", "O", "S3", "U2", "M8[s]", "m8[s]", "V4"]


def raises_type_error(function, *operands, **options):
    with pytest.raises(TypeError) as caught:
        function(*operands, **options)
    assert "_ufuncs" not in str(caught.value)


@pytest.mark.parametrize("dtype", WRONG)
def test_ufuncs(dtype):
    assert UFUNCS
    for u in UFUNCS.values():
        if u.__name__ == "tanh" and dtype in ("c8", "c16"):
            continue  # which has a loop
        x = [np.ones(3)] * u.nin
        others = (None,) * (u.nargs - 1)
        with pytest.raises(TypeError, match=f"{u.__name__}|dtype"):
            u(*x, dtype=dtype)
        raises_type_error(u, *x, signature=(dtype,) * u.nargs)
        raises_type_error(u, *x, signature=(dtype, *others))
        raises_type_error(u, *x, signature=(*others, dtype))
        raises_type_error(u, *x, dtype=dtype, casting="unsafe")
        raises_type_error(u, *[np.ones(3, "f4")] * u.nin, dtype=dtype, out=np.ones(3, "f4"))
        raises_type_error(
            u.resolve_dtypes,
            (np.dtype("f8"),) * u.nin + (None,) * u.nout,
            signature=(*others, np.dtype(dtype)),
        )


def chosen(function, *operands, **options):
    """Return the dtypes of what it gives, or TypeError, for which NumPy's arctan2 has another."""
    try:
        with (
            np.errstate(all="ignore"),
            warnings.catch_warnings(category=np.exceptions.ComplexWarning),
        ):
            warnings.simplefilter("ignore")
            results = function(*operands, **options)
    except (TypeError, AttributeError):
        return TypeError
    return [np.asarray(y).dtype for y in (results if isinstance(results, tuple) else [results])]


def loops_of(u):
    """Return the dtypes of which it has a loop."""
    found = []
    for dtype in map(np.dtype, (*"efdFD", BFLOAT16)):
        try:
            u.resolve_dtypes((dtype,) * u.nin + (None,) * u.nout)
        except TypeError:
            continue
        found.append(dtype)
    return found


@pytest.mark.parametrize("given", ["?", "i4", "e", "f", "d", "F", BFLOAT16], ids=str)
def test_every_loop_can_be_asked_for(given):
    names = (*"?bhilqBHILQefdgFDGO", "f2", "f4", "f8", "c8", "c16", "float32", "complex64")
    for name, u in UFUNCS.items():
        loops = loops_of(u)
        assert {*map(np.dtype, "efd"), BFLOAT16} <= {*loops}
        operands = [np.ones(3, given)] * u.nin
        for dtype in (*names, np.float32, np.complex128, BFLOAT16):
            served = np.dtype(dtype) in loops and np.can_cast(given, dtype, "same_kind")
            expected = [np.dtype(dtype)] * u.nout if served else TypeError
            assert chosen(u, *operands, dtype=dtype) == expected, (name, given, dtype)


def test_complex_results_of_real_numbers():
    for name, u in UFUNCS.items():
        if np.dtype("F") in loops_of(u):
            twin = getattr(np, name)
            for x in (0.5, 1j, np.float32(0.5), np.arange(3), np.ones(2, "F")):
                np.testing.assert_array_equal(u(x, dtype="c16"), twin(x, dtype="c16"))
                out = np.empty((2, *np.shape(x)), "c16")
                u(x, out=out[0, ...])
                twin(x, out=out[1, ...])
                np.testing.assert_allclose(*out, 1e-6)


@pytest.mark.parametrize("given", ["?", "i4", "u2", "e", "f", "d", "F"])
def test_functions_of_numpy_take_what_numpy_takes(given):
    """Or refuse what it refuses."""
    count = 0
    for name in vk.__all__:
        function, twin = getattr(vk, name), getattr(np, name, None)
        if type(function) is Dispatcher and isinstance(twin, np.ufunc):
            count += 1
            for dtype in "?bhilqBHILQefdgFDGO":
                operands = [np.ones((3, 3), given)] * twin.nin
                results = [chosen(f, *operands, dtype=dtype) for f in (function, twin)]
                assert results[0] == results[1], (name, given, dtype)
    assert count > 20


def test_several_dtypes_at_once():
    for u in UFUNCS.values():
        for first, last in (("f4", "f8"), ("f8", "f2"), ("f2", "f4"), ("f8", "i4")):
            signature = (first, *(None,) * (u.nargs - 2), last)
            raises_type_error(u, *[np.ones(3)] * u.nin, signature=signature)


@pytest.mark.parametrize("dtype", [np.longdouble, np.clongdouble, object, "S3", "M8[s]", "c8"])
def test_operands_without_a_loop(dtype):
    x = np.zeros(3, dtype)
    for name, u in UFUNCS.items():
        if np.dtype(dtype).kind == "c" and name in ("tanh", *FUNCTIONS):
            continue
        raises_type_error(u, *[x] * u.nin)


@pytest.mark.parametrize("name", PRODUCTS)
def test_products(name):
    function = getattr(vk, name)
    a, b = np.ones((3, 3)), np.ones((3, 3))
    if name == "matvec":
        b = b[0]
    if name == "vecmat":
        a = a[0]
    for dtype in ("g", "G", "O", "S3", "M8[s]", "V4"):
        asked = [(dtype, None, None), (None, None, dtype), ("f4", None, "f8")]
        for options in ({"dtype": dtype}, *({"signature": signature} for signature in asked)):
            try:
                expected = getattr(np, name)(a, b, **options)
            except TypeError:
                raises_type_error(function, a, b, **options)
            else:
                assert function(a, b, **options).dtype == expected.dtype == dtype
    raises_type_error(function, a, b, dtype="i4")
    assert function(a, b, dtype="i4", casting="unsafe").dtype == np.int32


def with_dtype():
    for name in vk.__all__:
        function = getattr(vk, name)
        try:
            parameters = inspect.signature(function).parameters
        except (TypeError, ValueError):
            continue
        if "dtype" in parameters and type(function) is not np.ufunc:
            nin = getattr(function, "nin", None) or sum(
                p.default is p.empty and p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)
                for p in parameters.values()
            )
            yield name, function, nin


@pytest.mark.parametrize("dtype", ["S3", "O", "M8[s]", "V4", "no such dtype"])
def test_other_functions(dtype):
    functions = list(with_dtype())
    assert len(functions) > 20
    for name, function, nin in functions:
        try:
            result = function(*[np.ones((3, 3))] * nin, dtype=dtype)
        except (TypeError, ValueError, AttributeError):
            continue
        if name == "validate":  # as NumExpr's, it returns the error
            assert isinstance(result, TypeError | ValueError)
            continue
        assert dtype == "O", name  # as NumPy: sums of objects


def test_every_instruction_set():
    for isa in native.SUPPORTED:
        u = ufuncs.build_ufunc("gelu", isa)
        raises_type_error(u, np.ones(3), dtype="c8")


def test_dispatchers_name_what_they_lack():
    for name in vk.__all__:
        function = getattr(vk, name)
        if type(function) is Dispatcher:
            raises_type_error(function, *[np.ones(3)] * function.nin, no_such_option=1)
