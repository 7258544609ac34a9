"""Parameters beyond their domain: a ValueError in every namespace, forward and backward."""

from __future__ import annotations

from functools import partial

import dask
import dask.array as da
import ml_dtypes
import numpy as np
import pandas
import pytest
import xarray
from numpy.testing import assert_array_equal
from operands import several

import vekt as vk
from vekt import autograd as va
from vekt import jit, reference
from vekt._spec.activations import OPS
from vekt.network import Network

X = np.array([-2.0, -0.5, 0.0, 0.5, 2.0])
OUT = np.full(5, 7.0)
LIMITED = [(op, p) for op in OPS.values() for p in op.params if p.least > -np.inf]
OF_ACTIVATIONS = {(op.name, p.name) for op, p in LIMITED}
WRONG = (-1.0, -1, np.float32(-1), np.array(-1.0), np.array([1.0, -1.0, 1, 1, 1]), [1, -1, 1, 1, 1])


def test_which_have_one():
    assert {
        ("soft_shrink", "threshold"),
        ("hard_shrink", "threshold"),
        ("celu", "alpha"),
        ("squareplus", "b"),
    } == OF_ACTIVATIONS


def calls(namespace, name, inputs):
    """Yield the functions of a name, their operands, and whether they take `out`."""
    for kind in ("", "_backward", "_value_and_grad", "_backward_from_output"):
        f = getattr(namespace, name + kind, None)
        if f is not None:
            yield f, (*((np.ones(5),) if "_backward" in kind else ()), *inputs), kind


@pytest.mark.parametrize("namespace", [vk, jit, reference, va], ids=lambda n: n.__name__)
@pytest.mark.parametrize(("name", "parameter"), [*sorted(OF_ACTIVATIONS), ("huber", "delta")])
def test_beyond_the_domain(namespace, name, parameter):
    inputs = (X, X[::-1]) if name == "huber" else (X,)
    found = 0
    for f, operands, kind in calls(namespace, name, inputs):
        found += 1
        for wrong in (*WRONG, 0.0) if name == "celu" else WRONG:
            with pytest.raises(
                ValueError, match=rf"{name}{kind}: {parameter} must be \S.*got -?\d"
            ):
                f(*operands, **{parameter: wrong})
        f(*operands, **{parameter: 0.5})
        if namespace in (vk, reference) and kind != "_value_and_grad":
            with pytest.raises(ValueError, match=parameter):
                f(*operands, **{parameter: -1.0}, out=OUT)
            assert_array_equal(OUT, 7)
    assert found or namespace is jit


CONTAINERS = {
    "series": pandas.Series,
    "masked": np.ma.masked_array,
    "bfloat16": lambda values: values.astype(ml_dtypes.bfloat16),
    "xarray": lambda values: xarray.DataArray(values, dims="i"),
    "dask": lambda values: da.from_array(values, chunks=2),
    "xarray of dask": lambda values: xarray.DataArray(values, dims="i").chunk({"i": 2}),
}


@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.parametrize(("name", "parameter"), [*sorted(OF_ACTIVATIONS), ("huber", "delta")])
def test_containers_of_parameters(name, parameter, container):
    """Lazy ones are checked when they are computed; what is masked does not count."""
    inputs = (X, X[::-1]) if name == "huber" else (X,)
    values = np.array([0.5, 1, 2, -1, 1])
    wrong, right = CONTAINERS[container](values), CONTAINERS[container](np.abs(values))
    for f, operands, kind in calls(vk, name, inputs):
        with pytest.raises(ValueError, match=f"{name}{kind}: {parameter} must be .*got -1"):
            dask.compute(f(*operands, **{parameter: wrong}), scheduler="sync")
        given = np.abs(values).astype("f4" if container == "bfloat16" else "f8")
        for result, want in zip(
            several(f(*operands, **{parameter: right})),
            several(f(*operands, **{parameter: given})),
            strict=True,
        ):
            assert_array_equal(np.asarray(result), want)
        f(*operands, **{parameter: np.ma.masked_array(values, mask=values < 0)})


@pytest.mark.parametrize(("name", "parameter"), sorted(OF_ACTIVATIONS))
def test_in_layers_and_expressions(name, parameter):
    f = getattr(vk, name)
    with pytest.raises(ValueError, match=f"{name}: {parameter} must be"):
        vk.dense(np.ones((2, 3)), np.ones((3, 2)), None, (name, {parameter: -1.0}))
    with pytest.raises(ValueError, match=f"{name}: {parameter} must be"):
        Network([2, 2, 1], partial(f, **{parameter: -1.0}))
    with pytest.raises(ValueError, match=f"{name}: {parameter} must be"):
        vk.fuse(lambda x: f(x, **{parameter: -1.0}) + 1)(X)


def test_huber_in_an_expression():
    with pytest.raises(ValueError, match="huber: delta must be 0 or more, got -1"):
        vk.fuse(lambda y, t: vk.huber(y, t, -1.0))(X, X)
