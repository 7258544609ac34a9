"""Stacks of small products have the bits of the products one by one, however they are made."""

from __future__ import annotations

import ml_dtypes
import numpy as np
import pytest
from products import KINDS, Array, multiply, multiply_stack, same_bits

import vekt as vk
from vekt._core import native

SHAPES = [
    (1, 3, 1), (1, 1, 1), (1, 17, 1), (1, 64, 1), (1, 65, 1), (1, 257, 1), (3, 3, 1),
    (1, 5, 4), (3, 3, 3), (4, 8, 4), (5, 5, 5), (16, 3, 1), (64, 1, 2), (2, 70, 3),
]  # fmt: skip
COUNTS = (1, 2, 31, 70)


def drawn(rng: np.random.Generator, name: str, shape: tuple[int, ...]) -> Array:
    """Return numbers of all sizes, truth values of any byte, and zeros among them."""
    dtype = np.dtype(ml_dtypes.bfloat16 if name == "bfloat16" else name)
    if dtype.kind in "biu":
        x = rng.integers(0, 256, (*shape, dtype.itemsize), np.uint8).view(dtype)[..., 0]
        return np.where(rng.random(shape) < 0.7, np.zeros((), dtype), x).astype(dtype)
    x = rng.standard_normal((*shape, 2))
    return (x[..., 0] + 1j * x[..., 1] if dtype.kind == "c" else x[..., 0]).astype(dtype)


def laid_out(x: Array, layout: str) -> Array:
    """Return the same stack elsewhere in memory."""
    if layout == "columns":
        return np.ascontiguousarray(x.swapaxes(1, 2)).swapaxes(1, 2)
    if layout == "stack last":
        return np.moveaxis(np.ascontiguousarray(np.moveaxis(x, 0, -1)), -1, 0)
    if layout == "backwards":
        return np.ascontiguousarray(x[::-1, ::-1, ::-1])[::-1, ::-1, ::-1]
    if layout == "gaps":
        room = np.zeros(tuple(2 * n + 1 for n in x.shape), x.dtype)
        room[1::2, 1::2, 1::2] = x
        return room[1::2, 1::2, 1::2]
    return x


@pytest.mark.parametrize("isa", native.SUPPORTED)
@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("layout", ["dense", "columns", "stack last", "backwards", "gaps"])
def test_stacks_are_products_one_by_one(rng, isa, name, layout):
    for m, k, n in SHAPES:
        for count in COUNTS:
            a, b = drawn(rng, name, (count, m, k)), drawn(rng, name, (count, k, n))
            expected = [multiply(x, y, isa=isa) for x, y in zip(a, b, strict=True)]
            out = laid_out(
                np.full((count, m, n, a.itemsize), 0xFF, "u1").view(a.dtype)[..., 0], layout
            )
            multiply_stack(laid_out(a, layout), laid_out(b, layout), out, isa=isa)
            assert same_bits(out, np.array(expected)), (m, k, n, count)


@pytest.mark.parametrize("isa", native.SUPPORTED)
@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("which", [0, 1])
def test_one_matrix_for_the_whole_stack(rng, isa, name, which):
    for m, k, n in SHAPES:
        pair = [drawn(rng, name, (70, m, k)), drawn(rng, name, (70, k, n))]
        pair[which] = np.broadcast_to(pair[which][:1], pair[which].shape)
        out = np.empty((70, m, n), pair[0].dtype)
        multiply_stack(*pair, out, isa=isa)
        assert same_bits(
            out, np.array([multiply(x, y, isa=isa) for x, y in zip(*pair, strict=True)])
        )


@pytest.mark.parametrize("name", [name for name in KINDS if "int" in name or name == "bool"])
def test_vectors_of_integers_are_numpys(rng, name):
    """Operands may lie in any order; numbers wrap, truth values are NumPy's."""
    for n in (1, 2, 3, 16, 17, 100, 1000):
        for k in (0, 1, 3, 8, 64, 65, 200):
            x = (
                drawn(rng, name, (n, k)).astype(bool)
                if name == "bool"
                else drawn(rng, name, (n, k))
            )
            y, v = np.ascontiguousarray(x[::-1]), np.ascontiguousarray(x[-1])
            for a in (x, np.asfortranarray(x), x[:, ::-1]):
                assert same_bits(vk.vecdot(a, y), np.vecdot(a, y))
                assert same_bits(vk.matvec(a, v), np.vecdot(a, v))
                assert same_bits(vk.vecmat(v, a.T), np.vecdot(a, v))
                if n >= 3 and k >= 3:
                    assert same_bits(vk.matmul(a[:, :3], x[:3, :3]), np.matmul(a[:, :3], x[:3, :3]))


@pytest.mark.parametrize("isa", native.SUPPORTED)
@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("m", [1, 3, 70])
def test_one_column_in_any_layout(rng, isa, name, m):
    """The bits of contiguous rows, also where single elements are brought together."""
    for k in (1, 3, 8, 9, 64, 65, 130, 300):
        a, b = drawn(rng, name, (1, m, k)), drawn(rng, name, (1, k, 1))
        expected = multiply(a[0], b[0], isa=isa)
        for layout in ("columns", "backwards", "gaps"):
            x, y = laid_out(a, layout)[0], laid_out(b, layout)[0]
            assert same_bits(multiply(x, y, isa=isa), expected), (k, layout)
            assert same_bits(multiply(a[0], y, isa=isa), expected), (k, layout)


@pytest.mark.parametrize("dtype", ["i2", "f2", "f4", "f8", "c8", "c16", "u8"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_the_other_byte_order(rng, dtype, order):
    """By copies, whichever operand has it, into arrays that overlap it, too."""
    native = rng.integers(0, 9, (40, 40)).astype(dtype).copy(order)
    swapped = native.astype(native.dtype.newbyteorder(">"), order)
    for name in ("matmul", "matvec", "vecmat", "vecdot"):
        function, (first, second) = (
            getattr(vk, name),
            {
                "matmul": (np.s_[:], np.s_[:]),
                "matvec": (np.s_[:], np.s_[0]),
                "vecmat": (np.s_[0], np.s_[:]),
                "vecdot": (np.s_[:], np.s_[:]),
            }[name],
        )
        expected = function(native[first], native[second])
        for x, y in ((swapped, swapped), (native, swapped), (swapped, native)):
            result = function(x[first], y[second])
            assert result.dtype.isnative
            assert same_bits(result, expected)
    out = swapped.view(native.dtype)
    assert same_bits(vk.matmul(swapped, native, out=out), vk.matmul(native, native))
