"""Pages that refresh by themselves, without a script, and what stays as it is meanwhile."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page

from job_orchestra.website.paths import run_path
from tests.website.examples import WORKER, Examples
from tests.website.installation import Installation

_SCROLLED = 150


@pytest.mark.parametrize("path", ["home", "run", "worker"])
def test_a_refreshed_page_is_where_it_was(
    path: str, installation: Installation, examples: Examples, browsing: Callable[..., Page]
) -> None:
    paths = {"home": "/", "run": run_path("example", examples.running.identifier), "worker": f"/workers/{WORKER}"}
    page = browsing(installation.url, "viewer", java_script=False)
    page.set_viewport_size({"width": 600, "height": 300})
    page.goto(installation.url + paths[path])
    page.mouse.move(300, 150)
    page.mouse.wheel(0, _SCROLLED)
    page.wait_for_function(f"scrollY === {_SCROLLED}", polling=50)
    with page.expect_navigation(url=installation.url + paths[path], timeout=30_000):
        pass
    page.wait_for_function(f"scrollY === {_SCROLLED}", polling=50)


def test_refreshing_is_paused_by_keyboard(
    installation: Installation, examples: Examples, browsing: Callable[..., Page]
) -> None:
    page = browsing(installation.url, "viewer", java_script=False)
    page.goto(installation.url + run_path("example", examples.running.identifier))
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url("**?refresh=off")
    assert "Refreshing is paused." in page.locator("footer").inner_text()
