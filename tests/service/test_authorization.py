"""Who may use which route: every route, asked by everyone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields

import pytest

from job_orchestra.domain.roles import ROLE_PERMISSIONS, Permission, Role
from job_orchestra.domain.users import TokenKind
from job_orchestra.service.route import Route
from job_orchestra.service.routes import ROUTES
from tests.service.serving import Play, Served

_OPEN = {Permission.ANYONE, Permission.OWN_ACCOUNT}


async def _status(served: Served, route: Route, secret: str | None) -> int:
    """Of a request that does nothing: the things it is about do not exist, its body is wrong."""
    path = route.path
    for name in route.path_parameters:
        path = path.replace(f"{{{name}}}", "nope")
    response = await served.anonymous.request(
        route.method,
        path,
        content=b'{"nonsense": 1}' if route.body else None,
        headers={} if secret is None else {"Authorization": f"Bearer {secret}"},
    )
    assert response.status_code < 500, (route, response.text)
    return response.status_code


async def _secret(served: Served, user: str, lifetime: float | None = None) -> str:
    # A new one for each request: logging out ends it.
    return (await served.accounts.create_token(user, TokenKind.PERSONAL, "", lifetime)).secret


def test_every_route_names_a_permission() -> None:
    assert "permission" in {field.name for field in fields(Route)}
    for route in ROUTES:
        assert isinstance(route.permission, Permission), f"{route.method} {route.path} has no permission"
    assert len({(route.method, route.path) for route in ROUTES}) == len(ROUTES)


def test_only_these_routes_are_open_to_anyone() -> None:
    opened = {f"{route.method} {route.path}" for route in ROUTES if route.permission is Permission.ANYONE}
    assert opened == {
        "GET /", "GET /health", "GET /ready", "GET /routes", "GET /openapi.json", "GET /docs", "POST /me/login",
        "POST /projects/{project}/webhooks/{webhook}",
    }  # fmt: skip


def test_reading_is_never_allowed_to_change() -> None:
    reading = {Permission.READ, Permission.READ_ADMINISTRATION}
    for route in ROUTES:
        assert route.method == "GET" or route.permission not in reading, route


@pytest.mark.parametrize("role", list(Role))
def test_a_role_may_use_what_its_permissions_say_and_nothing_else(play_on_sqlite: Play, role: Role) -> None:
    async def scenario(served: Served) -> None:
        await served.accounts.create_user("somebody", (role,))
        for route in ROUTES:
            status = await _status(served, route, await _secret(served, "somebody"))
            is_allowed = route.permission in ROLE_PERMISSIONS[role] | _OPEN
            assert (status not in {401, 403}) == is_allowed or _is_login(route, status), (route, status)

    play_on_sqlite(scenario)


@pytest.mark.parametrize("roles", [(), *[(role,) for role in Role], tuple(Role)])
def test_a_disabled_user_keeps_its_own_account_and_nothing_else(play_on_sqlite: Play, roles: Sequence[Role]) -> None:
    async def scenario(served: Served) -> None:
        await served.accounts.create_user("somebody", tuple(roles))
        await served.accounts.create_user("administrator", (Role.ADMINISTRATOR,))  # the only one cannot be disabled
        await served.accounts.set_user_enabled("somebody", False)
        for route in ROUTES:
            status = await _status(served, route, await _secret(served, "somebody"))
            assert (status != 403) == (route.permission in _OPEN), (route, status)

    play_on_sqlite(scenario)


def test_without_a_valid_token_only_open_routes_answer(play_on_sqlite: Play) -> None:
    async def scenario(served: Served) -> None:
        await served.accounts.create_user("somebody", tuple(Role))
        expired = await _secret(served, "somebody", lifetime=5)
        control = await served.accounts.create_control_token()
        served.clock.advance(6)
        deleted = await served.accounts.create_token("somebody")
        await served.accounts.delete_token("somebody", deleted.token.identifier)
        for route in ROUTES:
            assert (await _status(served, route, None) != 401) == (route.permission is Permission.ANYONE), route
            for secret in (expired, deleted.secret, control, "0" * 64, "nonsense"):
                # An open route does not even look at the token, but for the one that answers who may what.
                is_open = route.permission is Permission.ANYONE and not route.is_caller_told
                assert (await _status(served, route, secret) != 401) == is_open, (route, secret)

    play_on_sqlite(scenario)


def _is_login(route: Route, status: int) -> bool:
    return route.path == "/me/login" and status == 401


@pytest.mark.parametrize(
    "header", ["", "Basic", "Basic x", "Basic " + "!" * 8, "Basic bm9jb2xvbg==", "Digest a", "Bearer", "\xe9"]
)
def test_a_malformed_header_is_refused_with_what_would_be_right(play_on_sqlite: Play, header: str) -> None:
    async def scenario(served: Served) -> None:
        response = await served.anonymous.get("/me", headers=[(b"Authorization", header.encode("latin-1"))])
        assert response.status_code == 401
        assert response.headers["www-authenticate"].startswith("Basic realm=")
        assert "Authorization" in response.json()["detail"]

    play_on_sqlite(scenario)


def test_basic_authentication_names_user_and_token(play_on_sqlite: Play) -> None:
    async def scenario(served: Served) -> None:
        await served.accounts.create_user("somebody", (Role.VIEWER,))
        secret = await _secret(served, "somebody")
        client = served.anonymous
        assert (await client.get("/me", auth=("somebody", secret))).json()["user"]["identifier"] == "somebody"
        assert (await client.get("/me", auth=("another", secret))).status_code == 401
        assert (await client.get("/me", auth=("somebody", "wrong"))).status_code == 401

    play_on_sqlite(scenario)
