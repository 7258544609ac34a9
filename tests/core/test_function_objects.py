"""Functions with parameters are objects of `vekt` with all that users do to a ufunc."""

from __future__ import annotations

import copy
import gc
import pickle
import weakref

import numpy as np
import pytest
from forms import FORMS, OWN, operands_of, own, values_of
from numpy.testing import assert_array_equal
from operands import is_close, several

import vekt as vk
from vekt._core.native import Function
from vekt._spec.activations import OPS


@own
def test_has_what_a_ufunc_has(name):
    function, form = getattr(vk, name), FORMS[name]
    assert not isinstance(function, np.ufunc)
    assert (function.nin, function.nout) == (len(form.operands), form.nout)
    assert function.nargs == function.nin + function.nout
    assert function.types == [f"{c * function.nin}->{c * function.nout}" for c in "efd"]
    assert function.ntypes == len(function.types)
    assert function.identity is function.signature is None
    assert function.__name__ == function.__qualname__ == name
    assert function.__module__ == "vekt"
    assert "Parameters\n" in function.__doc__
    assert repr(function) == f"<vekt function {name}>"
    assert pickle.loads(pickle.dumps(function)) is function
    assert copy.copy(function) is copy.deepcopy(function) is function
    assert weakref.ref(function)() is function
    assert {function: 1}[function] == 1
    for c in "efd":
        results = several(function(*operands_of(name, c)))
        assert [r.dtype.char for r in results] == [c] * form.nout


def test_is_collected():
    function = Function("made", ("x",), (), ((vk.ufuncs.silu, (), ()),))
    function.itself = function
    gone = weakref.ref(function)
    assert_array_equal(function(np.ones(3)), vk.silu(np.ones(3)))
    del function
    gc.collect()
    assert gone() is None


def test_names_are_strings():
    function = Function("made", ("x",), (), ((vk.ufuncs.silu, (), ()),))
    with pytest.raises(TypeError, match="string"):
        function.__name__ = 3
    function.__name__ = "other"
    assert repr(function) == "<vekt function other>"


@pytest.mark.parametrize(
    "arguments",
    [
        ("made", (), (), ((vk.ufuncs.silu, (), ()),)),
        ("made", ("x",), (), ()),
        ("made", ("x", "y"), (), ((vk.ufuncs.silu, (), ()),)),
        ("made", ("x",), (("a", 1.0, False, 0.0, None),), ((vk.ufuncs.elu, (None,), (1,)),)),
        ("made", ("x",), (("a", 1.0, False, 0.0, None),), ((vk.ufuncs.elu, (), (0,)),)),
    ],
)
def test_bad_functions_are_refused(arguments):
    with pytest.raises(ValueError, match=r"Function: "):
        Function(*arguments)
    with pytest.raises(TypeError):
        Function("made", ("x",), (), ((len, (), ()),))


def numbers_for(param):
    if param.kind == "flag":
        return False, True, np.True_
    numbers = [0.5, 1, 3.0, np.float32(0.5), np.full(6, 0.5), 1e-41, 1e39, 2**25 + 1, np.inf]
    return [*numbers, *([None] if param.none_means is not None else [])]


@own
@pytest.mark.parametrize("dtype", ["f4", "f8", "f2"])
def test_the_bits_are_those_of_the_kernels_ufunc(name, dtype):
    function, form = getattr(vk, name), FORMS[name]
    for operands in (
        operands_of(name, dtype),
        [x[::2] for x in operands_of(name, dtype, (12,))],
        operands_of(name, dtype, (3, 6)),
        [x.T for x in operands_of(name, dtype, (6, 6))],
        operands_of(name, dtype, (0, 6)),
        [x[0] for x in operands_of(name, dtype)],
        [x.astype(x.dtype.newbyteorder()) for x in operands_of(name, dtype)],
        [operands_of(name, dtype)[0], *operands_of(name, dtype, (2, 1))[1:]],
        [x.tolist() for x in operands_of(name, dtype)],
    ):
        for param in form.params:
            for value in numbers_for(param):
                ufunc, taken = function.chosen({param.name: value})
                with np.errstate(all="ignore"):
                    expected = several(ufunc(*operands, *taken))
                    results = several(function(*operands, **{param.name: value}))
                for result, wanted in zip(results, expected, strict=True):
                    assert type(result) is type(wanted)
                    assert result.dtype == wanted.dtype
                    assert_array_equal(result, wanted)
                    assert np.asarray(result).strides == np.asarray(wanted).strides


@own
def test_parameters_choose_the_kernel(name):
    function, form = getattr(vk, name), FORMS[name]
    kernels = {function.chosen({})[0].__name__}
    for param in form.params:
        kernels |= {function.chosen({param.name: v})[0].__name__ for v in values_of(param)}
    assert kernels == {choice.kernel for choice in form.choices}
    with pytest.raises(TypeError, match="nonsense"):
        function.chosen({"nonsense": 1})


class Other:
    """An operand that has a say."""

    def __array_ufunc__(self, ufunc, method, *inputs, **options):
        return ufunc.__name__, method, len(inputs), options


@own
def test_other_operands_have_their_say(name):
    function, form = getattr(vk, name), FORMS[name]
    operands = [Other(), *operands_of(name)[1:]]
    ufunc = function.chosen({})[0]
    told = function(*operands)
    assert told == (ufunc.__name__, "__call__", ufunc.nin, {})
    mask = np.ones(6, bool)
    told = function(*operands, where=mask, dtype="f4")
    assert set(told[-1]) == {"where", "dtype"}
    for param in form.params:
        if param.kind == "array":
            assert function(*operands_of(name), **{param.name: Other()})[1] == "__call__"


# ---- methods


BINARY = [n for n in OWN if FORMS[n].nout == 1 and len(FORMS[n].operands) == 2]


@pytest.mark.parametrize("name", BINARY)
def test_methods_of_two_operands(name):
    function = getattr(vk, name)
    a, b = np.linspace(0.1, 0.9, 5), np.linspace(0.2, 0.8, 3)
    assert_array_equal(function.outer(a, b), function(a[:, None], b))
    for param in FORMS[name].params:
        for value in values_of(param):
            named = {param.name: value}
            assert_array_equal(function.outer(a, b, **named), function(a[:, None], b, **named))
    if function.chosen({})[1]:
        for method, args in (("reduce", ()), ("accumulate", ()), ("reduceat", ([0, 2],))):
            with pytest.raises(ValueError, match=method):
                getattr(function, method)(a, *args)
        return
    running = [a[0]]
    for x in a[1:]:
        running.append(function(running[-1], x))
    assert_array_equal(function.accumulate(a), running)
    assert_array_equal(function.reduce(a), running[-1])
    assert_array_equal(function.reduceat(a, [0, 3]), [running[2], function.reduce(a[3:])])


@own
def test_methods_that_make_no_sense(name):
    function = getattr(vk, name)
    if name not in BINARY:
        for method in ("reduce", "accumulate", "outer"):
            with pytest.raises(ValueError, match=r"binary|output"):
                getattr(function, method)(*(np.ones(4),) * (1 + (method == "outer")))
    if FORMS[name].nout > 1:
        with pytest.raises(ValueError, match="output"):
            function.at(np.ones(4), [0])


@pytest.mark.parametrize("name", [n for n in OWN if n in OPS])
def test_at(name):
    function = getattr(vk, name)
    x = np.linspace(-2, 2, 6)
    with pytest.raises(TypeError):
        function.at(x.tolist(), [1], **{p.name: values_of(p)[1] for p in FORMS[name].params})
    for params in ({}, *({p.name: v} for p in FORMS[name].params for v in values_of(p))):
        expected = x.copy()
        for i in (1, 1, 4):
            expected[i] = function(expected[i], **params)
        got = x.copy()
        function.at(got, [1, 1, 4], **params)
        assert_array_equal(got, expected)


ELEMENTARY = [n for n in vk.elementwise.__all__ if hasattr(np, n) and hasattr(vk, n)]


@pytest.mark.parametrize("name", [n for n in ELEMENTARY if isinstance(getattr(np, n), np.ufunc)])
@pytest.mark.parametrize("dtype", ["f4", "f8", "i4"])
def test_elementwise_functions_have_the_methods_of_ufuncs(name, dtype):
    ours, theirs = getattr(vk, name), getattr(np, name)
    for attribute in ("nin", "nout", "nargs", "types", "ntypes", "identity", "signature"):
        assert getattr(ours, attribute) == getattr(theirs, attribute)
    dtypes = (np.dtype(dtype),) * theirs.nin + (None,)
    assert ours.resolve_dtypes(dtypes) == theirs.resolve_dtypes(dtypes)
    a = np.array([3, 1, 2, 5, 4], dtype)
    if ours.nin == 1:
        for method, args in (("reduce", (a,)), ("accumulate", (a,)), ("outer", (a, a))):
            with pytest.raises(ValueError, match="binary"):
                getattr(ours, method)(*args)
        expected = a.copy()
        places = [0, 3] if (name, dtype) == ("log10", "i4") else [0, 0, 3]  # no infinite integers
        for i in places:
            expected[i] = ours(expected[i : i + 1])[0]
        ours.at(a, places)
        assert_array_equal(a, expected)
        return
    outer = ours(a[:, None], a[:2])
    assert_array_equal(ours.outer(a, a[:2]), outer)
    assert is_close(name, theirs.outer(a, a[:2]), outer)
    for method, args in (("reduce", ()), ("accumulate", ()), ("reduceat", ([0, 2],))):
        try:
            expected = getattr(theirs, method)(a, *args)
        except TypeError:  # of comparisons, whose results are no numbers
            with pytest.raises(TypeError):
                getattr(ours, method)(a, *args)
        else:
            assert_array_equal(getattr(ours, method)(a, *args), expected)
    if theirs(a, a).dtype == a.dtype:
        expected = a.copy()
        theirs.at(expected, [1, 1], a[:2])
        ours.at(a, [1, 1], a[:2].copy())
        assert_array_equal(a, expected)


@pytest.mark.parametrize("name", ["multiply_add", "scale_shift", "where", "clip"])
def test_functions_that_numpy_has_no_ufunc_of(name):
    function = getattr(vk, name)
    assert function.nargs == 4
    assert function.identity is function.signature is None
    assert function.ntypes == len(function.types)
    assert not hasattr(function, "resolve_dtypes")
    assert any(t.endswith("dd->d") for t in function.types)
    for method in ("reduce", "accumulate", "outer"):
        with pytest.raises(ValueError, match="binary"):
            getattr(function, method)(np.ones(3))
    with pytest.raises(ValueError, match="at is not supported"):
        function.at(np.ones(3), [0])


def test_fused_functions_have_no_reductions_of_ufuncs():
    @vk.fuse
    def function(a, b):
        return a + b

    assert_array_equal(function(np.ones(3), 1.0), np.full(3, 2.0))
    for method in ("reduce", "accumulate", "at"):
        with pytest.raises(ValueError, match=method):
            getattr(function, method)(np.ones(3), np.ones(3))
    assert not hasattr(function, "types")
    assert function.nargs == 3
