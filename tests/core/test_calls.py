"""One way to call: operands by position, parameters both ways, options by name, everywhere.

Functions with an axis take their operands by name, too, as NumPy's do.
"""

from __future__ import annotations

import copy
import gc
import inspect
import pickle
import weakref

import numpy as np
import pytest
from numpy.testing import assert_array_equal

import vekt as vk
from vekt import jit, reference
from vekt._core.native import Function
from vekt._spec.activations import OPS
from vekt._spec.gates import GATE_OPS, PRELU
from vekt._spec.losses import LOSSES
from vekt._spec.rows import ROW_OPS

POSITIONAL_ONLY = inspect.Parameter.POSITIONAL_ONLY
POSITIONAL_OR_KEYWORD = inspect.Parameter.POSITIONAL_OR_KEYWORD
KEYWORD_ONLY = inspect.Parameter.KEYWORD_ONLY

ROWS = (*OPS.values(), *GATE_OPS.values(), PRELU, *LOSSES.values(), *ROW_OPS.values())
FORMS = {form.name: form for row in ROWS for form in map(row.form, row.kinds)}
NAMESPACES = {"vekt": vk, "jit": jit, "reference": reference}
CALLS = [(name, space) for name in FORMS for space, m in NAMESPACES.items() if hasattr(m, name)]
ELEMENTWISE = [name for name, form in FORMS.items() if "dtype" in form.options and form.choices]
OWN = [name for name in FORMS if isinstance(getattr(vk, name), Function)]

everywhere = pytest.mark.parametrize(("name", "space"), CALLS)
of_elements = pytest.mark.parametrize("name", ELEMENTWISE)
own = pytest.mark.parametrize("name", OWN)


def function_of(name, space):
    return getattr(NAMESPACES[space], name)


def operands_of(name, dtype="f8", shape=(6,)):
    rng = np.random.default_rng(len(name))
    operands = [rng.uniform(0.1, 0.9, shape).astype(dtype) for _ in FORMS[name].operands]
    if name in ("glu_backward", "logsumexp_backward"):  # of a result that has another shape
        operands[0] = operands[0][:3] if name.startswith("glu") else operands[0][0]
    return operands


def several(result):
    return result if isinstance(result, tuple) else (result,)


def values_of(param):
    """Values of a parameter: the default, and another one."""
    if param.kind == "axis":
        return param.default, 0
    return param.default, (not param.default if param.kind == "flag" else 0.5)


def test_every_function_is_there():
    assert len(FORMS) > 100
    assert {"gelu", "geglu_backward", "prelu", "huber_value_and_grad", "softmax"} <= set(FORMS)
    assert {"gelu", "geglu", "huber_backward", "relu_value_and_grad"} <= set(OWN)


@everywhere
def test_signature(name, space):
    function, form = function_of(name, space), FORMS[name]
    given = list(inspect.signature(function).parameters.values())
    wanted = list(form.signature.parameters.values())
    if isinstance(function, np.ufunc):
        assert not form.params
        assert (function.nin, function.nout) == (len(form.operands), form.nout)
        return
    assert [(p.name, p.kind, p.default) for p in given] == [
        (p.name, p.kind, p.default) for p in wanted
    ]
    kinds = {p.name: p.kind for p in given}
    along = "axis" in kinds
    for names, kind in (
        (form.operands, POSITIONAL_OR_KEYWORD if along else POSITIONAL_ONLY),
        ([p.name for p in form.params], POSITIONAL_OR_KEYWORD),
        (form.options, KEYWORD_ONLY),
    ):
        assert {kinds[n] for n in names} <= {kind}


@everywhere
def test_what_is_refused(name, space):
    function, form = function_of(name, space), FORMS[name]
    operands = operands_of(name)
    named = dict(zip(form.operands, operands, strict=True))
    last = {form.operands[-1]: operands[-1]}
    if "axis" in form.signature.parameters:
        for a, b in zip(several(function(**named)), several(function(*operands)), strict=True):
            assert_array_equal(a, b)
    else:
        with pytest.raises(TypeError):
            function(**named)
        with pytest.raises(TypeError):
            function(*operands[:-1], **last)
    with pytest.raises(TypeError):
        function(*operands, nonsense=4)
    with pytest.raises(TypeError):
        function(*operands[:-1])
    if form.params:
        defaults = [p.default for p in form.params]
        with pytest.raises(TypeError):
            function(*operands, *defaults, np.empty(6))
        with pytest.raises(TypeError, match=form.params[0].name):
            function(*operands, *defaults, **{form.params[0].name: defaults[0]})


@everywhere
def test_parameters_by_position_and_by_name(name, space):
    function, form = function_of(name, space), FORMS[name]
    operands = operands_of(name)
    for place, param in enumerate(form.params):
        ahead = [p.default for p in form.params[:place]]
        for value in values_of(param):
            by_position = several(function(*operands, *ahead, value))
            by_name = several(function(*operands, **{param.name: value}))
            for a, b in zip(by_position, by_name, strict=True):
                assert_array_equal(a, b)


@everywhere
def test_out(name, space):
    function, form = function_of(name, space), FORMS[name]
    operands = operands_of(name)
    expected = several(function(*operands))
    memory = tuple(np.zeros_like(r) for r in expected)
    out = memory if form.nout > 1 else memory[0]
    results = several(function(*operands, out=out))
    for result, target, wanted in zip(results, memory, expected, strict=True):
        assert result is target
        assert_array_equal(target, wanted)
    if form.nout > 1:
        for place in range(form.nout):
            partly = [None] * form.nout
            partly[place] = np.zeros_like(expected[place])
            results = function(*operands, out=tuple(partly))
            assert results[place] is partly[place]
            for result, wanted in zip(results, expected, strict=True):
                assert_array_equal(result, wanted)
        with pytest.raises(TypeError):
            function(*operands, out=memory[0])
        with pytest.raises(ValueError, match="out"):
            function(*operands, out=memory[:1])


@pytest.mark.parametrize(
    ("name", "space"), [(n, s) for n, s in CALLS if "dtype" in FORMS[n].options]
)
def test_where_and_dtype(name, space):
    function, form = function_of(name, space), FORMS[name]
    for result in several(function(*operands_of(name, "f4"), dtype="f8")):
        assert result.dtype == "f8"
    operands = operands_of(name)
    if not form.choices or name == "glu":
        return
    mask = np.array([True, False, True, True, False, True])
    memory = tuple(np.full(6, -7.0) for _ in range(form.nout))
    plain = several(function(*operands))
    results = several(function(*operands, out=memory if form.nout > 1 else memory[0], where=mask))
    for result, target, wanted in zip(results, memory, plain, strict=True):
        assert result is target
        assert_array_equal(target, np.where(mask, wanted, -7.0))


@of_elements
def test_out_over_an_operand(name):
    form = FORMS[name]
    expected = several(getattr(vk, name)(*operands_of(name)))
    for space in NAMESPACES:
        if not hasattr(NAMESPACES[space], name) or name == "glu":
            continue
        operands = operands_of(name)
        wanted = several(function_of(name, space)(*operands))
        out = (operands[0], None) if form.nout > 1 else operands[0]
        results = several(function_of(name, space)(*operands, out=out))
        for result, same, near in zip(results, wanted, expected, strict=True):
            assert_array_equal(result, same)
            np.testing.assert_allclose(result, near, rtol=1e-12, atol=1e-12)


# ---- what has parameters, in `vekt`


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


@pytest.mark.parametrize("name", [n for n in OPS if n in OWN])
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
    a = np.array([3, 1, 2, 5, 4], dtype)
    if ours.nin == 1:
        for method, args in (("reduce", (a,)), ("accumulate", (a,)), ("outer", (a, a))):
            with pytest.raises(ValueError, match="binary"):
                getattr(ours, method)(*args)
        expected = a.copy()
        for i in (0, 0, 3):
            expected[i] = ours(expected[i : i + 1])[0]
        ours.at(a, [0, 0, 3])
        assert_array_equal(a, expected)
        return
    assert_array_equal(ours.outer(a, a[:2]), theirs.outer(a, a[:2]))
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
    assert any(t.endswith("dd->d") for t in function.types)
    for method in ("reduce", "accumulate", "outer"):
        with pytest.raises(ValueError, match="binary"):
            getattr(function, method)(np.ones(3))
    with pytest.raises(ValueError, match="at only supported"):
        function.at(np.ones(3), [0])


def test_fused_functions_have_no_methods_of_ufuncs():
    @vk.fuse
    def function(a, b):
        return a + b

    assert_array_equal(function(np.ones(3), 1.0), np.full(3, 2.0))
    for method in ("reduce", "accumulate", "outer", "at"):
        with pytest.raises(ValueError, match=method):
            getattr(function, method)(np.ones(3), np.ones(3))
    assert not hasattr(function, "types")
    assert function.nargs == 3
