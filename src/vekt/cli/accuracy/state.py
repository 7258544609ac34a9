"""What a sweep has measured, in a file, so that it can go on after an interruption."""

from __future__ import annotations

import hashlib
import json
import sys
import time
from dataclasses import asdict
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from vekt._core import native
from vekt.cli.accuracy.measure import Finding, Plan
from vekt.cli.peers.functions import peer_label

_SECONDS = 3.0
# What a finding depends on, besides the compiled kernels and the peers.
_MODULES = (
    "vekt.reference",
    "vekt._spec.activations",
    "vekt._core.ulp",
    "vekt.cli.cases",
    "vekt.cli.accuracy.function_cases",
    "vekt.cli.accuracy.measure",
    "vekt.cli.accuracy.samples",
)
_FORMAT = "vekt accuracy state 1"


class StateError(ValueError):
    """The file is there but holds something else."""


class Entry:
    """Which chunks of a kernel's inputs are done, and what was found there."""

    def __init__(self, findings: list[Finding], done: int = 0) -> None:
        self.findings = findings
        self._done = done  # bit number i for chunk i

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Entry:
        """Undo `to_dict`."""
        return cls([Finding(**found) for found in data["findings"]], int(data["done"], 16))

    def to_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return {
            "done": f"{self._done:x}",
            "findings": [asdict(found) for found in self.findings],
        }

    def is_done(self, chunk: int) -> bool:
        """Whether a chunk's results are in."""
        return bool(self._done >> chunk & 1)

    def add(self, chunk: int, part: list[Finding]) -> None:
        """Take the results of a chunk."""
        for found, new in zip(self.findings, part, strict=True):
            found.merge(new)
        self._done |= 1 << chunk


class State:
    """Entries of all kernels and plans; of this very build of vekt alone.

    Parameters
    ----------
    path : path-like or None
        The file; None to save nothing.
    plan : Plan
        What is being measured.

    Raises
    ------
    StateError
        If the file holds anything but a state.
    """

    def __init__(self, path: str | Path | None, plan: Plan) -> None:
        self._path = None if path is None else Path(path)
        self._plan = plan
        self._saved = time.monotonic()
        self._entries: dict[str, Entry] = {}
        if self._path is None or not self._path.exists():
            return
        try:
            data = json.loads(self._path.read_text(encoding="utf-8"))
            if data["format"] != _FORMAT:
                raise ValueError(data["format"])
            entries = {key: Entry.from_dict(entry) for key, entry in data["entries"].items()}
        except (ValueError, KeyError, TypeError) as error:
            raise StateError(f"{self._path} is not a state of vekt accuracy") from error
        if data["build"] == build():
            self._entries = entries

    def entry(self, kernel: str) -> Entry:
        """Return the entry of a kernel under the plan, which may be empty."""
        plan = self._plan
        subjects = ",".join((*plan.isas, *map(peer_label, plan.peers)))
        key = f"{kernel} {plan.dtype} {plan.oracle} {plan.inputs} {subjects}"
        return self._entries.setdefault(key, Entry(plan.empty(kernel)))

    def save_now_and_then(self) -> None:
        """Save if the last time is some seconds ago."""
        if time.monotonic() - self._saved >= _SECONDS:
            self.save()

    def save(self) -> None:
        """Write the file whole, or leave the former one."""
        if self._path is None:
            return
        entries = {key: entry.to_dict() for key, entry in self._entries.items()}
        text = json.dumps({"format": _FORMAT, "build": build(), "entries": entries}, indent=1)
        new = self._path.with_name(f"{self._path.name}.new")
        new.write_text(text, encoding="utf-8")
        new.replace(self._path)
        self._saved = time.monotonic()


@cache
def build() -> str:
    """Version of vekt, and a digest of its kernels and of the reference they are measured by."""
    digest = hashlib.sha256(Path(native.kernels_file).read_bytes())
    for name in sorted(sys.modules):
        if name.startswith(_MODULES):
            digest.update(Path(str(sys.modules[name].__file__)).read_bytes())
    return f"{version('vekt')} {digest.hexdigest()[:16]}"
