"""What the API answers of attempts that were given up, and of runs whose worker is away."""

from __future__ import annotations

import io
import json
from base64 import b64encode
from dataclasses import replace
from hashlib import sha256
from typing import Any
from zipfile import ZipFile

import pytest

from job_orchestra.domain.event_records import EventRecord
from job_orchestra.domain.jobs import LossPolicy, OnLost
from job_orchestra.domain.reasons import Reason, ReasonCode
from job_orchestra.domain.roles import Role
from job_orchestra.domain.runs import LogFacts, Run
from job_orchestra.domain.statuses import RunStatus
from job_orchestra.domain.workers import WorkerDescription
from job_orchestra.storage.log_port import LogKey, LogPiece
from tests.connecting import connect_worker
from tests.repositories.records import USER, request_of
from tests.service.serving import Play, Served

_LOG = b"what the old attempt wrote\n"
_EVENTS = [EventRecord(1, "started", 1_000, {}), EventRecord(2, "ended", 2_000, {})]


def _path(run: Run) -> str:
    return f"/projects/example/runs/{run.identifier}"


async def _retried(served: Served) -> Run:
    """Its second attempt waits; the worker of the first has not come back."""
    run = await served.started()
    await served.late_reports.expect(run)
    waiting = await served.queue.unassign(run)
    assert waiting is not None
    return waiting


async def _reported(served: Served, run: Run, data: bytes = _LOG) -> Run:
    """The first attempt, told up to here."""
    report = await served.late_reports.receive(run, 1, "w")
    assert report is not None
    await served.log_store.append([LogPiece(LogKey("example", run.identifier, 1, is_late=True), 0, data)])
    begun = replace(report.account, status=RunStatus.RUNNING, started_at=served.clock.now(), journal_sequence=1)
    assert await served.late_reports.save(report.account, begun, _EVENTS[:1])
    return begun


async def _over(served: Served, begun: Run) -> Run:
    ended = replace(
        begun,
        status=RunStatus.ABORTED,
        reason=Reason(ReasonCode.ABORT_REQUESTED, "It was given up."),
        ended_at=served.clock.now(),
        duration=2.5,
        results={"a": 1},
        journal_sequence=2,
        log=LogFacts(len(_LOG), sha256(_LOG).hexdigest()),
    )
    assert await served.late_reports.save(begun, ended, _EVENTS[1:])
    return ended


def test_a_late_report_is_shown_from_the_loss_to_its_end(play: Play) -> None:
    async def scenario(served: Served) -> None:
        client = await served.user(Role.VIEWER)
        run = await _retried(served)

        async def shown() -> dict[str, Any]:
            answer: dict[str, Any] = (await client.get(_path(run))).json()
            assert (answer["status"], answer["attempt"], answer["results"]) == ("pending", 2, {})
            (report,) = answer["late_reports"]
            return {**report}

        report = await shown()
        assert (report["attempt"], report["worker"], report["status"]) == (1, "w", "pending")
        assert (report["lost_at"][:4], report["received_at"]) == ("2026", None)
        begun = await _reported(served, run)
        report = await shown()
        assert (report["status"], report["received_at"] is None, report["ended_at"]) == ("running", False, None)
        assert report["log"] == {"size": len(_LOG), "sha256": None}
        await _over(served, begun)
        report = await shown()
        assert (report["status"], report["duration"], report["results"]) == ("aborted", 2.5, {"a": 1})
        assert report["reason"] == {"code": "abort_requested", "sentence": "It was given up."}
        assert report["log"] == {"size": len(_LOG), "sha256": sha256(_LOG).hexdigest()}

    play(scenario)


def test_log_and_events_of_a_late_report(play: Play) -> None:
    async def scenario(served: Served) -> None:
        client = await served.user(Role.VIEWER)
        run = await _retried(served)
        path = f"{_path(run)}/late-reports/1"
        assert ((await client.get(f"{path}/log")).status_code, (await client.get(f"{path}/log")).content) == (200, b"")
        await _over(served, await _reported(served, run))
        response = await client.get(f"{path}/log")
        assert (response.status_code, response.content) == (200, _LOG)
        assert response.headers["repr-digest"] == f"sha-256=:{b64encode(sha256(_LOG).digest()).decode()}:"
        assert (await client.head(f"{path}/log")).headers["content-length"] == str(len(_LOG))
        response = await client.get(f"{path}/log", headers={"Range": "bytes=5-7"})
        assert (response.status_code, response.content) == (206, _LOG[5:8])
        assert (await client.get(f"{path}/log", headers={"Range": "bytes=999-"})).status_code == 416
        first = (await client.get(f"{path}/events", params={"limit": 1})).json()
        rest = (await client.get(f"{path}/events", params={"cursor": first["next"]})).json()
        assert [event["kind"] for event in first["items"] + rest["items"]] == ["started", "ended"]
        # What was stored of the attempt when it counted is another log, and so is that of the run.
        assert (await client.get(f"{_path(run)}/log", params={"attempt": 1})).content == b""

    play(scenario)


@pytest.mark.parametrize("attempt", ["2", "0", "-1", "01", "x", "9" * 30, "%20"])
def test_attempts_that_were_not_given_up_have_no_late_report(play_on_sqlite: Play, attempt: str) -> None:
    async def scenario(served: Served) -> None:
        client = await served.user(Role.VIEWER)
        run = await _retried(served)
        for thing in ("log", "events"):
            response = await client.get(f"{_path(run)}/late-reports/{attempt}/{thing}")
            assert response.status_code == 404, response.text
            assert "late report" in response.json()["detail"]

    play_on_sqlite(scenario)


def test_a_report_that_is_expected_of_an_attempt_that_still_counts_is_none(play_on_sqlite: Play) -> None:
    async def scenario(served: Served) -> None:
        client = await served.user(Role.VIEWER)
        first = await _retried(served)
        run = await served.queue.assign(first, "w")
        assert run is not None
        # As a master does that is killed before it gives the attempt up.
        await served.late_reports.expect(run)
        answer = (await client.get(_path(run))).json()
        assert [report["attempt"] for report in answer["late_reports"]] == [1]
        assert (await client.get(f"{_path(run)}/late-reports/2/log")).status_code == 404
        reason = Reason(ReasonCode.WORKER_LOST, "It stayed away.")
        lost = replace(run, status=RunStatus.EXCEPTION, reason=reason, ended_at=served.clock.now())
        assert await served.progress.save(run, lost, [])
        answer = (await client.get(_path(run))).json()
        assert [report["attempt"] for report in answer["late_reports"]] == [1, 2]
        assert (await client.get(f"{_path(run)}/late-reports/2/log")).status_code == 200

    play_on_sqlite(scenario)


def test_the_archive_holds_late_reports(play_on_sqlite: Play) -> None:
    async def scenario(served: Served) -> None:
        client = await served.user(Role.VIEWER)
        run = await _retried(served)
        await _over(served, await _reported(served, run))
        response = await client.get(f"{_path(run)}/archive")
        name = f"example-hello-{run.identifier}"
        with ZipFile(io.BytesIO(response.content)) as archive:
            assert archive.testzip() is None
            assert archive.read(f"{name}/late-reports/1/log") == _LOG
            events = json.loads(archive.read(f"{name}/late-reports/1/events.json"))
            assert [event["kind"] for event in events] == ["started", "ended"]
            (report,) = json.loads(archive.read(f"{name}/run.json"))["late_reports"]
            assert (report["attempt"], report["status"]) == (1, "aborted")

    play_on_sqlite(scenario)


@pytest.mark.parametrize(
    ("on_lost", "expected", "words"),
    [
        (OnLost.WAIT, None, "It is waited for without end."),
        (OnLost.FAIL, "fail", "counts as lost, and the run ends as an exception."),
        (OnLost.RETRY, "retry", "counts as lost, and the run is retried as attempt 2."),
    ],
)
def test_a_run_whose_worker_is_away(play_on_sqlite: Play, on_lost: OnLost, expected: str | None, words: str) -> None:
    async def scenario(served: Served) -> None:
        client = await served.user(Role.VIEWER)
        await connect_worker(served.workers, "w", "me", "i", WorkerDescription("1"), 0.0, "m")
        request = replace(request_of("example", "hello"), loss=LossPolicy(on_lost, 60))
        run = await served.queue.assign((await served.runs.trigger(request, USER)).run, "w")
        assert run is not None
        over = await served.ended(await served.started())
        answer = (await client.get(_path(run))).json()
        facts = ("worker_disconnected_at", "lost_at", "when_lost", "worker_absence")
        assert [answer[fact] for fact in facts] == [None] * 4

        async def connections() -> dict[str, bool | None]:
            items = (await client.get("/runs")).json()["items"]
            return {item["identifier"]: item["is_worker_connected"] for item in items}

        assert await connections() == {run.identifier: True, over.identifier: None}
        away_at = served.clock.now()
        await served.workers.disconnect_all("m")
        answer = (await client.get(_path(run))).json()
        assert answer["worker_disconnected_at"] == f"{away_at:%Y-%m-%dT%H:%M:%S}.{away_at.microsecond // 1000:03}Z"
        assert answer["when_lost"] == expected
        assert (answer["lost_at"] is None) == (expected is None)
        assert answer["worker_absence"].endswith(words)
        assert (await client.get(f"{_path(run)}/why")).json()["summary"].endswith(answer["worker_absence"])
        assert await connections() == {run.identifier: False, over.identifier: None}

    play_on_sqlite(scenario)


def test_a_job_says_what_becomes_of_lost_runs(play_on_sqlite: Play) -> None:
    async def scenario(served: Served) -> None:
        job = (await (await served.user(Role.VIEWER)).get("/projects/example/jobs/hello")).json()
        assert (job["on_lost"], job["lost_after"]) == ("wait", 300.0)

    play_on_sqlite(scenario)
