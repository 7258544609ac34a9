"""All lists of what there is agree: the table in C, specs, the three namespaces, benchmarks."""

from __future__ import annotations

import importlib
import inspect
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from oracle import in_domain, kinks

import vekt as vk
from vekt import jit, reference
from vekt._core import native
from vekt._spec.activations import KERNELS, OPS
from vekt._spec.elementary import ELEMENTARY as _ELEMENTARY
from vekt._spec.gates import PUBLIC_NAMES as GATES
from vekt._spec.kernels import TABLE
from vekt._spec.losses import PUBLIC_NAMES as LOSSES
from vekt._spec.reductions import SHAPING
from vekt._spec.rows import ROW_OPS
from vekt._spec.spec import Kernel, Spec
from vekt.jit._scalars import FROM_OUTPUT, SCALARS

ROOT = Path(__file__).parents[2]
ELEMENTWISE = {n for op in OPS.values() for n in (*op.public_names, *op.alias_names)}
ROWS = {name for op in ROW_OPS.values() for name in op.public_names}
PUBLIC = ELEMENTWISE | {*GATES, "dot"}
LINEAR = {
    name
    for name, home in vk._HOMES.items()
    if home in ("vekt.linalg", "vekt.linalg._vectors", "vekt.layers")
}
CHOOSING = {name for name, home in vk._HOMES.items() if home == "vekt.choosing"}
ARRAYS = {n for n, home in vk._HOMES.items() if home in ("vekt.elementwise", "vekt.reductions")}
ELEMENTARY = {op.name for op in _ELEMENTARY}
ELEMENTARY |= {"power", "arctan2", "hypot", "logaddexp"}


def test_c_table(isa: str) -> None:
    table = native.kernels(isa)
    for dtype in (np.float32, np.float64):
        counts = {k["name"]: (k["nin"], k["nout"]) for k in table if k["dtype"] == dtype}
        assert counts == {name: entry.counts for name, entry in TABLE.items()}
    assert all(k["cost"] > 0 for k in table)


def test_ufuncs() -> None:
    assert set(vk.ufuncs.__all__) == set(TABLE)


def test_namespaces() -> None:
    functions = LINEAR - {"PackedWeights"} | CHOOSING
    assert set(vk.__all__) >= PUBLIC | ROWS | LINEAR | set(LOSSES)
    assert set(vk.losses.__all__) == set(LOSSES)
    assert set(vk.rows.__all__) == ROWS
    assert set(vk.activations.__all__) == ELEMENTWISE | {"get"}
    compiled = functions | {*vk.reductions.__all__} - {*SHAPING} | {"einsum"}
    assert set(jit.__all__) == PUBLIC | set(ROW_OPS) | ELEMENTARY | compiled
    extras = {"einsum", "ulp_error", "wide", "wide_from_output", "wide_gradient", "wide_rows"}
    assert set(reference.__all__) == PUBLIC | ROWS | functions | ARRAYS | extras | set(LOSSES)
    assert {*vk.elementwise.__all__, *vk.reductions.__all__} == ARRAYS
    for module in (vk, vk.activations, vk.rows, jit, reference):
        assert all(hasattr(module, name) for name in module.__all__)


def test_jit_functions() -> None:
    assert set(SCALARS) == set(KERNELS)
    assert set(FROM_OUTPUT) == {name for name, k in KERNELS.items() if k.from_output is not None}
    for name, function in SCALARS.items():
        assert tuple(inspect.signature(function).parameters) == ("x", *KERNELS[name].params)


@pytest.mark.skipif(not (ROOT / "asv_bench").is_dir(), reason="an installed test suite")
def test_benchmarks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "asv_bench"))
    common = importlib.import_module("benchmarks.common")
    assert set(common.CASES) == {n for n, entry in TABLE.items() if entry.kernel.name in KERNELS}
    for name in [n for n in sys.modules if n.split(".")[0] == "benchmarks"]:
        monkeypatch.delitem(sys.modules, name)


@pytest.mark.parametrize("op", OPS.values(), ids=lambda op: op.name)
def test_spec(op: Spec) -> None:
    assert OPS[op.name] is op
    names = [param.name for param in op.params]
    assert len(set(names)) == len(names)
    for kernel in op.kernels:
        assert set(kernel.params) <= {param.name for param in op.array_params}
        assert set(kernel.flags) == {param.name for param in op.flags}
    assert op.name == op.kernels[0].name
    assert not op.kernels[0].params or len(op.kernels) == 1
    served = [dict(kernel.flags) for kernel in op.kernels]
    assert all(flags in served for flags in ({p.name: p.default} for p in op.flags))
    assert all(text.endswith(".") for text in (op.summary, op.source, op.use, op.cost))
    assert all(param.doc.endswith(".") for param in op.params)


def defaults(kernel: Kernel) -> tuple[float, ...]:
    op = next(op for op in OPS.values() if kernel in op.kernels)
    values = {param.name: param.value for param in op.array_params}
    return tuple(float(values[name]) for name in kernel.params)


@pytest.mark.parametrize("kernel", KERNELS.values(), ids=lambda kernel: kernel.name)
def test_facts_of_a_kernel(kernel: Kernel) -> None:
    params = defaults(kernel)
    points, ends = [-1.0, 0.0, 2.0], [-np.inf, np.inf]
    value = reference.wide(kernel.name, points, *params).astype(float)
    gradient = reference.wide_gradient(kernel.name, points, *params).astype(float)
    assert_array_equal(value.round(4), kernel.example)
    assert_array_equal(gradient.round(4), kernel.gradient_example)
    value = reference.wide(kernel.name, ends, *params).astype(float)
    gradient = reference.wide_gradient(kernel.name, ends, *params).astype(float)
    assert_array_equal(value, kernel.limits)
    assert_array_equal(gradient, kernel.gradient_limits)
    low, high = kernel.range
    x = in_domain(kernel, np.concatenate([np.linspace(-40, 40, 20_001), [-1e9, 1e9]]))
    y = reference.wide(kernel.name, x, *params)
    assert low - 1e-15 <= y.min()
    assert y.max() <= high
    assert y.min() < low + 1e-6 or low == -np.inf
    assert y.max() > high - 1e-6 or high == np.inf
    for at, slope in kinks(kernel, params):
        gradient = reference.wide_gradient(kernel.name, at, *params).astype(float)
        assert at == np.inf or gradient == slope


@pytest.mark.parametrize("op", OPS.values(), ids=lambda op: op.name)
def test_signatures_agree(op: Spec) -> None:
    for name in op.public_names:
        expected = inspect.signature(getattr(reference, name))
        assert inspect.signature(getattr(jit, name)) == expected
        kind = name.removeprefix(op.name)
        form = op.form(kind)
        leading = [n for n, p in expected.parameters.items() if p.kind is not p.KEYWORD_ONLY]
        assert leading == [*form.operands, *(p.name for p in form.params)]
        if op.params:
            assert inspect.signature(getattr(vk, name)) == expected
        else:
            assert getattr(vk, name) is getattr(vk.ufuncs, name)
            assert getattr(vk, name).nin == len(form.operands)
