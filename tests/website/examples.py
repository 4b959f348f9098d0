"""What the pages of a test show: a project, a worker, and runs in every state, made as the master would."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from job_orchestra.domain.attempts import next_attempt
from job_orchestra.domain.configuration import parse_projects
from job_orchestra.domain.event_records import event_to_record
from job_orchestra.domain.events import CommandEnded, CommandStarted, Event, Phase, Started
from job_orchestra.domain.json import JsonObject
from job_orchestra.domain.pipelines.parts import PartKey
from job_orchestra.domain.reasons import Reason, ReasonCode
from job_orchestra.domain.roles import Role
from job_orchestra.domain.runs import LogFacts, PastAttempt, Run, Source, SourceKind
from job_orchestra.domain.statuses import RunStatus
from job_orchestra.domain.triggering import request_of
from job_orchestra.domain.workers import Refusal, WorkerDescription
from job_orchestra.repositories.run_progress import RunProgress
from job_orchestra.repositories.run_queue import RunQueue
from job_orchestra.storage.log_port import LogKey, LogPiece
from tests.connecting import connect_worker
from tests.website.installation import Installation

PASSWORD = "correct horse battery"
USERS = {role.value: role for role in Role}
WORKER = "anvil"
REFUSAL = Refusal("01m85kb309z79grqvh", "<No> room.", datetime(2026, 11, 23, 10, tzinfo=UTC))

PROJECTS: list[JsonObject] = [
    {
        "identifier": "example",
        "display_name": "An example",
        "description": "What a test looks at.",
        "jobs": [
            {
                "identifier": "hello",
                "description": "Says hello.",
                "commands": [["echo", "hello", "{parameters[name]}"]],
                "parameters": [
                    {"identifier": "name", "default": "world", "description": "Who is greeted."},
                    {"identifier": "volume", "default": "low", "choices": ["low", "high"]},
                    {"identifier": "times", "default": 1},
                ],
            },
            {
                "identifier": "bare",
                "commands": [["true"]],
                "parameters": [{"identifier": "target"}],
                "on_lost": "retry",
                "lost_after": 120,
            },
            {"identifier": "picky", "commands": [["true"]], "properties": {"operating_system": "plan9"}},
            {
                "identifier": "release",
                "elements": [
                    {"identifier": "first", "job": "hello", "parameters": {"name": "<u>first</u>"}},
                    {"identifier": "each", "job": "hello", "after": ["first"], "for_each": [1, 2]},
                    {"identifier": "last", "job": "hello", "after": ["each"]},
                ],
            },
        ],
        "schedules": [
            {"identifier": "nightly", "job": "hello", "expression": "0 3 * * *", "time_zone": "Europe/Paris"}
        ],
    }
]


@dataclass(frozen=True)
class Examples:
    succeeded: Run
    failed: Run
    running: Run
    waiting: Run
    impossible: Run
    lost: Run
    """Retried once, given up twice; the worker has come back with the first attempt only."""
    retried: Run
    """Its first attempt has failed, and its second one waits for its time."""
    pipeline: Run
    """Its first element has failed; nobody has drawn the consequences."""


class RunDriver:
    """Moves runs on as the master does when a worker reports."""

    def __init__(self, installation: Installation) -> None:
        self._installation = installation
        self._queue = RunQueue(installation.storage, installation.clock)
        self._progress = RunProgress(installation.storage, installation.clock)

    async def trigger(self, job: str, parameters: JsonObject | None = None) -> Run:
        found = await self._installation.jobs.get("example", job)
        request = request_of(found, parameters or {})
        return (await self._installation.runs.trigger(request, Source(SourceKind.USER, "operator"))).run

    async def assign(self, run: Run, worker: str = WORKER) -> Run:
        assigned = await self._queue.assign(run, worker)
        assert assigned is not None
        return assigned

    async def start(self, run: Run, worker: str = WORKER) -> Run:
        assigned = await self.assign(run, worker)
        now = datetime.now(UTC)
        return await self._save(
            assigned, replace(assigned, status=RunStatus.RUNNING, started_at=now), [Started(1, now)]
        )

    async def begin(self, pipeline: Run) -> Run:
        now = datetime.now(UTC)
        return await self._save(
            pipeline, replace(pipeline, status=RunStatus.RUNNING, started_at=now), [Started(1, now)]
        )

    async def command(self, run: Run, *arguments: str, exit_code: int | None) -> Run:
        first = run.journal_sequence + 1
        now, index = datetime.now(UTC), run.journal_sequence // 2
        events: list[Event] = [CommandStarted(first, now, Phase.COMMANDS, index, arguments, run.log.size, 4711)]
        if exit_code is not None:
            events.append(CommandEnded(first + 1, now, Phase.COMMANDS, index, exit_code, 1.25, run.log.size))
        return await self._save(run, run, events)

    async def write(self, run: Run, data: bytes) -> Run:
        key = LogKey(run.request.project, run.identifier, run.attempt)
        await self._installation.log_store.append([LogPiece(key, run.log.size, data)])
        return await self._save(run, replace(run, log=LogFacts(run.log.size + len(data))), [])

    async def end(
        self,
        run: Run,
        status: RunStatus,
        code: ReasonCode,
        sentence: str,
        results: JsonObject,
        is_verified: bool = True,
    ) -> Run:
        key = LogKey(run.request.project, run.identifier, run.attempt)
        _, digest = await self._installation.log_store.sha256(key)
        ended = replace(
            run,
            status=status,
            reason=Reason(code, sentence),
            ended_at=datetime.now(UTC),
            duration=1.5,
            results=results,
            log=LogFacts(run.log.size, digest if is_verified else None),
        )
        return await self._save(run, ended, [])

    async def retry(self, run: Run, status: RunStatus, code: ReasonCode, sentence: str) -> Run:
        """The attempt ends so, and the next one begins in an hour."""
        key = LogKey(run.request.project, run.identifier, run.attempt)
        _, digest = await self._installation.log_store.sha256(key)
        now = datetime.now(UTC)
        facts = LogFacts(run.log.size, digest)
        reason = Reason(code, sentence)
        past = PastAttempt(run.attempt, status, reason, run.worker, run.assigned_at, run.started_at, now, 1.5, facts)
        return await self._save(run, replace(next_attempt(run, past), waits_until=now + timedelta(hours=1)), [])

    async def give_up(self, run: Run) -> None:
        await self._installation.late_reports.expect(run)

    async def put_back(self, run: Run) -> Run:
        waiting = await self._queue.unassign(run)
        assert waiting is not None
        return waiting

    async def report_late(self, run: Run, attempt: int, data: bytes) -> None:
        """The attempt from its start to its end, told by a worker that came back."""
        late_reports = self._installation.late_reports
        report = await late_reports.receive(run, attempt, WORKER)
        assert report is not None
        key = LogKey(run.request.project, run.identifier, attempt, is_late=True)
        await self._installation.log_store.append([LogPiece(key, 0, data)])
        reason = Reason(ReasonCode.ABORT_REQUESTED, "It had been given up.")
        now = datetime.now(UTC)
        begun = replace(report.account, status=RunStatus.RUNNING, started_at=now, journal_sequence=1)
        assert await late_reports.save(report.account, begun, [])
        over = replace(begun, status=RunStatus.ABORTED, reason=reason, ended_at=now, log=LogFacts(len(data)))
        assert await late_reports.save(begun, over, [])

    async def _save(self, before: Run, after: Run, events: Sequence[Event]) -> Run:
        if events:
            after = replace(after, journal_sequence=events[-1].sequence)
        assert await self._progress.save(before, after, [event_to_record(event) for event in events])
        return after


async def prepare(installation: Installation) -> Examples:
    accounts, driver = installation.accounts, RunDriver(installation)
    await asyncio.gather(*(accounts.create_user(name, (role,), password=PASSWORD) for name, role in USERS.items()))
    await accounts.create_user("disabled", (Role.ADMINISTRATOR,), password=PASSWORD)
    await accounts.set_user_enabled("disabled", False)
    await installation.projects.apply(parse_projects(PROJECTS))
    properties: JsonObject = {"operating_system": "linux", "tags": ["fast", "<b>bold</b>"]}
    description = WorkerDescription("1.2.3", executor_limit=2, properties=properties, refusal=REFUSAL)
    await connect_worker(installation.workers, WORKER, "worker", "1" * 32, description, 0.0, "master")
    return Examples(
        succeeded=await _succeeded(driver),
        failed=await _failed(driver),
        running=await driver.write(await driver.start(await driver.trigger("hello")), b"begun\n"),
        waiting=await driver.trigger("hello", {"name": "later"}),
        impossible=await driver.trigger("picky"),
        lost=await _lost(driver),
        retried=await _retried(driver),
        pipeline=await _pipeline(driver, installation),
    )


async def prepare_everything(installation: Installation, repository: Path) -> Examples:
    """Beside the examples what pages show of few installations: a repository, and a worker that has gone for good."""
    examples = await prepare(installation)
    await installation.projects.apply(parse_projects([{**PROJECTS[0], "repository": str(repository)}]))
    description = WorkerDescription("1.2.3", executor_limit=1, properties={}, refusal=None)
    worker = await connect_worker(installation.workers, "old", "worker", "2" * 32, description, 0.0, "master")
    await installation.workers.disconnect(worker)
    await installation.workers.set_enabled("old", False)
    return examples


async def _succeeded(driver: RunDriver) -> Run:
    run = await driver.start(await driver.trigger("hello", {"name": "<i>you</i>"}))
    run = await driver.command(run, "echo", "hello", "<i>you</i>", exit_code=0)
    run = await driver.write(run, b"\x1b[32mhello\x1b[0m <script>alert(1)</script>\n")
    results: JsonObject = {
        "tests": {"passed": 41, "failed": 1},
        "report": "https://example.org/report",
        "trap": "javascript:alert(1)",
    }
    return await driver.end(run, RunStatus.SUCCEEDED, ReasonCode.COMPLETED, "All commands succeeded.", results)


async def _lost(driver: RunDriver) -> Run:
    run = await driver.start(await driver.trigger("hello", {"name": "lost"}))
    await driver.give_up(run)
    run = await driver.put_back(run)
    await driver.report_late(run, 1, b"\x00late <b>bytes</b>\n")
    run = await driver.write(await driver.start(run), b"cut off")
    await driver.give_up(run)
    sentence = f"Worker {WORKER} has been away for too long."
    over = await driver.end(run, RunStatus.EXCEPTION, ReasonCode.WORKER_LOST, sentence, {}, is_verified=False)
    assert over.attempt == 2
    return over


async def _retried(driver: RunDriver) -> Run:
    run = await driver.start(await driver.trigger("hello", {"name": "again"}))
    run = await driver.write(run, b"the first <b>attempt</b>\n")
    return await driver.retry(run, RunStatus.FAILED, ReasonCode.COMMAND_FAILED, "It <b>failed</b>.")


async def _pipeline(driver: RunDriver, installation: Installation) -> Run:
    run = await driver.begin(await driver.trigger("release"))
    request = request_of(await installation.jobs.get("example", "hello"), {"name": "<u>first</u>"})
    part = PartKey("first")
    first = await installation.pipeline_runs.trigger(run, part, replace(request, part=part.label))
    assert first is not None
    first = await driver.start(first)
    await driver.end(first, RunStatus.FAILED, ReasonCode.COMMAND_FAILED, "It <b>failed</b>.", {})
    return run


async def _failed(driver: RunDriver) -> Run:
    run = await driver.start(await driver.trigger("bare", {"target": "x"}))
    run = await driver.command(run, "true", exit_code=3)
    return await driver.end(run, RunStatus.FAILED, ReasonCode.COMMAND_FAILED, "Command 1 exited with 3.", {})


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


ALMOST_A_WEEK = timedelta(days=6, hours=23)
