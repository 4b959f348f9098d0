"""All pages of a website that links lead to."""

from __future__ import annotations

import re
from collections.abc import Iterable
from html import unescape
from urllib.parse import urlsplit

from tests.website.visitor import Visitor

NO_PAGES = re.compile(r"/(raw|results|archive)$|/late-reports/")
"""Answers that a browser saves, or shows as they are."""


def crawl(visitor: Visitor, start: str = "/") -> list[str]:
    """Paths with their queries, in the order in which they were found; a test fails for a link that leads nowhere.

    Pages of logs are not followed: they may stay open, and lead to other parts of themselves.
    """
    found, waiting = {start: None}, [start]
    while waiting:
        path = waiting.pop()
        if urlsplit(path).path.endswith("/log"):
            continue
        response = visitor.get(path)
        assert response.status_code == 200, path
        for link in local_links(unescape(link) for link in re.findall(r'<a [^>]*href="([^"]*)"', response.text)):
            if link not in found:
                found[link] = None
                waiting.append(link)
    return list(found)


def local_links(links: Iterable[str]) -> list[str]:
    """To other pages of the website, without fragments."""
    paths = (link.partition("#")[0] for link in links)
    return [path for path in paths if path.startswith("/") and not NO_PAGES.search(urlsplit(path).path)]
