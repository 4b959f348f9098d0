from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from tests.browser import chromium
from tests.git_source import GitSource
from tests.website.browser.tour import log_in
from tests.website.examples import Examples, prepare_everything
from tests.website.installation import Installation

OpenPage = Callable[..., Page]


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    with chromium() as running:
        yield running


@pytest.fixture(scope="package")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With two revisions."""
    source = GitSource(tmp_path_factory.mktemp("repository") / "source")
    source.commit("The first")
    source.commit("The <b>second</b>")
    return source.path


@pytest.fixture(scope="module")
def examples(installation: Installation, repository: Path) -> Examples:
    return installation.call(prepare_everything(installation, repository))


@pytest.fixture
def browsing(browser: Browser) -> Iterator[OpenPage]:
    """Pages of users that are logged in; a test fails on what the browser complains of, and on requests to others."""
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def open_as(
        url: str, user: str, *, java_script: bool, is_expected: Callable[[str], bool] = lambda _: False
    ) -> Page:
        def complain(text: str) -> None:
            if not is_expected(text):
                complaints.append(f"{page.url}: {text}")

        context = browser.new_context(java_script_enabled=java_script)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: complain(message.text))
        page.on("pageerror", lambda error: complain(str(error)))
        page.on("dialog", lambda dialog: complain(dialog.message))
        page.on("request", lambda request: None if _is_own(request.url, url) else complain(request.url))
        log_in(page, url, user)
        return page

    try:
        yield open_as
        assert complaints == []
    finally:
        for context in contexts:
            context.close()


def _is_own(address: str, url: str) -> bool:
    return address.startswith((f"{url}/", "data:"))
