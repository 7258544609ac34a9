"""cosine_similarity: close to the true cosine, for any size of the operands and any layout."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from mpmath import mp

import vekt as vk
from vekt import reference
from vekt._core import native
from vekt.linalg import _vectors


@pytest.fixture
def cosine(isa):
    norms = native.build("norms", isa)
    return lambda a, b, axis=-1: _vectors.general_cosine(norms, a, b, axis)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", [(1,), (9,), (5000,), (7, 9), (300, 3), (3, 300), (130, 33, 5)])
def test_against_the_reference(cosine, dtype, shape, rng):
    a, b = rng.normal(size=(2, *shape)).astype(dtype)
    for axis in [*range(len(shape)), None]:
        for x, y in ((a, b), (np.asfortranarray(a), b), (a[::-1], b[::-1]), (a, b * 0.5 + a)):
            got, expected = cosine(x, y, axis), reference.cosine_similarity(x, y, axis)
            assert np.shape(got) == np.shape(expected)
            assert np.asarray(got).dtype == a.dtype
            tolerance = np.finfo(dtype).eps * (1 if dtype == "float32" else 4)
            np.testing.assert_allclose(got, expected, rtol=tolerance, atol=tolerance)


def test_against_mpmath(cosine, rng):
    a, b = rng.normal(size=(2, 50))
    with mp.workdps(50):
        x, y = ([mp.mpf(float(v)) for v in w] for w in (a, b))
        true = mp.fdot(x, y) / mp.sqrt(mp.fdot(x, x) * mp.fdot(y, y))
        assert abs(mp.mpf(float(cosine(a, b))) - true) < 4e-16


@pytest.mark.parametrize(("p", "q"), [*itertools.product([-1060, -500, 0, 500, 1000], repeat=2)])
def test_sizes_do_not_matter(cosine, p, q):
    a, b = np.array([3.0, 4.0, 12.0]), np.array([-8.0, 1.0, 2.0])
    expected = cosine(a, b)
    assert cosine(np.ldexp(a, p), np.ldexp(b, q)) == expected
    columns = np.ldexp(a, p)[:, None] * np.ones(20)
    np.testing.assert_array_equal(cosine(columns, np.ldexp(b, q)[:, None], 0), expected)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_special_values(cosine, dtype, rng):
    x = rng.normal(size=37).astype(dtype)
    zero = np.zeros_like(x)
    assert cosine(x, x) == 1
    assert cosine(x, -2 * x) == -1
    assert cosine(x, zero) == cosine(zero, x) == cosine(zero, zero) == 0
    assert cosine(x[:0], x[:0]) == 0
    for special in (np.nan, np.inf):
        y = x.copy()
        y[5] = special
        for other in (x, zero, y):
            assert np.isnan(cosine(y, other))
            assert np.isnan(reference.cosine_similarity(y, other))


def test_never_beyond_one(cosine, rng):
    a = rng.normal(size=(2000, 5)).astype("f4")
    assert np.abs(cosine(a, a * np.float32(3.3))).max() <= 1


def test_broadcasting_and_dtypes(cosine, rng):
    a, b = rng.normal(size=(6, 1, 9)), rng.normal(size=(4, 9))
    assert cosine(a, b).shape == (6, 4)
    np.testing.assert_allclose(cosine(a, b), reference.cosine_similarity(a, b), atol=1e-15)
    np.testing.assert_allclose(
        cosine(a, b[0], 2), reference.cosine_similarity(a, b[0], 2), atol=1e-15
    )
    assert cosine(a, b.astype("f4")).dtype == np.float64
    assert cosine(a.astype("f2"), b.astype("f2")).dtype == np.float16
    assert cosine([1, 0], [3, 4]) == 0.6
    assert cosine(np.array([1, 0], "i1"), np.array([3, 4], ">f4")).dtype == np.float32
    bfloat16 = pytest.importorskip("ml_dtypes").bfloat16
    assert cosine(a.astype(bfloat16), b.astype(bfloat16)).dtype == bfloat16


def test_errors():
    with pytest.raises(ValueError, match=r"a \(3,\) and b \(4,\)"):
        vk.cosine_similarity(np.ones(3), np.ones(4))
    with pytest.raises(np.exceptions.AxisError):
        vk.cosine_similarity(np.ones(3), np.ones(3), axis=1)
    with pytest.raises(np.exceptions.AxisError):
        vk.cosine_similarity(1.0, 2.0)
    for x in (np.ones(3, "c16"), np.ones(3, "g"), np.array(["a"])):
        with pytest.raises(TypeError):
            vk.cosine_similarity(x, x)


def test_same_bits_for_any_thread_count(rng, set_threads):
    a, b = rng.normal(size=(2, 1500, 700)).astype("f4")
    results = set()
    for threads in (1, 2, 5):
        set_threads(threads)
        results.add(b"".join(vk.cosine_similarity(a, b, axis).tobytes() for axis in (0, 1, None)))
    assert len(results) == 1
