"""What people and programs ask of a history: pages of the website, and lists of the HTTP API."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from benchmarks.history_rows import JOBS, PROJECT, RETIRED, USERS, WORKERS, date_of
from job_orchestra.domain.identifiers import first_run_identifier
from job_orchestra.domain.moments import to_microseconds
from job_orchestra.repositories.paging import encode_cursor

_JOB, _WORKER, _USER = JOBS[2], WORKERS[3], USERS[0]
_FEW = {"limit": "10"}
"""As many as there are in the smallest history of whatever is asked for: else the size of answers is compared."""


@dataclass(frozen=True, slots=True)
class Question:
    name: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict[str, str])
    of_website: bool = False


def questions(count: int, now: datetime, ended: str, waiting: str) -> list[Question]:
    """Of a history of so many runs; the last two are runs of `PROJECT`: one that has ended, one that waits."""
    return [*_pages(ended, waiting, now), *_lists(count, now), *_searches(), *_runs(ended, waiting), *_audit(now)]


def _pages(ended: str, waiting: str, now: datetime) -> list[Question]:
    addresses: dict[str, tuple[str, dict[str, str]]] = {
        "home": ("/", {}),
        "projects": ("/projects", {}),
        "a project": (f"/projects/{PROJECT}", {}),
        "status by revision": (f"/projects/{PROJECT}/status", {}),
        "a job": (f"/projects/{PROJECT}/jobs/{_JOB}", {}),
        "runs": ("/runs", {}),
        "runs, failed or exception": ("/runs", {"status": "failed,exception"}),
        "runs of a project, unfinished": (f"/projects/{PROJECT}/runs", {"status": "pending,running"}),
        "runs of a project and a worker": (f"/projects/{PROJECT}/runs", {"worker": _WORKER}),
        "runs by results": ("/runs", {"where": "results.coverage > 95"}),
        "runs by source, oldest first": ("/runs", {"source": "user", "by": _USER, "order": "created_at"}),
        "runs of a day": ("/runs", {"since": (now - timedelta(days=1)).isoformat()}),
        "an ended run": (f"/projects/{PROJECT}/runs/{ended}", {}),
        "its definition": (f"/projects/{PROJECT}/runs/{ended}/definition", {}),
        "its log": (f"/projects/{PROJECT}/runs/{ended}/log", {}),
        "a waiting run, and why": (f"/projects/{PROJECT}/runs/{waiting}", {}),
        "users": ("/users", {}),
        "roles": ("/roles", {}),
        "profile": ("/profile", {}),
        "audit": ("/audit", {}),
        "administration": ("/administration", {}),
        "workers": ("/workers", {}),
        "a worker": (f"/workers/{_WORKER}", {}),
        "a worker of long ago": (f"/workers/{RETIRED}", {}),
    }
    return [Question(f"page: {name}", path, query, of_website=True) for name, (path, query) in addresses.items()]


def _lists(count: int, now: datetime) -> list[Question]:
    of_project, of_job = {"project": PROJECT}, {"project": PROJECT, "job": _JOB}
    filters: dict[str, dict[str, str]] = {
        "all": {},
        "oldest first": {"order_by": "created_at"},
        "in the middle": {"cursor": _cursor(count // 2, count, now)},
        "the last page": {"cursor": _cursor(50, count, now)},
        "counted": {"count": "true"},
        "project, counted": {**of_project, "count": "true"},
        "2 statuses, counted": {"status": "failed,exception", "count": "true"},
        "of a day": {"created_after": (now - timedelta(days=1)).isoformat()},
        "project": of_project,
        "project, in the middle": {**of_project, "cursor": _cursor(count // 2, count, now)},
        "project, the last page": {**of_project, "cursor": _cursor(200, count, now)},
        "project, 2 statuses": {**of_project, "status": "failed,exception"},
        "project, worker": {**of_project, "worker": _WORKER},
        "project, source": {**of_project, "source": "user"},
        "project, job": of_job,
        "project, job, status": {**of_job, "status": "failed"},
        "project, job of long ago": {"project": PROJECT, "job": RETIRED},
        "job": {"job": _JOB},
        "job of long ago": {"job": RETIRED},
        "job, status": {"job": _JOB, "status": "failed"},
        "status": {"status": "failed"},
        "status, in the middle": {"status": "failed", "cursor": _cursor(count // 2, count, now)},
        "2 statuses": {"status": "failed,exception"},
        "6 statuses": {"status": "running,succeeded,failed,aborted,exception,cancelled"},
        "worker": {"worker": _WORKER},
        "worker, unfinished": {"worker": _WORKER, "status": "pending,running"},
        "worker of long ago": {"worker": RETIRED},
        "worker of long ago, project": {"worker": RETIRED, "project": PROJECT},
        "user": {"source": "user", "source_identifier": _USER},
        "user of long ago": {"source": "user", "source_identifier": RETIRED},
        "name of a source of long ago": {"source_identifier": RETIRED},
        "source that there is none of": {"source": "webhook"},
    }
    return [Question(f"runs: {name}", "/runs", {**query, **_FEW}) for name, query in filters.items()]


def _searches() -> list[Question]:
    expressions = {
        "indexed, many": "results.tests.failed > 0",
        "indexed, few": 'results.version = "1.77"',
        "indexed, none": "results.tests.failed = 77",
        "not indexed, many": 'parameters.branch = "main"',
        "not indexed, few": "results.coverage > 99.9",
        "not indexed, none": "results.coverage > 100",
    }
    return [
        Question(f"where: {name}", "/runs", {"where": expression, **_FEW}) for name, expression in expressions.items()
    ]


def _runs(ended: str, waiting: str) -> list[Question]:
    run = f"/projects/{PROJECT}/runs"
    return [
        Question("a run", f"{run}/{ended}"),
        Question("a run: events", f"{run}/{ended}/events"),
        Question("a run: why it waits", f"{run}/{waiting}/why"),
        Question("a worker", f"/workers/{_WORKER}"),
    ]


def _audit(now: datetime) -> list[Question]:
    filters = {
        "all": {},
        "user": {"user": _USER},
        "user of long ago": {"user": RETIRED},
        "of a day": {"created_after": (now - timedelta(days=1)).isoformat()},
        "user, outcome that none has": {"user": _USER, "outcome": "refused"},
    }
    return [Question(f"audit: {name}", "/audit", {**query, **_FEW}) for name, query in filters.items()]


def _cursor(number: int, count: int, now: datetime) -> str:
    return encode_cursor([first_run_identifier(to_microseconds(date_of(number, count, now)) // 1000)])
