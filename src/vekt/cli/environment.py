"""The same conditions for all competitors: BLAS settings, thread limits, processors."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec

import vekt as vk

# Each of them makes OpenBLAS choose kernels or blocks that are not made for this processor.
BLAS_OVERRIDES = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")


def require(*packages: str) -> None:
    """Raise ModuleNotFoundError now, rather than after a minute of work."""
    for package in packages:
        if find_spec(package) is None:
            raise ModuleNotFoundError(f"No module named {package!r}", name=package)


def restart_without_blas_overrides() -> None:
    """Run this very command again without the settings that slow NumPy's BLAS down.

    OpenBLAS reads them when NumPy loads, which is before any line of this module.
    """
    found = [name for name in BLAS_OVERRIDES if name in os.environ]
    if not found:
        return
    names = " and ".join(found)
    print(
        f"vekt: measuring without {names}, as that would handicap NumPy's BLAS",
        file=sys.stderr,
        flush=True,
    )
    rest = {name: value for name, value in os.environ.items() if name not in BLAS_OVERRIDES}
    os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], rest)


@contextmanager
def thread_limit(threads: int) -> Iterator[None]:
    """Give vekt and the BLAS of NumPy and SciPy the same number of threads."""
    from threadpoolctl import threadpool_limits

    with threadpool_limits(threads, user_api="blas"), vk.num_threads(threads):
        yield


@contextmanager
def equal_threads(threads: int) -> Iterator[None]:
    """Limit every library to `threads` threads, also those that are yet to be loaded.

    XLA takes one thread for each processor it may use, hence the limit on processors.
    """
    with ExitStack() as undo:
        for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS"):
            undo.callback(_restore, name, os.environ.get(name))
            os.environ[name] = str(threads)
        if hasattr(os, "sched_setaffinity"):
            allowed = os.sched_getaffinity(0)
            undo.callback(os.sched_setaffinity, 0, allowed)
            # The first processor serves most interrupts.
            os.sched_setaffinity(0, sorted(allowed)[-threads:])
        undo.enter_context(thread_limit(threads))
        yield


def _restore(name: str, value: str | None) -> None:
    if value is None:
        os.environ.pop(name, None)
    else:
        os.environ[name] = value
