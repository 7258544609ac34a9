"""A publisher that writes the page to which a click on a point of a graph leads."""

from __future__ import annotations

import subprocess
from html import escape
from operator import itemgetter
from pathlib import Path
from typing import Any

from asv.publishing import OutputPublisher

_FORMAT = "%H%x00%an%x00%ad%x00%B"


class CommitPage(OutputPublisher):
    """What the measured commits changed; it needs no forge, and no network."""

    name = "commit_page"
    button_label = "Commits"
    description = "The measured commits"
    order = 4

    @classmethod
    def publish(cls, conf: Any, repo: Any, benchmarks: Any, graphs: Any, revisions: Any) -> None:
        measured = {revision for _, graph in graphs for revision, *_ in graph.get_data()}
        newest = [
            commit
            for commit, revision in sorted(revisions.items(), key=itemgetter(1), reverse=True)
            if revision in measured
        ]
        sections = [_section(Path(conf.repo), commit, conf.hash_length) for commit in newest]
        text = (Path(__file__).parent / "www/commits.html").read_text(encoding="utf-8")
        text = text.replace("{project}", escape(conf.project)).replace(
            "{commits}", "".join(sections)
        )
        Path(conf.html_dir, "commits.html").write_text(text, encoding="utf-8")


def _section(repository: Path, commit: str, length: int) -> str:
    shown = _git(repository, "show", "--no-patch", f"--format={_FORMAT}", commit)
    full, author, date, message = map(escape, shown.split("\0"))
    title, _, rest = message.partition("\n")
    files = escape(_git(repository, "show", "--stat=78", "--format=", commit).rstrip())
    return (
        f'<section id="{full[:length]}"><h2 id="{full}">{title}</h2>\n'
        f"<p><code>{full}</code><br>{author}, {date}</p>\n"
        + "".join(f"<pre>{part}</pre>\n" for part in (rest.strip(), files) if part)
        + "</section>\n"
    )


def _git(repository: Path, *arguments: str) -> str:
    command = ["git", "-C", str(repository), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout
