"""What a page weighs, and what it asks for: with its style sheet at most 14 KB and two requests, and nobody else."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from playwright.sync_api import Page

from tests.website.browser.tour import open_page
from tests.website.crawling import crawl
from tests.website.examples import Examples
from tests.website.installation import Installation
from tests.website.visitor import Visitor

_MOST_BYTES = 14_000
_MOST_REQUESTS = 2


def test_every_page_is_light(
    installation: Installation,
    examples: Examples,
    visitors: Callable[[str | None], Visitor],
    browsing: Callable[..., Page],
) -> None:
    """With an empty cache, as somebody sees it who comes for the first time."""
    page = browsing(installation.url, "administrator", java_script=True)
    protocol: Any = page.context.new_cdp_session(page)
    protocol.send("Network.setCacheDisabled", {"cacheDisabled": True})
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    visitor = visitors("administrator")
    weights: dict[str, int] = {}
    for path in crawl(visitor):
        requests.clear()
        open_page(page, installation.url, path)
        sent = [address for address in requests if not address.startswith("data:")]
        assert len(sent) <= _MOST_REQUESTS, sent
        assert all(address.startswith(installation.url) for address in sent)
        if not path.endswith("/log"):
            weights[path] = _weight(visitor, path)
    heaviest = sorted(weights.items(), key=lambda pair: -pair[1])
    assert heaviest[0][1] <= _MOST_BYTES, heaviest[:10]


def _weight(visitor: Visitor, path: str) -> int:
    """Bytes on the wire: the page and its style sheet, compressed."""
    response = visitor.get(path)
    [style] = re.findall(r'<link rel="stylesheet" href="([^"]*)"', response.text)
    return response.num_bytes_downloaded + visitor.get(style).num_bytes_downloaded
