"""What differs from a peer, and why: test by test; one that passes must leave the list."""

from __future__ import annotations

import re
from dataclasses import dataclass

from packaging.specifiers import SpecifierSet


@dataclass(frozen=True)
class Difference:
    """Tests, as a regular expression of the whole name, that fail for a reason.

    `versions` are those of the peer that have the tests, or for which they fail.
    """

    tests: str
    reason: str
    versions: str = ""

    def is_of(self, test: str) -> bool:
        """Whether a test is one of them."""
        return re.fullmatch(self.tests, test) is not None

    def holds_for(self, version: str) -> bool:
        """Whether it is expected of this version of the peer."""
        return SpecifierSet(self.versions, prereleases=True).contains(version)


def _all(reason: str, *tests: str, versions: str = "") -> tuple[Difference, ...]:
    return tuple(Difference(of, reason, versions) for of in tests)


QUIET = "no floating-point warning or error, whatever np.errstate says: README, Promises"
PASSED_ON = "others are handed NumPy's own function, the one that they know"
NO_UFUNC = "products and elementwise functions act as ufuncs, and are of types of their own"
ORDER = "the test wants one order of steps, to the last bit; vekt's is its own, for any layout"
METHODS = "reduce and accumulate are NumPy's, whose loops round in another way"
ULP = "the test wants the last digit of another library; vekt's is within its bound"
LENIENT = "vekt takes more: a bound may be missing, operands have names"
BY_VALUE = "the promotion by value, which NumPy had before its version 2"
NO_LONGDOUBLE = "activations take real numbers up to float64"

SCIPY = "logsumexp has neither weights nor signs: no `b`, no `return_sign`"
REAL = "activations and functions of rows take real numbers"

DTYPES = "results have NumPy's dtypes, where NumExpr's integers and constants have its own"

DIFFERENCES: dict[str, tuple[Difference, ...]] = {
    "numpy/_core/ufunc": (
        *_all(
            QUIET,
            "TestUfunc::test_sum",
            r"test_ufunc_input_floatingpoint_error\[(0|12288)\]",
            r"test_ufunc_methods_floaterrors\[(accumulate|reduce|reduceat|at)\]",
        ),
        *_all(
            "what a mask leaves out is undefined, as documented; vekt does not warn of it",
            "TestUfunc::test_where_warns",
            versions=">=2.4",
        ),
        *_all(
            NO_UFUNC,
            "TestUfunc::test_get_signature",
            "TestUfunc::test_at_not_none_signature",
            "TestLowlevelAPIAccess::test_loop_access",
            r"TestLowlevelAPIAccess::test__get_strided_loop_errors_bad_strides\[(1|strides[12])\]",
            "TestLowlevelAPIAccess::test__get_strided_loop_errors_bad_call_info",
        ),
        *_all(
            NO_UFUNC,
            r"TestUFuncInspectSignature::test_dunder_signature_attr\[matvec\]",
            r"TestUFuncInspectSignature::test_params_common_positional\[vecmat\]",
            r"TestUFuncInspectSignature::test_params_common_ufunc\[(sin|add)\]",
            r"TestUFuncInspectSignature::test_params_common_gufunc"
            r"\[(matmul|matvec|vecdot|vecmat)\]",
            versions=">=2.4",
        ),
        *_all("a pickle of NumPy's function is NumPy's", "TestUfunc::test_pickle_withstring"),
    ),
    "numpy/_core/einsum": (
        *_all(
            "results are new arrays, no views of an operand: docs/linalg.md",
            "TestEinsum::test_einsum_views",
        ),
        *_all("order='K' is as it comes", "TestEinsum::test_output_order"),
        *_all(
            "`casting` holds for `out`, too, whatever `optimize` is",
            "TestEinsum::test_einsum_0d_out",
            versions=">=2.4.5",
        ),
    ),
    "numpy/_core/umath": (
        *_all(
            QUIET,
            "TestPower::test_zero_power_nonzero",
            "TestSpecialFloats::test_exp_exceptions",
            "TestSpecialFloats::test_log_values",
            r"TestSpecialFloats::test_sincos_errors\[-?inf-[efd]-(sin|cos)\]",
            "TestSpecialFloats::test_square_values",
            "TestSpecialFloats::test_reciprocal_values",
            "TestLog2::test_log2_special",
            "TestSpecialFloats::test_(sinh|cosh|tan|exp2|expm1)",
        ),
        *_all(METHODS, r"test_memoverlap_accumulate_symmetric\[(hypot-d|logaddexp-f)\]"),
        *_all(
            PASSED_ON,
            "TestSpecialMethods::test_wrap",
            "TestSpecialMethods::test_ufunc_override",
            "TestSpecialMethods::test_ufunc_override_methods",
        ),
        *_all(
            NO_UFUNC,
            "TestAttributes::test_doc",
            "TestAdd_newdoc_ufunc::test_ufunc_arg",
        ),
        *_all(NO_UFUNC, "TestSpecialMethods::test_ufunc_docstring", versions=">=2.4"),
    ),
    "numpy/_core/umath_complex": _all(QUIET, "TestClog::test_special_values"),
    "numpy/_core/multiarray": (
        *_all(
            QUIET,
            r"TestMethods::test_dot_errstate\[(float16|float64|longdouble)\]",
            "TestWhere::test_exotic",
        ),
        *_all(PASSED_ON, "TestBinop::test_ufunc_binop_interaction"),
        *_all(
            "the test asks NumPy's own look-up for the function",
            r"TestCAPI::test_import_entry_point\[sin\]",
        ),
        *_all(LENIENT, "TestWhere::test_kwargs"),
        *_all(NO_LONGDOUBLE, "test_npymath_real"),
        *_all(
            "dot is a built-in function: no __wrapped__",
            r"TestTextSignatures::test_c_func_dispatcher_signature\[dot\]",
            versions=">=2.4",
        ),
    ),
    "numpy/_core/numeric": (
        *_all(
            ORDER,
            r"TestNonarrayArgs::test_(std|var)_with_mean_keyword_keepdims_false",
            r"TestNonarrayArgs::test_(std|var)_with_mean_keyword_where_nontrivial",
        ),
        *_all(
            QUIET,
            r"TestFloatExceptions::test_floating_exceptions\[[efdgFDG]\]",
            "TestFloatExceptions::test_warnings",
        ),
        *_all(LENIENT, "TestClip::test_clip_min_max_args", versions=">=2.4"),
    ),
    "numpy/_core/half": (
        *_all(QUIET, "TestHalf::test_half_fpe"),
        *_all(
            BY_VALUE,
            r"TestHalf::test_half_coercion\[False\]",
            versions="<2.2",
        ),
    ),
    "numpy/_core/nep50_promotions": (
        *_all(QUIET, r"test_nep50_weak_integers_with_inexact\[[efF]\]"),
        *_all(BY_VALUE, r"test_nep50_huge_integers\[weak_and_warn-add\]", versions="<2.2"),
    ),
    "numpy/_core/regression": (
        *_all(
            "a pickle of NumPy's function is NumPy's",
            "TestRegression::test_load_ufunc_pickle",
        ),
        *_all(
            "the test asks an array for its module, which is not the one with vekt's functions",
            "TestRegression::test__array_namespace__",
        ),
    ),
    "numpy/_core/overrides": (
        *_all(
            PASSED_ON,
            "TestNumPyFunctions::test_override_sum",
            "TestNumPyFunctions::test_sum_on_mock_array",
        ),
        *_all(
            "reductions are functions of Python, of vekt.reductions",
            "TestNumPyFunctions::test_set_module",
            "test_function_like",
        ),
    ),
    "numpy/_core/errstate": _all(QUIET, "TestErrstate::test_invalid"),
    "numpy/lib/nanfunctions": _all(
        "no warning of slices of NaN alone: docs/reductions.md",
        r"TestNanFunctions_(MinMax|MeanVarStd)::test_allnans\[2d-[efd]-.*\]",
        "TestNanFunctions_MeanVarStd::test_ddof_too_big",
    ),
    "numpy/lib/stride_tricks": _all("broadcast_to has no `subok`", "test_subclasses"),
    "numpy/ma/core": (
        *_all(ULP, "TestMaskedArrayArithmetic::test_basic_ufuncs"),
        *_all(ORDER, "TestMaskedArrayArithmetic::test_addsumprod"),
    ),
    "scipy/special/basic": (
        *_all("complex numbers are NumPy's", "TestCephes::test_expm1_complex"),
        *_all(REAL, r"TestErf::test_(erfc|erfcx|erfi)_consistent"),
    ),
    "scipy/special/logit": _all(NO_LONGDOUBLE, "TestExpit::test_large"),
    "scipy/special/logsumexp": (
        *_all(
            SCIPY,
            r"(TestLogSumExp::)?test_logsumexp_(b|sign|sign_zero|sign_shape|shape|b_zero|b_shape)"
            r"(\[numpy\])?",
        ),
        *_all(
            SCIPY,
            r"TestLogSumExp::test_dtypes_ab\[numpy-.*\]",
            r"TestLogSumExp::test_device\[numpy-(1\.0|x_raw2)\]",
            r"TestLogSumExp::test_(no_writeback|gh22903)\[numpy\]",
            r"TestLogSumExp::test_gh23548\[numpy-a[01]-.*\]",
            versions=">=1.17",
        ),
        *_all(REAL, r"(TestLogSumExp::)?test_logsumexp_complex_sign(\[numpy\])?"),
        *_all(
            REAL,
            r"TestLogSumExp::test_dtypes_a\[numpy-complex(64|128)\]",
            r"TestLogSumExp::test_device\[numpy-1j\]",
            r"TestLogSumExp::test_gh(21610|21709_small_imaginary)\[numpy(-complex(64|128))?\]",
            r"TestLogSumExp::test_gh22601_infinite_elements\[numpy-.*j\).*\]",
            versions=">=1.17",
        ),
    ),
    "numexpr/numexpr": (
        *_all("axes count from the end, too", "test_numexpr2?::test_axis"),
        *_all("out has the shape of the result", "test_evaluate::test_unaligned_singleton"),
        *_all(
            "text may be joined, and beside numbers is no error of NumExpr's kind",
            "test_strings::test_add_(string|numeric)_array",
        ),
        *_all(DTYPES, r"test_\w+::test_small_u?int(32)?"),
    ),
}
