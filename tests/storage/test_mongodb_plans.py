"""How MongoDB finds what it is asked for: along an index, by the key alone where that is given."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pymongo
import pytest

from job_orchestra.composition.databases import open_administration
from job_orchestra.storage.mongo.statements import Changes, Statements
from job_orchestra.storage.port import Batch, Condition, Find, Insert, Operator, Order, Row, Storage, Update
from tests.mongodb_server import MongodbServer
from tests.storage.scenario import batch, equal, play

_PENDING = equal("status", "pending")
_UNASSIGNED = equal("worker", None)
_BY_IDENTIFIER = (Order("identifier"),)
_NEWEST_FIRST = (Order("identifier", descending=True),)
_IN_QUEUE = (Order("urgency"), Order("identifier"))
_HISTORY = (equal("project", "p1"), equal("job", "j1"), equal("status", "failed"))
_ATTEMPT = (equal("run", "r"), equal("attempt", 1))

_FINDS = {
    "queue": (
        "runs_by_status_queue_key_urgency_identifier",
        Find("runs", (_PENDING, equal("queue_key", "k"), _UNASSIGNED), _IN_QUEUE),
    ),
    "next page of the queue": (
        "runs_by_status_queue_key_urgency_identifier",
        Find("runs", (_PENDING, equal("queue_key", "k")), _IN_QUEUE, after=(0, "0000000000000x")),
    ),
    "page of a project": (
        "runs_by_project_identifier",
        Find("runs", (equal("project", "p1"),), _NEWEST_FIRST, after=("0000000000000x",), limit=10),
    ),
    "history of a job": (
        "runs_by_project_job_status_identifier",
        Find("runs", _HISTORY, _NEWEST_FIRST, after=("0000000000000x",), limit=10),
    ),
    "workers with runs": (
        "runs_by_status_worker_identifier",
        Find(
            "runs",
            (equal("status", "running"), Condition("worker", Operator.GREATER, "w1")),
            (Order("worker"), Order("identifier")),
            limit=1,
        ),
    ),
    "idempotency key": (
        "runs_by_project_job_idempotency_key",
        Find("runs", (equal("project", "p1"), equal("job", "j1"), equal("idempotency_key", "once"))),
    ),
    "one run": ("_id_", Find("runs", (equal("identifier", "x"),))),
    "events of an attempt": (
        "_id_",
        Find("run_events", _ATTEMPT, (Order("run"), Order("attempt"), Order("sequence")), after=("r", 1, 5)),
    ),
    "jobs of a project": ("_id_", Find("jobs", (equal("project", "p1"),), _NEWEST_FIRST, after=("j1",))),
    "all jobs": ("_id_", Find("jobs", (), (Order("project"), Order("identifier")), after=("p1", "j1"))),
}


@pytest.fixture(scope="module")
def filled_url(mongodb: MongodbServer) -> str:
    url = mongodb.new_database_url()
    open_administration(url).create()
    play(url, _fill)
    return url


@pytest.mark.parametrize("what", _FINDS)
def test_rows_come_from_an_index_in_its_order(filled_url: str, what: str) -> None:
    index, query = _FINDS[what]
    prepared = Statements().find(query)
    explained = _explain(
        filled_url,
        {
            "find": prepared.form.name,
            "filter": prepared.filter,
            "sort": dict(prepared.sort),
            "limit": prepared.limit,
        },
    )
    stages = list(_stages(explained["queryPlanner"]["winningPlan"]))
    names = {stage["stage"] for stage in stages}
    assert not names & {"SORT", "COLLSCAN"}, stages
    assert {stage.get("indexName", "_id_") for stage in stages if "indexBounds" in stage} <= {index}, stages
    assert "IXSCAN" in names or "IDHACK" in names, stages
    figures = explained["executionStats"]
    # A page costs what is on it: no more than a look or two beside.
    assert figures["totalKeysExamined"] <= max(figures["nReturned"], 1) + 3, figures


def test_compare_and_set_finds_its_row_by_the_key(filled_url: str) -> None:
    where = (equal("identifier", "x"), _PENDING, _UNASSIGNED, equal("attempt", 1))
    (step,) = Statements().batch(Batch((Update("runs", where, {"status": "running"}),))).steps
    assert isinstance(step, Changes)
    assert step.is_by_key
    explained = _explain(
        filled_url, {"update": "runs", "updates": [{"q": step.filter, "u": step.changes, "hint": "_id_"}]}
    )
    assert {stage.get("indexName") for stage in _stages(explained["queryPlanner"]["winningPlan"])} == {None, "_id_"}


async def _fill(storage: Storage) -> None:
    """Ended runs, a few that run or wait, and the events of two attempts."""
    statuses = ["running", "pending", *(98 * ["succeeded", "failed"])]
    for start in range(0, 5000, 500):
        await storage.write(batch(*(_run(start + i, statuses[(start + i) % len(statuses)]) for i in range(500))))
    await storage.write(batch(*(_event(attempt, number) for attempt in (1, 2) for number in range(50))))
    jobs = [("p0", "j0"), ("p1", "j0"), ("p1", "j1"), ("p1", "j2"), ("p2", "j0")]
    await storage.write(batch(*(_job(project, identifier) for project, identifier in jobs)))


def _run(number: int, status: str) -> Insert:
    row: Row = {
        "identifier": f"{number:014}",
        "project": f"p{number % 3}",
        "job": f"j{number % 7}",
        "request": {},
        "queue_key": "k",
        "source_kind": "user",
        "source_identifier": "eve",
        "idempotency_key": f"key {number}" if number % 2 else None,
        "created_at": number,
        "status": status,
        "worker": None if status == "pending" else f"w{number % 5}",
        "results": {},
    }
    return Insert("runs", row)


def _event(attempt: int, sequence: int) -> Insert:
    row: Row = {"run": "r", "attempt": attempt, "sequence": sequence, "kind": "k", "date": 0, "data": {}}
    return Insert("run_events", row)


def _job(project: str, identifier: str) -> Insert:
    row: Row = {"project": project, "identifier": identifier, "settings": {}, "changed_at": 0}
    return Insert("jobs", {**row, "is_active": True, "is_enabled": True})


def _explain(url: str, command: Mapping[str, Any]) -> dict[str, Any]:
    with pymongo.MongoClient[dict[str, Any]](url) as client:
        return client.get_default_database().command("explain", dict(command), verbosity="executionStats")


def _stages(plan: Any) -> Iterator[dict[str, Any]]:
    yield plan
    for below in (plan.get("inputStage"), *plan.get("inputStages", ())):
        if below is not None:
            yield from _stages(below)
