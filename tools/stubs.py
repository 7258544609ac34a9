"""Write the type stub of `vekt` from the registry: `python tools/stubs.py OUTPUT`.

Runs from the source tree, before anything is compiled.
"""

from __future__ import annotations

import importlib.machinery
import sys
import types
from collections.abc import Mapping
from pathlib import Path
from typing import Any

SOURCE = Path(__file__).resolve().parent.parent / "src" / "vekt"

HEADER = '''\
"""Type stub of vekt, written by tools/stubs.py from the registry."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Literal, overload

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from . import activations as activations
from . import config as config
from . import elementwise as elementwise
from . import gates as gates
from . import jit as jit
from . import losses as losses
from . import models as models
from . import network as network
from . import optim as optim
from . import reductions as reductions
from . import reference as reference
from . import rows as rows
from . import ufuncs as ufuncs

__version__: str
__all__: list[str]

_Activation = str | Callable[..., Any] | tuple[Any, Mapping[str, Any]] | None
_Output = NDArray[Any] | tuple[NDArray[Any]] | None

class _Function:
    __name__: str
    __qualname__: str
    __module__: str
    nin: int
    nout: int
    nargs: int
    ntypes: int
    types: list[str]
    identity: Any
    signature: None
    def reduce(
        self, array: ArrayLike, /, axis: int | tuple[int, ...] | None = 0,
        dtype: DTypeLike | None = None, out: _Output = None, keepdims: bool = False,
        initial: Any = None, where: ArrayLike = True
    ) -> Any: ...
    def accumulate(
        self, array: ArrayLike, /, axis: int = 0, dtype: DTypeLike | None = None,
        out: _Output = None
    ) -> Any: ...
    def reduceat(
        self, array: ArrayLike, /, indices: ArrayLike, axis: int = 0,
        dtype: DTypeLike | None = None, out: _Output = None
    ) -> Any: ...
    def outer(self, A: ArrayLike, B: ArrayLike, /, **options: Any) -> Any: ...
    def at(
        self, a: NDArray[Any], indices: Any, b: ArrayLike = ..., /, **parameters: Any
    ) -> None: ...

def set_num_threads(n: int) -> None: ...
def get_num_threads() -> int: ...
def num_threads(n: int) -> AbstractContextManager[None]: ...
def show_config() -> None: ...
def dot(a: ArrayLike, b: ArrayLike, out: NDArray[Any] | None = None) -> Any: ...
'''

# Of the functions that rows describe: the types of options and parameters, by name.
PAIR = "tuple[NDArray[Any] | None, NDArray[Any] | None] | None"
TYPES = {
    "out": "NDArray[Any] | tuple[NDArray[Any], ...] | None",
    "dtype": "DTypeLike | None",
    "approximate": "bool",
    "keepdims": "bool",
}

_SOFTMAX_LABELS = (
    "logits: ArrayLike, labels: ArrayLike, *, axis: int = -1, label_smoothing: float = 0.0, "
    "ignore_index: int | None = None, weight: ArrayLike | None = None, "
    'reduction: Literal["mean", "sum", "none"] = "mean"'
)
LOSSES = f"""\
def softmax_cross_entropy({_SOFTMAX_LABELS}) -> Any: ...
def softmax_cross_entropy_value_and_grad(
    {_SOFTMAX_LABELS}, out: NDArray[Any] | None = None
) -> tuple[Any, NDArray[Any]]: ...
"""

UFUNC_OPTIONS = (
    'casting: Any = "same_kind", order: Any = "K", dtype: DTypeLike | None = None, '
    "subok: bool = True, axes: Any = None"
)


def product(name: str, first: str = "", last: str = "") -> str:
    """Stub of a product that takes what NumPy's own of that name takes."""
    operands = "x1: ArrayLike, x2: ArrayLike, /, out: _Output = None"
    return f"def {name}({operands}, *, {first}{UFUNC_OPTIONS}{last}) -> Any: ..."


# By name, as in `_HOMES` of src/vekt/__init__.py.
LINEAR = {
    "matmul": product(
        "matmul",
        last=', axis: Any = None, deterministic: Literal["batch"] | None = None',
    ),
    "matvec": product("matvec"),
    "vecdot": product("vecdot", first="axis: int = -1, keepdims: bool = False, "),
    "vecmat": product("vecmat"),
    "tensordot": "def tensordot(a: ArrayLike, b: ArrayLike, axes: Any = 2) -> Any: ...",
    "outer": "def outer(a: ArrayLike, b: ArrayLike, out: NDArray[Any] | None = None) -> Any: ...",
    "norm": """\
def norm(
    x: ArrayLike, ord: float | str | None = None, axis: int | tuple[int, ...] | None = None,
    keepdims: bool = False
) -> Any: ...""",
    "cosine_similarity": """\
def cosine_similarity(a: ArrayLike, b: ArrayLike, axis: int = -1) -> Any: ...""",
    "transpose_copy": """\
def transpose_copy(
    a: ArrayLike, axes: Sequence[int] | None = None, out: NDArray[Any] | None = None
) -> NDArray[Any]: ...""",
    "PackedWeights": """\
class PackedWeights:
    def __init__(self, w: ArrayLike) -> None: ...
    @property
    def shape(self) -> tuple[int, int]: ...
    @property
    def dtype(self) -> np.dtype[Any]: ...
    @property
    def nbytes(self) -> int: ...
    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]: ...""",
    "fuse": (
        "def fuse(function: Callable[..., Any] | None = None, *, compile: bool | None = None, "
        "nin: int = 0) -> Any: ..."
    ),
    "evaluate": """\
def evaluate(
    ex: str, local_dict: Mapping[str, Any] | None = None,
    global_dict: Mapping[str, Any] | None = None, out: NDArray[Any] | None = None, *,
    dtype: DTypeLike | None = None
) -> Any: ...""",
    "dense": """\
@overload
def dense(
    x: ArrayLike, w: ArrayLike | PackedWeights, b: ArrayLike | None = None,
    activation: _Activation = None, *, out: NDArray[Any] | None = None,
    return_preactivation: Literal[False] = False,
    deterministic: Literal["batch"] | None = None
) -> Any: ...
@overload
def dense(
    x: ArrayLike, w: ArrayLike | PackedWeights, b: ArrayLike | None = None,
    activation: _Activation = None, *,
    out: NDArray[Any] | tuple[NDArray[Any] | None, NDArray[Any] | None] | None = None,
    return_preactivation: Literal[True],
    deterministic: Literal["batch"] | None = None
) -> tuple[Any, Any]: ...""",
    "dense_backward": """\
def dense_backward(
    dy: ArrayLike, x: ArrayLike, w: ArrayLike, z: ArrayLike | None, activation: _Activation = None,
    *, out: tuple[NDArray[Any] | None, NDArray[Any] | None, NDArray[Any] | None] | None = None,
    need_dx: bool = True
) -> tuple[Any, Any, Any]: ...""",
    "stream": """\
def stream(
    function: Callable[..., Any], *arrays: ArrayLike, out: NDArray[Any] | None = None,
    combine: Callable[[Any, Any], Any] | None = None, chunk_bytes: int = ...,
    progress: Callable[[int, int], object] | None = None
) -> Any: ...""",
}

# Of elementwise functions: the types of their parameters, by name.
ELEMENTWISE = {
    "out": "_Output",
    "where": "ArrayLike",
    "dtype": "DTypeLike | None",
    "casting": "Any",
    "order": "Any",
    "subok": "bool",
    "min": "ArrayLike | None",
    "max": "ArrayLike | None",
}

OUTPUT = "out: NDArray[Any] | None = None"
KEEP, DTYPE = "keepdims: bool = False", "dtype: DTypeLike | None = None"
_FIRST = "initial: complex = ..."
_AXES = "a: ArrayLike, axis: int | tuple[int, ...] | None = None"
_WHERE = "where: ArrayLike = True"
REDUCTIONS = {
    **dict.fromkeys(("sum",), f"{_AXES}, {DTYPE}, {OUTPUT}, {KEEP}, {_FIRST}, {_WHERE}"),
    **dict.fromkeys(("mean",), f"{_AXES}, {DTYPE}, {OUTPUT}, {KEEP}, *, {_WHERE}"),
    **dict.fromkeys(("max", "min"), f"{_AXES}, {OUTPUT}, {KEEP}, {_FIRST}, {_WHERE}"),
    **dict.fromkeys(("any", "all"), f"{_AXES}, {OUTPUT}, {KEEP}, *, {_WHERE}"),
    **dict.fromkeys(
        ("argmax", "argmin"), f"a: ArrayLike, axis: int | None = None, {OUTPUT}, *, {KEEP}"
    ),
    **dict.fromkeys(("broadcast_to", "sum_to_shape"), "x: ArrayLike, shape: int | Sequence[int]"),
}


def load_rows(family: str) -> Any:
    """Import a module of `vekt._spec` without `vekt`, which needs the compiled modules."""
    sys.meta_path.insert(0, importlib.machinery.PathFinder)  # before an editable install of vekt
    if "vekt" not in sys.modules:
        package = types.ModuleType("vekt")
        package.__path__ = [str(SOURCE)]
        sys.modules["vekt"] = package
    return importlib.import_module(f"vekt._spec.{family}")


def typed(form: Any, parameter: Any) -> str:
    """One parameter of a signature."""
    name, default = parameter.name, parameter.default
    kind = TYPES.get(name, "ArrayLike")
    if name == "axis":  # several, of functions of rows, whose options have defaults of their own
        kind = "int | tuple[int, ...] | None" if isinstance(form.options, Mapping) else "int"
    if name == "out" and form.nout == 2:
        kind = PAIR
    if default is parameter.empty:
        return f"{name}: {kind}"
    none = " | None" if default is None and "None" not in kind else ""
    return f"{name}: {kind}{none} = {default}"


def callable_(name: str, arguments: str, result: str = "Any") -> list[str]:
    """Stub of a function that has what a ufunc has."""
    return [
        f"class _{name}(_Function):",
        f"    def __call__(self, {arguments}) -> {result}: ...",
        f"{name}: _{name}",
    ]


def functions(row: Any) -> list[str]:
    """Stubs of the functions of a row: ufuncs, C's functions with parameters, and Python's."""
    lines = []
    for kind in row.kinds:
        form = row.form(kind)
        parameters = list(form.signature.parameters.values())
        parts = [typed(form, p) for p in parameters]
        parts.insert(len(form.operands) + len(form.params), "*")
        if parameters[0].kind is parameters[0].POSITIONAL_ONLY:
            parts.insert(len(form.operands), "/")
        arguments = ", ".join(parts)
        result = "tuple[Any, Any]" if form.nout == 2 else "Any"
        if not form.choices or any(p.kind == "axis" for p in form.params):
            lines.append(f"def {form.name}({arguments}) -> {result}: ...")
        elif form.params:
            lines += callable_(form.name, arguments, result)
        else:
            lines.append(f"{form.name}: np.ufunc")
    return lines


def elementwise(op: Any) -> list[str]:
    """Stub of one elementwise function."""
    parts = []
    for part in op.signature.split(", "):
        name, _, default = part.partition("=")
        kind = ELEMENTWISE.get(name, "ArrayLike")
        none = " | None" if default == "None" and "None" not in kind and name != "out" else ""
        typed = f"{name}: {kind}{none}" if name not in ("*", "/") else name
        parts.append(f"{typed} = {default}" if default else typed)
    return callable_(op.name, ", ".join(parts))


def stub() -> str:
    """Text of the stub."""
    gates, losses = load_rows("gates"), load_rows("losses")
    lines = [HEADER + LOSSES, *LINEAR.values()]
    for row in (*gates.GATE_OPS.values(), gates.PRELU, *losses.LOSSES.values()):
        lines += functions(row)
    for op in load_rows("activations").OPS.values():
        lines += functions(op)
        lines += [f"{alias} = {name}" for alias, name in op.alias_names.items()]
    for row in load_rows("elementwise").OPS.values():
        lines += elementwise(row)
    for row in load_rows("rows").ROW_OPS.values():
        lines += functions(row)
    lines += [f"def {name}({text}) -> Any: ..." for name, text in REDUCTIONS.items()]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(stub(), encoding="utf-8")
