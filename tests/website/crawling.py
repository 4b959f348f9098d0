"""All pages of a website that links and forms lead to."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from html import unescape
from urllib.parse import parse_qs, urlsplit

from job_orchestra.website.dispatch import PageRoute
from job_orchestra.website.routes import ROUTES
from tests.website.visitor import Visitor

NO_PAGES = re.compile(r"/(raw|results|archive)$|/late-reports/")
"""Answers that a browser saves, or shows as they are."""
_MOST_ALIKE = 3
"""Pages of one route, with the same names in the query, that are looked at."""
_RUN = "/projects/{project}/runs/{run}"
"""No two of the examples' pages are alike."""
_LEADS = re.compile(r"""<a [^>]*href="([^"]*)"|<form method="get" action="([^"]*)\"""")


class Alike:
    """Counts pages that are alike."""

    def __init__(self) -> None:
        self._seen: Counter[tuple[str, frozenset[str]]] = Counter()

    def is_enough(self, path: str) -> bool:
        """Whether so many like it were asked for before."""
        kind = (route_of(path, "GET").path, frozenset(parse_qs(urlsplit(path).query)))
        self._seen[kind] += 1
        return self._seen[kind] > _MOST_ALIKE and kind[0] != _RUN


def crawl(visitor: Visitor, start: str = "/") -> list[str]:
    """Paths with their queries, in the order in which they were found; a test fails for a link that leads nowhere.

    Pages of logs are not followed, but for their search: they may stay open, and lead to other parts of themselves.
    """
    alike, found, waiting = Alike(), list[str](), [start]
    known = {start}
    while waiting:
        path = waiting.pop()
        if alike.is_enough(path):
            continue
        found.append(path)
        if urlsplit(path).path.endswith("/log"):
            links = [f"{urlsplit(path).path}/search?text=l"]
        else:
            response = visitor.get(path)
            assert response.status_code == 200, path
            links = [unescape(link or action) for link, action in _LEADS.findall(response.text)]
        for link in local_links(links):
            if link not in known:
                known.add(link)
                waiting.append(link)
    return found


def local_links(links: Iterable[str]) -> list[str]:
    """To other pages of the website, without fragments."""
    paths = (link.partition("#")[0] for link in links)
    return [path for path in paths if path.startswith("/") and not NO_PAGES.search(urlsplit(path).path)]


def route_of(path: str, method: str) -> PageRoute:
    """The page or form at that path; a test fails for a link that leads nowhere."""
    route = find_route(path, method)
    assert route is not None, path
    return route


def find_route(path: str, method: str) -> PageRoute | None:
    bare = urlsplit(path).path
    return next((route for route in ROUTES if route.method == method and is_of(bare, route)), None)


def is_of(path: str, route: PageRoute) -> bool:
    """Without a query."""
    return re.fullmatch(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(route.path)), path) is not None
