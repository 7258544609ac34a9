"""The documentation site: built without a warning, whole, and at home without a network.

Needs the extra "docs", and Chromium for the last tests:
`python -m pytest -m slow tests/docs/test_site.py`.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import zlib
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest
from browser import chromium, served

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
COMMAND = "sphinx-build -W --keep-going -n -b html docs"
LOADED = re.compile(
    r'<(?:script|link|img|iframe|source|embed)\b[^>]*?\b(?:src|href)="([^"]+)"', re.S
)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the site by the command of its pages; warnings are errors."""
    pytest.importorskip("pydata_sphinx_theme", reason='the extra "docs" is not installed')
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "sphinx", *COMMAND.split()[1:], str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[str, str]:
    names = {p.relative_to(site).as_posix(): p for p in site.rglob("*.html")}
    return {name: p.read_text("utf-8") for name, p in names.items() if name[0] != "_"}


def inventory(site: Path) -> set[str]:
    """Return the names of Python that the site describes."""
    data = (site / "objects.inv").read_bytes().split(b"\n", 4)[4]
    lines = zlib.decompress(data).decode().splitlines()
    return {line.split()[0] for line in lines if " py:" in line}


PARTS = ["activations", "jit", "reference", "autograd", "dlpack", "network", "models", "optim"]


@pytest.mark.parametrize(
    "module", ["vekt", *(f"vekt.{part}" for part in (*PARTS, "config", "threading"))]
)
def test_every_public_name_is_in_the_reference(site: Path, module: str) -> None:
    described = inventory(site)
    for name in import_module(module).__all__:
        assert described & {f"{module}.{name}", f"vekt.{name}"}, name
    assert module.removeprefix("vekt.") not in PARTS or module in described


def test_nothing_is_loaded_from_elsewhere(site: Path, pages: dict[str, str]) -> None:
    assert len(pages) > 100
    for name, text in pages.items():
        loaded = [link for link in LOADED.findall(text) if not link.startswith("data:")]
        assert loaded
        for link in loaded:
            assert "//" not in link, f"{name} loads {link}"
            path = link.partition("?")[0].partition("#")[0]
            assert ((site / name).parent / path).exists(), f"{name} wants {link}"
    for path in site.rglob("*.css"):
        text = path.read_text("utf-8")
        assert not re.search(r"(?:@import\s+|url\(\s*)[\"']?(?:https?:)?//", text), path.name


def test_the_search_knows_the_pages(site: Path, pages: dict[str, str]) -> None:
    text = (site / "searchindex.js").read_text("utf-8")
    index = json.loads(text.removeprefix("Search.setIndex(").removesuffix(")"))
    for page in ("fuse", "reference/api/gelu", "reference/api/vekt-jit"):
        assert page in index["docnames"]
    assert {f"{name}.html" for name in index["docnames"]} <= set(pages)
    assert index["terms"]["broadcast"]


@pytest.fixture(scope="module")
def address(site: Path) -> Iterator[str]:
    if not (shutil.which("chromium") or shutil.which("google-chrome")):
        pytest.skip("no Chromium")
    with served(site) as found:
        yield found


RULER = """<!DOCTYPE html><meta charset="utf-8"><body><script>
const pages = %s, widths = [400, 800, 1400];
async function measure() {
  for (const page of pages) {
    const frame = document.body.appendChild(document.createElement("iframe"));
    frame.height = 900;
    await new Promise(done => { frame.onload = done; frame.src = page; });
    const root = frame.contentDocument.documentElement;
    for (const width of widths) {
      frame.width = width;
      if (root.scrollWidth > root.clientWidth)
        document.body.append(`[${page} at ${width}: ${root.scrollWidth}]`);
    }
    frame.remove();
  }
  document.body.append("[measured " + pages.length + "]");
}
measure();
</script></body>"""


def test_no_page_is_wider_than_the_screen(
    site: Path, pages: dict[str, str], address: str, tmp_path: Path
) -> None:
    names = [name for name in sorted(pages) if name not in ("genindex.html", "py-modindex.html")]
    made = {
        "too_wide.html": '<!DOCTYPE html><div style="width: 900px">planted</div>',
        "ruler.html": RULER % json.dumps([*names, "too_wide.html"]),
    }
    for name, text in made.items():
        (site / name).write_text(text, "utf-8")
    document = chromium(tmp_path, "--dump-dom", f"{address}ruler.html")
    for name in made:
        (site / name).unlink()
    assert re.findall(r"\[([^\[\]]*)\]", document.partition("</script>")[2]) == [
        "too_wide.html at 400: 908",
        "too_wide.html at 800: 908",
        f"measured {len(names) + 1}",
    ]


def test_the_search_finds_without_a_server(site: Path, address: str, tmp_path: Path) -> None:
    page = (site / "search.html").as_uri()
    document = chromium(tmp_path, "--dump-dom", f"{page}?q=softmax_cross_entropy")
    results = document[document.index('id="search-results"') :]
    assert "reference/api/softmax_cross_entropy.html" in results
