"""Syntax trees of Python's text, made by one thread at a time.

CPython before 3.11.8 keeps how deep it is in a tree in one place for all threads, and raises
SystemError in the one that finds another's depth there (python/cpython#106905).
"""

from __future__ import annotations

import ast

from vekt._core.locks import Lock

_alone = Lock()


def module(text: str) -> ast.Module:
    """Return the tree of statements."""
    with _alone.held():
        return ast.parse(text)


def expression(text: str) -> ast.Expression:
    """Return the tree of an expression."""
    with _alone.held():
        return ast.parse(text, mode="eval")
