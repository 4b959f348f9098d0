"""Nobody types a form anew because of what went wrong elsewhere meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from job_orchestra.website.forgery import form_token
from tests.website.examples import PASSWORD, Examples
from tests.website.installation import Installation
from tests.website.starting import unused_url, websites
from tests.website.visitor import Visitor, form

Visitors = Callable[[str | None], Visitor]

JOB = "/projects/example/jobs/hello"
TRIGGER = f"{JOB}/trigger"
TYPED = {"parameter-name": 'two\nlines of "<b>"', "parameter-volume": '"high"', "parameter-times": "2"}
MEANT = {"name": TYPED["parameter-name"], "volume": "high", "times": 2}


@pytest.fixture
def operator(visitors: Visitors, examples: Examples) -> Visitor:
    return visitors("operator")


def _parameters(installation: Installation, location: str) -> object:
    return installation.call(installation.runs.get("example", location.rpartition("/")[2])).request.parameters


def test_a_session_that_ended_meanwhile(operator: Visitor, installation: Installation) -> None:
    typed = {**form(operator.get(JOB).text, TRIGGER).fields, **TYPED}
    other = Visitor(installation.url)
    other.client.cookies.update(operator.client.cookies)
    other.send("/", "/logout")
    other.close()

    response = operator.post(TRIGGER, typed)
    assert response.status_code == 403
    assert "Your session has ended." in response.text
    wrong = operator.post("/login", {**form(response.text, "/login").fields, "user": "operator", "password": "wrong"})
    assert wrong.status_code == 403
    response = operator.post("/login", {**form(wrong.text, "/login").fields, "password": PASSWORD})
    assert response.status_code == 200
    assert "You are logged in." in response.text
    assert f'<a href="{JOB}">Go on without it</a>' in response.text
    assert PASSWORD not in response.text
    sent = operator.post(TRIGGER, form(response.text, TRIGGER).fields)
    assert sent.status_code == 303, sent.text
    assert _parameters(installation, sent.headers["Location"]) == MEANT


def test_a_form_of_another_session_comes_back_if_the_browser_says_that_it_is_ours(
    operator: Visitor, visitors: Visitors, installation: Installation
) -> None:
    typed = {**form(visitors("operator").get(JOB).text, TRIGGER).fields, **TYPED}
    for headers in ({}, {"Origin": "http://a.example"}, {"Sec-Fetch-Site": "none"}, {"Sec-Fetch-Site": "cross-site"}):
        response = operator.post(TRIGGER, typed, headers=headers)
        assert response.status_code == 403
        assert f'action="{TRIGGER}"' not in response.text
    for headers in ({"Origin": operator.url}, {"Sec-Fetch-Site": "same-origin"}):
        response = operator.post(TRIGGER, typed, headers=headers)
        assert response.status_code == 403
        assert "lines of &#34;&lt;b&gt;&#34;" in response.text
        sent = operator.post(TRIGGER, form(response.text, TRIGGER).fields)
        assert _parameters(installation, sent.headers["Location"]) == MEANT


def test_a_service_that_is_away() -> None:
    session = "0" * 64
    with websites() as start:
        visitor = start(unused_url(), session)
        response = visitor.post(TRIGGER, {"form_token": form_token(session), "key": "once", **TYPED})
        assert response.status_code == 503
        kept = form(response.text, TRIGGER).fields
        assert {name: kept[name] for name in ("key", *TYPED)} == {"key": "once", **TYPED}
        assert form(visitor.post(TRIGGER, kept).text, TRIGGER).fields.keys() == kept.keys()
        # What is secret is in no page, and neither is what may be anybody's.
        password = {"current": PASSWORD, "new": PASSWORD, "again": PASSWORD, "form_token": form_token(session)}
        response = visitor.post("/profile/password", password)
        assert response.status_code == 503
        assert PASSWORD not in response.text
        assert "What you sent" not in response.text
        assert "What you sent" not in visitor.post(TRIGGER, {"form_token": form_token("1" * 64), **TYPED}).text


def test_what_is_sent_again_and_was_carried_out_is_not_done_twice(
    operator: Visitor, installation: Installation
) -> None:
    fields = form(operator.get(JOB).text, TRIGGER).fields
    first = operator.post(TRIGGER, fields).headers["Location"]
    installation.clock.shift = timedelta(minutes=10)
    try:
        assert operator.post(TRIGGER, {**fields, "resent": "yes"}).headers["Location"] == first
    finally:
        installation.clock.shift = timedelta()


def test_a_session_may_end_before_something_is_sent_again_without_its_being_done_twice(operator: Visitor) -> None:
    fields = form(operator.get(JOB).text, TRIGGER).fields
    first = operator.post(TRIGGER, fields).headers["Location"]
    operator.send("/", "/logout")
    operator.log_in("operator")
    fresh = form(operator.get("/").text, "/logout").fields["form_token"]
    assert operator.post(TRIGGER, {**fields, "resent": "yes", "form_token": fresh}).headers["Location"] == first


def test_passwords_are_typed_anew_and_the_rest_is_not(
    visitors: Visitors, installation: Installation, examples: Examples
) -> None:
    administrator, other = visitors("administrator"), Visitor(installation.url)
    typed = {**form(administrator.get("/users").text, "/users/create").fields, "identifier": "kept-user"}
    typed |= {"display_name": "<K>", "role-viewer": "yes", "password": PASSWORD, "again": PASSWORD}
    other.client.cookies.update(administrator.client.cookies)
    other.send("/", "/logout")
    other.close()
    login = administrator.post("/users/create", typed)
    assert PASSWORD not in login.text
    fields = {**form(login.text, "/login").fields, "user": "administrator", "password": PASSWORD}
    page = administrator.post("/login", fields).text
    assert PASSWORD not in page
    again = form(page, "/users/create").fields
    assert (again["identifier"], again["password"], again["again"]) == ("kept-user", "", "")
    sent = administrator.post("/users/create", {**again, "password": PASSWORD, "again": PASSWORD})
    assert sent.headers["Location"] == "/users/kept-user"
    assert visitors(None).log_in("kept-user").status_code == 303


def test_a_login_cannot_be_sent_again(operator: Visitor) -> None:
    """By who goes back in the history of a browser, behind somebody who has logged out."""
    operator.send("/", "/logout")
    fields = {**form(operator.get("/login").text, "/login").fields, "user": "operator", "password": PASSWORD}
    assert operator.post("/login", fields).status_code == 303
    operator.send("/", "/logout")
    assert operator.post("/login", fields).status_code == 403
    carrying = {**fields, "kept_action": "/x", "kept.a": "b"}
    answer = operator.post("/login", carrying, headers={"Origin": operator.url})
    assert answer.status_code == 403
    assert operator.session is None
    anew = form(answer.text, "/login").fields
    assert (anew["user"], anew["kept_action"], anew["kept.a"], anew["password"]) == ("operator", "/x", "b", "")


def test_no_other_site_ends_a_session(installation: Installation) -> None:
    """Its forms come without the cookie, and what answers them could take that away."""
    stranger = Visitor(installation.url)
    response = stranger.post("/profile/zone", {"zone": "UTC"}, headers={"Sec-Fetch-Site": "cross-site"})
    assert response.status_code == 303
    assert "Set-Cookie" not in response.headers
    stranger.close()


def test_what_no_login_could_carry_is_not_promised() -> None:
    session = "0" * 64
    with websites() as start:
        visitor = start(unused_url(), session)
        large = {"parameter-name": "x" * ((1 << 20) - 200)}
        many = {f"n{number}": "x" for number in range(995)}
        for typed, is_kept in ((large, False), (many, False), ({"parameter-name": "x" * (1 << 19)}, True)):
            response = visitor.post(TRIGGER, {"form_token": form_token(session), **typed})
            assert response.status_code == 503
            assert ("What you sent" in response.text) == is_kept
