"""What the build does to code on pages.

Code that names a function of vekt, `vk.gelu(x)` say, leads to its page of the reference.  Blocks
end with their last line, not with the blank one that ends a doctest; those that are indented, too,
are shown as Python.
"""

from __future__ import annotations

import re
from typing import Any

from docutils import nodes
from sphinx.util.nodes import make_refnode

_NAME = re.compile(r"(?:vk|vekt)((?:\.[A-Za-z_]\w*)+)(?:\(.*\))?")


def _link(app: Any, doctree: Any, page: str) -> None:
    objects = app.env.domains.python_domain.objects
    for node in [*doctree.findall(nodes.literal)]:
        named = _NAME.fullmatch(node.astext())
        found = named and objects.get(f"vekt{named[1]}")
        if found and found.docname != page and not _within(node, nodes.reference):
            link = make_refnode(app.builder, page, found.docname, found.node_id, node.deepcopy())
            node.replace_self(link)


def _within(node: Any, kind: type) -> bool:
    while node := node.parent:
        if isinstance(node, kind):
            return True
    return False


def _trim(_app: Any, doctree: Any) -> None:
    for block in doctree.findall(nodes.literal_block):
        if len(block) == 1:
            text = block.rawsource = block.astext().rstrip("\n")
            block[:] = [nodes.Text(text)]
            if text.startswith(">>> "):
                block["language"] = "pycon"


def setup(app: Any) -> dict[str, bool]:
    """Connect, to pages that have been read and to references that are resolved."""
    app.connect("doctree-read", _trim)
    app.connect("doctree-resolved", _link)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
