"""The elementary functions of `vekt.jit`: bounds, special values, and vector code everywhere."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from pathlib import Path
from platform import machine
from typing import Any

import numpy as np
import pytest
from interpreters import printed
from jit_oracle import ulp_errors
from mpmath import mp, workprec
from numba import guvectorize, njit, prange, vectorize
from numba.core.errors import TypingError
from numpy.testing import assert_array_equal

from vekt import jit
from vekt.jit._constants import EXP
from vekt.jit._single import single

EXACT = {
    "exp": mp.exp,
    "expm1": mp.expm1,
    "log": mp.log,
    "log1p": mp.log1p,
    "exp2": lambda v: mp.mpf(2) ** v,
    "log2": lambda v: mp.log(v, 2),
    "log10": mp.log10,
    "sinh": mp.sinh,
    "cosh": mp.cosh,
    "erf": mp.erf,
    "erfc": mp.erfc,
    "tanh": mp.tanh,
}
BOUNDS = {"exp": 1.0, "expm1": 1.5, "log": 1.0, "log1p": 1.5, "erf": 1.5, "erfc": 4.0, "tanh": 2.0}
BOUNDS |= {"exp2": 1.0, "log2": 2.0, "log10": 2.0, "sinh": 2.0, "cosh": 2.0}
DOMAINS = {
    "exp": (-746.0, 710.0),
    "expm1": (-50.0, 710.0),
    "log": (0.0, 1e3),
    "log1p": (-1.0, 1e3),
    "exp2": (-1080.0, 1023.5),
    "log2": (0.0, 1e3),
    "log10": (0.0, 1e3),
    "sinh": (-710.0, 710.0),
    "cosh": (-710.0, 710.0),
    "erf": (-6.5, 6.5),
    "erfc": (-6.5, 27.5),
    "tanh": (-20.0, 20.0),
}
inf, nan = np.inf, np.nan
POINTS = [0.0, -0.0, inf, -inf, nan, 5e-324, -5e-324, 1.7e308, -1.7e308]
SPECIAL = {
    "exp": [1.0, 1.0, inf, 0.0, nan, 1.0, 1.0, inf, 0.0],
    "expm1": [0.0, -0.0, inf, -1.0, nan, 5e-324, -5e-324, inf, -1.0],
    "log": [-inf, -inf, inf, nan, nan, -744.4400719213812, nan, math.log(1.7e308), nan],
    "log1p": [0.0, -0.0, inf, nan, nan, 5e-324, -5e-324, math.log(1.7e308), nan],
    "exp2": [1.0, 1.0, inf, 0.0, nan, 1.0, 1.0, inf, 0.0],
    "log2": [-inf, -inf, inf, nan, nan, -1074.0, nan, math.log2(1.7e308), nan],
    "log10": [-inf, -inf, inf, nan, nan, math.log10(5e-324), nan, math.log10(1.7e308), nan],
    "sinh": [0.0, -0.0, inf, -inf, nan, 5e-324, -5e-324, inf, -inf],
    "cosh": [1.0, 1.0, inf, inf, nan, 1.0, 1.0, inf, inf],
    "erf": [0.0, -0.0, 1.0, -1.0, nan, 5e-324, -5e-324, 1.0, -1.0],
    "erfc": [1.0, 1.0, 0.0, 2.0, nan, 1.0, 1.0, 0.0, 2.0],
    "tanh": [0.0, -0.0, 1.0, -1.0, nan, 5e-324, -5e-324, 1.0, -1.0],
}
by_name = pytest.mark.parametrize("name", EXACT)
by_dtype = pytest.mark.parametrize("dtype", ["float32", "float64"])


def inputs(name: str, dtype: str, count: int) -> np.ndarray:
    """Points of the domain, near 0 and 1, and of any exponent."""
    rng = np.random.default_rng(11)
    info: Any = np.finfo(dtype)
    low, high = DOMAINS[name]
    parts = [
        rng.uniform(low, high, count),
        rng.normal(size=count),
        rng.uniform(-1.5, 1.5, count),
        1 + rng.normal(size=count) * 2.0 ** rng.uniform(-40, -1, count),
        2.0 ** rng.uniform(-60, 8, count) * rng.choice([-1, 1], count),
        2.0 ** rng.uniform(np.log2(info.smallest_subnormal), 0, count),
    ]
    if name.startswith("log"):
        parts.append(2.0 ** rng.uniform(0, np.log2(info.max), count))
    x = np.concatenate(parts).astype(dtype)
    return x[(x > low) & np.isfinite(x)]


@by_dtype
@by_name
def test_accuracy(name: str, dtype: str) -> None:
    x = inputs(name, dtype, 600)
    got = getattr(jit, name)(x)
    assert got.dtype == dtype
    with workprec(200):
        errors = ulp_errors(got, [EXACT[name](mp.mpf(value)) for value in x.tolist()])
    assert errors.max() <= (1.0 if dtype == "float32" else BOUNDS[name])


@by_name
def test_accuracy_on_many_points(name: str) -> None:
    """Likewise against long doubles, and float32 against float64."""
    x = inputs(name, "float32", 50_000)
    wide = getattr(jit, name)(x.astype("f8"))
    with np.errstate(all="ignore"):
        spacing = np.spacing(np.abs(wide).astype("f4")).astype("f8")
    got = getattr(jit, name)(x).astype("f8")
    finite = np.isfinite(got) & np.isfinite(spacing)
    assert (np.abs(got[finite] - wide[finite]) <= 0.6 * spacing[finite]).all()
    if np.finfo(np.longdouble).nmant < 63 or not hasattr(np, name):
        return
    x = inputs(name, "float64", 50_000)
    with np.errstate(all="ignore"):
        true = getattr(np, name)(x.astype(np.longdouble))
        spacing = np.spacing(np.abs(true).astype("f8"))
    got = getattr(jit, name)(x)
    finite = np.isfinite(got) & np.isfinite(spacing)
    error = np.abs(got[finite] - true[finite]) / spacing[finite]
    # The place of a power of two is twice that below it, which np.spacing does not tell.
    assert error.max() <= 2 * BOUNDS[name]
    assert (error > BOUNDS[name]).mean() < 1e-4


@by_name
def test_special_values(name: str) -> None:
    got = getattr(jit, name)(np.array(POINTS))
    assert_array_equal(got, SPECIAL[name])
    assert_array_equal(np.signbit(got)[:2], np.signbit(SPECIAL[name])[:2])


@pytest.mark.parametrize("name", ["log", "log1p"])
def test_poles(name: str) -> None:
    at = 0.0 if name == "log" else -1.0
    below, next_to = np.nextafter(at, -inf), np.nextafter(at, inf)
    got = getattr(jit, name)(np.array([at, below, next_to]))
    assert got[0] == -inf
    assert np.isnan(got[1])
    assert got[2] == pytest.approx(math.log(next_to - at), rel=1e-15)


@by_name
def test_from_python(name: str) -> None:
    function = getattr(jit, name)
    x = np.linspace(0.5, 2, 6).reshape(2, 3)
    expected = function(x)
    assert_array_equal(function(x.T), expected.T)
    assert_array_equal(function(x[:, ::-2]), expected[:, ::-2])
    out = np.zeros((2, 3))
    assert function(x, out=out, where=[True, True, False]) is out
    assert_array_equal(out[:, :2], expected[:, :2])
    assert_array_equal(out[:, 2], 0.0)
    assert function(x, dtype="f4").dtype == np.float32
    assert function(np.float32(0.5)).dtype == np.float32
    assert function(1) == function(1.0) == function(np.array([1]))[0]
    with pytest.raises(TypeError):
        function("1")
    with pytest.raises(ValueError, match="broadcast|shape"):
        function(x, out=np.zeros(2))


@by_name
def test_wrong_types_in_compiled_functions(name: str) -> None:
    function = getattr(jit, name)
    with pytest.raises(TypingError, match=name):
        njit(lambda x: function(x))(1j)


def loop(function: Callable[..., Any], **options: Any) -> Any:
    @njit(**options)
    def run(x, out):  # type: ignore[no-untyped-def]
        for i in prange(x.size):
            out[i] = function(x[i])

    return run


@by_dtype
@pytest.mark.parametrize("name", [*EXACT, "sigmoid", "gelu"])
def test_loops_are_made_of_vectors(name: str, dtype: str) -> None:
    run = loop(getattr(jit, name))
    run(np.ones(3, dtype), np.empty(3, dtype))
    (code,) = run.inspect_llvm().values()
    assert any(f"<{lanes} x double>" in code for lanes in (2, 4, 8))
    assert not library_calls(run)


def test_library_calls_are_seen() -> None:
    run = loop(njit(lambda x: math.exp(x) + math.erf(x)))
    run(np.ones(3), np.empty(3))
    assert library_calls(run) == {"exp", "erf"}


def library_calls(run: Any) -> set[str]:
    """Functions of the C library to which the machine code of a compiled function refers."""
    (assembly,) = run.inspect_asm().values()
    names = "|".join(f"{name}f?" for name in EXACT)
    return set(re.findall(rf"[\s$]({names})(?:@\w+)?(?=[\s,]|$)", assembly, re.MULTILINE))


@by_dtype
@pytest.mark.parametrize("name", ["exp", "log1p", "sigmoid"])
def test_every_kind_of_loop(name: str, dtype: str) -> None:
    function = getattr(jit, name)
    x = np.linspace(0.1, 3, 1001).astype(dtype)
    expected, eps = function(x), np.finfo(dtype).eps
    for options in ({}, {"parallel": True}, {"error_model": "numpy", "fastmath": True}):
        out = np.empty_like(x)
        loop(function, **options)(x, out)
        np.testing.assert_allclose(out, expected, rtol=4 * eps)
    ufunc = vectorize([f"{dtype}({dtype})"])(_scalar(function))
    np.testing.assert_allclose(ufunc(x), expected, rtol=4 * eps)
    gufunc = guvectorize([f"({dtype}[:], {dtype}[:])"], "(n)->(n)")(_rows(function))
    np.testing.assert_allclose(gufunc(x), expected, rtol=4 * eps)


def _rows(function: Callable[..., Any]) -> Callable[..., Any]:
    def rows(x, out):  # type: ignore[no-untyped-def]
        out[:] = function(x)

    return rows


def test_compiled_ufuncs_do_not_warn() -> None:
    """No operation on the way is invalid where the function is not."""
    x = np.array([-inf, -1e300, -800.0, -1.0, 0.0, 1.0, 800.0, 1e300, inf])
    for name in ("erf", "erfc", "tanh", "sigmoid"):
        function = getattr(jit, name)
        ufunc = vectorize(["f8(f8)"])(_scalar(function))
        assert np.isfinite(ufunc(x)).all()


def _scalar(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda x: function(x)


def test_cached_functions(tmp_path: Path) -> None:
    script = tmp_path / "cached.py"
    script.write_text(
        "import numpy as np\n"
        "import vekt as vk\n"
        "from numba import njit, prange\n"
        "@njit(cache=True, parallel=True)\n"
        "def run(x, out):\n"
        "    for i in prange(x.size):\n"
        "        out[i] = vk.jit.exp(x[i]) + vk.jit.erf(x[i])\n"
        "out = np.empty(3)\n"
        "run(np.ones(3), out)\n"
        "print(sum(run.stats.cache_hits.values()), out[2] == vk.jit.exp(1.0) + vk.jit.erf(1.0))\n"
    )
    source = f"import runpy; runpy.run_path({str(script)!r})"
    hits = [printed(source, NUMBA_CACHE_DIR=str(tmp_path)).split() for _ in range(2)]
    assert hits == [["0", "True"], ["1", "True"]]


@pytest.mark.skipif(machine() not in ("x86_64", "AMD64"), reason="names an x86 processor")
def test_without_fused_operations() -> None:
    """The bounds hold on machines that round twice."""
    script = (
        "import sys\n"
        f"sys.path[:0] = {[str(Path(__file__).parent), str(ROOT / 'tests')]!r}\n"
        "import test_jit_math as t\n"
        "for name in ('log1p', 'erfc'):\n"
        "    t.test_accuracy(name, 'float64')\n"
        "from numba.core.registry import cpu_target\n"
        "print('+fma' in cpu_target.target_context.codegen().magic_tuple()[2])\n"
    )
    environment = {"NUMBA_CPU_NAME": "nehalem", "NUMBA_CPU_FEATURES": "-fma,-avx"}
    assert printed(script, **environment).split() == ["False"]


def test_twins_for_float32() -> None:
    from vekt.jit import _math, _scalars

    assert single(_math.exp) is single(_math.exp)
    assert single(_math.exp).__code__ is _math.exp.__code__
    assert len(single(_math._growth).__globals__["EXP"]) < len(EXP)
    relu = _scalars.SCALARS["relu"]
    assert single(relu) is relu


ROOT = Path(__file__).parents[2]


@pytest.mark.skipif(not (ROOT / "fits").is_dir(), reason="an installed test suite")
def test_constants_are_reproduced() -> None:
    script = ROOT / "fits" / "jit_constants.py"
    made = printed(
        f"import runpy, sys; sys.path.insert(0, {str(script.parent)!r})\n"
        f"runpy.run_path({str(script)!r}, run_name='__main__')"
    )
    assert made == (ROOT / "src" / "vekt" / "jit" / "_constants.py").read_text()


@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("name", ["sin", "cos", "tan"])
def test_of_the_c_library(name: str, dtype: str) -> None:
    """What Numba calls for each element, of any size, in compiled functions and from Python."""
    x = np.concatenate([np.linspace(-30, 30, 400), np.geomspace(1e-30, 1e30, 100)]).astype(dtype)
    function = getattr(jit, name)
    compiled = njit(lambda x: function(x))
    with workprec(300):
        exact = [getattr(mp, name)(mp.mpf(float(v))) for v in x]
        for found in (compiled(x), function(x)):
            assert found.dtype == x.dtype
            assert max(ulp_errors(found, exact)) <= 1.0
    assert_array_equal(compiled(np.array([np.inf, np.nan, -0.0], dtype))[:2], [np.nan, np.nan])
