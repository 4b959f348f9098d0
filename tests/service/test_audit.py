"""What requests leave in the audit trail, and who may read it."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import httpx2
import pytest

from job_orchestra.domain.audit import AuditOutcome
from job_orchestra.domain.errors import Unavailable
from job_orchestra.domain.roles import Role
from job_orchestra.repositories.audit import AuditFilter
from job_orchestra.service import audit_trail
from job_orchestra.service.routes import ROUTES
from job_orchestra.storage.port import Batch, Find, Outcome
from job_orchestra.storage.schema import AUDIT
from tests.service.serving import Play, Served, serving

_SECRETS = ("correct horse", "hunter2", "very private")


async def told(client: httpx2.AsyncClient, **filters: str) -> list[dict[str, Any]]:
    response = await client.get("/audit", params={"order_by": "date", **filters})
    assert response.status_code == 200, response.text
    items: list[dict[str, Any]] = response.json()["items"]
    return items


def test_every_route_that_changes_something_has_a_word_for_it() -> None:
    words = {route.action for route in ROUTES if route.changes}
    assert all(route.action == "" for route in ROUTES if not route.changes)
    assert all(word.count(".") == 1 and len(word) <= 64 for word in words), words


def test_who_did_what_on_what_by_which_token(play: Play) -> None:
    async def scenario(served: Served) -> None:
        admin = await served.user(Role.ADMINISTRATOR)
        token = (await admin.get("/me")).json()["token"]["identifier"]
        run = (await admin.post("/projects/example/jobs/hello/trigger", json={"parameters": {"name": "x"}})).json()
        await admin.post("/projects/example/jobs/hello/disable")
        await admin.post("/users", json={"identifier": "bob", "roles": ["viewer"]})
        await admin.patch("/users/bob", json={"roles": ["operator"]})
        new = (await admin.post("/users/bob/tokens", json={"description": "for a test"})).json()
        await admin.delete(f"/users/bob/tokens/{new['identifier']}")
        entries = await told(admin)
        assert {(one["user"], one["token"], one["origin"], one["outcome"]) for one in entries} == {
            ("administrator", token, "service", "done")
        }
        assert [(one["action"], one["project"], one["target"], one["status"], one["details"]) for one in entries] == [
            ("job.trigger", "example", {"job": "hello"}, 201,
             {"parameters": ["name"], "made": {"run": run["identifier"]}}),
            ("job.disable", "example", {"job": "hello"}, 200, {}),
            ("user.create", None, {}, 201,
             {"user": "bob", "roles": ["viewer"], "password": False, "made": {"user": "bob"}}),
            ("user.update", None, {"user": "bob"}, 200, {"roles": ["operator"]}),
            ("token.create", None, {"user": "bob"}, 201,
             {"description": "for a test", "expires_in": None, "made": {"token": new["identifier"]}}),
            ("token.delete", None, {"user": "bob", "token": new["identifier"]}, 204, {}),
        ]  # fmt: skip

    play(scenario)


def test_what_was_refused_or_failed_is_told_too(play_on_sqlite: Play) -> None:
    async def scenario(served: Served) -> None:
        admin = await served.user(Role.ADMINISTRATOR)
        viewer = await served.user(Role.VIEWER)
        assert (await viewer.post("/projects/example/jobs/hello/trigger")).status_code == 403
        assert (await viewer.get("/users")).status_code == 403
        assert (await admin.post("/projects/example/jobs/nope/trigger")).status_code == 404
        assert (await admin.post("/projects/example/jobs/strict/trigger")).status_code == 422
        assert (await admin.delete("/users/viewer")).status_code == 409
        assert (await served.client("0" * 64).post("/me/tokens")).status_code == 401
        # Reading is nobody's business, nor is a request that does not say who asks.
        assert (await viewer.get("/projects/nope")).status_code == 404
        assert (await served.anonymous.get("/projects")).status_code == 401
        entries = await told(admin)
        assert [(one["user"], one["action"], one["outcome"], one["status"]) for one in entries] == [
            ("viewer", "job.trigger", "refused", 403),
            ("viewer", "GET /users", "refused", 403),
            ("administrator", "job.trigger", "failed", 404),
            ("administrator", "job.trigger", "failed", 422),
            ("administrator", "user.delete", "failed", 409),
            ("", "token.create", "refused", 401),
        ]
        refused = [one["action"] for one in await told(admin, outcome="refused", user="viewer")]
        assert refused == ["job.trigger", "GET /users"]
        assert [one["status"] for one in await told(admin, project="example", action="job.trigger")] == [403, 404, 422]

    play_on_sqlite(scenario)


def test_logins_are_told_of_and_nothing_that_was_typed_wrongly(play_on_sqlite: Play) -> None:
    async def scenario(served: Served) -> None:
        admin = await served.user(Role.ADMINISTRATOR)
        for user, password in (("administrator", "hunter2"), ("very private", "x"), ("administrator", "correct horse")):
            await served.anonymous.post("/me/login", json={"user": user, "password": password})
        first, second, third = await told(admin)
        assert [(one["user"], one["outcome"], one["target"]) for one in (first, second, third)] == [
            ("", "refused", {"user": "administrator"}),
            ("", "refused", {}),
            ("administrator", "done", {}),
        ]
        session = (await served.accounts.list_tokens("administrator")).items
        assert third["details"]["made"]["token"] in {token.identifier for token in session}

    play_on_sqlite(scenario)


@pytest.mark.parametrize("user", ["", "a\0", "x" * 100_000, "\N{SNOWMAN}", "ada ' or 1 = 1"])
def test_a_login_with_what_no_user_is_called(play: Play, user: str) -> None:
    async def scenario(served: Served) -> None:
        auditor = await served.user(Role.AUDITOR)
        answer = await served.anonymous.post("/me/login", json={"user": user, "password": "x"})
        assert answer.status_code == 401
        (entry,) = await told(auditor)
        assert (entry["user"], entry["outcome"], entry["target"]) == ("", "refused", {})

    play(scenario)


@pytest.mark.parametrize("path", ["%00", "%ff", "%ed%a0%80", "x" * 5000, "%F0%9F%98%80"])
def test_a_path_with_what_nothing_is_called(play: Play, path: str) -> None:
    async def scenario(served: Served) -> None:
        admin = await served.user(Role.ADMINISTRATOR)
        for address in (f"/users/{path}/disable", f"/projects/{path}/jobs/{path}/trigger"):
            assert (await admin.post(address)).status_code in {404, 422}
        entries = await told(admin)
        assert [(one["outcome"], one["project"]) for one in entries] == [("failed", None)] * 2
        assert all(len(value) <= 200 for one in entries for value in one["target"].values())

    play(scenario)


def test_no_secret_is_in_the_trail(play_on_sqlite: Play) -> None:
    async def scenario(served: Served) -> None:
        admin = await served.user(Role.ADMINISTRATOR)
        secret = (await admin.post("/me/tokens", json={})).json()["secret"]
        await admin.delete(f"/me/tokens/{secret}")
        body = {"identifier": "bob", "password": "hunter2 hunter2"}
        await admin.post("/users", json=body)
        await admin.post("/users/bob/password", json={"new": "very private"})
        await admin.post("/me/password", json={"current": "correct horse", "new": "very private"})
        await admin.post(
            "/projects/example/jobs/hello/trigger",
            json={"parameters": {"name": "very private"}},
            headers={"Idempotency-Key": "very private"},
        )
        rows = json.dumps([dict(row) for row in await served.storage.find(Find(AUDIT.name))])
        assert rows.count("action") == 6
        assert not any(one in rows for one in (*_SECRETS, secret))

    play_on_sqlite(scenario)


def test_an_answer_that_changed_nothing_is_told_of(play_on_sqlite: Play) -> None:
    async def scenario(served: Served) -> None:
        admin = await served.user(Role.ADMINISTRATOR)
        for _ in range(2):
            headers = {"Idempotency-Key": "once"}
            await admin.post("/projects/example/jobs/hello/trigger", headers=headers)
        made, found = await told(admin)
        assert "made" in made["details"]
        assert (found["status"], found["details"]) == (200, {})

    play_on_sqlite(scenario)


def test_a_flood_of_failures_is_counted_and_hides_nobody(play_on_sqlite: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit_trail, "MOST_FAILURES", 3)

    async def scenario(served: Served) -> None:
        admin = await served.user(Role.ADMINISTRATOR)
        for _ in range(8):
            await served.anonymous.post("/me/login", json={"user": "nobody", "password": "wrong"})
        await admin.post("/projects/example/jobs/nope/trigger")
        await served.trail.end_minute()
        await served.anonymous.post("/me/login", json={"user": "nobody", "password": "wrong"})
        entries = await told(admin)
        assert [(one["user"], one["action"]) for one in entries] == [
            *3 * [("", "account.login")],
            ("administrator", "job.trigger"),
            ("", "audit.suppressed"),
            ("", "account.login"),
        ]
        assert entries[4]["details"] == {"failures": 5}

    play_on_sqlite(scenario)


def test_pages_of_the_trail(play_on_sqlite: Play) -> None:
    async def scenario(served: Served) -> None:
        admin, auditor = await served.user(Role.ADMINISTRATOR), await served.user(Role.AUDITOR)
        for action in ("disable", "enable", "disable"):
            served.clock.advance(60)
            await admin.post(f"/projects/example/jobs/hello/{action}")
        first = (await auditor.get("/audit", params={"limit": 2})).json()
        rest = (await auditor.get("/audit", params={"limit": 2, "cursor": first["next"]})).json()
        assert [one["action"] for one in (*first["items"], *rest["items"])] == [
            "job.disable", "job.enable", "job.disable",
        ]  # fmt: skip
        assert rest["next"] is None
        between = {"created_after": first["items"][1]["date"], "created_before": first["items"][0]["date"]}
        assert [one["action"] for one in await told(auditor, **between)] == ["job.enable"]

    play_on_sqlite(scenario)


class Refusing:
    """A storage that takes no entries by themselves: what they are of has to bring them along."""

    def __init__(self, served: Served) -> None:
        self._storage = served.storage

    async def write(self, batch: Batch) -> Outcome:
        raise Unavailable("The database is away.")


def test_a_trail_that_cannot_be_written_turns_no_refusal_into_an_outage(
    play_on_sqlite: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario(served: Served) -> None:
        viewer = await served.user(Role.VIEWER)
        monkeypatch.setattr(served.audit, "_storage", Refusing(served))
        assert (await viewer.post("/projects/example/jobs/hello/trigger")).status_code == 403
        # What would be answered with success, is not, where the trail would lack it.
        admin = await served.user(Role.ADMINISTRATOR)
        assert (await admin.post("/projects/example/jobs/hello/trigger")).status_code == 201
        assert (await admin.post("/me/refresh")).status_code == 503
        monkeypatch.undo()
        trail = await served.audit.list(AuditFilter(outcome=AuditOutcome.DONE))
        assert [one.action for one in trail.items] == ["job.trigger"]

    play_on_sqlite(scenario)


def test_many_at_once_each_have_their_own_entry(database_url: str, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with serving(database_url, tmp_path) as served:
            operator, auditor = await served.user(Role.OPERATOR), await served.user(Role.AUDITOR)
            answers = await asyncio.gather(*(operator.post("/projects/example/jobs/hello/trigger") for _ in range(40)))
            made = {answer.json()["identifier"] for answer in answers}
            assert {one["details"]["made"]["run"] for one in await told(auditor)} == made
            assert len(made) == 40

    asyncio.run(scenario())
