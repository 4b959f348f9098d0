"""Somebody with a browser: keeps cookies, follows no redirect by itself, sends forms as they stand on the page."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any

import httpx2

from tests.website.examples import PASSWORD


class PageForm:
    def __init__(self, action: str, method: str) -> None:
        self.action = action
        self.method = method
        self.fields: dict[str, str] = {}


class _Forms(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[PageForm] = []
        self._select = ""
        self._area: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append(PageForm(given["action"], given["method"]))
        elif tag == "input" and (given.get("type") != "checkbox" or "checked" in given):
            self.forms[-1].fields[given["name"]] = given.get("value", "")
        elif tag == "select":
            self._select = given["name"]
        elif tag == "option" and ("selected" in given or self._select not in self.forms[-1].fields):
            self.forms[-1].fields[self._select] = given.get("value", "")
        elif tag == "textarea":
            self._area = given["name"]

    def handle_data(self, data: str) -> None:
        if self._area is not None:
            self.forms[-1].fields[self._area] = data.removeprefix("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea":
            self._area = None


def forms(html: str) -> list[PageForm]:
    parser = _Forms()
    parser.feed(html)
    return parser.forms


def form(html: str, action: str) -> PageForm:
    return next(one for one in forms(html) if one.action == action)


class Visitor:
    def __init__(self, url: str) -> None:
        self.url = url
        self.client = httpx2.Client(base_url=url, trust_env=False, verify=False, timeout=30.0)

    def get(self, path: str, **options: Any) -> httpx2.Response:
        return self.client.get(path, **options)

    def send(self, page: str, action: str, **typed: str) -> httpx2.Response:
        """Opens the page, fills in its form, and sends it."""
        response = self.get(page)
        assert response.status_code < 400, response.text
        return self.post(action, {**form(response.text, action).fields, **typed})

    def post(self, action: str, fields: dict[str, str], **options: Any) -> httpx2.Response:
        return self.client.post(action, data=fields, **options)

    def log_in(self, user: str, password: str = PASSWORD) -> httpx2.Response:
        return self.send("/login", "/login", user=user, password=password)

    @property
    def session(self) -> str | None:
        return next((cookie.value for cookie in self.client.cookies.jar if cookie.name.endswith("_session")), None)

    def close(self) -> None:
        self.client.close()
