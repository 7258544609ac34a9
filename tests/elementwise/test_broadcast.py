"""The broadcast engine itself: its dispatcher, and operations on arrays that are ready for it."""

from __future__ import annotations

import gc
import itertools
import threading
import weakref

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from vekt import _ufuncs
from vekt._core import native

F4, F8 = np.dtype("f4"), np.dtype("f8")
NUMBERS = [np.dtype(c) for c in "?bBhHiIlLefd"]


def refuse(*call):
    """Fall back to an error that tells what was called."""
    raise LookupError(call)


@pytest.fixture
def dispatcher(isa):
    """Add two arrays of float32."""
    made = native.build_dispatcher("sum", 2, 1, refuse, "doc", isa)
    made.add((F4, F4), native.kernel_operation("add", F4, isa), (F4,))
    made.add((F4, float), native.kernel_operation("add", F4, isa), (F4,))
    return made


def test_what_goes_where(dispatcher):
    x = np.arange(3, dtype="f4")
    assert_array_equal(dispatcher(x, x), 2 * x, strict=True)
    assert_array_equal(dispatcher(x, 1.5), x + np.float32(1.5), strict=True)
    assert type(dispatcher(x[0], x[1])) is np.float32
    partial = [x, x], {"out": x}
    with pytest.raises(LookupError) as caught:
        dispatcher(x.astype("f8"), *partial[0][1:], **partial[1])
    d, args, options = caught.value.args[0]
    assert d is dispatcher
    assert len(args) == 2
    assert options["out"] is x
    for call in ((x, 1), (x,), (x, x, x, x), (x, np.ones(4, "f4"))):
        with pytest.raises(LookupError):
            dispatcher(*call)
    assert (dispatcher.nin, dispatcher.nout, dispatcher.fallback) == (2, 1, refuse)


def test_conversions(isa):
    """From and to every type, by way of operations of several."""
    d = native.build_dispatcher("convert", 1, 1, refuse, "", isa)
    bfloat16 = np.dtype(pytest.importorskip("ml_dtypes").bfloat16)
    types = [*NUMBERS, bfloat16, np.dtype("F"), np.dtype("D")]
    for source, loop, target in itertools.product(types, "bhilfdD", types):
        kinds = source.kind + target.kind
        if (loop != "D" and "c" in kinds) or (loop == "D" and target.kind != "c"):
            continue
        operation = _ufuncs.numpy_operation(np.positive, (np.dtype(loop),) * 2, 100)
        x = np.arange(300) % (2 if source.char == "?" else 100)
        x = x.astype(source)[::-1]
        out = np.empty(600, target)[::2]
        d.run(operation, (x,), (out,))
        assert_array_equal(out, x.astype(loop).astype(target))


@pytest.mark.parametrize("bits", [11, 8])
def test_16_bits_are_rounded_once_from_double(isa, bits):
    """A little more than halfway between two numbers, which float32 cannot tell from halfway."""
    d = native.build_dispatcher("round", 2, 1, refuse, "", isa)
    add = native.kernel_operation("add", F8, isa)
    dtype = "f2" if bits == 11 else pytest.importorskip("ml_dtypes").bfloat16
    unit = 2.0 ** (1 - bits)
    numbers = {1 + unit / 2 + 2.0**-40: 1 + unit, 1 + unit / 2: 1.0, 1 + unit / 2 - 2.0**-40: 1.0}
    numbers |= {-x: -y for x, y in numbers.items()} | {np.inf: np.inf, 0.0: 0.0, 3.0: 3.0}
    out = np.empty(len(numbers), dtype)
    d.run(add, (np.array(list(numbers)), np.zeros(())), (out,))
    assert_array_equal(out.astype("f8"), list(numbers.values()))


@pytest.mark.parametrize("n", [3, 64, 65, 1000, 4097])
def test_layouts_with_two_outputs(isa, n, rng):
    kernel = native.kernel_operation("swiglu_backward", F4, isa)
    d = native.build_dispatcher("two", 3, 2, refuse, "", isa)
    d.add((F4, F4, F4), kernel, (F4, F4))
    a, b, c = rng.normal(size=(3, 5, n)).astype("f4")
    expected = d(a, b, c)
    assert isinstance(expected, tuple)
    first, second = np.zeros((5, n), "f4"), np.zeros((n, 5), "f4").T
    assert d(a, b, c, out=(first, second))[1] is second
    assert_array_equal(first, expected[0])
    assert_array_equal(second, expected[1])
    wide = np.zeros((5, n))
    d.run(kernel, (a.T.copy().T, b, c.astype("f2")), (first, wide))
    assert_array_equal(wide[0], d(a, b, c.astype("f2").astype("f4"))[1][0].astype("f8"))
    with pytest.raises(LookupError):
        d(a, b, c, out=(first, first))


def test_many_operands_and_dims(isa, rng):
    """64 dimensions, and an operation with as many operands as there can be."""
    d = native.build_dispatcher("add", 2, 1, refuse, "", isa)
    add = native.kernel_operation("add", F4, isa)
    x = rng.normal(size=2**6).astype("f4").reshape((1, 2) * 6 + (1,) * 52)
    out = np.zeros((1, 2) * 6 + (1,) * 52, "f4")
    y = x.transpose([*range(11, -1, -1), *range(12, 64)]).reshape(x.shape)
    d.run(add, (x, y), (out,))
    assert_array_equal(out, x + y)
    with pytest.raises(ValueError, match="operands"):
        native.build_dispatcher("too many", 32, 1, refuse, "")


def test_run_refuses(dispatcher, isa):
    x = np.ones((2, 3), "f4")
    add = native.kernel_operation("add", F4, isa)
    for inputs, outs, error in [
        ((x,), (x,), ValueError),
        ((x, np.ones(4, "f4")), (x,), ValueError),
        ((x, x), (np.broadcast_to(np.float32(1), (2, 3)),), ValueError),
        ((x, x), (np.lib.stride_tricks.as_strided(x, (2, 3), (0, 4)),), ValueError),
        ((x, x.astype(">f4")), (x,), TypeError),
        ((x, x.astype("O")), (x,), TypeError),
        ((x, 1.0), (x,), TypeError),
    ]:
        with pytest.raises(error):
            dispatcher.run(add, inputs, outs)
    with pytest.raises(ValueError, match="PyCapsule"):
        dispatcher.run(None, (x, x), (x,))
    assert np.all(x == 1)


def test_add_refuses(dispatcher, isa):
    add = native.kernel_operation("add", F4, isa)
    for args in [
        ((F4,), add, (F4,)),
        ((F4, F4), add, ()),
        ((F4, str), add, (F4,)),
        ((F4, F4), add, (np.dtype("O"),)),
        ((F4, F4), None, (F4,)),
        ((F4, F4), add, (F4,), np.dtype("U3")),
    ]:
        with pytest.raises((TypeError, ValueError)):
            dispatcher.add(*args)
    with pytest.raises(KeyError, match="no kernel"):
        native.kernel_operation("add", np.dtype("i4"), isa)
    assert _ufuncs.numpy_operation(np.add, (F4, F8, F8), 1) is NotImplemented
    dispatcher.add((F4, F4), native.kernel_operation("multiply", F4, isa), (F4,))
    assert dispatcher(np.float32(3), np.float32(4)) == 12


def test_dispatchers_are_collected(isa):
    class Fallback:
        pass

    fallback = Fallback()
    fallback.cycle = native.build_dispatcher("cycle", 1, 1, fallback, "", isa)
    fallback.cycle.add((F4,), native.kernel_operation("sqrt", F4, isa), (F4,))
    gone = weakref.ref(fallback)
    del fallback
    gc.collect()
    assert gone() is None


def test_several_threads_at_once(dispatcher, rng, set_threads):
    set_threads(2)
    x = rng.normal(size=(700, 900)).astype("f4")
    expected = x + x[:, :1]
    wrong = []

    def work():
        for _ in range(5):
            if not np.array_equal(dispatcher(x.T, x[:, :1].T), expected.T):
                wrong.append(1)

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert not wrong
