"""One way to call: operands by position, parameters both ways, options by name, everywhere.

Functions with an axis take their operands by name, too, as NumPy's do.
"""

from __future__ import annotations

import inspect

import numpy as np
import pytest
from forms import (
    CALLS,
    FORMS,
    NAMESPACES,
    OWN,
    everywhere,
    function_of,
    of_elements,
    operands_of,
    values_of,
)
from numpy.testing import assert_array_equal
from operands import several

import vekt as vk

POSITIONAL_ONLY = inspect.Parameter.POSITIONAL_ONLY
POSITIONAL_OR_KEYWORD = inspect.Parameter.POSITIONAL_OR_KEYWORD
KEYWORD_ONLY = inspect.Parameter.KEYWORD_ONLY


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


@pytest.mark.parametrize("space", NAMESPACES)
@pytest.mark.parametrize("name", ["matmul", "matvec", "vecmat", "vecdot"])
def test_products_take_the_options_of_numpy_everywhere(name, space):
    function = getattr(NAMESPACES[space], name)
    x1, x2 = (np.arange(4.0).reshape(2, 2) for _ in range(2))
    wanted = getattr(vk, name)(x1, x2)
    out = np.zeros(wanted.shape, "f4")
    assert function(x1, x2, out) is out
    assert_array_equal(out, wanted)
    assert function(x1, x2, out=out, casting="unsafe", subok=False) is out
    assert function(x1, x2, order="F").flags.f_contiguous
    assert function(x1, x2, dtype="i4", casting="unsafe").dtype == np.int32
    with pytest.raises(TypeError):
        function(x1, x2, dtype="i4")
    with pytest.raises(TypeError):
        function(x1, x2, out=out, casting="no")
    with pytest.raises(TypeError):
        function(x1=x1, x2=x2)


@pytest.mark.parametrize("space", NAMESPACES)
def test_layers_take_out_and_deterministic_everywhere(space):
    x, w = np.arange(6.0).reshape(2, 3), np.arange(12.0).reshape(3, 4)
    dense, backward = (getattr(NAMESPACES[space], n) for n in ("dense", "dense_backward"))
    y, z = dense(x, w, out=(np.empty((2, 4)), None), return_preactivation=True)
    assert_array_equal(dense(x, w, deterministic="batch"), y)
    dw = np.empty((3, 4))
    assert backward(y, x, w, z, out=(None, dw, None))[1] is dw
    with pytest.raises(ValueError, match="deterministic"):
        dense(x, w, deterministic="always")
    with pytest.raises(TypeError):
        dense(x, w, None, None, y)
