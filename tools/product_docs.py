"""Write the docstrings of products as a header of C: `python tools/product_docs.py FILE`.

Runs from the source tree, before anything is compiled.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from stubs import load_rows

NAMES = ("dot", "matmul", "matvec", "vecdot", "vecmat")


def definition(spec: Any) -> str:
    """Return the macro of a function's docstring, which begins with its signature for CPython."""
    document = load_rows("docstrings").docstring
    signature = str(spec.signature()).replace("(", "($module, ", 1)
    text = f"{spec.name}{signature}\n--\n\n{document(spec)}"
    lines = (f"    {json.dumps(line)}" for line in text.splitlines(keepends=True))
    return f"#define {spec.name.upper()}_DOC \\\n" + " \\\n".join(lines) + "\n"


if __name__ == "__main__":
    linalg = load_rows("linalg").LINALG
    Path(sys.argv[1]).write_text("".join(definition(linalg[name]) for name in NAMES), "utf-8")
