"""Functions that NumPy does not have are ufuncs all the same: for other arrays, options, pickle."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from numpy.testing import assert_array_equal

import vekt as vk
from vekt._spec.elementary import ELEMENTARY
from vekt.elementwise._ufuncs import TYPED_AS, ufunc_of

OWN = [op for op in ELEMENTARY if not op.numpy and op.name not in TYPED_AS]


@pytest.mark.parametrize("op", OWN, ids=lambda op: op.name)
def test_ufuncs(op):
    function, ufunc = getattr(vk, op.name), ufunc_of(op)
    assert isinstance(ufunc, np.ufunc)
    assert pickle.loads(pickle.dumps(ufunc)) is ufunc
    x = np.linspace(-3, 3, 7)
    assert_array_equal(ufunc(x), function(x))
    for dtype in ("?", "i1", "u8"):
        assert_array_equal(function(x.astype(dtype)), function(x.astype(dtype).astype("f8")))
    assert function(x.astype("f2")).dtype == np.float16
    masked = function(np.ma.array(x, mask=x > 0))
    assert masked.mask.tolist() == (x > 0).tolist()
    for wrong in (x.astype("c16"), x.astype("g"), np.array(["a"])):
        with pytest.raises(TypeError, match=op.name):
            function(wrong)
    dask = pytest.importorskip("dask.array")
    lazy = function(dask.from_array(x, chunks=3))
    assert isinstance(lazy, dask.Array)
    assert_array_equal(lazy.compute(), function(x))
