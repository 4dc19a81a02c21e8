"""Check a built site: every link inside it leads to a file and a heading, and nothing on a page is fetched from elsewhere.

python docs/check_site.py docs/_build/html
"""

import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

FETCHED = {"script": "src", "img": "src", "link": "href", "iframe": "src", "source": "src"}
"""What a browser loads by itself, by tag."""

INDEXING = {"canonical", "alternate"}
"""Relations of links that no browser loads."""


class Page(HTMLParser):
    """What a page has to offer and what it asks for."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.anchors: set[str] = {"", "top"}
        self.links: list[str] = []
        self.fetched: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note anchors, links, and what is loaded."""
        found = {name: value or "" for name, value in attrs}
        self.anchors.update(found[name] for name in ("id", "name") if name in found)
        if tag == "a" and "href" in found:
            self.links.append(found["href"])
        if tag in FETCHED and FETCHED[tag] in found and found.get("rel") not in INDEXING:
            self.fetched.append(found[FETCHED[tag]])


def problems(root: Path) -> list[str]:
    """What is wrong with the site, one sentence each."""
    pages = {path.resolve(): Page(path.read_text(encoding="utf-8")) for path in root.rglob("*.html")}
    found = []
    for path, page in pages.items():
        name = path.relative_to(root.resolve())
        away = (address for address in page.fetched if urlsplit(address).scheme not in ("", "data"))
        found += [f"{name} loads {address}" for address in away]
        for address in (*page.links, *page.fetched):
            parts = urlsplit(address)
            if parts.scheme or parts.netloc:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            if not target.exists():
                found.append(f"{name} leads to {address}, which is not there")
            elif target in pages and unquote(parts.fragment) not in pages[target].anchors:
                found.append(f"{name} leads to {address}, which has no such heading")
    return found if pages else [f"there is no page in {root}"]


def main() -> None:
    """Print what is wrong and leave with 1, or say that nothing is."""
    found = problems(Path(sys.argv[1]))
    print("\n".join(found) or "Every link leads somewhere, and nothing is loaded from elsewhere.")
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
