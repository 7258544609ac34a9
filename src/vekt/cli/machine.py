"""What the measurements ran on: processor, caches, load, and libraries with their BLAS."""

from __future__ import annotations

import os
import platform
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

_CPU = Path("/sys/devices/system/cpu/cpu0/cache")
_DISTRIBUTIONS = ("numpy", "scipy", "numexpr", "torch", "jax", "autograd", "numba", "scikit-learn")


def conditions() -> dict[str, Any]:
    """Return the processor, its caches, and the libraries that are loaded, as plain data."""
    from threadpoolctl import threadpool_info

    found = {}
    for name in _DISTRIBUTIONS:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    keys = ("user_api", "internal_api", "version", "architecture", "num_threads")
    pools = [
        {key: pool.get(key) for key in keys} | {"library": Path(pool["filepath"]).name}
        for pool in threadpool_info()
    ]
    if (torch := sys.modules.get("torch")) is not None:  # whose own library is not seen as one
        pools += [{"user_api": "blas", "internal_api": "mkl", "library": torch.__name__}] * bool(
            torch.backends.mkl.is_available()
        )
    return {"cpu": processor(), "caches": caches(), "versions": found, "pools": pools}


def processor() -> str:
    """Return the name of the processor."""
    try:
        for line in Path("/proc/cpuinfo").read_text("utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def caches() -> dict[str, str]:
    """Return the sizes of the first processor's data caches, where the system tells them."""
    found = {}
    for index in sorted(_CPU.glob("index*")):
        try:
            level, kind, size = (
                (index / name).read_text("utf-8").strip() for name in ("level", "type", "size")
            )
        except OSError:
            continue
        if kind != "Instruction":
            found[f"L{level}"] = size
    return found


def load() -> float | None:
    """Return the average number of running processes in the last minute, if it is known."""
    try:
        return os.getloadavg()[0]
    except (AttributeError, OSError):
        return None


def busy(average: float | None, processors: int) -> bool:
    """Tell whether a load is more than these processors can bear beside each other."""
    return average is not None and average > processors + 0.5


def described(found: dict[str, Any]) -> list[str]:
    """Return the conditions as lines of text."""
    sizes = ", ".join(f"{name} {size}" for name, size in found["caches"].items())
    versions = ", ".join(f"{name} {number}" for name, number in found["versions"].items())
    pools = [
        " ".join(
            str(pool[key]) for key in ("internal_api", "version", "architecture") if pool.get(key)
        )
        + f" ({pool['library']})"
        for pool in found["pools"]
        if pool["user_api"] == "blas"
    ]
    lines = [found["cpu"] + (f"; {sizes}" if sizes else ""), versions]
    return [*lines, "BLAS: " + ", ".join(dict.fromkeys(pools))] if pools else lines
