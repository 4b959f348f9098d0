"""What the command line shows of runs whose worker was lost, asked of a real server that tells what a test says."""

from __future__ import annotations

import msgspec
import pytest
from click.testing import CliRunner, Result

from job_orchestra.cli.main import orchestra
from job_orchestra.protocol.resources.answers import Page
from job_orchestra.protocol.resources.logs import LogAnswer
from job_orchestra.protocol.resources.runs import (
    LateReportAnswer,
    ReasonAnswer,
    RunAnswer,
    RunSummaryAnswer,
    SourceAnswer,
)
from tests.client.scripted_service import Scripted, ScriptedService, scripted_service

_DATE = "2026-11-23T10:00:00.000Z"
_ABSENCE = "The worker is disconnected since 2026-11-23 10:00:00 UTC; it is waited for without end."


def _report(attempt: int, received_at: str | None, status: str, ended_at: str | None) -> LateReportAnswer:
    reason = ReasonAnswer("abort_requested", "It was given up.") if ended_at else None
    return LateReportAnswer(
        attempt=attempt,
        worker="forge",
        lost_at=_DATE,
        received_at=received_at,
        status=status,
        reason=reason,
        started_at=received_at,
        ended_at=ended_at,
        duration=None,
        results={},
        log=LogAnswer(7 if received_at else 0, None),
    )


def _run(status: str, *late_reports: LateReportAnswer, sha256: str | None = None) -> Scripted:
    is_over = status not in {"pending", "running"}
    answer = RunAnswer(
        project="example",
        job="hello",
        identifier="r1",
        status=status,
        reason=ReasonAnswer("worker_lost", "Worker anvil was lost.") if is_over else None,
        attempt=3,
        source=SourceAnswer("user", "ada"),
        retry_of=None,
        parameters={},
        properties={},
        definition={},
        results={},
        worker="anvil",
        is_worker_connected=None if is_over else False,
        should_cancel=False,
        should_abort=False,
        wished_by=None,
        created_at=_DATE,
        assigned_at=_DATE,
        started_at=_DATE,
        ended_at=_DATE if is_over else None,
        duration=None,
        log=LogAnswer(5, sha256),
        worker_absence=None if is_over else _ABSENCE,
        late_reports=list(late_reports),
    )
    return Scripted(content=msgspec.json.encode(answer))


def _orchestra(service: ScriptedService, *arguments: str) -> Result:
    environment = {"ORCHESTRA_SERVICE_URL": service.url, "ORCHESTRA_TOKEN": "s3cret", "ORCHESTRA_USER": "ada"}
    return CliRunner().invoke(orchestra, arguments, env=environment, catch_exceptions=False)


def test_a_run_is_shown_with_its_late_reports() -> None:
    reports = (
        _report(1, _DATE, "aborted", _DATE),
        _report(2, _DATE, "running", None),
        _report(3, None, "pending", None),
    )
    with scripted_service(_run("exception", *reports)) as service:
        output = _orchestra(service, "run", "show", "example", "r1").output
    lines = [line.strip() for line in output.splitlines()]
    assert lines[-3:] == [
        "late reports  attempt 1 on forge, given up 2026-11-23 10:00:00, came back 2026-11-23 10:00:00; "
        "aborted (It was given up.), 7 bytes of log",
        "attempt 2 on forge, given up 2026-11-23 10:00:00, came back 2026-11-23 10:00:00; "
        "running there, 7 bytes of log so far",
        "attempt 3 on forge, given up 2026-11-23 10:00:00; the worker has not come back with it",
    ]
    assert "log           5 bytes, not verified: the worker has not told how long the whole log is" in lines


@pytest.mark.parametrize(
    ("status", "sha256", "expected"),
    [
        ("succeeded", "ab" * 32, f"5 bytes, complete and verified, SHA-256 {'ab' * 32}"),
        ("running", None, "5 bytes"),
        ("cancelled", None, "5 bytes"),
    ],
)
def test_whether_the_log_is_verified(status: str, sha256: str | None, expected: str) -> None:
    with scripted_service(_run(status, sha256=sha256)) as service:
        output = _orchestra(service, "run", "show", "example", "r1").output
    assert [line for line in output.splitlines() if line.startswith("log")] == [f"log           {expected}"]
    assert "late reports" not in output


def test_a_worker_that_is_away_is_told_beside_the_run() -> None:
    with scripted_service(_run("running")) as service:
        lines = _orchestra(service, "run", "show", "example", "r1").output.splitlines()
    index = next(number for number, line in enumerate(lines) if line.startswith("worker"))
    assert lines[index].endswith("anvil (disconnected)")
    assert lines[index + 1].strip() == _ABSENCE


def test_the_list_marks_runs_whose_worker_is_away() -> None:
    def row(identifier: str, is_connected: bool | None) -> RunSummaryAnswer:
        return RunSummaryAnswer(
            project="example",
            job="hello",
            identifier=identifier,
            status="running",
            reason=None,
            attempt=1,
            source=SourceAnswer("user", "ada"),
            parameters={},
            worker="anvil",
            created_at=_DATE,
            started_at=None,
            ended_at=None,
            duration=None,
            is_worker_connected=is_connected,
        )

    page = Page([row("r1", False), row("r2", True), row("r3", None)])
    with scripted_service(Scripted(content=msgspec.json.encode(page))) as service:
        _, *rows = _orchestra(service, "run", "list").output.splitlines()
    assert ["anvil (disconnected)" in row for row in rows] == [True, False, False]


def test_the_log_of_a_late_report() -> None:
    with scripted_service(Scripted(content=b"\x00\xff late")) as service:
        result = _orchestra(service, "run", "log", "example", "r1", "--attempt", "2", "--late")
        assert result.stdout_bytes == b"\x00\xff late"
        refused = _orchestra(service, "run", "log", "example", "r1", "--late")
    assert (refused.exit_code == 0, "--late needs --attempt" in refused.output) == (False, True)
    assert [request.path for request in service.received] == ["/projects/example/runs/r1/late-reports/2/log"]


def test_a_worker_is_deleted_with_its_runs_only_if_told_so() -> None:
    with scripted_service(Scripted(204)) as service:
        assert _orchestra(service, "worker", "delete", "anvil").exit_code == 0
        assert _orchestra(service, "worker", "delete", "anvil", "--lose-runs").exit_code == 0
    assert [(request.method, request.path) for request in service.received] == [
        ("DELETE", "/workers/anvil"),
        ("DELETE", "/workers/anvil?lose_runs=true"),
    ]
