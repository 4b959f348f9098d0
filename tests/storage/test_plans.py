"""How SQL databases find what they are asked for: along an index, also where they have no statistics yet."""

from __future__ import annotations

import re
from typing import Any

import pytest

from job_orchestra.domain.statuses import ACTIVE, RunStatus
from job_orchestra.repositories.run_filters import RunFilter
from job_orchestra.repositories.run_paths import path_of
from job_orchestra.storage.port import Condition, Count, Find, Insert, Operator, Order, Row, Storage, Update
from job_orchestra.storage.sql.databases import database_at
from job_orchestra.storage.sql.statements import Prepared, Statements
from job_orchestra.storage.sql.urls import DatabaseKind, parse_database_url
from tests.storage.scenario import batch, equal, play

_PENDING = equal("status", "pending")
_UNASSIGNED = equal("worker", None)

_BY_WORKER = (Order("worker"), Order("identifier"))
_BY_KEY = Update("runs", (equal("identifier", "x"), _PENDING, _UNASSIGNED, equal("attempt", 1)), {"status": "running"})
_FINDS = {
    "runs_by_status_queue_key_urgency_identifier": Find(
        "runs", (_PENDING, equal("queue_key", "k"), _UNASSIGNED), (Order("urgency"), Order("identifier"))
    ),
    "runs_by_project_identifier": Find(
        "runs", (equal("project", "p1"),), (Order("identifier", descending=True),), after=("00000000002500",)
    ),
}

_PATH = equal("path", "tests.failed")
_BY_RUN = (Order("run", descending=True),)
_FINDS_OF_VALUES = {
    "value": Find("run_values", (_PATH, equal("value", "n8"), Condition("run", Operator.LESS, "x")), _BY_RUN),
    "range": Find(
        "run_values",
        (_PATH, Condition("value", Operator.GREATER, "n8"), Condition("value", Operator.LESS_EQUAL, "n~")),
        (Order("value"), Order("run")),
    ),
    "path": Find(
        "run_values", (_PATH, Condition("run", Operator.LESS, "x")), (*_BY_RUN, Order("value", descending=True))
    ),
}

_FINDS_IN_HISTORY = {
    "runs_by_project_job_status_identifier": Find(
        "runs",
        (equal("project", "p1"), equal("job", "j1"), equal("status", "failed")),
        (Order("identifier", descending=True),),
    ),
    "runs_by_status_worker_identifier": Find(
        "runs", (equal("status", "running"), Condition("worker", Operator.GREATER, "w1")), _BY_WORKER, limit=1
    ),
}


_OF_ONE_STATUS = "runs_by_project_job_status_identifier"
_OLD = Find(
    "runs",
    (
        equal("project", "p1"),
        equal("job", "j1"),
        equal("is_pinned", False),
        Condition("identifier", Operator.GREATER, "00000000000010"),
        Condition("identifier", Operator.LESS, "00000000004000"),
        equal("status", "failed"),
    ),
    (Order("identifier"),),
    limit=50,
)
_NEWER = Count(
    "runs",
    (
        equal("project", "p1"),
        equal("job", "j1"),
        Condition("status", Operator.IN, ["succeeded", "aborted", "cancelled"]),
        Condition("identifier", Operator.GREATER, "00000000000010"),
    ),
    at_most=50,
)


def test_what_may_go_is_found_along_the_index_of_its_status(sql_url: str) -> None:
    _fill(sql_url)
    statements = _statements(sql_url)
    found = _plan(sql_url, statements.find(_OLD).statement)
    assert _OF_ONE_STATUS in found, found
    assert "temp b-tree" not in found.lower()
    counted = _plan(sql_url, statements.count(_NEWER))
    assert "runs_by_project_job_" in counted, counted


@pytest.mark.parametrize(("index", "find"), _FINDS.items(), ids=list(_FINDS))
def test_pages_come_from_an_index_in_its_order(sql_url: str, index: str, find: Find) -> None:
    _check(_plan(sql_url, _statements(sql_url).find(find).statement), index)


@pytest.mark.parametrize("find", _FINDS_OF_VALUES.values(), ids=list(_FINDS_OF_VALUES))
def test_values_of_results_are_found_along_an_index_in_its_order(sql_url: str, find: Find) -> None:
    plan = _plan(sql_url, _statements(sql_url).find(find).statement)
    names = ("run_values_pkey", "sqlite_autoindex_run_values_1", "PRIMARY ", "run_values_by_path_run")
    assert any(name in plan for name in names), plan
    assert "sort" not in plan.lower().replace("presorted", "")
    assert "temp b-tree" not in plan.lower()


def test_a_history_is_read_along_the_index_that_fits_best(sql_url: str) -> None:
    """Where there is enough to tell indexes apart by, as after a while there is."""
    _fill(sql_url)
    statements = _statements(sql_url)
    for index, find in _FINDS_IN_HISTORY.items():
        _check(_plan(sql_url, statements.find(find).statement), index)


_PATHS = {
    "runs_by_project_identifier": RunFilter(project="p1"),
    "runs_by_project_job_identifier": RunFilter(project="p1", job="j1"),
    "runs_by_project_status_identifier": RunFilter(project="p1", statuses=(RunStatus.FAILED, RunStatus.RUNNING)),
    "runs_by_project_job_status_identifier": RunFilter(project="p1", job="j1", statuses=(RunStatus.FAILED,)),
    "runs_by_status_worker_identifier": RunFilter(worker="w1", statuses=ACTIVE),
    "runs_by_worker_identifier": RunFilter(worker="w1"),
    "runs_by_source_kind_source_identifier_identifier": RunFilter(source_identifier="eve"),
}


def test_lists_of_runs_go_along_the_indexes_that_their_paths_are_for(sql_url: str) -> None:
    _fill(sql_url)
    statements = _statements(sql_url)
    order = (Order("identifier", descending=True),)
    for index, wanted in _PATHS.items():
        for branch in path_of(wanted).branches:
            plan = _plan(sql_url, statements.find(Find("runs", branch, order, ("00000000004000",))).statement)
            assert index in plan, plan
            assert "sort" not in plan.lower().replace("presorted", ""), plan
            assert "temp b-tree" not in plan.lower(), plan


@pytest.mark.parametrize("count", [1, 7, 500])
@pytest.mark.parametrize("is_filled", [False, True], ids=["new", "filled"])
def test_runs_that_are_named_are_found_one_by_one(sql_url: str, count: int, is_filled: bool) -> None:
    """However long the history is."""
    if is_filled or parse_database_url(sql_url).kind is DatabaseKind.MYSQL:
        _fill(sql_url)  # it looks into the table when it plans, and needs no index of an empty one
    statements = _statements(sql_url)
    named = Condition("identifier", Operator.IN, [f"{9 * number:014}" for number in range(count)])
    plan = _plan(sql_url, statements.find(Find("runs", (named,), limit=count)).statement)
    assert re.search(r"Index Cond: .*identifier = |SEARCH runs USING INDEX .*\bidentifier=\?|^PRIMARY 258 ", plan), plan


def test_compare_and_set_finds_its_row_by_the_key(sql_url: str) -> None:
    plan = _plan(sql_url, _statements(sql_url).operation(_BY_KEY).statement)
    assert any(key in plan for key in ("runs_pkey", "sqlite_autoindex_runs_1", "PRIMARY 258 ")), plan


def _check(plan: str, index: str) -> None:
    assert index in plan, plan
    assert "sort" not in plan.lower().replace("presorted", ""), plan
    assert "temp b-tree" not in plan.lower(), plan


def _fill(url: str) -> None:
    """Ended runs, and a few that run."""
    statuses = ["running"] + 99 * ["succeeded", "failed"]

    async def scenario(storage: Storage) -> None:
        for start in range(0, 5000, 500):
            await storage.write(batch(*(_run(start + i, statuses[(start + i) % len(statuses)]) for i in range(500))))

    play(url, scenario)
    parsed = parse_database_url(url)
    connection: Any = database_at(parsed).connect_driver(is_writer=True)
    connection.cursor().execute("ANALYZE TABLE runs" if parsed.kind is DatabaseKind.MYSQL else "ANALYZE")
    connection.commit()
    connection.close()


def _run(number: int, status: str) -> Insert:
    row: Row = {
        "identifier": f"{number:014}",
        "project": f"p{number % 3}",
        "job": f"j{number % 7}",
        "request": {},
        "queue_key": "k",
        "source_kind": "user",
        "source_identifier": "eve",
        "created_at": number,
        "status": status,
        "worker": f"w{number % 5}",
        "results": {},
    }
    return Insert("runs", row)


def _statements(url: str) -> Statements:
    return Statements(database_at(parse_database_url(url)).dialect)


def _plan(url: str, statement: Prepared) -> str:
    parsed = parse_database_url(url)
    connection: Any = database_at(parsed).connect_driver(is_writer=False)
    try:
        cursor = connection.cursor()
        explain = "EXPLAIN QUERY PLAN" if parsed.kind is DatabaseKind.SQLITE else "EXPLAIN"
        cursor.execute(f"{explain} {statement.text}", statement.arguments)
        # In MariaDB and MySQL without the indexes that were thought of, too.
        first = 5 if parsed.kind is DatabaseKind.MYSQL else 0
        return "\n".join(" ".join(map(str, row[first:])) for row in cursor.fetchall())
    finally:
        connection.close()
