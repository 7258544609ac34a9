"""Run peers' test files with vekt's functions in the place of theirs; say what is unexpected."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

from .differences import DIFFERENCES, Difference
from .suites import SUITES, Suite

HANGS = 1800  # seconds
DISTRIBUTIONS = {"sklearn": "scikit-learn"}
COLUMNS = (
    "suite",
    "tests",
    "with vekt's",
    "passed",
    "skipped",
    "expected",
    "unexpected",
    "seconds",
)

Outcomes = dict[str, list[Any]]


@dataclass
class Verdict:
    """What became of a suite's tests; `findings` are what makes the check fail."""

    counts: Counter[str] = field(default_factory=Counter)
    findings: list[str] = field(default_factory=list)
    seconds: float = 0

    def row(self, name: str) -> tuple[str, ...]:
        """Return its line of the table."""
        counts = self.counts
        skipped = counts["skipped"] + counts["xfailed"]
        numbers = (sum(counts[of] for of in ("passed", "failed", "skipped", "xfailed")),
                   counts["ours"], counts["passed"], skipped,
                   counts["expected"], len(self.findings), round(self.seconds))  # fmt: skip
        return (name, *map(str, numbers))


def judged(outcomes: Outcomes, listed: Sequence[Difference], short: bool = False) -> Verdict:
    """Hold outcomes against the list: what is not on it must pass, what is on it must fail."""
    verdict = Verdict(Counter(outcome for outcome, *_ in outcomes.values()))
    verdict.counts["ours"] = sum(ours for _, ours, _ in outcomes.values())
    matched = set()
    for test, (outcome, _, why) in outcomes.items():
        of = [difference for difference in listed if difference.is_of(test)]
        matched.update(map(id, of))
        if outcome == "failed" and of:
            verdict.counts["expected"] += 1
        elif outcome == "failed":
            verdict.findings.append(f"{test}: {' '.join(why.split())[:300]}")
        elif outcome == "passed" and of:
            verdict.findings.append(f"{test} passes, but is listed: {of[0].reason}")
    if not short:
        stale = (difference for difference in listed if id(difference) not in matched)
        verdict.findings += [f"listed, but there is no such test: {d.tests}" for d in stale]
    if not verdict.counts["ours"]:
        verdict.findings.append("no test takes a function of vekt's")
    return verdict


def outcomes_of(suite: Suite, chosen: str, plain: bool = False) -> tuple[Outcomes, str]:
    """Run a file in a new process; return what became of each test, and what pytest said."""
    file = suite.file
    assert file is not None
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "outcomes.json"
        options = ["-k", chosen] if chosen else []
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "--assert=plain", "--tb=no", "--no-header",
             "-p", "no:cacheprovider", "-p", "no:randomly", "-p", "peers.plugin",
             "--peers-outcomes", str(path), *["--peers-plain"] * plain,
             "-c", os.devnull, "--rootdir", str(file.parent), str(file), *options],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1]),
                 "VEKT_CACHE_DIR": folder},
            capture_output=True,
            text=True,
            timeout=HANGS,
        )  # fmt: skip
        said = "\n".join((done.stdout + done.stderr).splitlines()[-5:])
        if not path.is_file():
            return {}, said
        return json.loads(path.read_text(encoding="utf-8")), said


def checked(suite: Suite, short: bool = False) -> Verdict:
    """Run a suite; what fails without vekt, too, is no finding."""
    began = time.monotonic()
    outcomes, said = outcomes_of(suite, suite.chosen(short))
    if not outcomes:
        return Verdict(findings=[f"nothing ran: {said}"])
    here = version(DISTRIBUTIONS.get(suite.peer, suite.peer))
    listed = [d for d in DIFFERENCES.get(suite.name, ()) if d.holds_for(here)]
    verdict = judged(outcomes, listed, short)
    if verdict.findings:
        alone, _ = outcomes_of(suite, suite.chosen(short), plain=True)
        own = {test for test, (outcome, *_) in alone.items() if outcome == "failed"}
        kept = {test: of for test, of in outcomes.items() if test not in own}
        verdict = judged(kept, listed, short)
        verdict.counts["skipped"] += len(outcomes) - len(kept)
    verdict.seconds = time.monotonic() - began
    return verdict


def main() -> None:
    """Run `python -m peers.run`, in tests/: some suites or all; print what is unexpected."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("suites", nargs="*", metavar="suite", help=", ".join(SUITES))
    parser.add_argument("--short", action="store_true", help="a part of some, in seconds")
    options = parser.parse_args()
    unknown = [name for name in options.suites if not any(of.startswith(name) for of in SUITES)]
    if unknown:
        parser.error(f"no suite begins with {', '.join(unknown)}; there are {', '.join(SUITES)}")
    rows, total = [COLUMNS, ("---",) * len(COLUMNS)], Verdict()
    for name, suite in SUITES.items():
        if not name.startswith(tuple(options.suites or [""])) or (
            options.short and not suite.short
        ):
            continue
        if suite.file is None:
            print(f"{name}: not installed, or the package does not ship it")
            continue
        verdict = checked(suite, options.short)
        for finding in verdict.findings:
            print(f"{name}: {finding}", flush=True)
        rows.append(verdict.row(name))
        total.counts += verdict.counts
        total.findings += verdict.findings
        total.seconds += verdict.seconds
    for row in (*rows, total.row("all")):
        print("|", " | ".join(row), "|")
    raise SystemExit(bool(total.findings))


if __name__ == "__main__":
    main()
