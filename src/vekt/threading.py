"""How many threads vekt's kernels may use.

Large calls share their work with a pool of sleeping threads; the results have the same bits for
any number of them.  At start the limit is ``VEKT_NUM_THREADS``, else ``OMP_NUM_THREADS``, else
the number of cores that the CPU affinity and the cgroup allow.  No call uses more than 1024.
"""

from __future__ import annotations

import operator
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import SupportsIndex

from vekt._core import cpu_count
from vekt._core.native import lib

__all__ = ["get_num_threads", "num_threads", "register_threadpoolctl", "set_num_threads"]


def _checked(n: SupportsIndex) -> int:
    count = operator.index(n)
    if not 1 <= count < 2**31:
        raise ValueError(f"number of threads must be at least 1, not {n}")
    return count


def set_num_threads(n: SupportsIndex) -> None:
    """Set how many threads a call may use, for the whole process.

    Idle threads of the pool beyond a lower limit end.

    Parameters
    ----------
    n : int
        At least 1, the calling thread included.  1 means that no other thread is ever woken.

    Raises
    ------
    ValueError
        If `n` is below 1.
    TypeError
        If `n` is not an integer.

    See Also
    --------
    num_threads : a limit for some lines only.
    """
    lib.vekt_set_num_threads(_checked(n))


def get_num_threads() -> int:
    """Return how many threads a call from this Python thread may use.

    Returns
    -------
    int
        The innermost `num_threads` around the call, else what `set_num_threads` has set.
    """
    return int(lib.vekt_get_num_threads())


@contextmanager
def num_threads(n: SupportsIndex) -> Iterator[None]:
    """Limit the threads of calls made inside a ``with`` block, in this Python thread only.

    Parameters
    ----------
    n : int
        At least 1.

    Examples
    --------
    >>> import vekt as vk
    >>> with vk.num_threads(1):
    ...     vk.get_num_threads()
    1
    """
    former = lib.vekt_set_local_num_threads(_checked(n))
    try:
        yield
    finally:
        lib.vekt_set_local_num_threads(former)


def register_threadpoolctl() -> None:
    """Make the pool known to ``threadpoolctl``, whose limits then hold for vekt too.

    Happens by itself where ``threadpoolctl`` was imported before ``vekt``.  Calling it again does
    nothing.

    Raises
    ------
    ImportError
        If ``threadpoolctl`` is not installed.
    """
    import threadpoolctl

    class VektController(threadpoolctl.LibController):  # type: ignore[misc]
        """The thread pool of vekt as threadpoolctl sees it."""

        user_api = "vekt"
        internal_api = "vekt"
        filename_prefixes = ("_kernels",)
        check_symbols = ("vekt_get_num_threads",)

        def get_num_threads(self) -> int:
            return get_num_threads()

        def set_num_threads(self, num_threads: int) -> None:
            set_num_threads(num_threads)

        def get_version(self) -> None:
            return None

    known = {controller.internal_api for controller in threadpoolctl._ALL_CONTROLLERS}
    if VektController.internal_api not in known:
        threadpoolctl.register(VektController)


lib.vekt_set_num_threads(cpu_count.default_num_threads())
if "threadpoolctl" in sys.modules:
    register_threadpoolctl()
