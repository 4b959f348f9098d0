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
    assert "Your session has ended, and nothing was changed." in response.text
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
    for headers in ({}, {"Origin": operator.url}, {"Sec-Fetch-Site": "none"}, {"Sec-Fetch-Site": "cross-site"}):
        response = operator.post(TRIGGER, typed, headers=headers)
        assert response.status_code == 403
        assert f'action="{TRIGGER}"' not in response.text
    response = operator.post(TRIGGER, typed, headers={"Sec-Fetch-Site": "same-origin"})
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
