"""What axe finds in the pages, light and dark, on a screen and on a phone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.services import needed
from tests.website.browser.tour import open_page
from tests.website.crawling import crawl
from tests.website.examples import Examples
from tests.website.installation import Installation
from tests.website.visitor import Visitor

_RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
_WRONG = ("/nowhere", "/runs?where=results.a+%3D&since=never&status=asleep", "/projects/unknown")
"""Pages that tell of mistakes."""


@pytest.mark.parametrize(
    ("scheme", "width"), [("light", 1280), ("dark", 360)], ids=["light_on_a_screen", "dark_on_a_phone"]
)
def test_axe_finds_nothing(
    scheme: Any,
    width: int,
    installation: Installation,
    examples: Examples,
    visitors: Callable[[str | None], Visitor],
    browsing: Callable[..., Page],
) -> None:
    axe = needed("axe-core").read_text(encoding="utf-8")
    page = browsing(installation.url, "administrator", java_script=True, is_expected=_is_expected)
    page.set_viewport_size({"width": width, "height": 800})
    page.emulate_media(color_scheme=scheme)
    found: list[str] = []
    for path in [*crawl(visitors("administrator")), *_WRONG]:
        open_page(page, installation.url, path)
        page.evaluate(axe)
        found += [f"{path}: {one}" for one in page.evaluate(_LOOK, _RULES)]
        overflow = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        if overflow > 0 and not path.endswith("/graph"):
            found.append(f"{path}: is {overflow} pixels wider than the window")
    assert not found, "\n".join(found)


def _is_expected(complaint: str) -> bool:
    """A page that tells of a mistake has a status that says so."""
    return "status of 404" in complaint or "status of 422" in complaint


_LOOK = """
async rules => {
    const result = await axe.run(document, {runOnly: {type: "tag", values: rules}});
    return result.violations.map(one => `${one.id}: ${one.nodes.map(node => node.html.slice(0, 200)).join(" | ")}`);
}
"""
