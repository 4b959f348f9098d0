from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import httpx2
import pytest

from job_orchestra.website.cookie_keys import read_cookie_keys
from job_orchestra.website.sessions import SessionCookies
from tests.website.cookies import KEYS
from tests.website.examples import PASSWORD, Examples
from tests.website.installation import Installation
from tests.website.visitor import Visitor, form

Visitors = Callable[[str | None], Visitor]


@pytest.fixture
def stranger(visitors: Visitors, examples: Examples) -> Visitor:
    return visitors(None)


def test_login_leads_to_where_one_wanted_to_go(stranger: Visitor) -> None:
    response = stranger.get("/runs?job=hello&status=failed")
    assert response.status_code == 303
    login = response.headers["Location"]
    response = stranger.send(login, "/login", user="viewer", password=PASSWORD)
    assert response.headers["Location"] == "/runs?job=hello&status=failed"
    assert stranger.get("/runs").status_code == 200


@pytest.mark.parametrize("following", ["https://evil.example/", "//evil.example", "/\\evil.example", ""])
def test_login_leads_nowhere_else(stranger: Visitor, following: str) -> None:
    response = stranger.send("/login", "/login", user="viewer", password=PASSWORD, next=following)
    assert response.headers["Location"] == "/"


def test_a_wrong_login_is_told_and_keeps_what_was_typed(stranger: Visitor) -> None:
    for user, password in (("viewer", "wrong password"), ("<nobody>", PASSWORD), ("viewer", ""), ("", "")):
        response = stranger.send("/login?next=/runs", "/login", user=user, password=password)
        assert response.status_code == 403
        assert 'role="alert"' in response.text
        assert form(response.text, "/login").fields["user"] == user
        assert form(response.text, "/login").fields["next"] == "/runs"
        assert PASSWORD not in response.text
        assert stranger.session is None


def test_cookies_are_out_of_reach(stranger: Visitor, installation: Installation) -> None:
    response = stranger.log_in("viewer")
    [session] = [line for line in response.headers.get_list("Set-Cookie") if "_session=" in line]
    assert session.startswith(f"orchestra_{installation.website.port}_session=")
    for attribute in ("HttpOnly", "SameSite=lax", "Path=/", f"Max-Age={7 * 24 * 3600}"):
        assert attribute in session
    assert "Secure" not in session


def test_a_cookie_is_nothing_that_the_service_would_take(stranger: Visitor, installation: Installation) -> None:
    stranger.log_in("viewer")
    assert stranger.session is not None
    with httpx2.Client(base_url=f"http://127.0.0.1:{installation.service.port}", trust_env=False) as service:
        assert service.get("/me", headers={"Authorization": f"Bearer {stranger.session}"}).status_code == 401
    secret = read_cookie_keys(installation.cookie_key_file).decrypt(stranger.session)
    assert secret is not None
    assert secret not in stranger.session
    stranger.client.cookies.set(f"orchestra_{installation.website.port}_session", secret, domain="127.0.0.1")
    assert stranger.get("/").status_code == 303


def test_under_tls_cookies_are_secure() -> None:
    cookies = SessionCookies.of("https://ci.example", KEYS)
    assert cookies == SessionCookies("__Host-orchestra_443", is_secure=True, keys=KEYS)


def test_logout_ends_the_session_for_every_copy_of_it(visitors: Visitors, stranger: Visitor) -> None:
    visitor = visitors("viewer")
    stranger.client.cookies.update(visitor.client.cookies)
    assert stranger.get("/").status_code == 200
    assert visitor.send("/", "/logout").headers["Location"] == "/login"
    assert visitor.session is None
    assert stranger.get("/").status_code == 303
    assert stranger.session is None


def test_a_session_is_prolonged_by_activity_once_a_day(visitors: Visitors, installation: Installation) -> None:
    visitor = visitors("viewer")
    assert "Set-Cookie" not in visitor.get("/").headers
    installation.clock.shift = timedelta(hours=25)
    try:
        assert f"Max-Age={7 * 24 * 3600}" in visitor.get("/").headers["Set-Cookie"]
    finally:
        installation.clock.shift = timedelta()


def test_a_form_without_its_token_changes_nothing(visitors: Visitors, examples: Examples) -> None:
    visitor, other = visitors("operator"), visitors("operator")
    action = "/projects/example/jobs/picky/disable"
    foreign = form(other.get("/").text, "/logout").fields["form_token"]
    for token in ("", "00", "f" * 64, foreign):
        response = visitor.post(action, {"form_token": token})
        assert response.status_code == 403
        assert "is not from a page of this session" in response.text
    own = form(visitor.get("/").text, "/logout").fields["form_token"]
    for headers in ({"Origin": "https://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}):
        assert visitor.post(action, {"form_token": own}, headers=headers).status_code == 403
    assert "This job is disabled" not in visitor.get("/projects/example/jobs/picky").text
    headers = {"Origin": visitor.url, "Sec-Fetch-Site": "same-origin"}
    assert visitor.post(action, {"form_token": own}, headers=headers).status_code == 303
    assert "This job is disabled" in visitor.get("/projects/example/jobs/picky").text


def test_nobody_can_be_logged_in_by_another_site(stranger: Visitor) -> None:
    for fields in ({}, {"form_token": "0" * 64}):
        response = stranger.post("/login", {"user": "viewer", "password": PASSWORD, **fields})
        assert response.status_code == 403
        assert stranger.session is None


def test_a_form_that_is_none_is_refused(visitors: Visitors) -> None:
    visitor = visitors("operator")
    for content, media_type, status in (
        (b'{"a": 1}', "application/json", 422),
        (b"x" * 2_000_000, "application/x-www-form-urlencoded", 413),
    ):
        response = visitor.client.post(
            "/projects/example/jobs/hello/trigger", content=content, headers={"Content-Type": media_type}
        )
        assert response.status_code == status
        assert "<h1>" in response.text
        assert 'href="/projects/example/jobs/hello">Back</a>' in response.text


def test_tokens_are_made_shown_once_and_deleted(visitors: Visitors) -> None:
    visitor = visitors("viewer")
    response = visitor.send("/profile", "/profile/tokens", description="<my> laptop", days="30")
    assert response.status_code == 201
    secret = response.text.partition('<code class="secret">')[2][:64]
    bearer = {"Authorization": f"Bearer {secret}"}
    assert len(secret) == 64
    page = visitor.get("/profile").text
    assert secret not in page
    assert "&lt;my&gt; laptop" in page
    assert bearer["Authorization"] not in page
    delete = page.partition("&lt;my&gt; laptop")[2].partition('action="')[2].partition('"')[0]
    assert visitor.send("/profile", delete).status_code == 303
    assert "laptop" not in visitor.get("/profile").text
    response = visitor.send("/profile", "/profile/tokens", description="x" * 1000, days="7")
    assert response.status_code == 422
    assert 'aria-invalid="true" aria-describedby="description-note"' in response.text
    assert 'id="description-note"><span class="mistake">takes at most' in response.text
    assert form(response.text, "/profile/tokens").fields["days"] == "7"
    response = visitor.send("/profile", "/profile/tokens", description="kept", days="12")
    assert response.status_code == 422
    assert 'id="days-note"><span class="mistake">must be one of' in response.text
    assert form(response.text, "/profile/tokens").fields["description"] == "kept"


def test_a_new_password_ends_the_sessions(visitors: Visitors, installation: Installation) -> None:
    installation.call(installation.accounts.create_user("forgetful", password=PASSWORD))
    visitor, other = visitors("forgetful"), visitors("forgetful")

    def change(current: str, new: str, again: str) -> str:
        fields = {"current": current, "new": new, "again": again}
        response = visitor.send("/profile", "/profile/password", **fields)
        return response.headers.get("Location", "") or response.text

    new = "a brand new password"
    assert "is not the same as the new one" in change(PASSWORD, new, "another")
    assert 'id="current-note"><span class="mistake">is not' in change("wrong one", new, new)
    assert 'id="new-note"><span class="mistake">has 5 characters' in change(PASSWORD, "short", "short")
    page = change(PASSWORD, "short", "other")
    for name in ("new", "again"):
        assert f'id="{name}-note"><span class="mistake">' in page
    assert page.count("aria-invalid") == 2
    assert change(PASSWORD, new, new) == "/login?changed=password"
    assert other.get("/profile").status_code == 303
    assert "Your password is changed" in visitor.get("/login?changed=password").text
    assert visitor.log_in("forgetful").status_code == 403
    assert visitor.log_in("forgetful", new).status_code == 303


def test_a_profile_says_where_it_does_not_show_all_tokens(visitors: Visitors, installation: Installation) -> None:
    installation.call(installation.accounts.create_user("collector", password=PASSWORD))
    visitor = visitors("collector")
    assert "orchestra token list collector" not in visitor.get("/profile").text
    for _ in range(100):
        installation.call(installation.accounts.create_token("collector"))
    assert "orchestra token list collector" in visitor.get("/profile").text
