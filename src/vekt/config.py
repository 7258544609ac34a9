"""What runs, and why."""

from __future__ import annotations

import platform
import sys
from importlib.metadata import version
from typing import Any

import numpy as np

from vekt._core import cpu_count, environment, native
from vekt.threading import get_num_threads

__all__ = ["get_config", "show_config"]


def get_config() -> dict[str, Any]:
    """Return the configuration in use.

    Returns
    -------
    dict
        ``version``; ``isa``, the instruction set whose kernels run, ``isa_reason`` and
        ``isa_cap``, the value of ``VEKT_ISA`` or None; ``machine``, ``caches`` and ``thresholds``,
        what is known of the processor, or of the one that ``VEKT_MACHINE`` pretends; ``targets``,
        whether this CPU supports each compiled instruction set, best first; ``num_threads``;
        ``cores``, those that affinity and cgroup allow; ``versions`` of Python,
        NumPy and cffi; ``platform``.  Values are plain data that ``json`` can write.
    """
    cap = environment.value(environment.ISA) or None
    return {
        "version": version("vekt"),
        "isa": native.SELECTED,
        "isa_reason": _reason(cap),
        "isa_cap": cap,
        **native.machine(),
        "targets": {name: name in native.SUPPORTED for name in native.TARGETS},
        "num_threads": get_num_threads(),
        "cores": cpu_count.available_cores(),
        "versions": {
            "python": platform.python_version(),
            "numpy": np.__version__,
            "cffi": version("cffi"),
        },
        "platform": f"{sys.platform}-{platform.machine()}",
    }


def _reason(cap: str | None) -> str:
    if cap is None or native.SELECTED == native.SUPPORTED[0] != cap:
        return "the best that this CPU supports"
    return f"the best that this CPU supports up to {environment.ISA}={cap}"


def _machine(config: dict[str, Any]) -> str:
    sizes = (f"{level} {cache['size'] >> 10} KB" for level, cache in config["caches"].items())
    text = ", ".join((config["machine"]["name"], *sizes))
    return f"{text} (pretended)" if config["machine"]["pretended"] else text


def show_config() -> None:
    """Print the configuration in use: instruction sets, threads and versions.

    See Also
    --------
    vekt.config.get_config : the same as a dictionary.
    """
    config = get_config()
    targets = ", ".join(
        f"{name} ({'supported' if supported else 'not supported'})"
        for name, supported in config["targets"].items()
    )
    versions = ", ".join(f"{name} {number}" for name, number in config["versions"].items())
    print(f"vekt {config['version']} on {config['platform']}")
    print(f"instruction set: {config['isa']}, {config['isa_reason']}")
    print(f"machine:         {_machine(config)}")
    print(f"compiled for:    {targets}")
    print(f"threads:         {config['num_threads']} of {config['cores']} cores")
    print(f"versions:        {versions}")
