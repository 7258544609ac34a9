"""Write the type stub of `vekt` from the registry: `python tools/stubs.py OUTPUT`.

Runs from the source tree, before anything is compiled.
"""

from __future__ import annotations

import importlib.machinery
import sys
import types
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

def set_num_threads(n: int) -> None: ...
def get_num_threads() -> int: ...
def num_threads(n: int) -> AbstractContextManager[None]: ...
def show_config() -> None: ...
def dot(a: ArrayLike, b: ArrayLike, out: NDArray[Any] | None = None) -> Any: ...
'''

INPUTS = {
    "": "x: ArrayLike",
    "_backward": "dy: ArrayLike, x: ArrayLike",
    "_value_and_grad": "x: ArrayLike",
    "_backward_from_output": "dy: ArrayLike, y: ArrayLike",
}
OUT = "out: NDArray[Any] | tuple[NDArray[Any], ...] | None = None"
PAIR = "*, out: tuple[NDArray[Any] | None, NDArray[Any] | None] | None = None"
OPTIONS = {
    "": f"*, {OUT}, where: ArrayLike = True, dtype: DTypeLike | None = None",
    "_backward": f"*, {OUT}",
    "_value_and_grad": "",
    "_backward_from_output": f"*, {OUT}",
}
GATES = f"""\
swiglu: np.ufunc
swiglu_backward: np.ufunc
reglu: np.ufunc
reglu_backward: np.ufunc
def geglu(
    a: ArrayLike, b: ArrayLike, approximate: bool = False, {OPTIONS[""]}
) -> Any: ...
def geglu_backward(
    dy: ArrayLike, a: ArrayLike, b: ArrayLike, approximate: bool = False, {PAIR}
) -> tuple[Any, Any]: ...
def glu(x: ArrayLike, axis: int = -1, {OPTIONS["_backward"]}) -> Any: ...
def glu_backward(
    dy: ArrayLike, x: ArrayLike, axis: int = -1, {OPTIONS["_backward"]}
) -> Any: ...
def prelu(x: ArrayLike, alpha: ArrayLike, axis: int | None = None, {OPTIONS[""]}) -> Any: ...
def prelu_backward(
    dy: ArrayLike, x: ArrayLike, alpha: ArrayLike, axis: int | None = None, {PAIR}
) -> tuple[Any, Any]: ...
"""

_SOFTMAX_LABELS = (
    "logits: ArrayLike, labels: ArrayLike, *, axis: int = -1, label_smoothing: float = 0.0, "
    "ignore_index: int | None = None, weight: ArrayLike | None = None, "
    'reduction: Literal["mean", "sum", "none"] = "mean"'
)
LOSSES = f"""\
def huber(y: ArrayLike, t: ArrayLike, delta: ArrayLike = 1.0, {OPTIONS[""]}) -> Any: ...
def huber_backward(
    dl: ArrayLike, y: ArrayLike, t: ArrayLike, delta: ArrayLike = 1.0, {OPTIONS["_backward"]}
) -> Any: ...
def huber_value_and_grad(
    y: ArrayLike, t: ArrayLike, delta: ArrayLike = 1.0
) -> tuple[Any, Any]: ...
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

MASK, OUTPUT = "where: ArrayLike | None = None", "out: NDArray[Any] | None = None"
AXIS = "axis: int | tuple[int, ...] | None = -1"
KEEP, DTYPE = "keepdims: bool = False", "dtype: DTypeLike | None = None"
ROWS = {
    ("", False): f"x: ArrayLike, {AXIS}, *, {MASK}, {OUTPUT}, {DTYPE}",
    ("", True): f"x: ArrayLike, {AXIS}, {KEEP}, *, {MASK}, {OUTPUT}, {DTYPE}",
    ("_backward", False): f"dy: ArrayLike, y: ArrayLike, {AXIS}, *, {OUTPUT}",
    ("_backward", True): f"dy: ArrayLike, x: ArrayLike, {AXIS}, {KEEP}, *, {MASK}, {OUTPUT}",
}

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


def parameter(param: Any) -> str:
    """One parameter of a signature."""
    kind = "bool" if param.kind == "flag" else "ArrayLike"
    none = " | None" if param.default is None else ""
    return f"{param.name}: {kind}{none} = {param.default}"


def function(op: Any, name: str) -> str:
    """Stub of one public function of an operation."""
    kind = name.removeprefix(op.name)
    params = [parameter(p) for p in op.params_of(kind)]
    arguments = ", ".join(filter(None, [INPUTS[kind], *params, OPTIONS[kind]]))
    result = "tuple[Any, Any]" if kind == "_value_and_grad" else "Any"
    return f"def {name}({arguments}) -> {result}: ..."


def elementwise(op: Any) -> str:
    """Stub of one elementwise function."""
    parts = []
    for part in op.signature.split(", "):
        name, _, default = part.partition("=")
        kind = ELEMENTWISE.get(name, "ArrayLike")
        none = " | None" if default == "None" and "None" not in kind and name != "out" else ""
        typed = f"{name}: {kind}{none}" if name not in ("*", "/") else name
        parts.append(f"{typed} = {default}" if default else typed)
    return f"def {op.name}({', '.join(parts)}) -> Any: ..."


def stub() -> str:
    """Text of the stub."""
    lines = [HEADER + GATES + LOSSES, *LINEAR.values()]
    for loss in load_rows("losses").LOSSES.values():
        lines += [f"{name}: np.ufunc" for name in loss.public_names if not loss.param]
    for op in load_rows("activations").OPS.values():
        for name in op.public_names:
            lines.append(function(op, name) if op.params else f"{name}: np.ufunc")
        lines += [f"{alias} = {name}" for alias, name in op.alias_names.items()]
    lines += [elementwise(op) for op in load_rows("elementwise").OPS.values()]
    for row_op in load_rows("rows").ROW_OPS.values():
        for name in row_op.public_names:
            arguments = ROWS[name.removeprefix(row_op.name), row_op.reduces]
            lines.append(f"def {name}({arguments}) -> Any: ...")
    lines += [f"def {name}({text}) -> Any: ..." for name, text in REDUCTIONS.items()]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(stub(), encoding="utf-8")
