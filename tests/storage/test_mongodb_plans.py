"""How MongoDB finds what it is asked for: along an index, by the key alone where that is given."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pymongo
import pytest

from job_orchestra.composition.databases import open_administration
from job_orchestra.domain.json import JsonValue
from job_orchestra.domain.statuses import ACTIVE, RunStatus
from job_orchestra.repositories.run_filters import RunFilter
from job_orchestra.repositories.run_paths import path_of
from job_orchestra.storage.mongo.statements import Deletion, Statements
from job_orchestra.storage.port import (
    Batch,
    Condition,
    Count,
    Delete,
    Find,
    Insert,
    Operator,
    Order,
    Row,
    Storage,
)
from tests.mongodb_server import MongodbServer
from tests.storage.scenario import batch, equal, play


def between(column: str, low: str, high: str) -> tuple[Condition, Condition]:
    return Condition(column, Operator.GREATER, low), Condition(column, Operator.LESS_EQUAL, high)


_PENDING = equal("status", "pending")
_UNASSIGNED = equal("worker", None)
_BY_IDENTIFIER = (Order("identifier"),)
_NEWEST_FIRST = (Order("identifier", descending=True),)
_LAST_RUN = (Order("run", descending=True),)
_IN_QUEUE = (Order("urgency"), Order("identifier"))
_HISTORY = (equal("project", "p1"), equal("job", "j1"), equal("status", "failed"))
_ATTEMPT = (equal("run", "r"), equal("attempt", 1))
_PATH = equal("path", "tests.failed")
_BY_VALUES = "run_values_by_path_run_value"
_OLD = (equal("project", "p1"), equal("job", "j1"), equal("is_pinned", False), equal("status", "failed"))
_SOME: list[JsonValue] = [f"{number:014}" for number in range(10, 3000, 300)]

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
    "old runs of a job": (
        "runs_by_project_job_status_identifier",
        Find("runs", (*_OLD, *between("identifier", "00000000000010", "00000000004000")), _BY_IDENTIFIER, limit=10),
    ),
    "runs that are named": ("_id_", Find("runs", (Condition("identifier", Operator.IN, _SOME),), limit=10)),
    "runs with a value": (
        "_id_",
        Find(
            "run_values", (_PATH, equal("value", "n8"), Condition("run", Operator.LESS, _SOME[-1])), _LAST_RUN, limit=10
        ),
    ),
    "values within a range": (
        "_id_",
        Find("run_values", (_PATH, *between("value", "n2", "n4")), (Order("value"), Order("run")), limit=10),
    ),
    "values of a path, run by run": (
        _BY_VALUES,
        Find(
            "run_values",
            (_PATH, Condition("run", Operator.LESS, _SOME[-1])),
            (*_LAST_RUN, Order("value", descending=True)),
            limit=10,
        ),
    ),
    "one run": ("_id_", Find("runs", (equal("identifier", "x"),))),
    "events of an attempt": (
        "_id_",
        Find("run_events", _ATTEMPT, (Order("run"), Order("attempt"), Order("sequence")), after=("r", 1, 5)),
    ),
    "jobs of a project": ("_id_", Find("jobs", (equal("project", "p1"),), _NEWEST_FIRST, after=("j1",))),
    "all jobs": ("_id_", Find("jobs", (), (Order("project"), Order("identifier")), after=("p1", "j1"))),
}


_PATHS = {
    "runs_by_project_identifier": RunFilter(project="p1"),
    "runs_by_project_job_identifier": RunFilter(project="p1", job="j1"),
    "runs_by_project_status_identifier": RunFilter(project="p1", statuses=(RunStatus.FAILED, RunStatus.RUNNING)),
    "runs_by_project_job_status_identifier": RunFilter(project="p1", job="j1", statuses=(RunStatus.FAILED,)),
    "runs_by_status_worker_identifier": RunFilter(worker="w1", statuses=ACTIVE),
    "runs_by_worker_identifier": RunFilter(worker="w1"),
    "runs_by_source_kind_source_identifier_identifier": RunFilter(source_identifier="u3"),
}
_DELETIONS = {
    "values of a path up to a run": (
        _BY_VALUES,
        Delete("run_values", (_PATH, Condition("run", Operator.LESS_EQUAL, _SOME[0]))),
    ),
    "values of runs": ("run_values_by_run", Delete("run_values", (Condition("run", Operator.IN, _SOME),))),
    "events of runs": ("_id_", Delete("run_events", (Condition("run", Operator.IN, [*_SOME, "r"]),))),
    "late reports of runs": ("_id_", Delete("late_reports", (Condition("run", Operator.IN, _SOME),))),
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
    # A page costs what is on it: no more than a look or two beside, or one beside each that is named.
    looks = figures["nReturned"] if what == "runs that are named" else 0
    assert figures["totalKeysExamined"] <= max(figures["nReturned"], 1) + looks + 3, figures


@pytest.mark.parametrize("index", _PATHS)
def test_lists_of_runs_go_along_the_indexes_that_their_paths_are_for(filled_url: str, index: str) -> None:
    for branch in path_of(_PATHS[index]).branches:
        prepared = Statements().find(Find("runs", branch, _NEWEST_FIRST, after=("00000000004000",), limit=10))
        command = {"find": "runs", "filter": prepared.filter, "sort": dict(prepared.sort), "limit": prepared.limit}
        explained = _explain(filled_url, command)
        stages = list(_stages(explained["queryPlanner"]["winningPlan"]))
        assert "SORT" not in {stage["stage"] for stage in stages}, stages
        assert explained["executionStats"]["totalKeysExamined"] <= 13, explained["executionStats"]
        if explained["executionStats"]["nReturned"]:
            assert {stage["indexName"] for stage in stages if "indexBounds" in stage} == {index}, stages


@pytest.mark.parametrize("what", _DELETIONS)
def test_what_is_deleted_is_found_along_an_index(filled_url: str, what: str) -> None:
    index, operation = _DELETIONS[what]
    (step,) = Statements().batch(Batch((operation,))).steps
    assert isinstance(step, Deletion)
    explained = _explain(filled_url, {"delete": step.collection, "deletes": [{"q": step.filter, "limit": 0}]})
    stages = list(_stages(explained["queryPlanner"]["winningPlan"]))
    assert {stage["indexName"] for stage in stages if "indexBounds" in stage} == {index}, stages
    assert "COLLSCAN" not in {stage["stage"] for stage in stages}, stages
    figures = explained["executionStats"]
    # One key more for each place where it stops to look.
    assert figures["totalKeysExamined"] <= figures["totalDocsExamined"] + 2 * len(_SOME) + 3, figures


def test_newer_runs_of_a_job_are_counted_no_further_than_needed(filled_url: str) -> None:
    statuses = ["succeeded", "aborted", "cancelled"]
    of_job = (equal("project", "p1"), equal("job", "j1"), Condition("status", Operator.IN, [*statuses]))
    where = (*of_job, Condition("identifier", Operator.GREATER, _SOME[0]))
    prepared = Statements().count(Count("runs", where, at_most=50))
    # As the driver counts.
    counting = [{"$match": prepared.filter}, {"$limit": prepared.at_most}, {"$group": {"_id": 1, "n": {"$sum": 1}}}]
    explained = _explain(filled_url, {"aggregate": prepared.collection, "pipeline": counting, "cursor": {}})
    found = explained["stages"][0]["$cursor"]
    indexes = {each["indexName"] for each in _stages(found["queryPlanner"]["winningPlan"]) if "indexBounds" in each}
    assert indexes == {"runs_by_project_job_status_identifier"}
    assert found["executionStats"]["totalKeysExamined"] <= 50 + len(statuses), found["executionStats"]


async def _fill(storage: Storage) -> None:
    """Ended runs, a few that run or wait, and the events of two attempts."""
    statuses = ["running", "pending", *(98 * ["succeeded", "failed"])]
    for start in range(0, 5000, 500):
        await storage.write(batch(*(_run(start + i, statuses[(start + i) % len(statuses)]) for i in range(500))))
    await storage.write(batch(*(_event(attempt, number) for attempt in (1, 2) for number in range(50))))
    for start in range(0, 5000, 500):
        await storage.write(
            batch(*(_value(path, start + i) for i in range(500) for path in ("a", "tests.failed", "z")))
        )
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
        "source_identifier": f"u{number % 11}",
        "idempotency_key": f"key {number}" if number % 2 else None,
        "created_at": number,
        "status": status,
        "worker": None if status == "pending" else f"w{number % 5}",
        "results": {},
        "is_pinned": False,
    }
    return Insert("runs", row)


def _value(path: str, run: int) -> Insert:
    return Insert("run_values", {"path": path, "value": f"n{run % 10}", "run": f"{run:014}"})


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
