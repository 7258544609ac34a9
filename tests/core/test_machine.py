"""What is read of the machine, what follows from it, and that no result does."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from interpreters import run

import vekt as vk
from vekt._core import native

PRETENDED = ("zen2", "skylake_x", "emerald_rapids", "neoverse_n1", "apple")

# Products around the edges of blocks and thresholds of each of them, and what copies and streams.
SCRIPT = """
import hashlib
import json
import numpy as np
import vekt as vk

rng = np.random.default_rng(0)
print(json.dumps(vk.config.get_config()))

def told(name, result):
    print(name, hashlib.sha256(np.ascontiguousarray(result).tobytes()).hexdigest()[:16])

SHAPES = [(150, 600, 300), (300, 1100, 40), (14, 2100, 300), (3, 700, 800), (700, 513, 1),
          (1, 9, 2500), (64, 512, 600)]
for dtype in ("f2", "f4", "f8", "c8", "i4"):
    for m, k, n in SHAPES:
        a, b = ((rng.standard_normal(s) * 9).astype(dtype) for s in ((m, k), (k, n)))
        told((dtype, m, k, n), vk.matmul(a, b))
        told((dtype, m, k, n, "T"), vk.matmul(np.asfortranarray(a), np.asfortranarray(b)))
for k in (700, 3000):  # columns, on each side of both levels
    a, x = rng.standard_normal((k, k)).astype("f4"), rng.standard_normal(k).astype("f4")
    told(("matvec", k), vk.matvec(a, x))
    told(("vecmat", k), vk.matvec(a.T, x))
a = rng.standard_normal((1100, 1030)).astype("f4")
w = rng.standard_normal((1030, 600)).astype("f4")
told("dense", vk.dense(a, w, w[0], "gelu"))
told("copy", vk.transpose_copy(a.T))
told("turned", vk.gelu(a.T))
told("fused", vk.fuse(lambda p, q: p + q * 2)(a[:1030], a[:1030].T))
wide = np.linspace(-9, 9, 5_000_000, dtype="f4")
told("streamed", vk.relu(wide, out=np.ones_like(wide)))
"""


def told(**variables: str) -> tuple[dict, list[str]]:
    """Return the configuration, and a line for each result."""
    config, *results = run(SCRIPT, **variables).stdout.splitlines()
    return json.loads(config), results


def test_pretended_machines_have_the_same_bits():
    config, expected = told(VEKT_MACHINE="")
    assert config["machine"]["pretended"] is False
    assert len(expected) > 70
    thresholds = set()
    for name in PRETENDED:
        config, results = told(VEKT_MACHINE=name)
        assert results == expected, name
        assert (config["machine"]["name"], config["machine"]["pretended"]) == (name, True)
        thresholds.add(tuple(config["thresholds"].values()))
    assert len(thresholds) == len(PRETENDED)


def test_zen_4_keeps_what_was_measured_on_it():
    script = "import json, vekt; print(json.dumps(vekt.config.get_config()['thresholds']))"
    assert json.loads(run(script, VEKT_MACHINE="zen4").stdout) == {
        "copy": 1 << 18, "near": 1 << 20, "passing": 1 << 22, "from_memory": 1 << 23,
        "turned": 1 << 18, "block": 140 * 512 * 8, "stream": 0,
    }  # fmt: skip


def test_unknown_machine():
    done = run("import vekt", check=False, VEKT_MACHINE="zen9")
    assert done.returncode != 0
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("ValueError: VEKT_MACHINE='zen9'")
    assert all(name in last for name in native.MACHINES)


def test_values_are_plausible():
    found = native.machine()
    assert found["machine"]["name"] in native.MACHINES
    page = found["machine"]["page"]
    assert page >= 4096
    assert page & (page - 1) == 0
    sizes = [cache["size"] for cache in found["caches"].values()]
    assert sizes == sorted(sizes)
    assert 1 << 13 <= sizes[0] <= 1 << 18
    for cache in found["caches"].values():
        assert cache["line"] in (0, 32, 64, 128, 256)
        assert cache["ways"] == 0 or cache["size"] % (cache["ways"] * cache["line"]) == 0


def test_caches_are_those_of_the_system():
    folder = Path("/sys/devices/system/cpu/cpu0/cache")
    seen = {}
    for index in sorted(folder.glob("index*")):
        files = ("level", "type", "size", "ways_of_associativity", "coherency_line_size")
        if not all((index / name).exists() for name in files):
            continue
        level, kind, size, ways, line = ((index / name).read_text().strip() for name in files)
        if kind != "Instruction" and int(level) <= 3:
            level = "L1d" if level == "1" else f"L{level}"
            seen[level] = (int(size.removesuffix("K")) << 10, int(ways), int(line))
    if not {"L1d", "L2"} <= seen.keys() or sys.platform != "linux":
        pytest.skip("the system does not tell")
    found = native.machine()
    if found["machine"]["pretended"]:
        pytest.skip("another machine is pretended")
    caches = found["caches"].items()
    assert {n: (c["size"], c["ways"], c["line"]) for n, c in caches} == seen


def test_it_is_shown(capsys):
    vk.show_config()
    assert f"machine:         {native.machine()['machine']['name']}, L1d" in capsys.readouterr().out
