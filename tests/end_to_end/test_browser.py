"""The website of a whole installation in a real browser with JavaScript switched off."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser import chromium
from tests.end_to_end.installation import Installation

PASSWORD = "a password for the browser"


@pytest.fixture(scope="module")
def url(running_on_sqlite: Installation) -> str:
    """Of the website, where the user `browser` can log in."""
    arguments = ("user", "create", "browser", "--role", "operator", "--password")
    done = running_on_sqlite.orchestra(*arguments, given=f"{PASSWORD}\n")
    assert done.returncode == 0, done.stderr
    return running_on_sqlite.website_url


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as running:
        yield running


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """Without JavaScript; a test fails on requests to anybody else, and on what the browser complains of."""
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    try:
        yield page
        assert complaints == []
    finally:
        context.close()


def _log_in(page: Page, url: str) -> None:
    page.goto(url)
    page.get_by_label("User").fill("browser")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("heading", name="Running")).to_be_visible()


def test_from_login_to_results(page: Page, url: str, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    _log_in(page, url)
    page.get_by_role("link", name="Projects").click()
    page.get_by_role("link", name="example").click()
    page.get_by_role("link", name="narrate").click()
    page.get_by_label("name", exact=True).fill("<b>you</b>")
    page.get_by_label("gate").fill(str(gate))
    page.get_by_role("button", name="Trigger a run").click()

    page.get_by_role("link", name="Watch the log").click(no_wait_after=True)
    log = page.get_by_role("region", name="Log")
    # The answer is still open while the run goes on: a line, and a part of a line, are there as they are written.
    expect(log.locator("span.f2")).to_have_text("hello <b>you</b>")
    expect(log).to_contain_text("now it waits ...")
    expect(log).not_to_contain_text("and goes on")
    gate.touch()
    expect(log).to_contain_text("now it waits ... and goes on", timeout=1000)
    expect(log.locator("p .status")).to_have_text("succeeded")
    expect(log.get_by_role("status")).to_have_text("succeeded")

    log.get_by_role("link", name="To the run").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("succeeded")
    expect(page.get_by_role("region", name="Results")).to_contain_text("<b>you</b>")
    expect(page.get_by_role("region", name="Results")).to_contain_text("42")
    expect(page.get_by_text("Complete and verified")).to_be_visible()


def test_a_run_is_aborted_while_its_page_refreshes_by_itself(page: Page, url: str, tmp_path: Path) -> None:
    _log_in(page, url)
    page.goto(f"{url}/projects/example/jobs/narrate")
    page.get_by_label("gate").fill(str(tmp_path / "never"))
    page.get_by_role("button", name="Trigger a run").click()
    page.get_by_role("button", name="Abort").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("aborted", timeout=30_000)


def test_each_page_is_at_most_two_requests_and_all_of_them_ours(page: Page, url: str) -> None:
    _log_in(page, url)
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    for path in (
        "/",
        "/projects",
        "/projects/example",
        "/projects/example/jobs/narrate",
        "/runs",
        "/workers",
        "/profile",
    ):
        requests.clear()
        page.goto(url + path)
        page.wait_for_load_state("networkidle")
        assert len(requests) <= 2, requests
        assert all(url.startswith((url, "data:")) for url in requests)
