"""The test files that are run, where installed packages ship them."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path


@dataclass(frozen=True)
class Suite:
    """One file of a peer.

    `leave_out` and `short` are expressions of pytest's `-k`: what takes gigabytes or minutes, and
    what a short run takes of the file, which is nothing without one.
    """

    peer: str
    path: str
    leave_out: str = ""
    short: str = ""

    @property
    def name(self) -> str:
        """What the command and the lists call it."""
        parts = (part for part in Path(self.path).with_suffix("").parts if part != "tests")
        return "/".join((self.peer, *(part.removeprefix("test_") for part in parts)))

    @property
    def file(self) -> Path | None:
        """The file, where the package is there and ships it."""
        spec = find_spec(self.peer)
        if spec is None or spec.origin is None:
            return None
        file = Path(spec.origin).parent / self.path
        if self.peer == "sklearn":  # whose checks come as a function
            file = Path(__file__).with_name(self.path)
        return file if file.is_file() else None

    def chosen(self, short: bool) -> str:
        """Return the expression that chooses its tests."""
        wanted = [f"({self.short})"] * short + [f"not ({self.leave_out})"] * bool(self.leave_out)
        return " and ".join(wanted)


EVERYTHING = "test"
_CORE, _LIB, _LINALG, _MA = ("_core/tests", "lib/tests", "linalg/tests", "ma/tests")

SUITES = {
    suite.name: suite
    for suite in (
        Suite("numpy", f"{_CORE}/test_ufunc.py", "huge", "TestUfunc or zero"),
        Suite("numpy", f"{_CORE}/test_umath.py", "", "TestMax or TestMin or TestPower or Special"),
        Suite("numpy", f"{_CORE}/test_umath_complex.py"),
        Suite("numpy", f"{_CORE}/test_umath_accuracy.py"),
        Suite("numpy", f"{_CORE}/test_multiarray.py", "huge", "Dot or Matmul or ArgmaxArgmin"),
        Suite("numpy", f"{_CORE}/test_numeric.py", "", "Clip or Nonarray or Tensordot or Boolean"),
        Suite("numpy", f"{_CORE}/test_half.py", "", EVERYTHING),
        Suite("numpy", f"{_CORE}/test_nep50_promotions.py"),
        Suite("numpy", f"{_CORE}/test_mem_overlap.py", "fuzz"),
        Suite("numpy", f"{_CORE}/test_scalarmath.py"),
        Suite("numpy", f"{_CORE}/test_regression.py"),
        Suite("numpy", f"{_CORE}/test_overrides.py"),
        Suite("numpy", f"{_CORE}/test_errstate.py"),
        Suite("numpy", f"{_CORE}/test_einsum.py"),
        Suite("numpy", f"{_CORE}/test_datetime.py"),
        Suite("numpy", f"{_CORE}/test_stringdtype.py"),
        Suite("numpy", f"{_CORE}/test_custom_dtypes.py"),
        Suite("numpy", f"{_LIB}/test_function_base.py"),
        Suite("numpy", f"{_LIB}/test_index_tricks.py"),
        Suite("numpy", f"{_LIB}/test_mixins.py"),
        Suite("numpy", f"{_LIB}/test_nanfunctions.py"),
        Suite("numpy", f"{_LIB}/test_shape_base.py"),
        Suite("numpy", f"{_LIB}/test_stride_tricks.py"),
        Suite("numpy", f"{_LINALG}/test_linalg.py", "", "Norm or Outer or Matmul or matmul"),
        Suite("numpy", f"{_LINALG}/test_regression.py"),
        Suite("numpy", f"{_MA}/test_core.py"),
        Suite("numpy", f"{_MA}/test_extras.py"),
        Suite("numpy", f"{_MA}/test_old_ma.py"),
        Suite("numpy", f"{_MA}/test_subclassing.py"),
        Suite("numpy", "matrixlib/tests/test_defmatrix.py"),
        Suite("numpy", "matrixlib/tests/test_interaction.py"),
        Suite("numpy", "polynomial/tests/test_polynomial.py"),
        Suite("scipy", "special/tests/test_logsumexp.py", "", EVERYTHING),
        Suite("scipy", "special/tests/test_logit.py", "", EVERYTHING),
        Suite("scipy", "special/tests/test_basic.py"),
        Suite("numexpr", "tests/test_numexpr.py", "", "not test_expressions"),
        Suite("sklearn", "test_estimators.py"),
    )
}
