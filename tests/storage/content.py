"""An installation's records, some of everything there is; and all rows of a database."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from job_orchestra.composition.records import RecordsComposition
from job_orchestra.domain.audit import AuditEntry, AuditOrigin, AuditOutcome
from job_orchestra.domain.event_records import EventRecord
from job_orchestra.domain.json import JsonObject, JsonValue
from job_orchestra.domain.late_reports import blank_account
from job_orchestra.domain.reasons import Reason, ReasonCode
from job_orchestra.domain.roles import Role
from job_orchestra.domain.runs import LogFacts, Run
from job_orchestra.domain.statuses import RunStatus
from job_orchestra.domain.ticks import Tick, TickState
from job_orchestra.domain.users import TokenKind
from job_orchestra.domain.workers import WorkerDescription, refusal_of
from job_orchestra.repositories.removals import Removal, Removals
from job_orchestra.repositories.result_index import ResultIndex
from job_orchestra.settings.reading import load_settings
from job_orchestra.storage.port import Batch, Insert, Row, StorageAdministration
from job_orchestra.storage.schema import COLLECTIONS, RUN_VALUES
from tests.connecting import connect_worker
from tests.repositories.records import Records, configuration, request_of

ODD_VALUES: JsonObject = {
    "": "empty key",
    "a.b": {"$where": [1, {"$ref": None}], ".": "..", "$": "$$"},
    "\0 \ud800": "\0 and \ud800 and \udc00\ud800",
    "😀 e\u0301 \u05e9\u05dc\u05d5\u05dd \u2028\u2029": " trailing \t\r\n ",
    "numbers": [0.1, 1e308, -0.0, 0.0, 5e-324, 1.0, 1, -1, 2**53 + 1, 2**63, -(10**40), True],
    "nothing": [None, {}, [], "", False],
    "_id": {"__proto__": 1},
}

_ENDINGS = {
    RunStatus.SUCCEEDED: ReasonCode.COMPLETED,
    RunStatus.FAILED: ReasonCode.COMMAND_FAILED,
    RunStatus.ABORTED: ReasonCode.ABORT_REQUESTED,
    RunStatus.EXCEPTION: ReasonCode.WORKER_LOST,
}


def _nested(depth: int) -> JsonValue:
    return {"in": [_nested(depth - 1)]} if depth else "bottom"


def records_at(url: str, directory: Path) -> RecordsComposition:
    """As the commands of an installation build them, on any kind of database."""
    return RecordsComposition(load_settings(directory / "orchestra.toml", {"ORCHESTRA_DATABASE_URL": url}))


def rows_at(administration: StorageAdministration) -> dict[str, list[Row]]:
    with administration.snapshot() as snapshot:
        return {collection.name: list(snapshot.rows(collection.name)) for collection in COLLECTIONS}


async def fill(records: Records) -> None:
    """Every collection, runs of every status, and in each a row that is hard to keep."""
    job: JsonObject = {"identifier": "hello", "commands": [["true"]], "description": "\u2028 ﷽ 😀 "}
    schedule: JsonObject = {"identifier": "nightly", "job": "hello", "expression": "0 3 * * *"}
    await records.projects.apply(
        configuration(
            {"identifier": "gone", "jobs": []}, {"identifier": "example", "jobs": [job], "schedules": [schedule]}
        )
    )
    await records.projects.apply(configuration({"identifier": "example", "jobs": [job], "schedules": [schedule]}))
    await records.accounts.create_user("ada", (Role.ADMINISTRATOR, Role.AUDITOR), "Ada 😀", "correct horse")
    await records.accounts.create_user("workers", (Role.WORKER,))
    await records.accounts.create_token("workers", TokenKind.PERSONAL, "build machines", lifetime=3600)
    await records.accounts.create_token("ada")
    refusal = refusal_of("7", "No room 😀", records.clock.now())
    description = WorkerDescription("1.0", "Builder", 4, ODD_VALUES, "its disk is full", refusal)
    worker = await connect_worker(records.workers, "w", "workers", "i", description, -0.0, "m")
    await connect_worker(records.workers, "w2", "workers", "i", description, 1e-7, "m")
    await records.workers.disconnect(worker)
    await _runs(records)
    await _ticks(records)
    await _administration(records)
    # A run that is just going, a key that is just being indexed, and what the index has of it.
    await Removals(records.storage).begin([Removal("01m85kb309z79grqvh", "example", 2)])
    await ResultIndex(records.storage, records.clock, ('deep."a.b"',)).look()
    row: Row = {"path": 'deep."a.b"', "value": "s 😀 trailing ", "run": "01m85kb309z79grqvh"}
    await records.storage.write(Batch((Insert(RUN_VALUES.name, row),)))


async def _administration(records: Records) -> None:
    now = records.clock.now()
    target: JsonObject = {"job": "hello", "project": "example"}
    entry = AuditEntry("01m85kb309z79grqvh00000000", now, AuditOrigin.HOST, "user.create", "root", target=target)
    await records.audit.add(replace(entry, details=ODD_VALUES, outcome=AuditOutcome.FAILED))
    await records.known_masters.announce("m", "1.0", "ws://m")
    await records.known_masters.renew("m", now, "Why. 😀\n")
    await records.measures.take()


async def _runs(records: Records) -> None:
    await records.trigger(priority=-5, properties={"gpu": True})
    assert await records.queue.assign(await records.trigger(), "w")
    assert await records.queue.cancel(await records.trigger(), Reason(ReasonCode.CANCEL_REQUESTED, "Somebody said so."))
    for status, code in _ENDINGS.items():
        running = await _started(records)
        await records.runs.request_abort("p", running.identifier, "ada")
        ended = replace(
            running,
            status=status,
            reason=Reason(code, "Because. 😀\n"),
            ended_at=records.clock.date,
            duration=0.1 + 0.2,
            results={**ODD_VALUES, "deep": _nested(30), "big": "x" * 300_000 if status is RunStatus.FAILED else ""},
            journal_sequence=2,
            log=LogFacts(2**62, "ab" * 32),
        )
        assert await records.progress.save(running, ended, [EventRecord(2, "ended", -(2**63), ODD_VALUES)])
    await _late_report(records)
    await _started(records)


async def _ticks(records: Records) -> None:
    for number, state in enumerate(TickState, 1):
        due = records.clock.date + timedelta(minutes=number)
        request = request_of(properties=ODD_VALUES) if state is TickState.DUE else None
        tick = Tick("example", "nightly", due, number, state, "hello", records.clock.date, request, detail="Why. 😀\n")
        assert await records.ticks.add([tick])


async def _started(records: Records) -> Run:
    assigned = await records.queue.assign(await records.trigger(), "w")
    assert assigned is not None
    running = replace(assigned, status=RunStatus.RUNNING, started_at=records.clock.date, journal_sequence=1)
    assert await records.progress.save(assigned, running, [EventRecord(1, "started", 2**63 - 1, {})])
    return running


async def _late_report(records: Records) -> None:
    running = await _started(records)
    await records.late_reports.expect(running)
    assert await records.queue.unassign(running) is not None
    blank = blank_account(running, 1, "w")
    assert await records.late_reports.receive(running, 1, "w")
    over = replace(
        blank,
        status=RunStatus.ABORTED,
        reason=Reason(ReasonCode.ABORT_REQUESTED, "."),
        duration=1.5,
        results=ODD_VALUES,
        journal_sequence=2,
    )
    assert await records.late_reports.save(blank, over, [EventRecord(2, "ended", 6, ODD_VALUES)])
