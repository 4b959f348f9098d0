"""Every page and form × every kind of visitor, against the service's own idea of who may."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import httpx2
import pytest

from job_orchestra.domain.roles import ROLE_PERMISSIONS, Permission
from job_orchestra.website.dispatch import PageRoute
from job_orchestra.website.routes import ROUTES
from tests.website.examples import PASSWORD, USERS, WORKER, Examples
from tests.website.installation import Installation
from tests.website.visitor import Visitor, form

Visitors = Callable[[str | None], Visitor]

_EVERYBODY = {Permission.ANYONE, Permission.OWN_ACCOUNT}


def _path(route: PageRoute) -> str:
    """Of things that do not exist, so that no form changes anything; who may not does not even learn that."""
    return re.sub(r"{(\w+)}", lambda match: "example" if match[1] == "project" else "none", route.path)


def _request(visitor: Visitor, route: PageRoute, token: str) -> httpx2.Response:
    if route.method == "GET":
        return visitor.get(_path(route))
    return visitor.post(_path(route), {"form_token": token})


def _routes() -> Iterator[PageRoute]:
    """Without those that would end the session under test."""
    yield from (route for route in ROUTES if route.path not in {"/login", "/logout"})


def test_every_route_has_a_permission_and_stands_once() -> None:
    assert all(isinstance(route.permission, Permission) for route in ROUTES)
    assert len({(route.method, route.path) for route in ROUTES}) == len(ROUTES)
    assert {route.path for route in ROUTES if route.permission is Permission.ANYONE} == {"/login"}


@pytest.mark.parametrize("user", [*USERS, "disabled"])
def test_who_may_see_and_do_what(user: str, visitors: Visitors, examples: Examples) -> None:
    visitor = visitors(user)
    token = form(visitor.get("/profile").text, "/logout").fields["form_token"]
    granted = _EVERYBODY | (ROLE_PERMISSIONS[USERS[user]] if user in USERS else frozenset[Permission]())
    for route in _routes():
        response = _request(visitor, route, token)
        if route.permission in granted:
            assert response.status_code not in {401, 403}, route
        else:
            assert response.status_code == 403, route
            assert "Not permitted" in response.text
        assert visitor.session is not None, route


def test_strangers_and_expired_sessions_are_asked_to_log_in(installation: Installation, visitors: Visitors) -> None:
    stranger, expired = visitors(None), visitors(None)
    for route in _routes():
        # Each answer takes the worthless cookie away.
        expired.client.cookies.set(f"orchestra_{installation.website.port}_session", "0" * 64, domain="127.0.0.1")
        for visitor in (stranger, expired):
            response = _request(visitor, route, "")
            assert response.status_code == 303, route
            assert response.headers["Location"].startswith("/login"), route
            assert visitor.session is None


def test_links_and_buttons_are_those_that_may_be_used(visitors: Visitors, examples: Examples) -> None:
    pages = [
        "/", "/projects/example", "/projects/example/jobs/hello", f"/workers/{WORKER}",
        *(f"/projects/example/runs/{run.identifier}" for run in vars(examples).values()),
    ]  # fmt: skip
    permissions = {route.path: route.permission for route in ROUTES if route.method == "POST"}
    seen: dict[str, set[str]] = {}
    for user, role in USERS.items():
        visitor, granted = visitors(user), _EVERYBODY | ROLE_PERMISSIONS[role]
        seen[user] = set()
        if Permission.READ not in granted:
            continue
        for page in pages:
            for action in re.findall(r'<form method="post" action="([^"]+)"', visitor.get(page).text):
                path = _route_of(action)
                assert permissions[path] in granted, (user, action)
                seen[user].add(path.rpartition("/")[2])
    assert seen["viewer"] == seen["auditor"] == {"logout"}
    assert seen["worker"] == {"logout", "trigger", "retry", "abort", "cancel"}
    assert seen["operator"] == seen["worker"] | {"enable", "disable", "drain", "disconnect", "pin"}
    assert seen["administrator"] == seen["operator"]


def _route_of(action: str) -> str:
    for route in ROUTES:
        if re.fullmatch(re.sub(r"{\w+}", "[^/]+", route.path), action) and route.method == "POST":
            return route.path
    raise AssertionError(f"{action} is no route")


def test_a_disabled_user_keeps_the_own_account(visitors: Visitors, examples: Examples) -> None:
    visitor = visitors("disabled")
    response = visitor.get("/")
    assert response.status_code == 403
    assert "disabled" in response.text
    assert 'href="/runs"' not in response.text
    assert "This user is disabled" in visitor.get("/profile").text


def test_the_role_of_a_session_is_that_of_the_moment(installation: Installation, visitors: Visitors) -> None:
    installation.call(installation.accounts.create_user("changing", (USERS["operator"],), password=PASSWORD))
    visitor = visitors("changing")
    assert visitor.get("/").status_code == 200
    installation.call(installation.accounts.set_user_enabled("changing", False))
    assert visitor.get("/").status_code == 403
    installation.call(installation.accounts.delete_user("changing"))
    assert visitor.get("/").status_code == 303
