"""Products of operands of different dtypes: the bits of a cast before, in any layout."""

from __future__ import annotations

from itertools import permutations, product

import ml_dtypes
import numpy as np
import pytest

import vekt as vk
from vekt import reference
from vekt._core import native
from vekt._core.operands import natural_dtype

BFLOAT16 = np.dtype(ml_dtypes.bfloat16)
DTYPES = [np.dtype(c) for c in "?bBhHiIqQefdFD"] + [BFLOAT16]
PAIRS = list(permutations(DTYPES, 2))
SHAPES = [
    ((1, 1), (1, 1)),
    ((3, 5), (5, 4)),
    ((1, 300), (300, 70)),
    ((40, 300), (300, 1)),
    ((9, 700), (700, 33)),
    ((0, 5), (5, 3)),
    ((4, 0), (0, 3)),
    ((1, 700), (700, 1)),
    ((50, 3, 4), (50, 4, 3)),
    ((2, 1, 130), (2, 130, 9)),
    ((6, 4, 4), (1, 4, 4)),
    ((2, 20, 300), (2, 300, 21)),
]


def numbers(rng, shape, dtype):
    if dtype.kind == "b":
        return rng.random(shape) < 0.5
    if dtype.kind in "iu":
        return rng.integers(0 if dtype.kind == "u" else -100, 100, shape).astype(dtype)
    x = rng.standard_normal(shape)
    return (x + 1j * rng.standard_normal(shape) if dtype.kind == "c" else x).astype(dtype)


def columns_first(rng, shape, dtype):
    return np.swapaxes(numbers(rng, (*shape[:-2], shape[-1], shape[-2]), dtype), -1, -2)


def spread(rng, shape, dtype):
    return numbers(rng, [2 * n for n in shape], dtype)[tuple(slice(None, None, 2) for _ in shape)]


def backward(rng, shape, dtype):
    return numbers(rng, shape, dtype)[..., ::-1, ::-1]


def swapped(rng, shape, dtype):
    x = numbers(rng, shape, dtype)
    return x if dtype == BFLOAT16 else x.astype(dtype.newbyteorder(">"))


def stack_last(rng, shape, dtype):
    return np.moveaxis(numbers(rng, shape[1:] + shape[:1], dtype), -1, 0)


def repeated(rng, shape, dtype):
    return np.broadcast_to(numbers(rng, shape[1:], dtype), shape)


def misaligned(rng, shape, dtype):
    x = numbers(rng, shape, dtype)
    room = np.zeros(x.nbytes + 1, np.uint8)[1:].view(dtype).reshape(shape)
    room[...] = x
    return room


LAYOUTS = (
    numbers,
    columns_first,
    spread,
    backward,
    swapped,
    stack_last,
    repeated,
    misaligned,
)


def same_bits(result, expected):
    assert result.dtype == expected.dtype
    assert result.shape == expected.shape
    assert result.tobytes() == expected.tobytes()


def check(function, a, b, **options):
    dtype = natural_dtype(np.empty(0, a.dtype), np.empty(0, b.dtype)).newbyteorder("=")
    same_bits(
        np.asarray(function(a, b, **options)),
        np.asarray(function(*(x.astype(dtype, copy=False) for x in (a, b)), **options)),
    )


def cases(count):
    """Pairs of dtypes, each with some of the shapes and layouts, all of which have their turn."""
    turn = 0
    for pair in PAIRS:
        for _ in range(count):
            shapes = SHAPES[turn % len(SHAPES)]
            layouts = LAYOUTS[turn // 2 % 8], LAYOUTS[turn // 5 % 8]
            turn += 7
            yield pair, shapes, layouts


def walk(function, count):
    rng = np.random.default_rng(0)
    for dtypes, shapes, layouts in cases(count):
        operands = [
            layout(rng, shape, dtype)
            for layout, shape, dtype in zip(layouts, shapes, dtypes, strict=True)
        ]
        check(function, *operands)


def test_every_pair():
    walk(vk.matmul, 5)


@pytest.mark.exhaustive
@pytest.mark.parametrize("isa", native.SUPPORTED)
def test_every_pair_in_every_shape_and_layout(isa):
    multiply = native.build_products(isa)["matmul"]
    rng = np.random.default_rng(1)
    for (first, second), (one, other), (left, right) in product(
        PAIRS, SHAPES, product(LAYOUTS, repeat=2)
    ):
        check(multiply, left(rng, one, first), right(rng, other, second))


@pytest.mark.parametrize("isa", native.SUPPORTED)
def test_every_instruction_set(isa):
    rng = np.random.default_rng(2)
    functions = native.build_products(isa)
    for first, second in (("f", "d"), ("d", "B"), ("B", "f"), ("e", "f"), ("b", "h"), ("F", "d")):
        a, b = numbers(rng, (37, 700), np.dtype(first)), numbers(rng, (700, 65), np.dtype(second))
        check(functions["matmul"], a, b)
        check(functions["matvec"], a, b[:, 0])
        check(functions["vecmat"], a[0], b)
        check(functions["vecdot"], a[0], b[:, 0])


@pytest.mark.parametrize("threads", [1, 3])
def test_panels_and_threads(threads):
    """Shapes beyond a panel of every kind, and one column beyond."""
    rng = np.random.default_rng(3)
    shapes = [(20, 600, 1100), (5, 300, 513), (1100, 530, 9), (3, 20000, 34), (1, 9000, 600)]
    for m, k, n in shapes:
        for first, second in (("f", "d"), ("B", "f"), ("f", "e"), ("i", "b"), ("b", "e")):
            a = numbers(rng, (m, k), np.dtype(first))
            b = numbers(rng, (k, n), np.dtype(second))
            with vk.num_threads(threads):
                check(vk.matmul, a, b)
                check(vk.matmul, a, np.asfortranarray(b))


def test_other_products():
    rng = np.random.default_rng(4)
    for first, second in PAIRS:
        a, b = numbers(rng, (7, 90), first), numbers(rng, (90, 8), second)
        check(vk.matvec, a, b[:, 0])
        check(vk.vecmat, a[0], b)
        check(vk.vecdot, a[:, :8], b[:7])
        check(vk.dot, a[0], b[:, 1])
        check(vk.dot, a, b)
        check(vk.tensordot, a.reshape(7, 9, 10), b.reshape(9, 10, 8))
        check(lambda x, y: vk.einsum("ij,jk->ik", x, y), a, b)


def test_long_vectors():
    rng = np.random.default_rng(5)
    for first, second in (("f", "d"), ("B", "f"), ("e", "d"), ("h", "q"), ("f", BFLOAT16)):
        x, y = (numbers(rng, 50001, np.dtype(t)) for t in (first, second))
        check(vk.dot, x, y)
        check(vk.vecdot, x, y)
        check(vk.dot, x[::-2], y[::2])
        check(vk.vecdot, np.stack([x, x]), y)


def test_out():
    rng = np.random.default_rng(6)
    x, w = numbers(rng, (40, 50), np.dtype("d")), numbers(rng, (50, 40), np.dtype("B"))
    expected = vk.matmul(x, w.astype("d"))
    room = np.zeros((80, 80))
    for out in (np.empty((40, 40)), np.empty((40, 40)).T, room[::2, ::2]):
        assert vk.matmul(x, w, out=out) is out
        np.testing.assert_array_equal(out, expected)
    same = np.zeros((50, 50))
    same[:40] = x
    vk.matmul(same[:40], w, out=same[:40, :40])  # which overlaps
    np.testing.assert_array_equal(same[:40, :40], expected)
    narrow = np.empty((40, 40), "f")
    vk.matmul(x, w, out=narrow)
    np.testing.assert_array_equal(narrow, expected.astype("f"))
    with pytest.raises(TypeError, match="cast"):
        vk.matmul(x, w, out=np.empty((40, 40), "i8"))


# ---- dtype= ----

BYTES = [np.dtype("b"), np.dtype("B")]


def whole(rng, shape, dtype):
    limits = (0, 2) if dtype.kind == "b" else (np.iinfo(dtype).min, int(np.iinfo(dtype).max) + 1)
    return rng.integers(*limits, shape).astype(dtype)


@pytest.mark.parametrize("isa", native.SUPPORTED)
def test_exact_sums_of_bytes(isa):
    functions = native.build_products(isa)
    rng = np.random.default_rng(7)
    shapes = [
        (1, 5, 1),
        (3, 20, 40),
        (33, 17, 16),
        (17, 1027, 100),
        (100, 50, 5),
        (200, 300, 2),
        (1, 400, 130),
        (150, 600, 70),
    ]
    kinds = [*BYTES, np.dtype("h"), np.dtype("?")]
    for (m, k, n), first, second in product(shapes, kinds, kinds):
        a, b = whole(rng, (m, k), first), whole(rng, (k, n), second)
        a[:, : k // 2] = a.max()  # as large as sums can be
        b[: k // 2] = b.max()
        expected = (a.astype("q") @ b.astype("q")).astype("i")
        wide = np.repeat(np.repeat(b, 2, 0), 2, 1)[::2, ::2]
        for x, y in ((a, b), (np.asfortranarray(a), np.asfortranarray(b)), (a, wide)):
            same_bits(functions["matmul"](x, y, dtype="i"), expected)
            out = np.zeros((n, m), "i").T
            functions["matmul"](x, y, dtype=np.int32, out=out)
            np.testing.assert_array_equal(out, expected)
        same_bits(np.asarray(functions["vecdot"](a[0], b[:, 0], dtype="i")), expected[0, 0])
        same_bits(functions["matvec"](a, b[:, -1], dtype="i"), expected[:, -1])
        same_bits(functions["vecmat"](a[-1], b, dtype="i"), expected[-1])


def test_sums_wrap_as_int32():
    a = np.full((20, 2**17), -128, "b")
    result = vk.matmul(a, a.T, dtype=np.int32)
    assert (result == np.int64(2**31).astype("i")).all()
    assert (vk.vecdot(a, a, dtype=np.int32) == result[0, 0]).all()
    assert (vk.matmul(a, a.T, dtype=np.int64) == 2**31).all()


def test_stacks_of_bytes():
    rng = np.random.default_rng(8)
    for shapes in (((60, 4, 5), (60, 5, 6)), ((3, 20, 40), (40, 30)), ((5, 1, 64), (5, 64, 20))):
        a, b = (whole(rng, shape, np.dtype("b")) for shape in shapes)
        expected = np.matmul(a, b, dtype="i")
        for x, y in ((a, b), (a.view("B").view("b"), b)):
            same_bits(vk.matmul(x, y, dtype="i"), expected)


@pytest.mark.parametrize("name", ["matmul", "matvec", "vecmat", "vecdot"])
def test_dtype_means_what_it_means_to_numpy(name):
    function, twin = getattr(vk, name), getattr(reference, name)
    rng = np.random.default_rng(9)
    shapes = {"matmul": ((3, 4), (4, 2)), "matvec": ((3, 4), (4,)), "vecmat": ((4,), (4, 2))}
    for first, second, asked in product(DTYPES[:-1], DTYPES[:-1], "bBhiqQefdD"):
        operands = [
            numbers(rng, shape, dtype)
            for shape, dtype in zip(shapes.get(name, ((3, 4), (4,))), (first, second), strict=True)
        ]
        can = all(np.can_cast(x.dtype, asked, "same_kind") for x in operands)
        if not can:
            with pytest.raises(TypeError, match="cast"):
                function(*operands, dtype=asked)
            continue
        with np.errstate(all="ignore"):
            cast = [x.astype(asked) for x in operands]
        result = function(*operands, dtype=asked)
        same_bits(np.asarray(result), np.asarray(function(*cast)))
        np.testing.assert_allclose(
            result, twin(*operands, dtype=asked), rtol=2e-2 if asked == "e" else 1e-4, atol=1e-2
        )
