"""What comments and docstrings say of files is said of files that are there."""

from __future__ import annotations

import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
FOLDERS = ("csrc", "src", "tests", "tools", "fits", "asv_bench", "docs")
SUFFIXES = {".c", ".h", ".py", ".pyi", ".md", ".sh"}
NAME = re.compile(
    r"(?<![\w./{}*\\<-])((?:[\w.-]+/)*\w[\w-]*(?:\.c|\.h|\.py|\.pyi|\.md|\.sh))(?![\w(/*])"
)
# What users write, what is made on the way, what other projects have.
OTHERS = {"Python.h"}


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


def test_files_that_comments_name_are_there() -> None:
    all_files = files()
    paths = {p.relative_to(ROOT).as_posix() for p in all_files}
    missing = []
    for path in all_files:
        for line, text in prose(path):
            for name in (found.removeprefix("../") for found in NAME.findall(text)):
                if name in OTHERS or any(f"/{known}".endswith(f"/{name}") for known in paths):
                    continue
                missing.append(f"{path.relative_to(ROOT)}:{line}: {name}")
    assert not missing, "\n".join(missing)
