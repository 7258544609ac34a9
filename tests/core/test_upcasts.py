"""Warnings of calls that compute wider than their arrays, at the line that makes the call."""

from __future__ import annotations

import contextvars
import inspect
import threading
import warnings

import numpy as np
import pytest

import vekt as vk
from vekt import reference

X = np.linspace(-1, 1, 12, dtype=np.float32).reshape(3, 4)
WIDE = np.sqrt(2 / np.pi)  # numpy.float64
WHOLE = np.arange(12).reshape(3, 4)
scaled = vk.fuse(lambda x, s: x * s + 1)

UPCASTS = {
    "operator": lambda: X * WIDE,
    "operator, the other way round": lambda: WIDE + X,
    "ufunc of NumPy": lambda: np.multiply(X, WIDE),
    "elementwise": lambda: vk.multiply(X, WIDE),
    "out of the old width": lambda: vk.multiply(X, WIDE, out=np.empty_like(X)),
    "0-d array": lambda: vk.add(X, np.array(1.5)),
    "ufunc": lambda: vk.silu(WHOLE),
    "function": lambda: vk.gelu(WHOLE),
    "parameters": lambda: vk.leaky_relu(WHOLE, 0.1),
    "fused": lambda: scaled(X, WIDE),
    "product": lambda: vk.matmul(X, WHOLE.T.astype("i4")),
    "product of vectors": lambda: vk.dot(X[0], WHOLE[0]),
    "stacks of vectors": lambda: vk.vecdot(X, WHOLE),
    "reduction": lambda: vk.mean(WHOLE),
    "rows": lambda: vk.softmax(WHOLE),
    "layer": lambda: vk.dense(X, WHOLE.T, None, "gelu"),
    "norm": lambda: vk.norm(WHOLE),
    "reference": lambda: reference.gelu(WHOLE),
    "reference of a reduction": lambda: reference.mean(WHOLE),
    "half": lambda: vk.add(X.astype("e"), np.float32(1)),
    "complex": lambda: vk.multiply(X.astype("F"), WIDE),
    "quotient": lambda: WHOLE / 2,
}
QUIET = {
    "weak": lambda: X * float(WIDE),
    "weak in a function": lambda: vk.multiply(X, 0.5),
    "beside a wider array": lambda: vk.multiply(X, WHOLE.astype("d")),
    "integers": lambda: vk.add(WHOLE, 1),
    "sums of integers": lambda: vk.sum(WHOLE.astype("b")),
    "16 bits in 32": lambda: vk.gelu(X.astype("e")),
    "asked for": lambda: vk.matmul(X, X.T, dtype="d"),
    "asked for by a sum": lambda: vk.sum(X, dtype="d"),
    "bytes beside floats": lambda: vk.matmul(X, WHOLE.T.astype("B")),
    "scalars": lambda: np.multiply(np.float32(1), WIDE),
    "comparison": lambda: vk.less(X, WIDE),
    "oracle": lambda: reference.matmul(X, X.T),
    "oracle of an activation": lambda: reference.gelu(X),
    "layer": lambda: vk.dense(X, X.T, None, "gelu"),
    "loss": lambda: vk.softmax_cross_entropy(X, np.zeros(3, int)),
}


def caught(call, times=1):
    with warnings.catch_warnings(record=True) as found, vk.warn_upcasts():
        warnings.simplefilter("always")
        for _ in range(times):
            call()
    return [w for w in found if issubclass(w.category, vk.UpcastWarning)]


@pytest.mark.parametrize("name", UPCASTS)
def test_one_warning_at_the_line(name):
    call = UPCASTS[name]
    found = caught(call, times=3)
    assert [(w.filename, w.lineno) for w in found] == [
        (__file__, inspect.getsourcelines(call)[1]),
    ], [str(w.message) for w in found]
    assert "computes in" in str(found[0].message)


@pytest.mark.parametrize("name", QUIET)
def test_no_warning(name):
    assert [str(w.message) for w in caught(QUIET[name])] == []


@pytest.mark.parametrize(
    ("call", "reason"),
    [
        (lambda: X * WIDE, "a scalar of numpy.float64 is"),
        (lambda: WHOLE * np.float32(2), "integers compute in float64"),
        (lambda: vk.add(X, [1.0] * 4), "a list of floats is float64"),
        (lambda: vk.fuse(lambda x: x * np.sqrt(2.0))(X), "a number of float64 within it"),
    ],
)
def test_reasons(call, reason):
    with pytest.warns(vk.UpcastWarning, match=reason), vk.warn_upcasts():
        call()


def test_names_imported_before_count():
    from vekt import exp, sigmoid

    def lines():
        sigmoid(WHOLE)
        exp(WHOLE)
        sigmoid(X)

    first = inspect.getsourcelines(lines)[1]
    assert [w.lineno - first for w in caught(lines)] == [1, 2]


def test_nothing_is_left_behind():
    before = caught(UPCASTS["operator"])
    assert before
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for call in UPCASTS.values():
            call()


def test_as_an_error():
    with warnings.catch_warnings(), vk.warn_upcasts():
        warnings.simplefilter("error")
        for name in ("operator", "fused", "product", "layer"):
            with pytest.raises(vk.UpcastWarning, match="float64"):
                UPCASTS[name]()
            break
    assert (X * WIDE).dtype == np.float64


def test_contexts_in_each_other():
    with warnings.catch_warnings(record=True) as found, vk.warn_upcasts():
        warnings.simplefilter("always")
        with vk.warn_upcasts():
            X * WIDE
        X * WIDE
    assert len(found) == 2


def test_other_threads_and_contexts():
    results = []

    def work():
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            results.append((X * WIDE).dtype)

    with vk.warn_upcasts():
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
        contextvars.Context().run(work)
    assert results == [np.float64] * 2


def test_many_threads_at_once():
    counts = []
    start = threading.Barrier(8)

    def work():
        lines = []
        start.wait()
        for _ in range(50):
            with vk.warn_upcasts():
                try:
                    vk.multiply(X, WIDE)
                except vk.UpcastWarning as warning:
                    lines.append(warning)
            vk.multiply(X, WIDE)
        counts.append(len(lines))

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        threads = [threading.Thread(target=work) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert counts == [50] * 8


def test_another_profile_goes_on():
    import sys

    events = []
    former = sys.getprofile()
    sys.setprofile(lambda frame, event, value: events.append(event))
    try:
        with vk.warn_upcasts():
            vk.softmax(X)
        kept = sys.getprofile()
    finally:
        sys.setprofile(former)
    assert "call" in events
    assert not hasattr(kept, "former")


def test_gpt2():
    """The line of GPT-2 that makes all of it float64."""

    def gelu(x):
        return 0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))

    found = caught(lambda: gelu(X))
    assert len(found) == 1
    assert found[0].lineno == inspect.getsourcelines(gelu)[1] + 1
