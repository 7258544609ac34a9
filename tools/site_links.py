"""Code that names a function of vekt, `vk.gelu(x)` say, leads to its page of the reference."""

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


def setup(app: Any) -> dict[str, bool]:
    """Connect, when references are resolved."""
    app.connect("doctree-resolved", _link)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
