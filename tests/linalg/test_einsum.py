"""einsum: NumPy's grammar, dtypes and errors, by vekt's products."""

from __future__ import annotations

import string
import warnings

import ml_dtypes
import numpy as np
import pytest
from numpy.exceptions import ComplexWarning
from numpy.testing import assert_allclose, assert_array_equal

import vekt as vk
from vekt import reference
from vekt.linalg import _einsum

_TEXTS = """
ij,jk->ik ij,jk->ki ij,kj->ik ji,jk->ik ij,j i,i i,i->i i,j ij,ij ij,ij->i ij,ij->j ij->ji ij->
ij->i ij->j ii ii->i iij->ij iii->i ijij->ij ijij iji,j->i bij,bjk->bik bij,bjk->bki
bqhd,bkhd->bhqk bhqk,bkhd->bqhd nchw,oc->nohw oc,nchw->nohw iaj,ibj->ab pqi,irs->prqs
pqij,ijrs->prqs ab,bc,cd->ad ab,bc,cd,de->ea a,b,c->abc abc,bd,ce->ade ijk,ijl,kl-> , ,ij->ij
ij,->ji ...ij,...jk->...ik i...,i...->... ...,... ii,ij,jj->i ab,ab,c-> ab,c->ac ab,bc->c
ki,kj->ij bi,bo->io bi,ij,bj->b ai,bi,ci->abc bij,bj->bi bj,bij->bi abcd,dcba abab,b->a
bhi,bhj->bhij ibj,jbk->ibk ijb,jkb->ikb i...->...i ...i,j...->...ij
"""
TEXTS = _TEXTS.split()
SIZES = dict(
    zip(string.ascii_letters, [2, 3, 4, 5, 3, 2, 4, 3, 5, 2, 3, 4, 2, 6, 3, 2] * 4, strict=False)
)
TOLERANCES = {"e": 0.05, "f": 1e-4, "F": 1e-4, "d": 1e-11, "D": 1e-11}


def operands_of(text, dtype, rng, layout="C", ones=0.0):
    """Operands for subscripts, of which lengths are 1 by chance."""
    made = []
    for term in text.split("->")[0].split(","):
        term = term.replace("...", "YZ"[len(made) % 2 :])
        lengths = [2 if x == "Y" else 3 if x == "Z" else SIZES[x] for x in term]
        shape = [
            1 if term.count(x) == 1 and rng.random() < ones else n
            for x, n in zip(term, lengths, strict=True)
        ]
        values = rng.standard_normal(shape) * 3
        x = values > 0 if dtype == "?" else values.astype(dtype)
        if dtype in "FD":
            x = (x + 1j * rng.standard_normal(shape)).astype(dtype)
        if layout == "F":
            x = np.asarray(x, order="F")
        if layout == "strided" and x.ndim:
            x = np.repeat(x, 2, -1)[..., ::-2]
        if layout == "swapped":
            x = x.astype(x.dtype.newbyteorder())
        made.append(x)
    return made


def check(got, expected, dtype):
    assert np.shape(got) == np.shape(expected)
    assert got.dtype == expected.dtype.newbyteorder("=")
    assert isinstance(got, np.ndarray) == bool(np.ndim(expected))
    if dtype in TOLERANCES:
        tolerance = TOLERANCES[dtype]
        assert_allclose(
            got.astype(complex), expected.astype(complex), rtol=tolerance, atol=10 * tolerance
        )
    else:
        assert_array_equal(got, expected)


@pytest.mark.parametrize("dtype", "dfeDF?bHl")
@pytest.mark.parametrize("text", TEXTS)
def test_is_that_of_numpy(text, dtype, rng):
    for layout, ones in (("C", 0), ("F", 0.3), ("strided", 0), ("swapped", 0.3)):
        operands = operands_of(text, dtype, rng, layout, ones)
        expected = np.einsum(text, *operands)
        got = vk.einsum(text, *operands)
        check(got, expected, dtype)
        check(reference.einsum(text, *operands), expected, dtype)
        if np.ndim(got):
            assert got.flags.owndata
            assert got.flags.writeable
        assert not any(np.shares_memory(got, x) for x in operands)
        for options in ({"optimize": False}, {"optimize": "greedy"}, {"deterministic": "batch"}):
            check(vk.einsum(text, *operands, **options), expected, dtype)
        wanted = _reversed(text)
        if wanted is None:
            continue
        room = np.zeros([3 * n for n in expected.shape], got.dtype)
        out = room[(*(slice(1, None, 3) for _ in expected.shape), ...)].T
        assert vk.einsum(f"{text.partition('->')[0]}->{wanted}", *operands, out=out) is out
        check(out.T[()], expected, dtype)
        out[...] = 0
        assert not room.any()  # nothing beside it


def _reversed(text):
    """Return the result's labels in reverse; None if among them are axes of an ellipsis."""
    given, arrow, wanted = text.partition("->")
    if not arrow:
        wanted = "".join(sorted(x for x in given if x.isalpha() and given.count(x) == 1))
    return None if "..." in text else wanted[::-1]


def test_labels_as_numbers(rng):
    a, b = rng.random((2, 3, 4)), rng.random((4, 5))
    for arguments in (
        (a, [0, 1, 2], b, [2, 3]),
        (a, [0, 1, 2], b, [2, 3], [3, 0, 1]),
        (a, [..., 7], b, (7, 51), [51, ...]),
        (a, [Ellipsis, 30], [30, Ellipsis]),
        (a, [2, 0, 1]),
    ):
        check(vk.einsum(*arguments), np.einsum(*arguments), "d")
        check(reference.einsum(*arguments), np.einsum(*arguments), "d")


def test_blanks_lists_and_numbers():
    assert vk.einsum(" i j , j k -> i k ", [[1, 2]], [[3], [4]]).tolist() == [[11]]
    assert vk.einsum("i,->i", np.float32([1, 2]), 2.0).dtype == np.float64  # as NumPy's
    assert vk.einsum(b"i,i", [1, 2], [3, 4]) == 11
    assert vk.einsum("", 3) == 3


BAD = [
    ((), ValueError),
    (("",), ValueError),
    (("i",), ValueError),
    ((0, 0), TypeError),
    (([1], [0.5]), TypeError),
    (([1], [52]), ValueError),
    (([1], [-1]), ValueError),
    (("", 0, 0), ValueError),
    ((",", [0], [0]), ValueError),
    (("i", 0), ValueError),
    (("ij", [0, 0]), ValueError),
    (("...i", 0), ValueError),
    (("i...j", [0, 0]), ValueError),
    (("i..", [0, 0]), ValueError),
    (("i......", [0, 0]), ValueError),
    (("j->.j...", [0, 0]), ValueError),
    (("i%...", [0, 0]), ValueError),
    (("i->&", [0, 0]), ValueError),
    (("i-j", [0, 0]), ValueError),
    (("i->i->i", [0, 0]), ValueError),
    (("é", [0, 0]), ValueError),
    (("i->ij", [0, 0]), ValueError),
    (("ij->jij", [[0, 0], [0, 0]]), ValueError),
    (("ii", np.zeros((2, 3))), ValueError),
    (("ii", np.zeros((1, 3))), ValueError),
    (("i,i", [1, 2], [1, 2, 3]), ValueError),
    (("...i->i", np.zeros((2, 3))), ValueError),
    (("i->", ["a"]), TypeError),
    (("i,i", [b"a"], [1]), TypeError),
]


@pytest.mark.parametrize(("arguments", "error"), BAD)
def test_bad_subscripts(arguments, error):
    with pytest.raises(error):
        np.einsum(*arguments)
    for module in (vk, reference)[: 1 if error is TypeError else 2]:
        with pytest.raises(error):
            module.einsum(*arguments)


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"out": "text"}, TypeError),
        ({"out": np.zeros((2, 2))}, ValueError),
        ({"out": np.zeros(3)}, ValueError),
        ({"out": np.zeros(2, np.int32)}, TypeError),
        ({"out": np.zeros(2, np.float32)}, TypeError),
        ({"order": "W"}, ValueError),
        ({"casting": "blah"}, ValueError),
        ({"dtype": "no dtype"}, TypeError),
        ({"dtype": "f4"}, TypeError),
        ({"dtype": "U3"}, TypeError),
        ({"bad_argument": 0}, TypeError),
        ({"optimize": 1}, TypeError),
        ({"optimize": "no such strategy"}, KeyError),
        ({"optimize": ["einsum_path", (0, 5)]}, (ValueError, IndexError, RuntimeError)),
    ],
)
def test_bad_options(options, error):
    x = np.ones((2, 3)), np.ones((3, 4)), np.ones(4)
    before = options["out"].copy() if isinstance(options.get("out"), np.ndarray) else None
    for _ in range(2):  # an error is no plan
        vk.einsum("ij,jk,k->i", *x)
        with pytest.raises(error):
            vk.einsum("ij,jk,k->i", *x, **options)
    if before is not None:
        assert_array_equal(options["out"], before)


def test_read_only_out():
    out = np.zeros(2)
    out.flags.writeable = False
    with pytest.raises(ValueError, match="read-only"):
        vk.einsum("ij->i", np.ones((2, 3)), out=out)
    with pytest.raises(ValueError, match="deterministic"):
        vk.einsum("ij->i", np.ones((2, 3)), deterministic="always")


def test_messages_name_the_label():
    with pytest.raises(ValueError, match="'b'"):
        vk.einsum("aabcb,abc", np.ones((3, 3, 4, 5, 6)), np.ones((3, 4, 5)))
    with pytest.raises(ValueError, match=r"'j' has length 4 in operand 1, shape \(4, 2\)"):
        vk.einsum("ij,jk", np.ones((2, 3)), np.ones((4, 2)))


@pytest.mark.parametrize("casting", ["no", "equiv", "safe", "same_kind", "unsafe"])
@pytest.mark.parametrize("dtype", [None, "f4", "f8", "i4", "c8"])
@pytest.mark.parametrize("out", [None, "f4", "f8", "i8", "c16"])
def test_casts_are_those_of_numpy(casting, dtype, out):
    a, b = np.array([[1.25, 2], [3, 4]], np.float32), np.array([[0.5, 2], [1, 3]])
    for operands in ((a, b), (b, b), (a, a)):
        results = []
        for function in (np.einsum, vk.einsum):
            room = None if out is None else np.zeros((2, 2), out)
            try:
                with warnings.catch_warnings(category=ComplexWarning, action="ignore"):
                    made = function("ij,jk", *operands, dtype=dtype, casting=casting, out=room)
                results.append((made.dtype, made.tolist()))
            except TypeError:
                results.append(TypeError)
        if dtype is not None and out is not None and results[0] is TypeError:
            continue  # NumPy wants that `out` can be cast to `dtype`, too
        assert results[0] == results[1]


def test_sums_are_of_the_dtype_of_out():
    a, out = np.full(3, 100, np.int8), np.zeros((), np.int64)
    for function in (np.einsum, vk.einsum):
        assert function("i,i->", a, a, out=out) == 30000
        assert function("i->", a, out=out) == 300


@pytest.mark.parametrize("order", "CFAK")
def test_orders(order, rng):
    for text in ("ij,jk->ik", "ij->ji", "ij,jk->ki", "ij,kj->ik", "bij,bjk->ikb"):
        for layout in "CF":
            operands = operands_of(text, "d", rng, layout)
            got = vk.einsum(text, *operands, order=order)
            check(got, np.einsum(text, *operands), "d")
            wanted = {"A": layout}.get(order, order)
            if wanted != "K":
                assert got.flags[f"{wanted}_CONTIGUOUS"]


def test_halves_are_rounded_once(rng):
    x = [rng.random((20, 20)).astype(np.float16) for _ in range(3)]
    exact = np.einsum("ij,jk,kl->il", *(v.astype(float) for v in x))
    assert_allclose(vk.einsum("ij,jk,kl->il", *x), exact.astype(np.float16), rtol=2**-11)
    y = [v.astype(ml_dtypes.bfloat16) for v in x]
    got = vk.einsum("ij,jk,kl->il", *y)
    assert got.dtype == ml_dtypes.bfloat16
    exact = np.einsum("ij,jk,kl->il", *(v.astype(float) for v in y))
    assert_allclose(got.astype(float), exact, rtol=2**-8)
    assert vk.einsum("ij,jk", y[0], np.float32(x[0])).dtype == np.float32
    a, b = rng.random((7, 7)).astype("e"), rng.random((9, 1, 9)).astype("e")
    exact = np.einsum("jj,cjk->ck", a.astype(float), b.astype(float))
    assert_array_equal(vk.einsum("jj,cjk->ck", a, b), exact.astype("e"))


def test_narrow_products_are_of_the_dtype_of_all():
    a = np.full((2, 2), 100, np.int8)
    got = vk.einsum("ij,jk,kl->il", a, a, np.ones((2, 2)))
    assert_array_equal(got, np.full((2, 2), 40000.0))


def test_dtypes_without_kernels():
    a = np.arange(6, dtype=np.longdouble).reshape(2, 3)
    for text, operands in (("ij,kj->ik", (a, a)), ("ij,kj,kl->il", (a, a, a)), ("ij->ji", (a,))):
        got = vk.einsum(text, *operands)
        assert got.dtype == np.longdouble
        assert_array_equal(got, np.einsum(text, *operands))
        assert not np.shares_memory(got, a)
        first = operands[0].astype(ml_dtypes.bfloat16)
        assert_array_equal(vk.einsum(text, first, *operands[1:]), np.einsum(text, *operands))
        got = vk.einsum(text, *(x.astype(object) for x in operands))
        assert got.dtype == object
        assert got.tolist() == np.einsum(text, *operands).tolist()


OVERLAPS = ["ij,jk->ik", "ij,kj->ik", "ij,ij->ij", "ij,ij->ji", "ij,jk,kl->il", "ij->ji", "ij->ij"]


@pytest.mark.parametrize("text", OVERLAPS)
@pytest.mark.parametrize("n", [3, 40])
def test_out_may_overlap(text, n, rng):
    for last in (False, True):
        for view in (lambda x: x, lambda x: x.T, lambda x: x[::-1], lambda x: x[:, ::-1]):
            room = rng.random((n, n))
            operands = [rng.random((n, n)) for _ in range(text.count(",") + 1)]
            operands[-1 if last else 0] = room
            expected = np.einsum(text, *(x.copy() for x in operands))
            assert_allclose(vk.einsum(text, *operands, out=view(room)), expected)


def test_no_elements(rng):
    for text, shapes in (
        ("ij,jk->ik", ((2, 0), (0, 3))),
        ("ij,jk->ik", ((0, 2), (2, 3))),
        ("bij,bjk->kb", ((2, 3, 0), (2, 0, 4))),
        ("ij->i", ((2, 0),)),
        ("ij,kl->", ((2, 0), (3, 2))),
        ("ij,ij->i", ((0, 3), (0, 3))),
        ("ij,jk,kl->il", ((2, 0), (0, 3), (3, 2))),
        ("iaj,ibj->ab", ((2, 3, 0), (2, 3, 0))),
    ):
        operands = [np.ones(shape) for shape in shapes]
        check(vk.einsum(text, *operands), np.einsum(text, *operands), "d")


_SAME_BITS = """
ij,jk->ik iaj,ibj->ab bij,bjk->kbi nchw,oc->nohw ab,bc,cd->ad ij,ij-> bij->jbi pqij,ijrs->prqs
ijb,ijb->b bi,bj->ij iji,j->i
"""
SAME_BITS = _SAME_BITS.split()


@pytest.mark.parametrize("dtype", "fd")
@pytest.mark.parametrize("text", SAME_BITS)
def test_layouts_have_the_same_bits(text, dtype, rng, monkeypatch):
    monkeypatch.setitem(SIZES, "i", 37)
    monkeypatch.setitem(SIZES, "b", 19)
    monkeypatch.setitem(SIZES, "j", 41)
    operands = operands_of(text, dtype, rng)
    expected = vk.einsum(text, *operands)
    for layout in (
        lambda x: np.asarray(x, order="F"),
        lambda x: np.repeat(x, 2, -1)[..., ::2],
        lambda x: np.ascontiguousarray(x[::-1])[::-1],
        lambda x: x.astype(x.dtype.newbyteorder()),
        lambda x: np.ascontiguousarray(np.moveaxis(x, 0, -1)).transpose(-1, *range(x.ndim - 1)),
    ):
        for chosen in range(1, 2 ** len(operands)):
            laid = [layout(x) if chosen >> i & 1 else x for i, x in enumerate(operands)]
            assert_array_equal(vk.einsum(text, *laid), expected)
            out = np.empty(np.shape(expected), dtype, order="F")
            assert_array_equal(vk.einsum(text, *laid, out=out), expected)


@pytest.mark.parametrize(
    "text", ["bi,io->bo", "bi,oi->bo", "bi,oi->ob", "tbi,io->bto", "bi,ij,jk->bk"]
)
def test_rows_do_not_depend_on_the_batch(text, rng):
    operands = operands_of(text, "f", rng)
    labels = text.split("->")
    axis, result = labels[0].split(",")[0].index("b"), labels[1].index("b")
    lengths = list(operands[0].shape)
    lengths[axis] = 33
    x = rng.standard_normal(lengths).astype("f")
    whole = vk.einsum(text, x, *operands[1:], deterministic="batch")
    for rows in (slice(0, 1), slice(4, 11), slice(32, 33)):
        part = vk.einsum(
            text, np.moveaxis(np.moveaxis(x, axis, 0)[rows], 0, axis), *operands[1:],
            deterministic="batch",
        )  # fmt: skip
        assert_array_equal(np.moveaxis(part, result, 0), np.moveaxis(whole, result, 0)[rows])


def test_paths(rng):
    x = [rng.random(s) for s in ((3, 4), (4, 5), (5, 6), (6, 2))]
    text = "ab,bc,cd,de->ae"
    expected = np.einsum(text, *x)
    for optimize in (
        None,
        "optimal",
        ("greedy", 10),
        ["einsum_path", (0, 1, 2, 3)],
        ["einsum_path", (2, 3), (0, 1), (0, 1)],
        ("einsum_path", (1, 2), (0, 2, 1)),
        np.einsum_path(text, *x)[0],
        np.True_,
    ):
        assert_allclose(vk.einsum(text, *x, optimize=optimize), expected)


def test_plans_are_kept_and_their_number_is_bounded(rng):
    cache = _einsum._plain_plan
    cache.cache_clear()
    a, b = rng.random((4, 3)), rng.random((3, 5))
    for _ in range(3):
        vk.einsum("ij,jk", a, b)
    assert (cache.cache_info().misses, cache.cache_info().hits) == (1, 2)
    vk.einsum("ij,jk", a, np.asfortranarray(b))
    vk.einsum("ij,jk", a.astype("f"), b)
    assert cache.cache_info().misses == 3
    assert cache.cache_info().maxsize == _einsum.PLANS
    for n in range(1, _einsum.PLANS + 100):
        vk.einsum("i->", np.zeros(n))
    assert cache.cache_info().currsize == _einsum.PLANS


def test_foreign_and_masked_arrays():
    a = np.ones((3, 3))
    with pytest.raises(TypeError, match="operand 1 is a masked array"):
        vk.einsum("ij,jk", a, np.ma.masked_array(a, np.eye(3)))
    assert type(vk.einsum("ij,jk", a, np.ma.masked_array(a))) is np.ndarray
    assert type(vk.einsum("ij,jk", a.view(np.matrix), a)) is np.ndarray  # as NumPy's
    da = pytest.importorskip("dask.array")
    with pytest.raises(TypeError, match="own array functions"):
        vk.einsum("ij,jk", a, da.ones((3, 3)))


def test_more_labels_than_letters(rng):
    shape = (1,) * 30
    a, b = np.full(shape, 2.0), np.full(shape, 3.0)
    got = vk.einsum("...,...,ab->...", a, b, np.ones((2, 2)))
    assert got.shape == shape
    assert got.item() == 24
