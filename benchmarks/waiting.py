"""`python -m benchmarks.waiting`: what pending runs that no worker can take cost all others.

A real installation for each case: without such runs, with many in one group, and with as many in a thousand groups. The
last columns compare with the case without; what costs nothing has 1.0 there.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path

from benchmarks.__main__ import database_at
from benchmarks.installation import Installation, running_installation
from benchmarks.main_job import PROJECTS_FILE, latencies, milliseconds, throughput
from job_orchestra.client.asynchronous import AsyncClient
from job_orchestra.client.calls import jobs, runs
from job_orchestra.composition.records import RecordsComposition
from job_orchestra.domain.definitions import CommandsDefinition
from job_orchestra.domain.identifiers import new_run_identifier
from job_orchestra.domain.json import JsonObject
from job_orchestra.domain.moments import to_microseconds
from job_orchestra.domain.runs import Run, RunRequest, Source, SourceKind
from job_orchestra.repositories.rows.runs import run_to_row
from job_orchestra.settings.reading import load_settings
from job_orchestra.storage.port import StorageAdministration
from job_orchestra.storage.schema import RUNS
from tests.services import DATABASES

WAITING = "waiting"
"""The project whose runs no worker can take."""
_GROUPS = 1000
_NEEDS: JsonObject = {"operating_system": "plan9"}
_WHILE = timedelta(hours=12)
"""In which they were triggered."""
_AT_ONCE = 2000
_JOBS = f"""
from job_orchestra import Job, Project

projects += [
    Project({WAITING!r}, jobs=[Job(f"job-{{n}}", commands=[["true"]], properties={_NEEDS!r}) for n in range({_GROUPS})])
]
"""


@dataclass(frozen=True, slots=True)
class Case:
    name: str
    count: int
    groups: int


@dataclass(frozen=True, slots=True)
class Measures:
    case: Case
    starts: list[float]
    """Seconds from the trigger to the first instruction of the command, one run at a time."""
    runs_per_second: float
    reasons: list[float]
    """Seconds for the answer why a run waits."""
    triggers: list[float]
    """Seconds for the answer to the trigger of one more run that no worker can take."""


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.waiting", description=__doc__)
    parser.add_argument("--runs", type=int, default=100_000, help="how many runs wait")
    parser.add_argument("--times", type=int, default=300, help="how often each is measured")
    parser.add_argument("--database", choices=DATABASES, action="append", help="default: sqlite")
    arguments = parser.parse_args()
    count: int = arguments.runs
    cases = [
        Case("none", 0, 1),
        Case(f"{count:,} in one group", count, 1),
        Case(f"{count:,} in {_GROUPS:,} groups", count, _GROUPS),
    ]
    for database in arguments.database or ["sqlite"]:
        print(f"{database}, on {os.cpu_count()} cores\n")
        print(describe([_measure_case(database, case, arguments.times) for case in cases]), flush=True)


def describe(measured: Sequence[Measures]) -> str:
    """As a table of Markdown."""
    first = measured[0]
    heading = ["pending runs", "trigger to first instruction", "runs/s", "why", "trigger", "start", "rate", "why "]
    lines = [f"| {' | '.join(heading)} |", "| --- | --- | ---: | --- | --- | ---: | ---: | ---: |"]
    for one in measured:
        ratios = (
            statistics.median(one.starts) / statistics.median(first.starts),
            one.runs_per_second / first.runs_per_second,
            statistics.median(one.reasons) / statistics.median(first.reasons),
        )
        cells = [one.case.name, milliseconds(one.starts), f"{one.runs_per_second:.0f}", milliseconds(one.reasons),
                 milliseconds(one.triggers), *(f"{ratio:.2f}" for ratio in ratios)]  # fmt: skip
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _measure_case(kind: str, case: Case, times: int) -> Measures:
    with tempfile.TemporaryDirectory(prefix="orchestra-benchmark-") as temporary:
        directory = Path(temporary)
        with database_at(kind) as url:
            settings = load_settings(directory / "orchestra.toml", {"ORCHESTRA_DATABASE_URL": url})
            begin = time.perf_counter()
            fill(RecordsComposition(settings).administration, case, datetime.now(UTC))
            print(f"filled: {case.name}, in {time.perf_counter() - begin:.0f} s", file=sys.stderr, flush=True)
            with running_installation(directory, url, PROJECTS_FILE + _JOBS) as installation:
                return asyncio.run(_measure(installation, case, times))


def fill(administration: StorageAdministration, case: Case, now: datetime) -> None:
    """Conflict if there is anything in the database."""
    with administration.load() as load:
        waiting = waiting_runs(case, now)
        while some := list(islice(waiting, _AT_ONCE)):
            load.insert(RUNS.name, [run_to_row(run) for run in some])


def waiting_runs(case: Case, now: datetime) -> Iterator[Run]:
    """From the oldest to the newest."""
    choose = random.Random(7)
    for number in range(case.count):
        at = now - _WHILE * (1 - number / case.count)
        job = f"job-{number % case.groups}"
        request = RunRequest(WAITING, job, CommandsDefinition((("true",),)), properties=_NEEDS)
        identifier = new_run_identifier(to_microseconds(at) // 1000, choose.getrandbits(40))
        yield Run(identifier, request, Source(SourceKind.USER, "someone"), at)


async def _measure(installation: Installation, case: Case, times: int) -> Measures:
    client = AsyncClient(installation.service_url, installation.credentials)
    try:
        waiting = await client.send(jobs.trigger(WAITING, "job-0", {}))
        why = runs.why(WAITING, waiting.identifier)
        await latencies(client, 5)  # everything is imported and connected then
        return Measures(
            case,
            await latencies(client, times),
            await throughput(client, 2 * times),
            await _seconds(lambda: client.send(why), times),
            await _seconds(lambda: client.send(jobs.trigger(WAITING, "job-0", {})), times),
        )
    finally:
        await client.close()


async def _seconds(ask: Callable[[], Awaitable[object]], times: int) -> list[float]:
    taken: list[float] = []
    for _ in range(times):
        begin = time.perf_counter()
        await ask()
        taken.append(time.perf_counter() - begin)
    return taken


if __name__ == "__main__":
    main()
