"""Statements with `out=` become those of people who have no array to write to."""

from __future__ import annotations

import pytest

from vekt.cli.compare.allocating import allocating


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("vk.gelu(x, out=out)", "out = vk.gelu(x)"),
        ("vk.geglu_backward(dy, a, b, out=(da, db))", "da, db = vk.geglu_backward(dy, a, b)"),
        ("np.exp(x, out=t); np.add(t, 1, out=out)", "t = np.exp(x)\nout = np.add(t, 1)"),
        ("np.exp(x, out=t); np.add(t, 1, out=t)", "t = np.exp(x)\nt = np.add(t, 1)"),
        ("dy * plain(x)", "kept = dy * plain(x)"),
        ("gelu(x).block_until_ready()", "kept = gelu(x).block_until_ready()"),
        ("np.add(p, g, out=p)", None),  # in place
        ("np.add(t, 1, out=out); np.exp(x, out=t)", None),
        ("a = f(x); g(a)", None),
    ],
)
def test_results_are_made_anew(statement, expected):
    assert allocating(statement) == expected
