"""What estimators tell of their progress."""

from __future__ import annotations

import sys


class Progress:
    """A bar on standard error, on one line, where it is wanted."""

    _WIDTH = 30

    def __init__(self, verbose: bool | int, total: int) -> None:
        self.wanted, self.total, self.shown = bool(verbose), total, False

    def show(self, done: int, loss: float, score: float | None = None) -> None:
        """Draw the bar after so many epochs."""
        if not self.wanted:
            return
        filled = self._WIDTH * done // max(self.total, 1)
        bar = "#" * filled + "." * (self._WIDTH - filled)
        validation = "" if score is None else f", validation score {score:.4f}"
        sys.stderr.write(f"\r[{bar}] epoch {done}/{self.total}, loss {loss:.6f}{validation}")
        sys.stderr.flush()
        self.shown = True

    def end(self) -> None:
        """Leave the line."""
        if self.shown:
            sys.stderr.write("\n")
            self.shown = False
