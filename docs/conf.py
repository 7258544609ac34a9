"""The documentation site: `sphinx-build -W --keep-going -n -b html docs site`.

Pages are the Markdown beside this file; those of the reference, and some pictures, are made of the
installed `vekt` when the build begins.  Nothing is loaded from elsewhere when the pages are read.
"""

from __future__ import annotations

import sys
from importlib.metadata import version as version_of
from pathlib import Path
from typing import Any

from docutils.nodes import reference

DOCS = Path(__file__).parent
sys.path.insert(0, str(DOCS.parent / "tools"))

project = "vekt"
author = "vekt developers"
project_copyright = "vekt developers"
version = release = version_of("vekt")

extensions = ["myst_parser", "site_links", "site_math"]
source_suffix = {".md": "markdown", ".rst": "restructuredtext"}
exclude_patterns = ["examples"]
root_doc = "index"
language = "en"
default_role = "literal"
python_display_short_literal_types = True
toc_object_entries_show_parents = "hide"

myst_enable_extensions = ["colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 4

html_theme = "pydata_sphinx_theme"
html_math_renderer = "mathml"
html_title = f"vekt {version}"
html_static_path = ["_static"]
html_css_files = ["vekt.css"]
html_show_sourcelink = False
html_copy_source = False
html_last_updated_fmt = None
html_theme_options = {
    "show_prev_next": False,
    "show_nav_level": 1,
    "collapse_navigation": True,
    "navigation_with_keys": False,
    "footer_start": ["copyright"],
    "footer_end": [],
    "secondary_sidebar_items": ["page-toc"],
    "pygments_light_style": "a11y-light",
    "pygments_dark_style": "a11y-dark",
}

# Pages outside of docs/, as a forge's reader reaches them, and where the site has them.
_OUTSIDE = {
    "../CONTRIBUTING.md": "reference/contributing.md",
    "../CHANGELOG.md": "reference/changelog.md",
}


# Lists of pages: what belongs there, and the last one that is named.
_LISTS = {
    "guides": ("*.md", "interop"),
    "reference/index": ("api/family-*.rst", "api/family-layers"),
}


def _stay_on_the_site(_app: Any, name: str, text: list[str]) -> None:
    """Lead links that leave docs/ to where their pages are on the site."""
    up = "../" * name.count("/")
    for outside, inside in _OUTSIDE.items():
        text[0] = text[0].replace(f"]({up}{outside}", f"]({up}{inside}")


def _list_new_pages(_app: Any, name: str, text: list[str]) -> None:
    """Put guides and families that no list of pages names yet behind the others."""
    pattern, last = _LISTS.get(name, ("", ""))
    if not pattern:
        return
    lists = "\n".join((DOCS / f"{page}.md").read_text("utf-8") for page in ("index", *_LISTS))
    named = {line.removeprefix("../") for line in lists.splitlines()} | {"index"}
    folder = (DOCS / name).parent
    found = (path.relative_to(folder).with_suffix("").as_posix() for path in folder.glob(pattern))
    new = [page for page in sorted(found) if page not in named]
    text[0] = text[0].replace(f"\n{last}\n", "\n".join(["", last, *new, ""]))


def _numpys_page(_app: Any, _env: Any, node: Any, content: Any) -> Any:
    """Lead names of NumPy's to its own documentation."""
    name = node.get("reftarget", "")
    if not name.startswith("numpy."):
        return None
    page = f"https://numpy.org/doc/stable/reference/generated/{name}.html"
    return reference("", "", content, refuri=page, internal=False)


def _make(_app: Any) -> None:
    """Write the pages and pictures that are made of the package."""
    import site_pictures
    import site_reference

    site_reference.write(DOCS / "reference" / "api")
    site_pictures.draw(DOCS / "how" / "made")


def setup(app: Any) -> None:
    """Connect what is made at the build."""
    app.connect("builder-inited", _make)
    app.connect("source-read", _stay_on_the_site)
    app.connect("source-read", _list_new_pages)
    app.connect("missing-reference", _numpys_page)
