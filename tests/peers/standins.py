"""Which of a peer's functions vekt has, and modules of the peer in which vekt's take their place.

The peer itself stays as it is: only what a test file imports or looks up is replaced, under any of
its names (`np.absolute`, `np.abs`, `numpy._core.umath.absolute` are one object).
"""

from __future__ import annotations

import builtins
from collections.abc import Callable, Iterator
from functools import cache, wraps
from importlib import import_module
from types import ModuleType
from typing import Any

import numpy as np

import vekt as vk
from vekt._spec.families import ALL

# Where a function of the same name means the same.
MODULES = ("numpy", "numpy.linalg", "scipy.special", "numexpr")
PEERS = frozenset(path.partition(".")[0] for path in MODULES)
PLAIN = ("numpy.testing", "numpy.random")  # what compares and draws stays the peer's

# vekt's names for what the peer calls otherwise.
OTHER_NAMES = {
    "scipy.special.expit": "sigmoid",
    "scipy.special.log_expit": "log_sigmoid",
}
OTHER_MEANINGS = {
    "numpy.show_config": "of another library",
    "numpy.linalg.outer": "takes vectors alone; vekt.outer is numpy.outer",
    "scipy.special.huber": "huber(delta, r) is no mean of errors",
}


def _along_all(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function whose axis is all axes unless told, as SciPy's is; vekt's is the last."""

    @wraps(function)
    def along_all(x: Any, axis: Any = None, **options: Any) -> Any:
        return function(x, axis=axis, **options)

    return along_all


# What the peer calls in another way.
CALLED_OTHERWISE = {
    **{
        f"scipy.special.{name}": _along_all(getattr(vk, name))
        for name in ("softmax", "log_softmax", "logsumexp")
    },
}


class _Ufuncs(type):
    def __instancecheck__(cls, value: object) -> bool:
        return isinstance(value, (np.ufunc, type(vk.add)))

    def __getattr__(cls, name: str) -> Any:
        return getattr(np.ufunc, name)


class Ufunc(metaclass=_Ufuncs):
    """In the place of `np.ufunc`: files that gather ufuncs find vekt's, too."""


def shared() -> Iterator[tuple[str, str]]:
    """Yield the names of the peers' functions that vekt has, and vekt's names."""
    names = {name for spec in ALL for name in (*spec.public_names, *spec.alias_names)}
    names |= {name for name in vk.__all__ if callable(getattr(vk, name))}
    for module in MODULES:
        for name in sorted(names):
            if f"{module}.{name}" not in OTHER_MEANINGS:
                yield f"{module}.{name}", name
    yield from OTHER_NAMES.items()


@cache
def replacements(peer: str) -> dict[int, tuple[Any, Any]]:
    """Return the functions of a peer that vekt has by their `id`, and vekt's beside each."""
    found: dict[int, tuple[Any, Any]] = {}
    for path, ours in shared():
        module, _, name = path.rpartition(".")
        if module.partition(".")[0] == peer:
            theirs = getattr(import_module(module), name, None)
            if callable(theirs):
                found[id(theirs)] = theirs, CALLED_OTHERWISE.get(path, getattr(vk, ours))
    return found


class StandIn(ModuleType):
    """A module of a peer with vekt's functions where vekt has them; `used` counts look-ups."""

    used = 0

    def fill(self, module: ModuleType) -> None:
        """Take over what the module has."""
        self.__dict__.update({name: self._ours(value) for name, value in vars(module).items()})
        self.__dict__["_module"] = module
        for name in ("__getattr__", "__dir__"):
            self.__dict__.pop(name, None)

    def _ours(self, value: Any) -> Any:
        if isinstance(value, ModuleType):
            return stand_in(value)
        if value is np.ufunc:
            return Ufunc
        return replacements(self.__name__.partition(".")[0]).get(id(value), (value, value))[1]

    def __getattribute__(self, name: str) -> Any:
        value = super().__getattribute__(name)
        if id(value) in ours():
            StandIn.used += 1
        return value

    def __getattr__(self, name: str) -> Any:
        return self._ours(getattr(self._module, name))  # imported late, or made at each look-up

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self._module, name, value)
        super().__setattr__(name, value)

    def __delattr__(self, name: str) -> None:
        delattr(self._module, name)
        super().__delattr__(name)

    def __dir__(self) -> list[str]:
        return dir(self._module)


@cache
def ours() -> frozenset[int]:
    """Return the `id` of each function of vekt's that stands in the place of another."""
    return frozenset(id(mine) for peer in PEERS for _, mine in replacements(peer).values())


_made: dict[str, StandIn] = {}


def stand_in(module: ModuleType) -> ModuleType:
    """Return a peer's module with vekt's functions, and any other module as it is."""
    name = module.__name__
    if name.partition(".")[0] not in PEERS or name.startswith(PLAIN) or ".tests" in name:
        return module
    if name not in _made:
        _made[name] = StandIn(name)  # modules name each other
        _made[name].fill(module)
    return _made[name]


def builtins_of_tests() -> dict[str, Any]:
    """Return builtins whose `import` gives stand-ins."""

    def imported(name: str, *args: Any, **kwargs: Any) -> Any:
        return stand_in(builtins.__import__(name, *args, **kwargs))

    return {**vars(builtins), "__import__": imported}
