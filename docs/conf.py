"""How the documentation site is built: ``python3 run.py docs``. It needs no network to build and none to read."""

import re
import sys
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

sys.path.insert(0, str(Path(__file__).parent / "_extensions"))

from impasto import __version__

OUTSIDE = {
    "../CONTRIBUTING.md": "contributing.md",
    "../benchmarks/README.md": "benchmarks.md",
    "../CHANGELOG.md": "changelog.md",
}
"""Pages that live beside docs/, by the names that links in docs/ give them, and where the site has them."""

project = "impasto"
author = "The impasto authors"
copyright = "the impasto authors"  # noqa: A001 - Sphinx's name for it
release = version = __version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx.ext.doctest",
    "sphinx_gallery.gen_gallery",
    "mathml",
]
exclude_patterns = ["_build", "_extensions", "gallery/README.rst"]
html_theme = "furo"
html_title = "impasto"
html_static_path = ["_static"]
html_css_files = ["impasto.css"]
html_math_renderer = "mathml"
html_copy_source = False

myst_enable_extensions = ["dollarmath", "deflist", "attrs_inline"]
myst_heading_anchors = 3
myst_fence_as_directive = []
suppress_warnings = ["myst.header"]

doctest_global_setup = (
    "from impasto.encoders.stack import *; from impasto.pyramid import *; from impasto.tiling import *"
)

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
napoleon_google_docstring = True
napoleon_numpy_docstring = False
nitpicky = False

sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "gallery",
    "filename_pattern": r"(?!)",  # shown, not run: they take minutes; their pictures are in docs/pictures
    "ignore_pattern": r"^(?!.*(figure_|demo_picture)).*\.py$",
    "show_signature": False,
    "download_all_examples": False,
    "remove_config_comments": True,
    "write_computation_times": False,
}


def _inside(_app: Sphinx, _name: str, source: list[str]) -> None:
    """Lead links to pages that live beside docs/ to their places in the site."""
    for outside, inside in OUTSIDE.items():
        source[0] = source[0].replace(f"]({outside}", f"]({inside}")


def _literal(_app: Sphinx, _what: str, _name: str, _object: Any, _options: Any, lines: list[str]) -> None:
    """Let the stars of (B, C, *spatial) and the bars of |f| be stars and bars, but in code and formulas."""
    for index, line in enumerate(lines):
        parts = re.split(r"(`[^`]*`)", line)
        parts[::2] = [re.sub(r"(?<!\\)([*|])(?=[a-z])|(?<=[a-z])(\|)", r"\\\1\2", part) for part in parts[::2]]
        if ".. math::" not in line and not line.startswith("    "):
            lines[index] = "".join(parts)


def setup(app: Sphinx) -> None:
    """Called by Sphinx."""
    app.connect("source-read", _inside)
    app.connect("autodoc-process-docstring", _literal)
