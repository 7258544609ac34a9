"""What asv loads for `asv publish`: the publishers of this folder, which it runs by their order."""

from __future__ import annotations

from .assets import OfflineAssets
from .commits import CommitPage
from .pages import Pages
from .relative import RelativeFigures

__all__ = ["CommitPage", "OfflineAssets", "Pages", "RelativeFigures"]
