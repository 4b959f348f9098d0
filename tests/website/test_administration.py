"""The audit trail and the administration as pages."""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from job_orchestra.domain.audit import AuditEntry, AuditOrigin, new_audit_identifier
from job_orchestra.version import __version__
from tests.website.examples import Examples
from tests.website.installation import Installation
from tests.website.pictures.drawing import svgs
from tests.website.visitor import Visitor, form

Visitors = Callable[[str | None], Visitor]


@pytest.fixture
def auditor(visitors: Visitors, examples: Examples) -> Visitor:
    return visitors("auditor")


def _rows(page: str) -> list[str]:
    return [" ".join(re.sub("<[^>]*>", " ", row).split()) for row in page.split("<tbody>")[-1].split("<tr>")[1:]]


def test_the_trail_tells_who_did_what(auditor: Visitor, visitors: Visitors) -> None:
    operator = visitors("operator")
    page = "/projects/example/jobs/hello"
    assert operator.send(page, f"{page}/trigger").status_code == 303
    assert operator.post("/users/create", {"form_token": "x"}).status_code == 403
    newest = auditor.get("/audit?user=operator&action=job.trigger").text
    row = _rows(newest)[0]
    assert "operator job.trigger example job hello , run 01" in row
    assert " done " in row
    assert re.search(r'<a href="/projects/example/runs/01\w+">01', newest)
    assert "parameters: name" in row
    logins = auditor.get("/audit?action=account.login").text
    assert 'href="/users/operator">operator</a>' in logins


def test_the_trail_is_filtered(auditor: Visitor, installation: Installation) -> None:
    now = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    for number, action in enumerate(("user.create", "<b>odd</b>", "user.create")):
        identifier = new_audit_identifier(now, number)
        details = {"roles": ["viewer"], "display_name": "<i>x</i>" * 40}
        entry = AuditEntry(identifier, now, AuditOrigin.HOST, action, "root", target={"user": "bob"}, details=details)  # type: ignore[arg-type]
        installation.call(installation.audit.add(entry))
    page = auditor.get("/audit?user=root").text
    assert len(_rows(page)) == 3
    assert "root on the host" in page
    assert "&lt;b&gt;odd&lt;/b&gt;" in page
    assert "<i>" not in page
    both = auditor.get("/audit?user=root&action=user.create&created_after=2026-01-02&created_before=2026-01-03").text
    assert len(_rows(both)) == 2
    assert form(both, "/audit").fields["created_after"] == "2026-01-02"
    assert "Nothing matches." in auditor.get("/audit?user=root&outcome=refused").text
    wrong = auditor.get("/audit?created_after=yesterday")
    assert wrong.status_code == 422
    assert "is no date such as" in wrong.text
    assert 'aria-invalid="true" aria-describedby="created_after-note"' in wrong.text
    assert form(wrong.text, "/audit").fields["created_after"] == "yesterday"


def test_pages_of_the_trail(auditor: Visitor, installation: Installation) -> None:
    now = datetime(2025, 5, 5, tzinfo=UTC)
    for number in range(60):
        entry = AuditEntry(new_audit_identifier(now, number), now, AuditOrigin.SERVICE, "run.abort", "paged")
        installation.call(installation.audit.add(entry))
    first = auditor.get("/audit?user=paged").text
    [older] = re.findall(r'<a href="(/audit[^"]*)" rel="next">Older', first)
    second = auditor.get(older.replace("&amp;", "&")).text
    assert (len(_rows(first)), len(_rows(second))) == (50, 10)
    assert '<a href="/audit?user=paged">Newest</a>' in second
    assert "Older" not in second


def test_the_administration_says_what_there_is(
    auditor: Visitor, visitors: Visitors, installation: Installation
) -> None:
    masters = installation.known_masters
    nobody = auditor.get("/administration").text
    assert "No master is at work" in nobody
    assert "No master has ever been at work" in nobody
    assert "Nothing was measured over the last day" in nobody
    assert "<svg" not in visitors("viewer").get("/workers").text
    installation.call(masters.announce("m1", __version__, "ws://one"))
    installation.call(masters.announce("m2", "0.0.1", "ws://two"))
    installation.call(masters.renew("m2", None, "Not <b>applied</b>."))
    installation.call(masters.announce("m3", "0.0.0", "ws://three"))
    installation.call(masters.retire("m3"))
    installation.call(installation.measures.take())
    page = auditor.get("/administration").text
    assert "No master is at work" not in page
    assert "Master m2: Not &lt;b&gt;applied&lt;/b&gt;." in page
    words = " ".join(re.sub("<[^>]*>", " ", page).split())
    assert f"Service {__version__} Website {__version__} Master m1 {__version__} Master m2 0.0.1 differs" in words
    assert "1 worker 1.2.3 differs from the service" in words
    assert "Master m3" not in words
    for part in ("at work m1 ws://one", "stopped m3 ws://three", "SQLite 3", "schema 0010", "free of"):
        assert part in words
    assert "example 4 1" in words
    assert "pending_expiry 60" in words
    assert len(svgs(page)) == len(svgs(visitors("viewer").get("/workers").text)) == 2
    assert "1 worker was connected." in words


def test_these_pages_are_small(auditor: Visitor, visitors: Visitors) -> None:
    administrator = visitors("administrator")
    [style] = re.findall(r'<link rel="stylesheet" href="([^"]+)">', administrator.get("/").text)
    size = len(gzip.compress(administrator.get(style).content))
    for path in ("/users", "/users/operator", "/roles", "/audit", "/audit?user=paged", "/administration", "/workers"):
        response = administrator.get(path)
        assert response.status_code == 200
        assert size + len(gzip.compress(response.content)) < 14 * 1024, path
        assert not re.search(r"<[^>]*\s(style|on\w+)=", response.text)
        assert not re.search(r'(src|href)="(http|//)', response.text)
