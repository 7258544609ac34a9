"""A part of the peers' own tests in each run; `python -m peers.run`, in tests/, takes all."""

from __future__ import annotations

import pytest

from .run import checked
from .suites import SUITES


@pytest.mark.parametrize("name", [name for name, suite in SUITES.items() if suite.short])
def test_nothing_is_unexpected(name: str) -> None:
    if SUITES[name].file is None:
        pytest.skip(f"{name}: not installed, or the package does not ship it")
    verdict = checked(SUITES[name], short=True)
    assert verdict.findings == []
    assert verdict.counts["ours"]
