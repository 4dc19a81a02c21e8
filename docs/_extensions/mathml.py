"""Formulas as MathML, which browsers draw themselves: no script, no font, nothing to fetch."""

from typing import Any

from docutils import nodes
from latex2mathml.converter import convert
from sphinx.application import Sphinx
from sphinx.util.math import get_node_equation_number


def visit_math(translator: Any, node: nodes.math) -> None:
    """A formula inside a line."""
    translator.body.append(convert(_plain(node.astext())))
    raise nodes.SkipNode


def visit_math_block(translator: Any, node: nodes.math_block) -> None:
    """A formula of its own, scrolled where the page is narrower than it is."""
    number = f" ({get_node_equation_number(translator, node)})" if node["number"] else ""
    formula = convert(_plain(node.astext()), display="block")
    translator.body.append(f'<div class="formula">{formula}{number}</div>\n')
    raise nodes.SkipNode


def _plain(latex: str) -> str:
    """Spacing commands that the converter would show as letters, left out."""
    return latex.replace(r"\,", " ").replace(r"\!", "")


def setup(app: Sphinx) -> dict[str, Any]:
    """Called by Sphinx."""
    app.add_html_math_renderer("mathml", (visit_math, None), (visit_math_block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
