"""Compiled segments of fused functions: their bits, what they are made of, when they come."""

import gc
import pickle
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from fused import trees
from hypothesis import given, settings
from hypothesis import strategies as st

import vekt as vk
from vekt._core import native
from vekt._fuse import compile, passes
from vekt._fuse.emit import MACHINES, is_plain
from vekt._fuse.graph import Graph
from vekt._fuse.loops import loop
from vekt._fuse.lower import Program
from vekt._fuse.passes import Tier
from vekt._fuse.plan import Plan, Traced
from vekt._fuse.segments import MAX_NODES, Segment, segmented

pytest.importorskip("llvmlite")


def assert_same(got, want):
    """Expect the same dtype and bits; NaN are all the same."""
    got, want = np.asarray(got), np.asarray(want)
    assert got.dtype == want.dtype
    np.testing.assert_array_equal(got, want)
    if got.dtype.kind == "f":
        number = ~np.isnan(want)
        np.testing.assert_array_equal(np.signbit(got)[number], np.signbit(want)[number])


def special(dtype, n, seed):
    """Numbers of a dtype, the extreme ones among them."""
    rng = np.random.default_rng(seed)
    if dtype == "?":
        return rng.integers(0, 2, n).astype(dtype)
    if np.dtype(dtype).kind in "iu":
        info = np.iinfo(dtype)
        x = rng.integers(info.min, info.max, n, dtype, endpoint=True)
        x[rng.integers(0, n, n // 4)] = rng.choice(np.array([info.min, 0, 1, info.max], dtype))
        return x
    info = np.finfo(dtype)
    x = (rng.standard_normal(n) * 10.0 ** rng.integers(-3, 4, n)).astype(dtype)
    edges = [0, -0.0, np.inf, -np.inf, np.nan, info.tiny, -info.smallest_subnormal, info.max, 1, -1]
    x[rng.integers(0, n, n // 3)] = rng.choice(np.array(edges, dtype), n // 3)
    return x


# ---- bits

UNARY = {
    "negative": lambda x: -x,
    "absolute": abs,
    "square": np.square,
    "sqrt": np.sqrt,
    "reciprocal": np.reciprocal,
    "invert": np.invert,
    "not": np.logical_not,
    "sign": np.sign,
    "floor": np.floor,
    "ceil": np.ceil,
    "trunc": np.trunc,
    "rint": np.rint,
    "isnan": np.isnan,
    "isinf": np.isinf,
    "isfinite": np.isfinite,
    "exp": np.exp,
    "relu": vk.relu,
    "leaky_relu": vk.leaky_relu,
    **{f"as {d}": lambda x, d=d: x.astype(d) for d in ("f2", "f4", "f8", "i2", "u1", "i8", "?")},
}
BINARY = {
    "add": np.add,
    "subtract": np.subtract,
    "multiply": np.multiply,
    "divide": np.divide,
    "maximum": np.maximum,
    "minimum": np.minimum,
    "less": np.less,
    "less_equal": np.less_equal,
    "greater": np.greater,
    "greater_equal": np.greater_equal,
    "equal": np.equal,
    "not_equal": np.not_equal,
    "and": np.bitwise_and,
    "or": np.bitwise_or,
    "xor": np.bitwise_xor,
    "logical_and": np.logical_and,
    "logical_or": np.logical_or,
    "logical_xor": np.logical_xor,
    "copysign": np.copysign,
    "clip": lambda x, y: np.clip(x, y, 3) if hasattr(x, "dtype") else y,
    "where": lambda x, y: np.where(x > y, x, y),
    "arctan2": np.arctan2,
}
LEAVES = st.sampled_from(["x", "y", "x", "y", 2, 0.5, True, np.float32(-1.5), np.int16(7)])
TREES = trees(LEAVES, UNARY, BINARY, 8)
DTYPES = st.sampled_from(
    ["f4", "f8", "f4", "f8", "?", "i1", "u1", "i2", "u2", "i4", "u4", "i8", "f2"]
)


def evaluated(tree, names):
    """Value of a tree of names of functions."""
    if not isinstance(tree, tuple):
        return names.get(tree, tree) if isinstance(tree, str) else tree
    name, *operands = tree
    values = [evaluated(x, names) for x in operands]
    if not any(hasattr(x, "dtype") for x in values):
        return values[0]
    if len(values) == 1 and name.startswith("as ") and values[0].dtype.kind == "f":
        name = "as f8" if name[3] in "iu" else name  # what NumPy leaves undefined
    return (UNARY if len(values) == 1 else BINARY)[name](*values)


@settings(max_examples=200, deadline=None)
@given(TREES, DTYPES, DTYPES, st.sampled_from([1, 7, 64, 333]), st.booleans())
def test_bits_are_those_of_kernels_and_of_numpy(tree, first, second, n, one):
    x, y = special(first, n, 1), special(second, n, 2)
    y = y[:1] if one else y

    def function(x, y):
        return evaluated(tree, {"x": x, "y": y})

    with np.errstate(all="ignore"):
        try:
            want = function(x, y)
        except (TypeError, ValueError, OverflowError):
            return
    by_kernels = vk.fuse(function, compile=False)(x, y)
    compiled_now = vk.fuse(function, compile=True)(x, y)
    assert_same(compiled_now, by_kernels)
    assert_same(compiled_now, want)


def several(x, y):
    """Mix dtypes, branches and a function that is not compiled."""
    z = np.where(x > y, x * y - 3, y / 7) + np.exp(x)
    return np.maximum(z, x) * 0.1, (z < 0) & (x != y), abs(y).astype("f8") - z


def run_program(function, x, y, isa, compile):
    """Results on an instruction set."""
    traced = Traced(function, [x.dtype, y.dtype])
    program = Program(traced.inputs, traced.outputs, isa, compile=compile)
    assert any(i.name == "compiled" for i in program.instructions) == compile
    outs = tuple(np.empty(x.shape, node.dtype) for node in traced.outputs)
    native.build_dispatcher("run", 1, 0, None, "", isa=isa).run(program.capsule, (x, y), outs)
    return outs


@pytest.mark.parametrize("isa", native.SUPPORTED)
@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_every_instruction_set_and_length(isa, dtype):
    def plain(x, y):
        a, b, _ = several(x, y) if isa == "x86_v4" else (x * y + 1, x > y, x)
        return a, b, vk.relu(x) - y

    for n in (1, 63, 64, 65, 1000):
        x, y = special(dtype, n, 3), special(dtype, n, 4)
        for got, want in zip(
            run_program(plain, x, y, isa, True), run_program(plain, x, y, isa, False), strict=True
        ):
            assert_same(got, want)


def test_fused_multiply_add_has_one_rounding():
    x, y = special("f8", 500, 5), special("f8", 500, 6)
    f = vk.fuse(lambda x, y: vk.multiply_add(x, y, -1.0) * 2, compile=True)
    with np.errstate(all="ignore"):
        assert_same(f(x, y), vk.multiply_add(x, y, -1.0) * 2)
    assert "multiply_add" in f.explain(x, y)


@pytest.mark.parametrize("shift", [0, 1, -1])
def test_layouts_and_overlap(shift):
    f = vk.fuse(lambda x, y: (x - y) * x + 1, compile=True)
    memory = np.arange(3000.0)
    x, y = memory[1:-1], np.flip(memory)[1:-1]
    out = memory[1 + shift : memory.size - 1 + shift]
    want = (x - y) * x + 1
    f(x, y, out=out)
    assert_same(out, want)
    x, y = special("f4", 30 * 41, 1).reshape(30, 41), special("f4", 41, 2)
    for a, b in ((x, y), (x.T[:, ::-1], y[:30]), (x[:, :1], y), (x[::2, ::3], np.float32(3))):
        with np.errstate(all="ignore"):
            assert_same(f(a, b), (a - b) * a + 1)
    picture = np.arange(2400, dtype="u1").reshape(40, 20, 3)
    mean = np.float32([0.25, 0.5, 0.75])
    normalise = vk.fuse(lambda x, mean: (x / 255 - mean) / mean, compile=True)
    assert_same(normalise(picture, mean, dtype="f4"), (picture.astype("f4") / 255 - mean) / mean)


def test_gradients_and_sums():
    x, w = (np.random.default_rng(k).standard_normal((40, 50)) for k in range(2))
    results = []
    for compile_ in (False, True):
        f = vk.fuse(lambda x, w: np.sum(np.tanh(x * w + 1) * w / 3, axis=0), compile=compile_)
        results.append([f(x, w), *f.backward(np.ones(50), x, w), *f.value_and_grad(x, w)[1]])
    for got, want in zip(*results, strict=True):
        assert_same(got, want)


# ---- segments


def names_of(function, isa=native.SUPPORTED[0], nin=2):
    """Names in each step, of float64."""
    traced = Traced(function, [np.dtype("f8")] * nin)
    program = Program(traced.inputs, traced.outputs, isa)
    steps = segmented(program.order, traced.inputs, traced.outputs, isa)
    return [
        [node.name for node in (x.nodes if isinstance(x, Segment) else x)] for x in steps
    ], steps


def test_segments_are_convex():
    names, _ = names_of(lambda x, y: (x + y) * np.exp((x + y) * 2) - x)
    assert names == [["add", "multiply"], ["exp"], ["multiply", "subtract"]]
    names, steps = names_of(lambda x, y: np.where(x > y, x, np.exp(y)))
    assert names == [["exp"], ["greater", "where"]]  # the comparison beside what wants it
    assert len(steps[1].inputs) == 3
    names, _ = names_of(lambda x, y: np.exp(x))
    assert names == [["exp"]]


def test_segments_are_bounded():
    def long(x, y):
        for k in range(MAX_NODES):
            x = x * y + k % 3
        return x

    _, steps = names_of(long)
    assert [len(x) for x in steps] == [MAX_NODES, MAX_NODES]
    x, y = np.linspace(-1, 1, 200), np.linspace(0, 1, 200)
    assert_same(vk.fuse(long, compile=True)(x, y), long(x, y))

    def wide(*x):
        return sum(np.exp(v) * 2 for v in x) + sum(x[k] * x[k - 1] for k in range(len(x)))

    x = [np.linspace(0, k, 100) for k in range(20)]
    f = vk.fuse(wide, compile=True, nin=20)
    assert_same(f(*x), wide(*x))


def test_every_rule_is_of_an_operation_of_one_result():
    graph = Graph()
    x = graph.input(0, np.dtype("f8"))
    assert is_plain(graph.one(np.sqrt, x), "x86_v3")
    assert not is_plain(graph.one(np.sin, x), "x86_v3")
    assert not is_plain(
        graph.cast(x, np.dtype("i4")), "x86_v3"
    )  # what is out of bounds is not defined
    assert not is_plain(graph.call(np.divmod, x, x)[0], "x86_v3")
    assert is_plain(graph.kernel("multiply_add", x, x, x), "x86_v3")
    assert not is_plain(graph.kernel("multiply_add", x, x, x), "x86_v2")  # no such instruction


@pytest.mark.parametrize("isa", MACHINES)
def test_each_machine_has_a_loop(isa):
    x = Graph().input(0, np.dtype("f4"))
    text = loop(Segment([], [x], [x]), isa)
    assert "define void @loop" in text


# ---- tiers


def test_kernels_first_and_compiled_when_it_pays(monkeypatch):
    monkeypatch.setattr(passes, "PAYS", 5000)
    f = vk.fuse(lambda x, y: 2 * x + 3 * y)
    x, y = np.random.default_rng(0).standard_normal((2, 1000))
    assert "3 operations are compiled after 1666 elements" in f.explain(x, y)
    first = f(x, y)
    assert "compiled(" not in f.explain(x, y)
    second = f(x, y)
    assert "y0 = compiled(x0, x1)  # " in f.explain(x, y)
    assert_same(second, first)
    assert_same(f(x, y), first)
    never = vk.fuse(lambda x, y: 2 * x + 3 * y, compile=False)
    for _ in range(5):
        never(x, y)
    assert "compiled" not in never.explain(x, y)
    total = vk.fuse(lambda x, y: np.sum(x * y + 1))
    sums = {float(total(x, y)) for _ in range(4)}
    assert len(sums) == 1
    assert "compiled(" in total.explain(x, y)
    assert "compiled" not in vk.fuse(np.exp).explain(x)  # nothing to put together
    vk.evaluate("x*x + y*3 - 1.5")
    assert_same(vk.evaluate("x*x + y*3 - 1.5"), x * x + y * 3 - 1.5)


def test_many_threads_at_the_step_between_tiers(monkeypatch):
    monkeypatch.setattr(passes, "PAYS", 20_000)
    f = vk.fuse(lambda x, y: (x - y) * (x + y))
    x, y = np.random.default_rng(0).standard_normal((2, 1000))
    with ThreadPoolExecutor(8) as pool:
        for got in pool.map(lambda _: f(x, y), range(64)):
            assert_same(got, (x - y) * (x + y))
    assert "compiled(" in f.explain(x, y)


def test_without_llvmlite(monkeypatch):
    def missing():
        raise ImportError("compiled expressions want llvmlite: pip install 'vekt[fuse]'")

    monkeypatch.setattr(compile, "_llvm", missing)
    monkeypatch.setattr(passes, "PAYS", 10)
    x = np.linspace(0, 1, 100)
    f = vk.fuse(lambda x: x * 2 + 1)
    for _ in range(3):
        assert_same(f(x), x * 2 + 1)
    with pytest.raises(ImportError, match=r"vekt\[fuse\]"):
        vk.fuse(lambda x: x * 2 + 1, compile=True)(x)
    with pytest.raises(TypeError, match="compile: expected True, False or None, got 'yes'"):
        vk.fuse(lambda x: x, compile="yes")


def test_old_llvmlite_is_told(monkeypatch):
    import llvmlite.binding

    monkeypatch.setattr(llvmlite.binding, "llvm_version_info", (15, 0, 7))
    with pytest.raises(ImportError, match=r"of LLVM 20, not 15\.0\.7"):
        vk.fuse(lambda x: x * 3 + 1, compile=True)(np.ones(3))


def test_decorator_pickle_and_layers():
    @vk.fuse(compile=True)
    def bent(x):
        return np.where(x > 0, x, x * 0.125) + 1

    assert bent.__name__ == "bent"
    x, w = np.random.default_rng(0).standard_normal((2, 9, 9))
    assert_same(vk.dense(x, w, activation=bent), bent(vk.dense(x, w)))
    again = pickle.loads(pickle.dumps(at_top))
    assert again is at_top


@vk.fuse(compile=True)
def at_top(x):
    """Be found by its name."""
    return x * 2 + 1


def test_code_is_released_with_its_programs():
    f = vk.fuse(lambda x: x * 2.5 + 1.25, compile=True)
    f(np.ones(3))
    gc.collect()
    before = len(compile._loaded)
    del f
    gc.collect()
    assert len(compile._loaded) < before


def test_plan_takes_a_tier():
    traced = Traced(lambda x: x * 2 + 1, [np.dtype("f4")])
    plan = Plan(traced, Tier(True, native.SUPPORTED[-1]))
    (result,) = plan([np.ones(3, "f4")], ())
    assert_same(result, np.full(3, 3, "f4"))
