"""A publisher that makes `asv publish` write pages which need no network.

asv's page loads jQuery, flot, bootstrap and the like from content delivery networks.  Here the same
libraries come from the npm registry, pinned and verified by `package-lock.json`, and are put beside
the page.  An asv whose page wants anything else makes `asv publish` fail, so the list stays true.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from asv.publishing import OutputPublisher
from asv.util import UserError

HERE = Path(__file__).parent

# The end of a URL in asv's page, and what to serve in its place.
ASSETS = {
    "jquery-3.3.1.min.js": "jquery/dist/jquery.min.js",
    "flot/0.8.3/jquery.flot.min.js": "flot/jquery.flot.js",
    "flot/0.8.3/jquery.flot.time.min.js": "flot/jquery.flot.time.js",
    "flot/0.8.3/jquery.flot.selection.min.js": "flot/jquery.flot.selection.js",
    "flot/0.8.3/jquery.flot.categories.min.js": "flot/jquery.flot.categories.js",
    "flot-orderbars@1.0.0/js/jquery.flot.orderBars.js": (
        "flot-orderbars/js/jquery.flot.orderBars.js"
    ),
    "stupidtable/1.0.1/stupidtable.min.js": "stupid-table-plugin/stupidtable.min.js",
    "blueimp-md5/2.19.0/js/md5.min.js": "blueimp-md5/js/md5.min.js",
    "bootstrap@3.1.1/dist/js/bootstrap.min.js": "bootstrap/dist/js/bootstrap.min.js",
    "bootstrap@3.1.1/dist/css/bootstrap.min.css": "bootstrap/dist/css/bootstrap.min.css",
}

_TAG = re.compile(r"<(?:script|link)\b[^>]*>")
_REMOTE = re.compile(r'\b(?:src|href)="(?:https?:)?//([^"]+)"')
# These hold for the remote file only; a page opened from disk fails under `crossorigin`.
_GUARDS = re.compile(r'\s+(?:integrity|crossorigin|referrerpolicy)="[^"]*"')


class OfflineAssets(OutputPublisher):
    """The last publisher: rewrites the page that asv has copied into `html_dir`."""

    name = "offline_assets"
    button_label = "Offline assets"
    description = "Serve the page's libraries from beside it"

    @classmethod
    def publish(cls, conf: Any, repo: Any, benchmarks: Any, graphs: Any, revisions: Any) -> None:
        make_offline(Path(conf.html_dir))


def make_offline(html_dir: Path) -> None:
    """Rewrite `html_dir/index.html` to load its libraries from `html_dir/assets`.

    Parameters
    ----------
    html_dir : Path
        The pages, as written by `asv publish`.

    Raises
    ------
    asv.util.UserError
        If npm is missing or fails, or the page wants a library that is not in `ASSETS`.
    """
    page = html_dir / "index.html"
    text, wanted = rewrite(page.read_text(encoding="utf-8"))
    with tempfile.TemporaryDirectory() as directory:
        packages = _install(Path(directory))
        for name in wanted:
            target = html_dir / "assets" / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(packages / name, target)
    page.write_text(text, encoding="utf-8")


def rewrite(text: str) -> tuple[str, list[str]]:
    """Return the page with local addresses, and the files of the npm packages that it needs."""
    wanted = []

    def localise(match: re.Match[str]) -> str:
        tag = match[0]
        remote = _REMOTE.search(tag)
        if remote is None:
            return tag
        name = next((ASSETS[end] for end in ASSETS if remote[1].endswith("/" + end)), None)
        if name is None:
            raise UserError(f"asv's page wants {remote[1]}, which {__name__}.ASSETS does not list.")
        wanted.append(name)
        attribute = remote[0].split("=")[0]
        return _GUARDS.sub("", tag.replace(remote[0], f'{attribute}="assets/{name}"'))

    return _TAG.sub(localise, text), wanted


def _install(directory: Path) -> Path:
    """Have npm fetch and verify the pinned packages; return where they are."""
    npm = shutil.which("npm")
    if npm is None:
        raise UserError("asv publish needs npm on the path, for the libraries of its page.")
    for name in ("package.json", "package-lock.json"):
        shutil.copyfile(HERE / name, directory / name)
    command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline"]
    done = subprocess.run(
        command, cwd=directory, stdin=subprocess.DEVNULL, capture_output=True, text=True
    )
    if done.returncode:
        raise UserError(f"{' '.join(command)} failed:\n{done.stderr}")
    return directory / "node_modules"
