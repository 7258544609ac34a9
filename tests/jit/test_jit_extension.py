"""Functions of `vekt` itself in functions that Numba compiles, through its entry point."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from interpreters import printed
from numba import guvectorize, njit, prange, vectorize
from numba.core.errors import TypingError

import vekt as vk
from vekt import gelu, jit, sigmoid
from vekt._spec.activations import OPS
from vekt._spec.spec import Spec

# One of each kind, as each takes seconds to compile.
SOME = ("sigmoid", "relu", "hard_tanh", "elu", "gelu", "softplus")


@pytest.mark.parametrize("op", [OPS[name] for name in SOME], ids=lambda op: op.name)
def test_is_the_twin(op: Spec) -> None:
    for name in op.public_names:
        function, twin = getattr(vk, name), getattr(jit, name)
        if "backward" in name:
            assert njit(lambda dy, x, f=function: f(dy, x))(2.0, 0.5) == twin(2.0, 0.5)
        else:
            assert njit(lambda x, f=function: f(x))(0.5) == twin(0.5)


def test_parameters_scalars_and_expressions() -> None:
    @njit
    def everything(x, slope, approximate):  # type: ignore[no-untyped-def]
        return (
            vk.gelu(x, approximate=approximate),
            gelu(x) + 2.0 * sigmoid(x),
            vk.relu(x, slope, max_value=1.5),
            vk.sigmoid_value_and_grad(x)[1],
            vk.ufuncs.gelu_tanh(x),
        )

    x = np.linspace(-2, 2, 12, dtype="f4").reshape(3, 4)
    expected = (
        jit.gelu(x, True),
        jit.gelu(x) + 2.0 * jit.sigmoid(x),
        jit.relu(x, 0.1, 1.5),
        jit.sigmoid_value_and_grad(x)[1],
        jit.gelu(x, True),
    )
    for got, want in zip(everything(x, 0.1, True), expected, strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-6)
    single = everything(1.5, 0.1, False)
    assert single[0] == jit.gelu(1.5)
    assert single[2] == 1.5
    assert njit(lambda x: vk.dot(x, x))(np.ones(3)) == 3.0


def test_every_kind_of_loop() -> None:
    @njit(parallel=True)
    def parallel(x, out):  # type: ignore[no-untyped-def]
        for i in prange(x.size):
            out[i] = vk.gelu(x[i])

    x = np.linspace(-3, 3, 101)
    out = np.empty_like(x)
    parallel(x, out)
    np.testing.assert_allclose(out, jit.gelu(x), rtol=1e-14)
    ufunc = vectorize(["f8(f8)"])(lambda x: x * sigmoid(x))
    np.testing.assert_allclose(ufunc(x), x * jit.sigmoid(x), rtol=1e-14)

    @guvectorize(["f8[:], f8[:]"], "(n)->(n)")
    def rows(x, out):  # type: ignore[no-untyped-def]
        out[:] = vk.gelu(x)

    np.testing.assert_allclose(rows(x), jit.gelu(x), rtol=1e-15)


def test_what_has_no_twin() -> None:
    with pytest.raises(TypingError):
        njit(lambda: vk.get_num_threads())()
    with pytest.raises(TypingError, match="gelu"):
        njit(lambda x: vk.gelu(x))("text")
    # Functions of other origin, of the same name, and as arguments: as ever.
    assert njit(_gelu_of_mine)(1.0) == 2.0
    with pytest.raises(TypingError):
        njit(lambda f: f(1.0))(vk.gelu)


@njit
def _mine(x):  # type: ignore[no-untyped-def]
    return x + 1.0


def _gelu_of_mine(x):  # type: ignore[no-untyped-def]
    return np.negative(-_mine(x))


COMPILE = "run = numba.njit(lambda x: vk.gelu(x)); print(run(0.0))\n"
FIRST = "numba.njit(lambda x: x + 1)(1)\n"


@pytest.mark.parametrize(
    "script",
    [
        "import numba\nimport vekt as vk\n" + COMPILE,
        "import vekt as vk\nimport numba\n" + COMPILE,
        "import numba\n" + FIRST + "import vekt as vk\n" + COMPILE,
        "import vekt as vk\nimport numba\n" + FIRST + COMPILE,
        "import numba\n" + FIRST + "from vekt import gelu\n" + COMPILE.replace("vk.", ""),
        "import vekt as vk\nimport numba\n" + COMPILE.replace("vk.", "vk.jit."),
    ],
)
def test_order_of_imports(script: str) -> None:
    assert printed(script) == "0.0\n"


def test_numba_without_vekt_stays_light() -> None:
    """Nothing of `vekt` is imported, even if it could not be."""
    script = (
        "import sys, numba\n"
        + FIRST
        + "print([m for m in sys.modules if m.split('.')[0] in ('vekt', 'vekt_numba')])"
    )
    assert printed(script, VEKT_ISA="x86_v9") == "['vekt_numba']\n"


def test_vekt_without_numba() -> None:
    script = (
        "import sys\n"
        "sys.modules['numba'] = None\n"
        "import vekt as vk, vekt_numba\n"
        "print(vk.gelu(0.0))\n"
    )
    assert printed(script) == "0.0\n"
    script = "import vekt, vekt_numba, sys; print('numba' in sys.modules)"
    assert printed(script) == "False\n"


def test_cached_functions(tmp_path: Path) -> None:
    script = tmp_path / "cached.py"
    script.write_text(
        "import numpy as np\n"
        "import vekt as vk\n"
        "from numba import njit, prange\n"
        "@njit(cache=True, parallel=True)\n"
        "def run(x, out):\n"
        "    for i in prange(x.size):\n"
        "        out[i] = vk.gelu(x[i], approximate=True)\n"
        "@njit(cache=True)\n"
        "def arrays(x):\n"
        "    return vk.sigmoid(x)\n"
        "out = np.empty(3)\n"
        "run(np.zeros(3), out), arrays(out)\n"
        "print(*(sum(f.stats.cache_hits.values()) for f in (run, arrays)), out[2])\n"
    )
    source = f"import runpy; runpy.run_path({str(script)!r})"
    results = [printed(source, NUMBA_CACHE_DIR=str(tmp_path)).split() for _ in range(2)]
    assert results == [["0", "0", "0.0"], ["1", "1", "0.0"]]
