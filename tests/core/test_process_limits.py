"""What the system refuses: threads, stack, a home, room on the disk. Calls work all the same."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from interpreters import run

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="limits as of Linux")

START = f"""
import json, os, resource, sys, threading
from contextlib import suppress
from pathlib import Path
import numpy as np
import vekt as vk
sys.path.insert(0, {str(Path(__file__).parents[1])!r})
from calls import calls_of

def same(a, b):
    return all(map(same, a, b)) if isinstance(a, tuple) else np.array_equal(a, b)

calls = calls_of(300)
with vk.num_threads(1):
    expected = {{name: call() for name, call in calls.items()}}

def wrong():
    vk.set_num_threads(4)
    return [name for name, call in calls.items() if not same(call(), expected[name])]

def lower(limit, n):
    resource.setrlimit(limit, (n, resource.getrlimit(limit)[1]))
"""

UNPRIVILEGED = """
if os.geteuid() == 0:  # whom limits and modes do not hold
    os.seteuid(65534)
"""

REFUSED = {
    # The user's processes are not counted for root, and never for what is real.
    "processes": """
if os.getuid() == 0:
    os.setuid(65534)
lower(resource.RLIMIT_NPROC, 0)
""",
    "memory for stacks": """
out = np.empty((300, 300))
calls = {name: call for name, call in calls.items() if name in ("gelu", "sum", "argmax")}
calls["gelu"] = lambda: vk.gelu(calls_x, out=out)
with open("/proc/self/statm") as file:
    used = int(file.read().split()[0]) * resource.getpagesize()
lower(resource.RLIMIT_AS, used + (800 << 10))
""",
}


@pytest.mark.parametrize("refused", REFUSED)
def test_threads_that_do_not_start(refused):
    script = START + "calls_x = np.random.default_rng(1).normal(0, 1, (300, 300))\n"
    script += (
        REFUSED[refused]
        + """
before = len(os.listdir("/proc/self/task"))
started = True
try:
    threading.Thread(target=int).start()
except RuntimeError:
    started = False
found = wrong()
print(json.dumps([started, found, len(os.listdir("/proc/self/task")) - before]))
"""
    )
    started, wrong, threads = json.loads(run(script).stdout)
    if started:
        pytest.skip("this system lets threads start all the same")
    assert (wrong, threads) == ([], 0)


@pytest.mark.parametrize("kibibytes", [128, 256, 1024])
def test_a_small_main_stack(kibibytes):
    script = START + f"lower(resource.RLIMIT_STACK, {kibibytes} << 10)\nprint(json.dumps(wrong()))"
    assert json.loads(run(script).stdout) == []


COMPILE = (
    START
    + """
os.environ["VEKT_CACHE_DIR"] = os.devnull
vk.fuse(lambda a: a * 3 + a, compile=True)(np.arange(5.0))  # LLVM is there
os.environ["VEKT_CACHE_DIR"] = ""

def compiled():
    return vk.fuse(lambda a: a * 2 + 1, compile=True)(np.arange(5.0)).tolist()
"""
)
HOMES = {
    "none": "os.environ.pop('HOME')",
    "empty": "os.environ['HOME'] = ''" + UNPRIVILEGED,
    "relative": "os.environ['HOME'] = 'abc'",
    "of a user without an entry": "os.environ.pop('HOME')\nif os.getuid() == 0: os.setuid(4242)",
    "a file": "open('f', 'w').close(); os.environ['HOME'] = os.path.abspath('f')",
    "a loop": "os.symlink('l', 'l'); os.environ['HOME'] = os.path.abspath('l')",
    "nowhere": "os.environ['HOME'] = '/proc/nowhere'",
    "read only": "os.mkdir('h', 0o555); os.environ['HOME'] = os.path.abspath('h')" + UNPRIVILEGED,
    "closed": "os.mkdir('h', 0); os.environ['HOME'] = os.path.abspath('h')" + UNPRIVILEGED,
    "a full disk": "lower(resource.RLIMIT_FSIZE, 100)",
    "a full folder": "with suppress(OSError): Path('junk').write_bytes(bytes(1 << 20))",
}


@pytest.mark.parametrize("home", HOMES)
def test_a_home_that_keeps_nothing(home, tmp_path):
    pytest.importorskip("llvmlite")
    mounted = False
    if home == "a full folder":
        size = "size=8k,nr_inodes=20"
        command = ["mount", "-t", "tmpfs", "-o", size, "tmpfs", str(tmp_path)]
        mounted = os.geteuid() == 0 and subprocess.run(command, capture_output=True).returncode == 0
        if not mounted:
            pytest.skip("mounting takes root's rights")
    script = COMPILE + f"os.chdir({str(tmp_path)!r})\n{HOMES[home]}\n"
    script += "print(json.dumps([compiled(), compiled(), wrong()]))"
    try:
        done = run(script, HOME=str(tmp_path), VEKT_CACHE_DIR="", XDG_CACHE_HOME="")
        left = [
            p for p in tmp_path.rglob("*") if p.is_file() and p.stat().st_size and p.name != "junk"
        ]
    finally:
        if mounted:
            subprocess.run(["umount", str(tmp_path)], check=True)
    assert json.loads(done.stdout) == [[1.0, 3.0, 5.0, 7.0, 9.0]] * 2 + [[]]
    assert (done.stderr, left) == ("", [])


def test_one_processor_by_affinity_after_the_import():
    script = (
        START
        + "os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})\nprint(json.dumps(wrong()))"
    )
    assert json.loads(run(script).stdout) == []


def test_half_a_processor_by_cgroup():
    """A real one, where root may make it; tests/core/test_threads.py has others in files."""
    group = Path("/sys/fs/cgroup/cpu/vekt-test")
    try:
        group.mkdir()
    except OSError as error:
        pytest.skip(f"no cgroup can be made: {error.strerror}")
    try:
        quota = group / "cpu.cfs_quota_us"
        if not quota.exists():
            pytest.skip("cgroups of version 1 only")
        quota.write_text("50000")
        join = f"open('{group}/cgroup.procs', 'w').write(str(__import__('os').getpid()))\n"
        script = join + START + "print(json.dumps([vk.get_num_threads(), wrong()]))"
        done = run(script, VEKT_NUM_THREADS="", OMP_NUM_THREADS="")
        assert json.loads(done.stdout) == [1, []]
    finally:
        group.rmdir()
