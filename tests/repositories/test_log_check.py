"""Everything that is wrong between records and files is found, and nothing that is only on its way."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import pytest

from job_orchestra.domain.late_reports import LateReport, blank_account
from job_orchestra.domain.reasons import Reason, ReasonCode
from job_orchestra.domain.run_logs import Flaw
from job_orchestra.domain.runs import LogFacts, PastAttempt, Run
from job_orchestra.domain.statuses import RunStatus
from job_orchestra.repositories.conditions import equal
from job_orchestra.repositories.log_check import Finding, LogCheck
from job_orchestra.repositories.log_compression import LogCompression
from job_orchestra.repositories.removals import Removal, Removals
from job_orchestra.repositories.rows.late_reports import late_report_to_row
from job_orchestra.repositories.rows.runs import run_facts
from job_orchestra.storage.files import open_log_inventory, open_log_store
from job_orchestra.storage.log_port import LogEntry, LogKey, LogPiece
from job_orchestra.storage.port import Batch, Insert, Update
from job_orchestra.storage.schema import LATE_REPORTS, RUNS
from tests.repositories.history import past_run, store
from tests.repositories.logged import key_of, with_log, words, write
from tests.repositories.records import Records, play

DAY = timedelta(days=1)
_LOG = words(50_000)


def past_attempt(attempt: int, log: bytes) -> PastAttempt:
    reason = Reason(ReasonCode.COMMAND_FAILED, "It failed.")
    facts = LogFacts(len(log), sha256(log).hexdigest())
    return PastAttempt(
        attempt, RunStatus.FAILED, reason, "w", None, None, datetime(2026, 11, 26, tzinfo=UTC), 1.0, facts
    )


class Installation:
    def __init__(self, records: Records, directory: Path) -> None:
        self.records = records
        self.storage = records.storage
        self.directory = directory
        self.logs = open_log_store(directory)
        self.check = LogCheck(self.storage, self.logs, open_log_inventory(directory))
        self._runs = 0

    async def ended(self, log: bytes = _LOG, stored: bytes | None = None) -> Run:
        """A run that has ended with that log, of which this is stored."""
        self._runs += 1
        going_on = past_run(self.records.clock.now() - DAY, RunStatus.RUNNING, number=self._runs)
        await self.add(going_on, log if stored is None else stored)
        run = with_log(replace(going_on, status=RunStatus.SUCCEEDED), log)
        update = Update(RUNS.name, (equal("identifier", run.identifier),), run_facts(run))
        assert (await self.storage.write(Batch((update,)))).is_applied
        return run

    async def add(self, run: Run, log: bytes) -> Run:
        await store(self.storage, [run])
        if log:
            await write(self.logs, run, log)
        return run

    async def compress(self) -> None:
        async for _ in LogCompression(self.storage, self.logs, self.records.clock).round():
            pass

    async def findings(self, *, is_thorough: bool = False) -> list[Finding]:
        steps = [step async for step in self.check.look(is_thorough=is_thorough)]
        return [finding for step in steps for finding in step.findings]

    async def found(self, *, is_thorough: bool = False) -> dict[str, Flaw]:
        """By run, or file."""
        return {
            finding.key.run if finding.key else str(finding.entry and finding.entry.file): finding.judgement.flaw
            for finding in await self.findings(is_thorough=is_thorough)
        }

    def file(self, run: Run, form: str = "") -> Path:
        (path,) = self.directory.rglob(f"{run.identifier}.{run.attempt}.log{form}")
        return path


def on(url: str, directory: Path, scenario: Callable[[Installation], Awaitable[None]]) -> None:
    async def main(records: Records) -> None:
        installation = Installation(records, directory)
        try:
            await scenario(installation)
        finally:
            await installation.logs.close()

    play(url, main)


def test_logs_of_past_attempts_are_compressed_and_checked_as_all_others(database_url: str, tmp_path: Path) -> None:
    async def scenario(installation: Installation) -> None:
        logs = {number: words(20_000, number) for number in (1, 2)}
        past = tuple(past_attempt(number, log) for number, log in logs.items())
        ended = past_run(installation.records.clock.now() - DAY)
        run = await installation.add(replace(with_log(ended, _LOG), attempt=3, past_attempts=past), _LOG)
        for number, log in logs.items():
            await write(installation.logs, replace(run, attempt=number), log)
        assert await installation.findings(is_thorough=True) == []
        await installation.compress()
        files = [installation.file(replace(run, attempt=number), ".zst") for number in (1, 2, 3)]
        assert await installation.findings(is_thorough=True) == []
        files[1].unlink()
        (finding,) = await installation.findings()
        assert (finding.judgement.flaw, finding.key) == (Flaw.MISSING, LogKey("p", run.identifier, 2))

    on(database_url, tmp_path, scenario)


@pytest.mark.parametrize("is_thorough", [False, True])
def test_what_is_in_order_is_no_finding(database_url: str, tmp_path: Path, is_thorough: bool) -> None:
    async def scenario(installation: Installation) -> None:
        for number in range(150):
            await installation.ended(words(9000 + number, number))
        await installation.compress()
        await installation.ended(b"")
        await installation.ended()
        old = installation.records.clock.now() - DAY
        retried = replace(past_run(old, RunStatus.RUNNING, number=900), attempt=2, log=LogFacts(7))
        await installation.add(retried, b"more than was recorded")
        await installation.add(replace(past_run(old, RunStatus.RUNNING, number=901), log=LogFacts(7)), b"")
        given_up = replace(past_run(old, RunStatus.EXCEPTION, number=902), log=LogFacts(3))
        await installation.add(given_up, b"and what came while that was decided")
        first = LogKey("p", retried.identifier, 1)
        late = replace(first, is_late=True)
        await installation.logs.append([LogPiece(first, 0, b"x"), LogPiece(late, 0, b"late")])
        report = LateReport(blank_account(retried, 1, "w"), old)
        insert = Insert(LATE_REPORTS.name, late_report_to_row(report))
        assert (await installation.storage.write(Batch((insert,)))).is_applied
        assert await installation.findings(is_thorough=is_thorough) == []
        steps = [step async for step in installation.check.look(is_thorough=is_thorough)]
        assert sum(step.logs for step in steps) == 156
        assert sum(step.files for step in steps) == 155

    on(database_url, tmp_path, scenario)


def test_logs_that_are_not_what_is_recorded(database_url: str, tmp_path: Path) -> None:
    async def scenario(installation: Installation) -> None:
        missing = await installation.ended(stored=b"")
        shorter = await installation.ended(stored=_LOG[:-1])
        longer = await installation.ended(stored=_LOG + b"!")
        different = await installation.ended(stored=_LOG[:-1] + b"!")
        given_up = replace(past_run(installation.records.clock.now(), RunStatus.EXCEPTION), log=LogFacts(9))
        await installation.add(given_up, b"less")
        wrong = {
            missing.identifier: Flaw.MISSING,
            shorter.identifier: Flaw.SHORTER,
            longer.identifier: Flaw.LONGER,
            given_up.identifier: Flaw.SHORTER,
        }
        assert await installation.found() == wrong
        assert await installation.found(is_thorough=True) == {**wrong, different.identifier: Flaw.DIFFERENT}
        sentences = [finding.judgement.sentence for finding in await installation.findings()]
        assert f"{len(_LOG)} bytes are recorded, and {len(_LOG) - 1} are stored." in sentences

    on(database_url, tmp_path, scenario)


def test_a_late_report_whose_log_is_not_what_is_recorded(tmp_path: Path, sqlite_url: str) -> None:
    async def scenario(installation: Installation) -> None:
        old = installation.records.clock.now() - DAY
        run = await installation.add(replace(past_run(old), attempt=2), b"")
        account = with_log(replace(blank_account(run, 1, "w"), status=RunStatus.FAILED), b"late")
        insert = Insert(LATE_REPORTS.name, late_report_to_row(LateReport(account, old)))
        await installation.storage.write(Batch((insert,)))
        await installation.logs.append([LogPiece(LogKey("p", run.identifier, 1, is_late=True), 0, b"lat")])
        (finding,) = await installation.findings()
        assert finding.judgement.flaw is Flaw.SHORTER
        assert finding.key == LogKey("p", run.identifier, 1, is_late=True)

    on(sqlite_url, tmp_path, scenario)


def test_compressed_logs_that_cannot_be_read(tmp_path: Path, sqlite_url: str) -> None:
    async def scenario(installation: Installation) -> None:
        table, frame, fine = [await installation.ended() for _ in range(3)]
        await installation.compress()
        _change(installation.file(table, ".zst"), -1)
        _change(installation.file(frame, ".zst"), 1000)
        assert await installation.logs.size(key_of(fine)) == len(_LOG)
        assert await installation.found() == {table.identifier: Flaw.DAMAGED}
        damaged = {table.identifier: Flaw.DAMAGED, frame.identifier: Flaw.DAMAGED}
        assert await installation.found(is_thorough=True) == damaged

    on(sqlite_url, tmp_path, scenario)


def _change(file: Path, place: int) -> None:
    content = bytearray(file.read_bytes())
    content[place] ^= 0xFF
    file.write_bytes(content)


def test_files_that_no_record_knows(database_url: str, tmp_path: Path) -> None:
    async def scenario(installation: Installation) -> None:
        run = await installation.ended()
        installation.file(run).with_name("notes").touch()
        keys = {
            LogKey("p", "01m85kb309z79grqvh", 1): "Project p has no run 01m85kb309z79grqvh.",
            LogKey("elsewhere", run.identifier, 1): f"Project elsewhere has no run {run.identifier}.",
            LogKey("p", run.identifier, 2): f"Run {run.identifier} has had no attempt after 1.",
            LogKey("p", run.identifier, 1, is_late=True): f"Run {run.identifier} has no late report of this attempt.",
        }
        await installation.logs.append([LogPiece(key, 0, b"") for key in keys])
        found = await installation.findings()
        without_run = {finding.key: finding.judgement for finding in found if finding.key is not None}
        assert {key: judgement.sentence for key, judgement in without_run.items()} == keys
        assert {judgement.flaw for judgement in without_run.values()} == {Flaw.WITHOUT_RUN}
        assert [finding.judgement.flaw for finding in found if finding.key is None] == [Flaw.UNKNOWN]
        assert [await installation.check.remove(finding) for finding in found].count(True) == len(keys)
        assert [finding.judgement.flaw for finding in await installation.findings()] == [Flaw.UNKNOWN]
        assert await installation.logs.size(key_of(run)) == len(_LOG)

    on(database_url, tmp_path, scenario)


def test_what_is_being_removed_is_no_finding(tmp_path: Path, sqlite_url: str) -> None:
    async def scenario(installation: Installation) -> None:
        run = await installation.ended()
        removals = Removals(installation.storage)
        removal = Removal(run.identifier, "p", 1)
        await removals.begin([removal])
        await removals.settle([removal])
        assert await installation.findings() == []
        await removals.finish([removal])
        assert await installation.found() == {run.identifier: Flaw.WITHOUT_RUN}

    on(sqlite_url, tmp_path, scenario)


@pytest.mark.parametrize("form", [".zst", ".zst.part"])
def test_what_an_interrupted_compression_left(tmp_path: Path, sqlite_url: str, form: str) -> None:
    async def scenario(installation: Installation) -> None:
        run = await installation.ended()
        plain = installation.file(run)
        left = plain.with_name(plain.name + form)
        shutil.copy(plain, left)
        (finding,) = await installation.findings()
        assert finding.judgement.flaw is Flaw.LEFT_OVER
        assert finding.entry == LogEntry(str(left.relative_to(tmp_path)), key_of(run), is_left_over=True)
        assert await installation.check.remove(finding)
        assert not await installation.check.remove(finding)
        assert await installation.findings() == []
        assert await installation.logs.sha256(key_of(run)) == (run.log.size, run.log.sha256)

    on(sqlite_url, tmp_path, scenario)


def test_nothing_is_found_while_runs_are_stored_compressed_and_removed(database_url: str, tmp_path: Path) -> None:
    async def scenario(installation: Installation) -> None:
        for _ in range(20):
            await installation.ended()
        is_over = False

        async def change() -> None:
            removals = Removals(installation.storage)
            for place in range(30):
                run = await installation.ended()
                if place % 10 == 0:
                    await installation.compress()
                removal = Removal(run.identifier, "p", 1)
                await removals.begin([removal])
                gone = await removals.settle([removal])
                await installation.logs.delete(key_of(run))
                await removals.finish(gone)

        async def look() -> int:
            looks = 0
            while not is_over or not looks:
                assert await installation.findings() == []
                looks += 1
            return looks

        looking = [asyncio.create_task(look()) for _ in range(2)]
        await change()
        is_over = True
        assert all(await asyncio.gather(*looking))

    on(database_url, tmp_path, scenario)
