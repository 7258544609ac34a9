"""What comments and docstrings name is there: files, modules, attributes."""

from __future__ import annotations

import io
import re
import tokenize
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
FOLDERS = ("csrc", "src", "tests", "tools", "fits", "asv_bench", "docs")
SUFFIXES = {".c", ".h", ".py", ".pyi", ".md", ".sh"}
NAME = re.compile(
    r"(?<![\w./{}*\\<-])((?:[\w.-]+/)*\w[\w-]*(?:\.c|\.h|\.py|\.pyi|\.md|\.sh))(?![\w(/*])"
)
# What users write, what is made on the way, what other projects have.
OTHERS = {"Python.h"}
DOTTED = re.compile(r"`([A-Za-z_]\w*(?:\.\w+)+)(?:\([^`]*\))?`")
OUTSIDE = {"autograd", "flint", "jax", "math", "mpmath", "torch"}
SHORT = {"np": "numpy", "vk": "vekt"}
CLASS = re.compile(r"(?m)^class (\w+)")


def files() -> list[Path]:
    found = [ROOT / "CONTRIBUTING.md", ROOT / "README.md"]
    for folder in FOLDERS:
        found += [p for p in (ROOT / folder).rglob("*") if p.suffix in SUFFIXES]
    return [p for p in found if not any(part.startswith((".", "env")) for part in p.parts[-4:])]


def prose(path: Path) -> Iterator[tuple[int, str]]:
    """Yield what people are told in a file, by lines."""
    text = path.read_text()
    if path.suffix == ".md":
        yield from enumerate(text.splitlines(), 1)
    elif path.suffix in (".c", ".h"):
        for comment in re.finditer(r"/\*.*?\*/|//[^\n]*", text, re.DOTALL):
            first = text.count("\n", 0, comment.start()) + 1
            yield from enumerate(comment[0].splitlines(), first)
    elif path.suffix == ".sh":
        yield from ((k, x) for k, x in enumerate(text.splitlines(), 1) if x.startswith("#"))
    else:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            said = token.type == tokenize.COMMENT or token.string.startswith(('"""', 'r"""'))
            if said:
                yield from enumerate(token.string.splitlines(), token.start[0])


def named(pattern: re.Pattern[str]) -> list[tuple[str, str]]:
    """Find what people are told of: where, and the name."""
    return [
        (f"{path.relative_to(ROOT)}:{line}", name)
        for path, lines in told().items()
        for line, text in lines
        for name in pattern.findall(text)
    ]


@cache
def told() -> dict[Path, list[tuple[int, str]]]:
    return {path: list(prose(path)) for path in files()}


def test_files_that_comments_name_are_there() -> None:
    paths = [f"/{path.relative_to(ROOT).as_posix()}" for path in [*files(), *ROOT.glob("*.md")]]
    missing = []
    for where, name in named(NAME):
        ending = "/" + name.split("../")[-1]
        if name not in OTHERS and not any(path.endswith(ending) for path in paths):
            missing.append(f"{where}: {name}")
    assert not missing, "\n".join(missing)


def homes() -> dict[str, list[str]]:
    """Names that a dotted one may begin with: modules by their last names, and classes' modules."""
    outside = ("functools", "numpy", "scipy", "sys")
    found: dict[str, list[str]] = {name: [name] for name in outside}
    for top in (ROOT / "src", ROOT / "tests"):
        for path in top.glob("*/**/*.py"):
            parts = path.relative_to(top).with_suffix("").parts
            names = [part for part in parts if part != "__init__"]
            found.setdefault(names[-1], []).append(".".join(names))
            for name in CLASS.findall(path.read_text()) if names[0] == "vekt" else ():
                found.setdefault(name, []).append(".".join([*names, name]))
    return found


def is_there(name: str) -> bool:
    """Tell whether an attribute, or a module, has this full name."""
    first, *others = name.split(".")
    found: Any = import_module(first)
    for k, other in enumerate(others, 2):
        if not hasattr(found, other):
            try:
                import_module(".".join(name.split(".")[:k]))
            except ModuleNotFoundError as missing:  # of an extra, or of this name
                return not name.startswith(missing.name or "")
        found = getattr(found, other)
    return True


def test_what_comments_name_is_there() -> None:
    known = homes()
    missing = []
    for where, name in named(DOTTED):
        first, rest = name.split(".", 1)
        first = SHORT.get(first, first)
        is_array = len(first) == 1
        if is_array or ".md:" in where or first in OUTSIDE or "NAME" in rest:
            continue
        if not any(is_there(f"{home}.{rest}") for home in known.get(first, ())):
            missing.append(f"{where}: {name}")
    assert not missing, "\n".join(missing)


def test_the_map_of_fuse_names_all_its_modules() -> None:
    folder = ROOT / "src/vekt/_fuse"
    text = (folder / "__init__.py").read_text()
    assert set(re.findall(r"`(\w+)`", text)) == {p.stem for p in folder.glob("*.py")} - {"__init__"}
