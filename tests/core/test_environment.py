"""Variables that vekt reads, with values of every silly kind: an error names them, or it works."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest
from interpreters import run

from vekt._core import environment

ROOT = Path(__file__).parents[2]
SILLY = (
    "abc", "-1", "0", "1e9", "nan", "inf", "1.5", "1 2", "1,2", "+3", "0x10", "1_0", "1025",
    "\u0663", "\uff13", "9" * 5000, "x" * 100_000, os.fsdecode(b"\xff\xfe"), "a\nb", "..", "~", "/",
    "/dev/null", "/dev/full", "/proc/self/mem", "$(false)", "%s%n", "None", "VEKT_ISA", "\x1b[0m",
    "'\"", "x86_v9",
)  # fmt: skip
BLANK = ("", " ", "\t\n ")

# All that reads a variable is read again, in a child for each value.
SCRIPT = """
import importlib, json, os, sys
from importlib.util import find_spec
from pathlib import Path
import numpy as np
import vekt as vk
from vekt._core import environment

root = Path(vk.__file__).parent
reading = [p for p in root.rglob("*.py") if "environment.value(" in p.read_text()]
readers = [p.relative_to(root.parent).with_suffix("").as_posix().replace("/", ".") for p in reading]
modules = [importlib.import_module(name) for name in (*readers, "vekt.threading")]
x = np.arange(9.0)
expected = x * 2 + 1
wide = np.linspace(-3, 3, 50_000)
with vk.num_threads(1):
    summed = vk.sum(vk.gelu(wide))
compile = None if find_spec("llvmlite") is None else True
vk.fuse(lambda a: a * 3 + a, compile=compile)(x)  # LLVM is there

def tried():
    try:
        for module in modules:
            importlib.reload(module)
        assert np.array_equal(vk.fuse(lambda a: a * 2 + 1, compile=compile)(x), expected)
        assert np.array_equal(vk.sum(vk.gelu(wide)), summed)
        vk.show_config()
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return ""

found = []
for value in json.loads(VALUES):
    reading, writing = os.pipe()
    if os.fork() == 0:
        os.environ[NAME] = value
        sys.stdout = open(os.devnull, "w")
        os.write(writing, tried()[:1000].encode("utf-8", "replace"))
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as file:
        said = file.read()
    found.append(said if os.waitstatus_to_exitcode(os.wait()[1]) == 0 else "died")
print(json.dumps([len(readers), found]))
"""


def said_of(name: str, values: tuple[str, ...], where: Path) -> list[str]:
    """Return what errors say, "" for none, in a folder that is empty."""
    script = f"import os; os.chdir({str(where)!r})\n" + SCRIPT.replace("NAME", repr(name))
    script = script.replace("VALUES", repr(json.dumps(values)))
    home = where.parent / "home"
    home.mkdir(exist_ok=True)
    own = {} if name == environment.CACHE else {environment.CACHE: ""}
    readers, found = json.loads(run(script, HOME=str(home), **own).stdout)
    assert readers >= 3
    return found


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system has no fork")
@pytest.mark.parametrize("name", environment.VARIABLES)
def test_values_of_every_silly_kind(name, tmp_path):
    found = dict(zip((*BLANK, *SILLY), said_of(name, (*BLANK, *SILLY), tmp_path), strict=True))
    assert [found.pop(value) for value in BLANK] == [""] * len(BLANK)
    if environment.VARIABLES[name].endswith("anything else is an error"):
        good = {"0": ""} if name == environment.RECYCLE else {}
        wrong = f"ValueError: {name}="
        assert {v: s for v, s in found.items() if not s.startswith(wrong)} == good
        assert max(map(len, found.values())) < 300
    else:
        assert {v: s for v, s in found.items() if s} == {}
    if name != environment.CACHE:
        assert not list(tmp_path.iterdir())


def test_no_other_file_reads_the_environment():
    """But for what `vekt demo` and `vekt compare` tell other programs."""
    source = ROOT / "src" / "vekt"
    reading = re.compile(r"os\.environ\b(?!, root)|\benviron\[|(?<!fe)getenv\(")
    files = [p for p in source.rglob("*.py") if "cli" not in p.relative_to(source).parts]
    files += (ROOT / "csrc").rglob("*.[ch]")
    found = {p.name for p in files if reading.search(p.read_text())}
    assert found == {"environment.py"}


def test_only_what_is_listed_can_be_read():
    with pytest.raises(KeyError, match="VEKT_NEW is not among"):
        environment.value("VEKT_NEW", {"VEKT_NEW": "1"})


def test_documentation_lists_them():
    text = (ROOT / "docs" / "interop.md").read_text()
    rows = re.findall(r"^\| `(\w+)` \| (.*) \|$", text, re.M)
    assert [*environment.VARIABLES.items()] == [r for r in rows if r[0] in environment.VARIABLES]
    mentioned = set(re.findall(r"\bVEKT_(?:ISA|NUM_THREADS|RECYCLE|CACHE_DIR|[A-Z]+_DIR)\b", text))
    assert mentioned <= {*environment.VARIABLES}
