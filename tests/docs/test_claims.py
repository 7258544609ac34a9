"""What the pages and the notes of docstrings claim, read from them and tried."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib.util import find_spec
from inspect import signature
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose

import vekt as vk
from vekt._spec.activations import KERNELS, OPS
from vekt._spec.families import ALL, specs
from vekt._spec.gates import GATE_OPS
from vekt._spec.losses import LOSSES
from vekt._spec.rows import ROW_OPS
from vekt.cli.accuracy.function_cases import FUNCTIONS
from vekt.cli.cases import all_cases
from vekt.cli.peers.functions import peer_functions

ROOT = Path(__file__).parents[2]
NUMBER = r"(-?\d+(?:\.\d+)?(?:e-?\d+)?)"


def page(name: str) -> str:
    """Return a page as one long line."""
    return " ".join((ROOT / name).read_text(encoding="utf-8").split())


PAGES = ("README.md", *(str(p.relative_to(ROOT)) for p in sorted((ROOT / "docs").rglob("*.md"))))
README = page("README.md")
CLAIMS = {spec.name: spec.compat for spec in ALL if spec.compat}


def said(pattern: str, text: str = README) -> tuple[float, ...]:
    """Return the numbers of a sentence, which is to be there."""
    found = re.search(pattern.replace("NUMBER", NUMBER), text)
    assert found, pattern
    return tuple(map(float, found.groups()))


def worst(kernels: Any, dtype: str) -> tuple[float, float]:
    """Return the largest bounds of values and gradients."""
    return (
        max(kernel.max_ulp[dtype] for kernel in kernels),
        max(kernel.gradient_max_ulp[dtype] for kernel in kernels),
    )


# ---- errors: what the bounds of the specs are, other tests measure


ACTIVATIONS = tuple(KERNELS.values())
GATES = tuple(kernel for spec in GATE_OPS.values() for kernel in spec.kernels)


def bounds_of_rows(name: str) -> tuple[float, float]:
    """Return the bounds that the notes of a function of rows tell."""
    docs = (getattr(vk, name + kind).__doc__ for kind in ("", "_backward"))
    value, gradient = (said("Error: .*?NUMBER ULP", " ".join(doc.split()))[0] for doc in docs)
    return value, gradient


def test_the_first_screen() -> None:
    one, softmax, gates = said(
        r"Every elementwise float32 activation, forward and gradient, tails and subnormals "
        r"included, lies within NUMBER ULP of the true value; softmax within NUMBER, gates "
        r"\(swiglu and its kin\) within NUMBER\."
    )
    assert worst(ACTIVATIONS, "float32") == (one, one)
    assert softmax == bounds_of_rows("softmax")[0]
    assert gates == worst(GATES, "float32")[0]


def test_the_promise() -> None:
    assert worst(ACTIVATIONS, "float32") == 2 * said(
        r"Elementwise activations in float32 within NUMBER ULP, value and gradient"
    )
    assert worst(ACTIVATIONS, "float64") == said(
        r"in float64 within NUMBER ULP, gradients within NUMBER outside"
    )
    *softmax, value, gradient = said(
        r"softmax within NUMBER and its gradient within NUMBER, gates within NUMBER and their "
        r"gradients within NUMBER\."
    )
    assert tuple(softmax) == bounds_of_rows("softmax")
    assert (value, gradient) == worst(GATES, "float32")


def test_errors_of_losses_and_functions() -> None:
    kernels = [kernel for spec in LOSSES.values() for kernel in spec.kernels]
    single, double = said(
        r"`float32` losses are within NUMBER ULP of the true value, `float64` within NUMBER",
        page("docs/losses.md"),
    )
    assert (single, double) == (worst(kernels, "float32")[0], worst(kernels, "float64")[0])
    single, double = said(
        r"Elementary functions are within NUMBER ULP of the true value in float32, for every "
        r"number\. In float64 `exp`, `log`, `sin` and `cos` are, too, the others within NUMBER ULP",
        page("docs/elementwise.md"),
    )
    exact = ("exp", "log", "sin", "cos")
    for name, case in FUNCTIONS.items():
        assert case.kernel.max_ulp["float32"] == single
        assert case.kernel.max_ulp["float64"] == (single if name in exact else double)


def sections() -> Iterator[tuple[str, list[list[str]]]]:
    """Yield the dtype and the rows of each table of errors."""
    text = (ROOT / "docs" / "accuracy.md").read_text(encoding="utf-8")
    for part in text.split("\n## ")[1:]:
        cells = [line.strip("| ").split("|") for line in part.splitlines() if line[:1] == "|"]
        yield part[:7], [[cell.strip() for cell in row] for row in cells[2:]]


def test_the_tables_of_errors() -> None:
    expected = [*all_cases(), *FUNCTIONS.values()]
    for dtype, rows in sections():
        names = {row[0] for row in rows}
        assert {f"{case.name}{' gradient' * (form == 'gradient')}" for case in expected
                for form in case.forms} == names  # fmt: skip
        kernels = {case.name: case.kernel for case in expected}
        for name, _, largest, bound, *_ in rows:
            kernel = kernels[name.removesuffix(" gradient")]
            of = kernel.gradient_max_ulp if name.endswith(" gradient") else kernel.max_ulp
            assert float(largest) <= float(bound) == of[dtype], name


# ---- what is a ufunc


def test_what_is_a_ufunc() -> None:
    table = re.findall(r"^\| ([^|]+) \| ([^|]+) \|$", (ROOT / "docs/interop.md").read_text(), re.M)
    rows = {kind: re.findall(r"`(\w+)`", names) for names, kind in table}
    ufuncs, in_front, engine, functions = (
        next(names for kind, names in rows.items() if start in kind)
        for start in ("`np.ufunc`", "in front of the ufuncs", "in front of the engine", "functions")
    )
    for names, holds in ((ufuncs, True), (in_front, False), (engine, False), (functions, False)):
        assert len(names) > 1
        for name in names:
            assert isinstance(getattr(vk, name), np.ufunc) is holds, name
    assert {type(getattr(vk, name)) for name in in_front} == {type(vk.gelu)}
    assert {type(getattr(vk, name)) for name in engine} == {type(vk.add)}
    families = [*specs("activations"), *LOSSES.values(), *GATE_OPS.values()]
    for spec in families:
        function = getattr(vk, spec.name)
        if "axis" not in spec.signature("").parameters:
            assert isinstance(function, np.ufunc) is (not spec.params), spec.name


def test_no_page_calls_all_activations_ufuncs() -> None:
    called = r"\b(activations|gates|losses)\b[^.|]{0,40}\bare (NumPy's |NumPy |real )?ufuncs"
    for name in PAGES:
        for found in re.finditer(called + r"(?! or behave as such)", page(name), re.I):
            raise AssertionError(f"{name}: {found[0]}")
    assert re.search(called, "all activations are NumPy ufuncs")


# ---- the default axis


@pytest.mark.parametrize("name", [name for name in CLAIMS if "default axis" in CLAIMS[name]])
def test_the_default_axis(name: str) -> None:
    ours = getattr(vk, name)
    assert signature(ours).parameters["axis"].default == -1
    scipy = pytest.importorskip("scipy.special")
    x = np.random.default_rng(0).normal(size=(3, 4))
    if "SciPy" in CLAIMS[name] or "scipy" in CLAIMS[name]:
        theirs = getattr(scipy, name)
        assert signature(theirs).parameters["axis"].default is None
        assert_allclose(theirs(x), ours(x, axis=None), 1e-14)
        assert_allclose(theirs(x, axis=-1), ours(x), 1e-14)


def test_every_namesake_of_scipys_tells_the_axis() -> None:
    scipy = pytest.importorskip("scipy.special")
    for name in ROW_OPS:
        assert not hasattr(scipy, name) or "default axis" in CLAIMS[name], name


# ---- digits and tails that others lose


def peers_in(text: str) -> list[str]:
    """Return the libraries that are named and installed."""
    return [peer for peer in ("scipy", "torch", "jax") if peer in text.lower() and find_spec(peer)]


def log_softmax_of(peer: str, x: Any) -> Any:
    if peer == "scipy":
        from scipy.special import log_softmax

        return log_softmax(x)
    if peer == "torch":
        import torch

        return torch.log_softmax(torch.tensor(x), -1).numpy()
    import jax

    return np.asarray(jax.nn.log_softmax(x))


def test_the_maximal_element_of_log_softmax() -> None:
    text = CLAIMS["log_softmax"]
    bounds = said(
        r"once it is below NUMBER \(float32\) or NUMBER \(float64\), where they give 0", text
    )
    for bound, dtype in zip(bounds, ("f4", "f8"), strict=True):
        x = np.array([-np.log(bound) + 0.1, 0], dtype)
        y = vk.log_softmax(x)[0]
        assert 0.8 * bound < -y < bound
        for peer in peers_in(text):
            if peer != "jax" or dtype == "f4":
                assert log_softmax_of(peer, x)[0] == 0, peer


TAIL = re.compile(rf"(JAX|torch) (?:gives 0 )?from x = {NUMBER} (down|up)")
TAILS = [
    (name, peer.lower(), float(at), 1 if way == "down" else -1)
    for name, text in CLAIMS.items()
    if "gives 0 from" in text
    for peer, at, way in TAIL.findall(text)
]


def of_peer(peer: str, name: str, x: Any) -> Any:
    function, _ = peer_functions(peer, name)
    assert function
    defaults = [1.0] * len(KERNELS[name].params)
    return np.asarray(function(np.atleast_1d(np.float32(x)), *defaults))


@pytest.mark.parametrize(("name", "peer", "at", "inward"), TAILS)
def test_tails_that_end(name: str, peer: str, at: float, inward: int) -> None:
    assert len({name for name, *_ in TAILS}) >= 5
    pytest.importorskip(peer)
    beyond = np.float32(at) - inward * np.float32([0, 0.5, 1, 5])
    assert (of_peer(peer, name, beyond) == 0).all()
    assert (of_peer(peer, name, at + 0.25 * inward) != 0).all()


@pytest.mark.parametrize("name", sorted({name for name, *_ in TAILS}))
def test_tails_that_are_kept(name: str) -> None:
    for _, _, at, inward in (tail for tail in TAILS if tail[0] == name):
        x = np.float32(at) - inward * np.float32([0, 0.5, 1, 5])
        assert (getattr(vk, name)(x) != 0).all()
    if "torch and vekt keep" in CLAIMS[name]:
        pytest.importorskip("torch")
        assert (of_peer("torch", name, x) != 0).all()


def no_digit(peer: str, kernel: str, x: Any) -> bool:
    wide = getattr(vk.ufuncs, kernel)(x.astype("f8"), *[1.0] * len(KERNELS[kernel].params))
    got = of_peer(peer, kernel, x).astype("f8")
    return bool((abs(got - wide) > 0.5 * abs(wide)).all())


def test_digits_of_gelu() -> None:
    text = CLAIMS["gelu"]
    exact, approximate, at, theirs, ours, end = said(
        r"torch's exact form has no correct digit from x = NUMBER down, and the approximate form "
        r"of torch and of JAX has none from x = NUMBER down\. JAX's exact form has erfc and keeps "
        r"five digits: at NUMBER it gives NUMBER, where vekt gives NUMBER; from x = NUMBER down "
        r"it gives 0\.",
        text,
    )
    x = np.float32(at)
    assert vk.gelu(x) == np.float32(ours)
    assert abs(float(vk.gelu(float(x))) / ours - 1) < 1e-7
    assert vk.gelu(np.float32(end)) != 0
    assert said(
        r"torch's `gelu` has no correct digit from x = NUMBER down, nor has the tanh form, JAX's "
        r"default, in either from NUMBER; JAX's exact form keeps five digits"
    ) == (exact, approximate)
    if find_spec("torch"):
        assert no_digit("torch", "gelu", np.arange(-13, exact + 1e-3, 0.125, "f4"))
        assert no_digit("torch", "gelu_tanh", np.arange(-10, approximate + 1e-3, 0.125, "f4"))
    if find_spec("jax"):
        assert no_digit("jax", "gelu_tanh", np.arange(-10, approximate + 1e-3, 0.125, "f4"))
        assert of_peer("jax", "gelu", x) == np.float32(theirs)
        line = np.arange(-13, -5, 0.125, "f4")
        assert_allclose(of_peer("jax", "gelu", line), vk.gelu(line.astype("f8")), 2e-5)
        assert of_peer("jax", "gelu", end) == 0


def test_digits_of_squareplus_and_tanh_shrink() -> None:
    (at,) = said(r"from NUMBER down their float32 results have no correct digit",
                 CLAIMS["squareplus"])  # fmt: skip
    x = np.float32(at) * np.float32([1, 1.1, 2, 10, 1e3])
    true = OPS["squareplus"].kernels[0].value(x.astype("f8"), 4.0)
    plain = (x + np.sqrt(x * x + np.float32(4))) / np.float32(2)
    assert (abs(plain - true) > 0.5 * abs(true)).all()
    assert_allclose(vk.squareplus(x), true, 1e-6)
    (at,) = said(r"at x = NUMBER their float32 results have lost half", CLAIMS["tanh_shrink"])
    y = np.float32(at)
    wide = vk.tanh_shrink(float(y))
    assert 1e-5 < abs((y - np.tanh(y)) / wide - 1) < 1e-3
    assert_allclose(vk.tanh_shrink(y), wide, 1e-7)
