"""A tour through the website in a real browser: every page that links lead to, and every form that stands on one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from playwright.sync_api import Locator, Page, Response

from job_orchestra.website.dispatch import PageRoute
from job_orchestra.website.paths import user_path
from tests.website.crawling import Alike, find_route, is_of, local_links, route_of
from tests.website.examples import PASSWORD

_TYPED = {
    "current": PASSWORD,
    "new": "another password of a test",
    "again": "another password of a test",
    "identifier": "newcomer",
    "parameter-target": "a <b>target</b>",
}
"""What is filled in where a field is required and empty."""


@dataclass(frozen=True)
class Seen:
    path: str
    """With its query."""
    route: PageRoute
    response: Response
    actions: tuple[str, ...]
    """Of the forms on it that change something."""


@dataclass
class Tour:
    """As whoever is logged in in the browser page."""

    page: Page
    url: str
    user: str
    pages: dict[str, Seen] = field(default_factory=dict[str, Seen])
    """By their paths."""

    def walk(self, start: str = "/") -> Iterator[Seen]:
        """Each page when the browser shows it; a page that goes on refreshing is paused."""
        alike = Alike()
        found, waiting = {start}, [start]
        while waiting:
            path = waiting.pop(0)
            if alike.is_enough(path):
                continue
            seen = self.visit(path)
            yield seen
            for link in self._links():
                if link not in found:
                    found.add(link)
                    waiting.append(link)

    def visit(self, path: str) -> Seen:
        return self._look(path, open_page(self.page, self.url, path))

    def _look(self, path: str, response: Response) -> Seen:
        actions: list[str] = self.page.eval_on_selector_all(
            "form[method=post]", "forms => forms.map(one => one.getAttribute('action'))"
        )
        seen = Seen(path, route_of(path, "GET"), response, tuple(actions))
        self.pages[path] = seen
        return seen

    def _links(self) -> list[str]:
        """To other pages of this website, without fragments."""
        links: list[str] = self.page.eval_on_selector_all(
            "a[href], form[method=get]", "all => all.map(one => one.getAttribute('href') ?? one.getAttribute('action'))"
        )
        return local_links(links)

    def send_form(self, route: PageRoute) -> Response | None:
        """The answer to a form of that route, from whichever page has one; None if no page that was seen has."""
        paths = [seen.path for seen in self.pages.values() if any(is_of(one, route) for one in seen.actions)]
        # Who does something to the own account does it last: it may end the session.
        for path in sorted(paths, key=lambda path: path == user_path(self.user)):
            # Another form may have changed it since.
            for number, action in enumerate(self.visit(path).actions):
                if is_of(action, route):
                    answer = self._submit(self.page.locator("form[method=post]").nth(number))
                    if action.endswith("/delete"):
                        del self.pages[path]
                    # What one form did may be undone with another: on the page where one comes to, or here.
                    landed = urlsplit(self.page.url).path
                    self.visit(landed if find_route(landed, "GET") else path)
                    return answer
        return None

    def _submit(self, form: Locator) -> Response:
        for typed in form.locator("[required]").all():
            name = typed.get_attribute("name") or ""
            if not typed.input_value():
                if typed.evaluate("field => field.tagName") == "SELECT":
                    typed.select_option(index=1)
                else:
                    typed.fill(_TYPED[name])
        answers: list[Response] = []

        def hear(response: Response) -> None:
            if response.request.method == "POST":
                answers.append(response)

        self.page.on("response", hear)
        with self.page.expect_navigation():
            form.locator("button").first.click(no_wait_after=True)
        self.page.remove_listener("response", hear)
        return answers[0]


def log_in(page: Page, url: str, user: str, password: str = PASSWORD) -> None:
    page.goto(f"{url}/login?next=/profile")  # which does not refresh by itself meanwhile
    page.get_by_label("User").fill(user)
    page.get_by_label("Password").fill(password)
    with page.expect_navigation():
        page.get_by_role("button", name="Log in").click(no_wait_after=True)


def open_page(page: Page, url: str, path: str) -> Response:
    """Without refreshing; a log that grows is shown as far as it has come."""
    paused = f"{path}{'&' if '?' in path else '?'}refresh=off"
    is_log = urlsplit(path).path.endswith("/log")
    response = page.goto(url + paused, wait_until="commit" if is_log else "load")
    assert response is not None
    if is_log:
        page.locator(".scroller .log").wait_for(state="attached")
    return response
