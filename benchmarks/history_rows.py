"""A history of any size, always the same one: a run each half minute until now, a few of them running or waiting."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from job_orchestra.domain.definitions import CommandsDefinition
from job_orchestra.domain.identifiers import new_run_identifier
from job_orchestra.domain.moments import to_microseconds
from job_orchestra.domain.reasons import Reason, ReasonCode
from job_orchestra.domain.runs import LogFacts, Run, RunRequest, Source, SourceKind
from job_orchestra.domain.statuses import RunStatus

PROJECTS = tuple(f"project-{number}" for number in range(5))
JOBS = tuple(f"job-{number}" for number in range(8))
WORKERS = tuple(f"worker-{number}" for number in range(12))
USERS = tuple(f"user-{number}" for number in range(6))
RETIRED = "retired"
"""A job, a worker and a user of the oldest runs only: what is asked of them lies at the far end of the history."""
INTERVAL = timedelta(seconds=30)
PROJECT = PROJECTS[1]
"""Of which runs are asked for."""
INDEXED = ("tests.failed", "version")
REVISIONS = 40
"""So many the repository has; each was built by so many runs, one after the other."""
_RUNS_OF_REVISION = 200


def projects_file(repository: Path) -> str:
    """All projects have the same repository."""
    return f"""
from job_orchestra import Job, Project

JOBS = {[*JOBS, RETIRED]!r}

projects = [
    Project(
        name,
        repository={str(repository)!r},
        jobs=[Job(job, commands=[["true"]], properties={{"nobody": "has this"}}) for job in JOBS],
    )
    for name in {list(PROJECTS)!r}
]
"""


_SEED = 7
_OF_RETIRED = 100
_RUNNING = 20
_WAITING = 40
_ENDS = {
    RunStatus.SUCCEEDED: (900, Reason(ReasonCode.COMPLETED, "All commands returned zero.")),
    RunStatus.FAILED: (70, Reason(ReasonCode.COMMAND_FAILED, "Command 2 returned 1.")),
    RunStatus.ABORTED: (15, Reason(ReasonCode.ABORT_REQUESTED, "user-1 asked for it.")),
    RunStatus.EXCEPTION: (10, Reason(ReasonCode.WORKER_LOST, "The worker did not come back.")),
    RunStatus.CANCELLED: (5, Reason(ReasonCode.CANCEL_REQUESTED, "user-2 asked for it.")),
}


def date_of(number: int, count: int, now: datetime) -> datetime:
    """When the run of that number, of so many, was triggered."""
    return now - (count - number) * INTERVAL


def history(count: int, now: datetime | None = None, revisions: Sequence[str] = ()) -> Iterator[Run]:
    """From the oldest to the newest; the last ones are of these revisions, the newest of which comes first."""
    now = now or datetime.now(UTC)
    choose = random.Random(_SEED)
    statuses, ends = list(_ENDS), list(_ENDS.values())
    chosen = choose.choices(statuses, [weight for weight, _ in ends], k=count)
    for number, status in enumerate(chosen):
        waiting = _triggered(choose, date_of(number, count, now), is_old=number < _OF_RETIRED)
        if number >= count - _WAITING:
            yield waiting
        elif number >= count - _WAITING - _RUNNING:
            yield _started(choose, waiting)
        else:
            started = _started(choose, waiting, RETIRED if number < _OF_RETIRED else None)
            yield _ended(choose, started, status, _revision(revisions, count - number))


def _revision(revisions: Sequence[str], age: int) -> str:
    """One that the repository does not have any more, for what is too old."""
    number = age // _RUNS_OF_REVISION
    return revisions[number] if number < len(revisions) else f"{number:040x}"


def _triggered(choose: random.Random, at: datetime, *, is_old: bool) -> Run:
    schedule = choose.random() < 0.3
    user = RETIRED if is_old else choose.choice(USERS)
    return Run(
        identifier=new_run_identifier(to_microseconds(at) // 1000, choose.getrandbits(40)),
        request=RunRequest(
            choose.choice(PROJECTS),
            RETIRED if is_old else choose.choice(JOBS),
            CommandsDefinition((("make", "build"), ("make", "test", "BRANCH={parameters[branch]}"))),
            parameters={"branch": choose.choice(("main", "next", f"topic-{choose.randrange(1000)}"))},
            properties={"nobody": "has this"},
        ),
        source=Source(SourceKind.SCHEDULE, "nightly") if schedule else Source(SourceKind.USER, user),
        created_at=at,
    )


def _started(choose: random.Random, run: Run, worker: str | None = None) -> Run:
    at = run.created_at + timedelta(milliseconds=choose.randrange(3, 5000))
    worker = worker or choose.choice(WORKERS)
    return replace(run, status=RunStatus.RUNNING, worker=worker, assigned_at=run.created_at, started_at=at)


def _ended(choose: random.Random, run: Run, status: RunStatus, revision: str) -> Run:
    duration = choose.lognormvariate(3.0, 1.5)
    failed = choose.randrange(1, 10) if status is RunStatus.FAILED else 0
    started_at = run.started_at or run.created_at
    return replace(
        run,
        status=status,
        reason=_ENDS[status][1],
        ended_at=started_at + timedelta(seconds=duration),
        duration=duration,
        results={
            "tests": {"failed": failed, "passed": choose.randrange(500, 600)},
            "version": f"1.{choose.randrange(1000)}",
            "coverage": round(choose.uniform(50, 100), 2),
            "revision_control": {"revision": revision, "branch": "main"},
        },
        journal_sequence=6,
        log=LogFacts(choose.randrange(100_000), f"{choose.getrandbits(256):064x}"),
    )
