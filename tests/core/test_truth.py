"""What counts as true, for every function that asks: NumPy's answer, of every dtype and layout."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import ml_dtypes
import numpy as np
import pytest

import vekt as vk

_REALS = [0.0, -0.0, np.nan, np.inf, 5e-8, 1.0, 2e-45, 5e-324]
_IMAGINARY = [1j, 0, complex(0, np.nan), complex(0, -0.0), complex(0, 1e-30), complex(-0.0, -1)]
VALUES: dict[str, Any] = {
    **{d: np.array([0, 1, 0, 3], d) for d in ("?", "i1", "u1", "i2", "i4", "i8", "u8")},
    **{d: np.array(_REALS).astype(d) for d in ("f2", "f4", "f8", "g")},
    **{d: np.array([*_REALS, *_IMAGINARY]).astype(d) for d in ("c8", "c16", "G")},
    "bfloat16": np.array([0.0, -0.0, np.nan, 1], ml_dtypes.bfloat16),
    "O": np.array([0, None, "", 1, [], "a"], object),
    "U": np.array(["", "a"]),
    "S": np.array([b"", b"a"]),
    "M": np.array(["NaT", "2020", "1970"], "M8[s]"),
    "m": np.array(["NaT", 0, 1], "m8[s]"),
}
VALUES |= {
    f">{d}": VALUES[d].astype(VALUES[d].dtype.newbyteorder(">"))
    for d in ("i2", "f2", "f4", "f8", "c8", "c16", "g", "G", "M", "m")
}


def layouts(x: Any) -> Iterator[Any]:
    """Yield the values in layouts that take other ways."""
    yield x
    yield x[::-1]
    yield np.tile(x, 50)
    packed = np.zeros(len(x), [("p", "u1"), ("x", x.dtype)])
    packed["x"] = x
    yield packed["x"]
    yield x[1:2].reshape(())
    yield x[-1]
    yield x[:0]


def asked(x: Any) -> Iterator[tuple[str, Callable[[Any], Any]]]:
    """Yield what asks for the truth of x, as a function of the namespace."""
    shape = np.shape(x)
    y = np.arange(np.size(x), dtype="f4").reshape(shape)
    yield "where", lambda m: m.where(x, 1, 2)
    yield "where of arrays", lambda m: m.where(x, y, -y)
    yield "where alone", lambda m: m.where(x)
    for name in ("logical_and", "logical_or"):
        yield name, lambda m, name=name: getattr(m, name)(x, x)
        yield f"{name} True", lambda m, name=name: getattr(m, name)(x, True)
        yield f"1.5 {name}", lambda m, name=name: getattr(m, name)(1.5, x)
        yield f"{name} of two", lambda m, name=name: getattr(m, name)(y, x)
        yield f"{name} out", lambda m, name=name: getattr(m, name)(x, x, out=np.zeros(shape, "f4"))
    yield "logical_not", lambda m: m.logical_not(x)
    for name in ("any", "all"):
        yield name, lambda m, name=name: getattr(m, name)(x)
        yield f"{name} kept", lambda m, name=name: getattr(m, name)(x, keepdims=True)
        yield f"{name} out", lambda m, name=name: getattr(m, name)(x, out=np.zeros((), "?"))
        yield f"{name} masked", lambda m, name=name: getattr(m, name)(y, where=x)
    for name in ("sum", "mean"):
        yield f"{name} masked", lambda m, name=name: getattr(m, name)(y, where=x)
    for name in ("max", "min"):
        yield f"{name} masked", lambda m, name=name: getattr(m, name)(y, where=x, initial=1)
    for name, n in (("add", 2), ("maximum", 2), ("sqrt", 1), ("negative", 1)):
        yield (
            f"{name} masked",
            lambda m, name=name, n=n: getattr(m, name)(
                *[y] * n, where=x, out=np.zeros(shape, "f4")
            ),
        )
    yield "clip masked", lambda m: m.clip(y, 1, 2, where=x, out=np.zeros(shape, "f4"))


def answer(call: Callable[[Any], Any], module: Any) -> Any:
    """Return a result in a form that compares, or the kind of the error."""
    try:
        with np.errstate(all="ignore"):
            result = call(module)
    except (TypeError, ValueError) as error:
        return type(error)
    if isinstance(result, tuple):
        return [part.tolist() for part in result]
    if not hasattr(result, "dtype"):
        return type(result), result
    kind = isinstance(result, np.ndarray), result.dtype, result.shape
    return *kind, result.tolist() if result.dtype == object else result.tobytes()


@pytest.mark.filterwarnings(
    "ignore:Mean of empty slice", "ignore:invalid value encountered", "ignore:Casting complex"
)
@pytest.mark.parametrize("dtype", VALUES)
def test_truth_is_numpys(dtype: str) -> None:
    for x in layouts(VALUES[dtype]):
        for name, call in asked(x):
            assert answer(call, vk) == answer(call, np), (name, x)


@pytest.mark.parametrize("dtype", [d for d in VALUES if d != "?"])
@pytest.mark.parametrize("name", ["softmax", "softmin", "log_softmax", "logsumexp", "sparsemax"])
def test_masks_of_rows_are_bool(name: str, dtype: str) -> None:
    mask = VALUES[dtype]
    with pytest.raises((TypeError, ValueError)):
        getattr(vk, name)(np.ones(mask.shape), where=mask)


@pytest.mark.parametrize("name", ["gelu", "relu", "leaky_relu", "swiglu", "squared_error", "tanh"])
@pytest.mark.parametrize("dtype", [d for d in VALUES if d != "?"])
def test_masks_of_ufuncs_are_bool(name: str, dtype: str) -> None:
    mask = VALUES[dtype]
    operands = [np.ones(mask.shape)] * (2 if name in ("swiglu", "squared_error") else 1)
    with pytest.raises((TypeError, ValueError)):
        getattr(vk, name)(*operands, where=mask, out=np.zeros(mask.shape))


def test_where_takes_none_as_a_choice() -> None:
    assert vk.where([True, False], None, 1).tolist() == [None, 1]
    assert vk.where([True, False], 1, None).tolist() == [1, None]
    for options in ({"x": 1}, {"y": None}, {"out": np.zeros(2)}):
        with pytest.raises(ValueError, match="either both or neither"):
            vk.where([True, False], **options)


def test_limits_have_numpys_other_names() -> None:
    x = np.arange(5.0)
    for options in ({"a_min": 1, "a_max": 3}, {"min": 1, "a_max": 3}, {"a_min": 1, "max": 3}):
        for namespace in (vk, vk.reference):
            np.testing.assert_array_equal(namespace.clip(x, **options), np.clip(x, 1, 3))
    with pytest.raises(TypeError, match="a_min"):
        vk.clip(x, 1, a_min=2)
