"""The documents: what they point to is there, what they quote is so, and what they claim holds."""

import ast
import importlib.util
import re
from pathlib import Path

import pytest
import torch

from impasto.losses import ContentLoss
from impasto.losses.gram import GramLoss

ROOT = Path(__file__).parent.parent
PAGES = [
    *sorted((ROOT / "docs").glob("*.md")),
    *(ROOT / name for name in ("CONTRIBUTING.md", "README.md", "benchmarks/README.md")),
]
PLACES = (ROOT, ROOT / "src" / "impasto", ROOT / "benchmarks")

FENCE = re.compile(r"^```(.*)\n((?:.*\n)*?)```$", re.MULTILINE)
CODE = re.compile(r"`([^`\n]+)`")
REFERENCE = re.compile(r"(?P<path>[\w.][\w./-]*(?:\.(?:py|toml|md|txt|npz)|/))(?:::(?P<name>[\w.]+))?")
LINK = re.compile(r"\]\((?!https?:)([^)#\s]*)(?:#([^)\s]+))?\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)

every_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))


def prose(page):
    """The page without its fenced code."""
    return FENCE.sub("", page.read_text(encoding="utf-8"))


def located(path):
    """The file or folder that a page calls ``path``, or None."""
    return next((place / path for place in PLACES if (place / path).exists()), None)


def missing(code):
    """What of a piece of inline code, if it is a reference to a file, is not there; None if nothing is missing."""
    match = REFERENCE.fullmatch(code)
    if match is None:
        return None
    file = located(match["path"])
    if file is None:
        return f"there is no {match['path']}"
    if match["name"] and not defines(ast.parse(file.read_text(encoding="utf-8")), match["name"].split(".")):
        return f"{match['path']} has no {match['name']}"
    return None


def defines(node, names):
    """Whether a module or class defines the first name, and that the second, and so on."""
    if not names:
        return True
    inner = (part for part in getattr(node, "body", []) if names[0] in bound(part))
    return any(defines(part, names[1:]) for part in inner)


def bound(statement):
    """The names that a statement binds."""
    match statement:
        case ast.FunctionDef() | ast.ClassDef():
            return [statement.name]
        case ast.AnnAssign():
            return [ast.unparse(statement.target)]
        case ast.Assign():
            return [ast.unparse(target) for target in statement.targets]
    return []


def lines(text):
    """The lines without indentation and without empty ones."""
    return [line.strip() for line in text.splitlines() if line.strip()]


def quoted(block, source):
    """Whether the lines of a block, with ``...`` for anything, follow one another in a source."""
    text, at = "\n" + "\n".join(lines(source)) + "\n", 0
    for part in "\n".join(lines(block)).split("\n...\n"):
        at = text.find(f"\n{part}\n", at)
        if at < 0:
            return False
        at += 1 + len(part)
    return True


def anchors(page):
    """The headings of a page as links name them."""
    headings = HEADING.findall(prose(page))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@every_page
def test_references_exist(page):
    """Every path in code style is there, and every name after ``::`` is defined in it."""
    problems = [problem for code in CODE.findall(prose(page)) if (problem := missing(code))]
    assert not problems


@every_page
def test_quoted_code_is_in_its_file(page):
    """A block of Python that names a file holds lines of that file."""
    for info, block in FENCE.findall(page.read_text(encoding="utf-8")):
        language, _, path = info.partition(" ")
        if language == "python" and path:
            file = located(path)
            assert file is not None, f"there is no {path}"
            assert quoted(block, file.read_text(encoding="utf-8")), f"{path} does not hold:\n{block}"


@every_page
def test_links_lead_somewhere(page):
    """Every relative link has its file, and its heading."""
    for path, anchor in LINK.findall(prose(page)):
        if path.startswith("gallery/"):
            continue  # made when the site is built, which checks it
        target = page.parent / path if path else page
        assert target.exists(), f"there is no {path}"
        assert not anchor or anchor in anchors(target), f"{target.name} has no heading #{anchor}"


def test_the_checks_notice():
    """The tests above can fail: wrong paths, names and quotations are told from right ones."""
    assert missing("losses/gram.py::GramLoss.compare") is None
    assert missing("plain words.py") is None
    assert missing("losses/grams.py") == "there is no losses/grams.py"
    assert missing("losses/gram.py::GramLoss.compares") == "losses/gram.py has no GramLoss.compares"
    assert quoted("b = 2\n...\n  c = 3\n", "a = 1\nif a:\n    b = 2\n\n    d = 4\n    c = 3\n")
    assert not quoted("c = 3\n...\nb = 2\n", "b = 2\nc = 3\n")
    assert not quoted("b = 2\n", "b = 21\nbb = 2\n")
    codes = CODE.findall(prose(ROOT / "docs" / "how-it-works.md"))
    assert sum(REFERENCE.fullmatch(code) is not None for code in codes) > 40


def test_settings_page_is_up_to_date():
    """docs/settings.md is what docs/make_settings.py makes of the model."""
    spec = importlib.util.spec_from_file_location("make_settings", ROOT / "docs" / "make_settings.py")
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    found = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    assert found == script.page(), "run: python docs/make_settings.py"


def test_style_loss_is_a_maximum_mean_discrepancy():
    """E_l = MMD^2 / (4 N^2) with the kernel (x^T y)^2 over all pairs of positions, whatever their numbers."""
    F, S = (torch.randn(1, 5, count, dtype=torch.float64) for count in (7, 11))

    def kernel(a, b):
        return ((a[0].t() @ b[0]) ** 2).mean()

    discrepancy = kernel(F, F) + kernel(S, S) - 2 * kernel(F, S)
    assert GramLoss.of(S).value(F).item() == pytest.approx(discrepancy.item() / (4 * 5**2), rel=1e-12)


def test_weights_are_the_papers_up_to_the_size_of_the_content_layer():
    """content_weight = alpha N M and style_weight = beta give the paper's total loss at equal sizes."""
    F, P, S = torch.randn(3, 1, 6, 4, 5, dtype=torch.float64)
    N, M, alpha, beta = 6, 20, 1e-3, 2.0
    G, A = (x.flatten(2)[0] @ x.flatten(2)[0].t() for x in (F, S))
    paper = alpha * ((F - P) ** 2).sum() / 2 + beta * ((G - A) ** 2).sum() / (4 * N**2 * M**2)
    ours = alpha * N * M * ContentLoss(P).value(F) + beta * GramLoss.of(S).value(F)
    assert ours.item() == pytest.approx(paper.item(), rel=1e-12)
