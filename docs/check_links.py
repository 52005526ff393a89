"""
Find links and pictures of the built pages that lead nowhere on these pages.

Usage: ``python docs/check_links.py docs/_build/html``
"""

import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit


class Page(HTMLParser):
    """What a page links to, and the places in it that may be linked to."""

    def __init__(self, path):
        super().__init__()
        self.targets, self.places = set(), {""}
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attributes):
        for name, value in attributes:
            if name in ("href", "src"):
                self.targets.add(value)
            elif name == "id" or (name == "name" and tag == "a"):
                self.places.add(value)


def dead_links(folder):
    """Yield pages of a folder, and their targets that are not there."""
    folder = folder.resolve()
    names = [path for path in sorted(folder.rglob("*.html")) if path.parent.name != "_static"]
    pages = {path: Page(path) for path in names}
    for path, page in pages.items():
        for target in sorted(page.targets):
            parts = urlsplit(target)
            if parts.scheme or parts.netloc:
                continue
            there = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            known = there.exists() and (
                there not in pages or unquote(parts.fragment) in pages[there].places
            )
            if not known:
                yield path.relative_to(folder), target


if __name__ == "__main__":
    dead = list(dead_links(Path(sys.argv[1])))
    for name, wanted in dead:
        print(f"{name}: {wanted} is not there")
    sys.exit(bool(dead))
