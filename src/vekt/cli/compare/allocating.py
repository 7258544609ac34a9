"""Statements that write to an array, as people write them who have none: with a new one."""

from __future__ import annotations

import ast


def allocating(statement: str) -> str | None:
    """Let each call with ``out=`` make its result, and keep it under the same name.

    Parameters
    ----------
    statement : str
        Python, one or several statements.

    Returns
    -------
    str or None
        None where that changes what the statement does, since it reads an array that it only
        writes to later, and where several statements write to none.
    """
    tree = _Allocating()
    body = [tree.visit(node) for node in ast.parse(statement).body]
    module = ast.fix_missing_locations(ast.Module(body, []))
    if tree.made:
        return None if _reads_what_comes(module.body) else ast.unparse(module)
    return f"kept = {statement}" if len(body) == 1 and isinstance(body[0], ast.Expr) else None


class _Allocating(ast.NodeTransformer):
    """``f(x, out=y)`` that stands alone becomes ``y = f(x)``."""

    made = 0

    def visit_Expr(self, node: ast.Expr) -> ast.stmt:
        call = node.value
        if not isinstance(call, ast.Call):
            return node
        outs = [k.value for k in call.keywords if k.arg == "out"]
        if len(outs) != 1 or not _is_name(outs[0]):
            return node
        self.made += 1
        call.keywords = [k for k in call.keywords if k.arg != "out"]
        return ast.Assign([_stored(outs[0])], call)


def _is_name(node: ast.expr) -> bool:
    if isinstance(node, ast.Tuple):
        return all(_is_name(item) for item in node.elts)
    return isinstance(node, ast.Name)


def _stored(node: ast.expr) -> ast.expr:
    for each in ast.walk(node):
        if isinstance(each, ast.Name | ast.Tuple):
            each.ctx = ast.Store()
    return node


def _reads_what_comes(body: list[ast.stmt]) -> bool:
    """Tell whether a name is read that a statement here, or a later one, makes."""
    made = {_n.id for part in body for _n in _names(part, ast.Store)}
    there: set[str] = set()
    for part in body:
        if any(name.id in made - there for name in _names(part, ast.Load)):
            return True
        there |= {name.id for name in _names(part, ast.Store)}
    return False


def _names(node: ast.stmt, context: type[ast.expr_context]) -> list[ast.Name]:
    return [n for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, context)]
