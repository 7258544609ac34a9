"""`vekt.fuse`: a function of arrays, traced at its first call, that runs in one pass."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache, partial
from typing import Any

import numpy as np

from vekt._core import native
from vekt._core.axes import is_dask
from vekt._core.foreign import on_dask
from vekt._core.locks import Lock
from vekt._core.ufunc_methods import undocumented
from vekt._fuse import foreign
from vekt._fuse import functions as functions  # what symbols are passed to
from vekt._fuse.bound import Kind, kinds_of
from vekt._fuse.graph import UnfusableError
from vekt._fuse.lower import Program
from vekt._fuse.numbers import Fixed, UnforeseenError
from vekt._fuse.operands import as_arrays, in_native_order, is_operand, outs_of
from vekt._fuse.plan import Plan, Traced, one_or_all
from vekt._fuse.rules import gradients
from vekt._fuse.segments import MAX_OPERANDS
from vekt._fuse.symbols import Symbol
from vekt._fuse.variant import Variant, is_foreign, prepare, step_by_step

_MOST_VARIANTS, _MOST_BOUND = 64, 256
_VALUE, _BOTH, _BACKWARD, _SEVERAL = range(4)  # what is bound; of several results by a tuple
_WRAPPED = ".__wrapped__"


class Fused:
    """What stands behind a fused function: its variants, gradients and explanations."""

    def __init__(
        self, function: Callable[..., Any], nin: int = 0, compile: bool | None = None
    ) -> None:
        self.function, self.compile = function, compile
        self.lock = Lock()
        code = getattr(function, "__code__", None)
        count = code.co_argcount if code else 1
        self.nin = nin or max(1, count - len(getattr(function, "__defaults__", None) or ()))
        self.names = set(code.co_varnames[: count + code.co_kwonlyargcount]) if code else set()
        name = getattr(function, "__name__", "function")
        quick = self.nin < MAX_OPERANDS  # what the dispatcher, with a result, has operations for
        doc = function.__doc__ or undocumented(function)
        self.dispatcher = native.build_dispatcher(name, self.nin if quick else 1, 0, self, doc)
        base = ((None,) * self.nin, (), None)
        self._base = Variant(self, base, self.dispatcher if quick else None)
        self._other = lru_cache(_MOST_VARIANTS)(partial(Variant, self))
        self._bound = lru_cache(_MOST_BOUND)(self._bind)

    # ---- calls

    def __call__(self, dispatcher: Any, args: tuple[Any, ...], options: dict[str, Any]) -> Any:
        """Run what the dispatcher has no operation for."""
        if not options:
            result = self._call_bound(_VALUE, args)
            if result is not NotImplemented:
                return result
        out = None if "out" in self.names else options.pop("out", None)
        dtype = None if "dtype" in self.names else options.pop("dtype", None)
        if any(isinstance(x, Symbol) for x in (*args, *options.values())):
            if out is not None or dtype is not None:
                raise TypeError(
                    "out and dtype are for calls with arrays, not inside a fused function"
                )
            return self.function(*args, **options)
        variant, operands = self.bind(args, options, dtype)
        plan, operands = prepare(variant, operands)
        if plan is None:
            return step_by_step(variant, operands, out, dtype)
        outs = outs_of(out, plan)
        results = plan(operands, outs)
        return tuple(results) if plan.traced.is_tuple else results[0]

    def bind(
        self, args: tuple[Any, ...], options: dict[str, Any], dtype: Any
    ) -> tuple[Variant, list[Any]]:
        """Tell arrays from values that are the same for all elements and calls."""
        operands: list[Any] = []

        def entry(x: Any, numbers: bool) -> Fixed | None:
            if (numbers and type(x) in (int, float)) or is_operand(x):
                operands.append(x)
                return None
            return Fixed(x)

        positional = tuple(entry(x, True) for x in args)
        named = tuple((name, entry(x, False)) for name, x in sorted(options.items()))
        return self.variant(
            (positional, named, None if dtype is None else np.dtype(dtype))
        ), operands

    def variant(self, key: Any) -> Variant:
        """Return what calls of a kind have in common."""
        try:
            return self._base if key == self._base.key else self._other(key)
        except TypeError:
            raise TypeError(
                f"{self.function.__name__}: arguments are arrays or constants"
            ) from None

    def _bind(
        self, what: int, kinds: tuple[Kind, ...], dys: tuple[Kind, ...] = ()
    ) -> Callable[[Sequence[Any]], Any] | None:
        """Find what calls on such operands do; None for what takes more than kinds to find."""
        if not all(isinstance(kind, tuple) or kind in (int, float) for kind in (*kinds, *dys)):
            return None
        signature = tuple(in_native_order(k[0]) if isinstance(k, tuple) else k for k in kinds)
        plan = self.variant(((None,) * len(kinds), (), None)).plan(signature)
        if plan is None:
            return None
        if what == _VALUE:
            return (plan.numbers and plan.numbered()) or plan.bound(kinds)
        with _no_step_by_step(self.function):
            if what == _BOTH:
                return plan.bound_reverse(kinds)
            fits = plan.traced.is_tuple == (what == _SEVERAL)
            fits = fits and len(dys) == len(plan.traced.outputs)
            return plan.bound_reverse(kinds, dys) if fits else None

    def _call_bound(self, what: int, args: tuple[Any, ...], dys: tuple[Any, ...] = ()) -> Any:
        """Return what a call gives, NotImplemented where that takes more to find."""
        bound = self._bound(what, kinds_of(args), kinds_of(dys))
        if bound is None:
            if any(isinstance(x, np.generic) for x in (*args, *dys)):
                return self._call_bound(what, as_arrays(args), as_arrays(dys))
            return NotImplemented
        try:
            return bound((*args, *dys))
        except UnforeseenError:
            return NotImplemented

    # ---- gradients

    def backward(self, dy: Any, /, *args: Any, **options: Any) -> Any:
        """Return gradients of sum(dy * f(*args)) with respect to operands, in their shapes.

        Parameters
        ----------
        dy : array_like or tuple
            Gradient with respect to the result, which broadcasts to its shape; one for each result
            if there are several.
        *args, **options
            What the function is called with.

        Returns
        -------
        array or tuple
            One gradient for each array or number among the arguments, None for those that are not
            floating point numbers; lazy where there is a Dask array among the arguments.
        """
        if not options:
            several = type(dy) is tuple
            what, dys = (_SEVERAL, dy) if several else (_BACKWARD, (dy,))
            found = self._call_bound(what, args, dys)
            if found is not NotImplemented:
                return found
        if is_dask(dy) or any(is_dask(x) for x in args):
            return _lazy_gradients(self, dy, args, options, False)
        plan, given, operands, value = self._to_derive(args, options)
        dys = dy if plan.traced.is_tuple else (dy,)
        if len(dys) != len(plan.traced.outputs):
            raise ValueError(f"dy: expected {len(plan.traced.outputs)} arrays, got {len(dys)}")
        name = self.function.__name__
        if value is not None:
            for each, y in zip(dys, value if plan.traced.is_tuple else (value,), strict=True):
                foreign.check_gradient(name, each, y)
        dys = foreign.values_of(name, dys)
        with _no_step_by_step(self.function):
            found = plan.backward(dys, operands)
        return one_or_all([foreign.like(x, dx) for x, dx in zip(given, found, strict=True)])

    def value_and_grad(self, *args: Any, **options: Any) -> tuple[Any, Any]:
        """Return the value, and the gradients of its sum, in one pass.

        Parameters
        ----------
        *args, **options
            What the function is called with.

        Returns
        -------
        value : array or tuple
            What the function returns.
        gradients : array or tuple
            As those of `backward`, with ones for dy.
        """
        if not options:
            both = self._call_bound(_BOTH, args)
            if both is not NotImplemented:
                return both  # type: ignore[no-any-return]
        if any(is_dask(x) for x in args):
            value, lazy = _lazy_gradients(self, None, args, options, True)
            return value, lazy
        plan, given, operands, value = self._to_derive(args, options)
        with _no_step_by_step(self.function):
            values, found = plan.value_and_grad(operands)
        if value is None:
            value = tuple(values) if plan.traced.is_tuple else values[0]
        return value, one_or_all([foreign.like(x, dx) for x, dx in zip(given, found, strict=True)])

    def _to_derive(self, args: Any, options: dict[str, Any]) -> tuple[Plan, list[Any], Any, Any]:
        """Return the plan of a call for gradients, its operands as they are given and as arrays.

        Where some are other libraries', the value comes last, else None.
        """
        dtype = None if "dtype" in self.names else options.pop("dtype", None)
        variant, given = self.bind(args, options, dtype)
        if not any(is_foreign(x) for x in given):
            plan, operands = prepare(variant, given, before=True)
            plan = self._known(variant, plan, operands)
            return plan, given, operands, None
        name = self.function.__name__
        plan, operands = prepare(variant, foreign.values_of(name, given), before=True)
        plan = self._known(variant, plan, operands)
        value = step_by_step(variant, given, None, dtype)
        foreign.check_value(name, plan, operands, value)
        return plan, given, operands, value

    def _known(
        self, variant: Variant, plan: Plan | None, operands: Any, what: str = "gradient"
    ) -> Plan:
        """Return the plan, if there is one for these operands."""
        if plan is None:
            step_by_step(variant, operands, None, variant.dtype)  # which may tell what is wrong
            dtypes = ", ".join(str(getattr(x, "dtype", type(x).__name__)) for x in operands)
            raise TypeError(f"{self.function.__name__}: no {what} for operands of {dtypes}")
        return plan

    def layer_programs(self, params: Any, isa: str = native.SELECTED) -> tuple[Any, ...]:
        """Value and gradient as programs, in float32 and in float64, for `vekt.dense`."""
        name = self.function.__name__
        capsules: list[Any] = []
        for dtype in (np.dtype("f4"), np.dtype("f8")):
            try:
                traced = Traced(lambda x: self.function(x, **params), [dtype])
            except TypeError as error:
                raise TypeError(f"activation: {name} of one array: {error}") from None
            y, graph = traced.outputs[0], traced.graph
            if len(traced.outputs) > 1 or y.dtype != dtype or not traced.is_elementwise:
                raise TypeError(
                    f"activation: {name} of {dtype} is to give "
                    "one result of that dtype for each element"
                )
            dy = graph.input(1, dtype)
            (dx,) = gradients(graph, [(y, dy)], traced.inputs)
            dx = dx or graph.constant(0, dtype)
            with _no_step_by_step(self.function):
                for inputs, output in ((traced.inputs, y), ([dy, *traced.inputs], dx)):
                    program = Program(inputs, [output], isa, compile=self.compile is True)
                    capsules.append(program.capsule)
        return tuple(capsules)

    # ---- pickling

    def reduced(self, made: Any) -> Any:
        """Tell pickle what stands for the callable: its name, or the function that it is made of.

        That is pickled as functions are, by cloudpickle by value too.  In a script or a notebook,
        where a decorator has put the callable in its place, pickle finds it by way of that.
        """
        name = made.__qualname__
        module = getattr(made, "__module__", None)
        if _found(module, name) is made:
            if module != "__main__":
                return name
            self.function.__qualname__ = f"{name}{_WRAPPED}"
        return again, (self.function, self.compile, self.nin)

    # ---- explanations

    def plan_for(self, *args: Any, **options: Any) -> Plan:
        """Return the plan of a call; without arguments, that for arrays of float64."""
        if not args and not options:
            args = (np.empty(0),) * self.nin
        dtype = None if "dtype" in self.names else options.pop("dtype", None)
        variant, operands = self.bind(args, options, dtype)
        return self._known(variant, *prepare(variant, operands), "program")

    def graph(self, *args: Any, **options: Any) -> Any:
        """Return a picture of the graph for such arguments, by default arrays of float64.

        Its str is a text; notebooks show it, and `render` writes it, by way of graphviz.
        """
        from vekt._fuse.explain import Picture

        return Picture(self.function.__name__, self.plan_for(*args, **options))

    def explain(self, *args: Any, **options: Any) -> str:
        """Tell the instructions, passes and bytes for such arguments, by default of float64."""
        from vekt._fuse.explain import explanation

        return explanation(self.function.__name__, self.plan_for(*args, **options))


@contextmanager
def _no_step_by_step(function: Callable[..., Any]) -> Iterator[None]:
    """Word the error where there is no program, and NumPy cannot stand in for it."""
    try:
        yield
    except UnfusableError as error:
        raise TypeError(f"{function.__name__}: no gradient in one pass: {error}") from None
    except UnforeseenError:
        raise OverflowError(f"{function.__name__}: a number too large for a gradient") from None


def _found(module: str | None, name: str) -> Any:
    """Return what has this name in a module, None where nothing has."""
    found: Any = sys.modules.get(module) if module else None
    for part in name.split("."):
        found = getattr(found, part, None)
    return found


def again(function: Any, compile: bool | None, nin: int) -> Any:
    """Return the callable that a function has already been made into, or another one."""
    name = getattr(function, "__qualname__", "").removesuffix(_WRAPPED)
    made = _found(getattr(function, "__module__", None), name)
    if getattr(made, "__wrapped__", None) is function:
        return made
    return fuse(function, compile=compile, nin=nin)


def _lazy_gradients(*of_call: Any) -> Any:
    return on_dask("fused_gradients")(*of_call)


def fuse(function: Any = None, *, compile: bool | None = None, nin: int = 0) -> Any:
    """Make one pass over memory of a function of arrays.

    The function is called once for each combination of dtypes, with symbols in place of arrays, to
    learn which of NumPy's and vekt's functions it applies; from then on these run block by block in
    the first-level cache, on any shapes that broadcast, without temporary arrays.  Results are
    those of NumPy step by step, dtypes included; whole powers from 3 to 8 are products.

    Parameters
    ----------
    function : callable, optional
        Of arrays, and of Python's numbers: positional ones may change from call to call, those
        given by keyword and defaults are constants.  It returns an array or a tuple of them.
    compile : bool, optional
        Whether arithmetic becomes machine code, which wants the package llvmlite: at the first call
        (True), never (False), or, by default, when calls have done so much that it pays.  Results
        have the same bits.
    nin : int, optional
        How many arrays it mostly takes, where its signature does not tell: such calls are quicker.

    Returns
    -------
    callable
        Without a function, a decorator.  Otherwise it takes ``out=`` and ``dtype=`` (what arrays
        are converted to first) beside the function's own parameters.  ``backward(dy, *args)`` and
        ``value_and_grad(*args)`` give gradients, ``graph()`` and ``explain()`` tell what it does.

    Raises
    ------
    TypeError
        At the first call, if the function does what depends on the values of an array.
    ImportError
        At the first call, if `compile` is True and there is no llvmlite.

    Examples
    --------
    >>> import vekt as vk
    >>> @vk.fuse
    ... def cost(a, b, c):
    ...     return 3 * (a + b * c)
    >>> cost(5.0, 3.0, 2.0)
    np.float64(33.0)
    >>> cost.backward(1.0, 5.0, 3.0, 2.0)
    (np.float64(3.0), np.float64(6.0), np.float64(9.0))
    """
    if function is None:
        return partial(fuse, compile=compile, nin=nin)
    if compile not in (True, False, None):
        raise TypeError(f"compile: expected True, False or None, got {compile!r}")
    fused = Fused(function, nin, compile)
    made = fused.dispatcher
    for name in ("__module__", "__qualname__", "__annotations__"):
        if hasattr(function, name):
            setattr(made, name, getattr(function, name))
    made.__qualname__ = made.__qualname__.removesuffix(_WRAPPED)
    made.__wrapped__ = function
    made.backward, made.value_and_grad = fused.backward, fused.value_and_grad
    made.graph, made.explain = fused.graph, fused.explain
    return made
