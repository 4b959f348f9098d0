"""Every page and every form as each role."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page

from job_orchestra.domain.roles import ROLE_PERMISSIONS, Permission, Role
from job_orchestra.website.dispatch import PageRoute
from job_orchestra.website.routes import ROUTES
from tests.website.browser.tour import Tour, log_in
from tests.website.crawling import NO_PAGES, route_of
from tests.website.examples import prepare_everything
from tests.website.installation import Installation

_EVERYBODY = {Permission.ANYONE, Permission.OWN_ACCOUNT}
_ENDING = ("/logout", "/profile/password")
"""Forms after which one has to log in."""


def _permitted(role: Role, method: str) -> list[PageRoute]:
    granted = _EVERYBODY | ROLE_PERMISSIONS[role]
    return [
        route
        for route in ROUTES
        if route.method == method and route.permission in granted and not NO_PAGES.search(route.path)
    ]


@pytest.mark.parametrize(
    ("role", "java_script"),
    [*((role, False) for role in Role), (Role.ADMINISTRATOR, True)],
    ids=lambda one: one.value if isinstance(one, Role) else "with_script" if one else "without_script",
)
def test_every_page_and_form(
    role: Role,
    java_script: bool,
    make_installation: Callable[[], Installation],
    repository: Path,
    browsing: Callable[..., Page],
) -> None:
    installation = make_installation()
    installation.call(prepare_everything(installation, repository))
    tour = Tour(browsing(installation.url, role.value, java_script=java_script), installation.url, role.value)
    for seen in tour.walk():
        assert seen.response.status == 200, seen.path
    tour.visit("/login")
    wanted = {route.path for route in _permitted(role, "GET")}
    assert {seen.route.path for seen in tour.pages.values()} == wanted
    forms = [route for route in _permitted(role, "POST") if route.path not in {"/login", *_ENDING}]
    _send_every_form(tour, sorted(forms, key=lambda route: not route.path.endswith("/delete")))
    for path in _ENDING:
        assert tour.send_form(route_of(path, "POST")) is not None
        assert urlsplit(tour.page.url).path == "/login"
        if path != _ENDING[-1]:
            log_in(tour.page, installation.url, role.value)


def _send_every_form(tour: Tour, routes: Sequence[PageRoute]) -> None:
    """In rounds: some can only be sent behind others, which undo or make something."""
    while routes:
        left = [route for route in routes if not _is_sent(tour, route)]
        assert len(left) < len(routes), f"no page has a form for {', '.join(route.path for route in left)}"
        routes = left


def _is_sent(tour: Tour, route: PageRoute) -> bool:
    answer = tour.send_form(route)
    assert answer is None or answer.status in {201, 303}, (route.path, answer.status)
    return answer is not None
