"""How SQL databases find what they are asked for: along an index, also where they have no statistics yet."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from typing import Any

import pytest

from job_orchestra.domain.statuses import ACTIVE, RunStatus
from job_orchestra.repositories.run_filters import RunFilter
from job_orchestra.repositories.run_paths import path_of
from job_orchestra.storage.port import Condition, Count, Find, Operator, Order, Row, Update
from job_orchestra.storage.sql import open_administration
from job_orchestra.storage.sql.databases import database_at
from job_orchestra.storage.sql.statements import Prepared, Statements
from job_orchestra.storage.sql.urls import DatabaseKind, parse_database_url
from tests.services import SQL_DATABASES
from tests.storage.scenario import equal

_PENDING = equal("status", "pending")
_UNASSIGNED = equal("worker", None)

_BY_WORKER = (Order("worker"), Order("identifier"))
_BY_KEY = Update("runs", (equal("identifier", "x"), _PENDING, _UNASSIGNED, equal("attempt", 1)), {"status": "running"})
_TICKS = (equal("state", "triggered"), equal("project", "p1"), equal("schedule", "s1"))
_FINDS = {
    "ticks_by_state_project_schedule_number": Find("ticks", _TICKS, (Order("number", descending=True),), limit=1),
    "runs_by_status_queue_key_urgency_identifier": Find(
        "runs", (_PENDING, equal("queue_key", "k"), _UNASSIGNED), (Order("urgency"), Order("identifier"))
    ),
    "audit_by_user_identifier": Find(
        "audit",
        (equal("user", "u"), Condition("identifier", Operator.GREATER_EQUAL, "00000000000010")),
        (Order("identifier", descending=True),),
    ),
    "audit_by_outcome_identifier": Find(
        "audit", (equal("outcome", "refused"),), (Order("identifier", descending=True),), after=("00000000002500",)
    ),
    "runs_by_project_identifier": Find(
        "runs", (equal("project", "p1"),), (Order("identifier", descending=True),), after=("00000000002500",)
    ),
}

_PATH = equal("path", "tests.failed")
_BY_RUN = (Order("run", descending=True),)
_FINDS_OF_VALUES = {
    "value": Find("run_values", (_PATH, equal("value", "n8"), Condition("run", Operator.LESS, "x")), _BY_RUN),
    "newest of a value": Find("run_values", (_PATH, equal("value", "n8")), _BY_RUN),
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


_NAMED = (1, 7, 500)
"""How many runs, by their identifiers."""

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


@pytest.fixture(scope="module")
def empty_urls(request: pytest.FixtureRequest) -> Callable[[str], str]:
    """Of a new database of that kind, not to be changed by a test: nobody ever counted what is in it."""

    @cache
    def url_of(kind: str) -> str:
        new_url: Callable[[], str] = request.getfixturevalue(f"new_{kind}_url")
        url = new_url()
        open_administration(url).create()
        return url

    return url_of


@pytest.fixture(params=SQL_DATABASES)
def empty_url(request: pytest.FixtureRequest, empty_urls: Callable[[str], str]) -> str:
    return empty_urls(request.param)


@pytest.fixture(scope="module", params=SQL_DATABASES)
def filled_url(request: pytest.FixtureRequest) -> str:
    """A database with ended runs and a few that run, not to be changed by a test."""
    statuses = ["running"] + 99 * ["succeeded", "failed"]
    new_url: Callable[[], str] = request.getfixturevalue(f"new_{request.param}_url")
    url = new_url()
    with open_administration(url).load() as load:
        load.insert("runs", [_run(number, statuses[number % len(statuses)]) for number in range(5000)])
    _analyse(url)
    return url


def test_what_may_go_is_found_along_the_index_of_its_status(filled_url: str) -> None:
    statements = _statements(filled_url)
    found = _plan(filled_url, statements.find(_OLD).statement)
    assert _OF_ONE_STATUS in found, found
    assert "temp b-tree" not in found.lower()
    counted = _plan(filled_url, statements.count(_NEWER))
    assert "runs_by_project_job_" in counted, counted


@pytest.mark.parametrize(("index", "find"), _FINDS.items(), ids=list(_FINDS))
def test_pages_come_from_an_index_in_its_order(empty_url: str, index: str, find: Find) -> None:
    _check(_plan(empty_url, _statements(empty_url).find(find).statement), index)


@pytest.mark.parametrize("find", _FINDS_OF_VALUES.values(), ids=list(_FINDS_OF_VALUES))
def test_values_of_results_are_found_along_an_index_in_its_order(empty_url: str, find: Find) -> None:
    plan = _plan(empty_url, _statements(empty_url).find(find).statement)
    names = ("run_values_pkey", "sqlite_autoindex_run_values_1", "PRIMARY ", "run_values_by_path_run")
    assert any(name in plan for name in names), plan
    assert "sort" not in plan.lower().replace("presorted", "")
    assert "temp b-tree" not in plan.lower()


def test_a_history_is_read_along_the_index_that_fits_best(filled_url: str) -> None:
    """Where there is enough to tell indexes apart by, as after a while there is."""
    statements = _statements(filled_url)
    for index, find in _FINDS_IN_HISTORY.items():
        _check(_plan(filled_url, statements.find(find).statement), index)


_PATHS = {
    "runs_by_project_identifier": RunFilter(project="p1"),
    "runs_by_project_job_identifier": RunFilter(project="p1", job="j1"),
    "runs_by_project_status_identifier": RunFilter(project="p1", statuses=(RunStatus.FAILED, RunStatus.RUNNING)),
    "runs_by_project_job_status_identifier": RunFilter(project="p1", job="j1", statuses=(RunStatus.FAILED,)),
    "runs_by_status_worker_identifier": RunFilter(worker="w1", statuses=ACTIVE),
    "runs_by_worker_identifier": RunFilter(worker="w1"),
    "runs_by_source_kind_source_identifier_identifier": RunFilter(source_identifier="eve"),
}


def test_lists_of_runs_go_along_the_indexes_that_their_paths_are_for(filled_url: str) -> None:
    statements = _statements(filled_url)
    order = (Order("identifier", descending=True),)
    for index, wanted in _PATHS.items():
        for branch in path_of(wanted).branches:
            plan = _plan(filled_url, statements.find(Find("runs", branch, order, ("00000000004000",))).statement)
            assert index in plan, plan
            assert "sort" not in plan.lower().replace("presorted", ""), plan
            assert "temp b-tree" not in plan.lower(), plan


@pytest.mark.parametrize("count", _NAMED)
def test_runs_that_are_named_are_found_one_by_one(filled_url: str, count: int) -> None:
    """However long the history is."""
    _check_named(filled_url, count)


@pytest.mark.parametrize("count", _NAMED)
@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_so_are_they_in_a_new_database(empty_urls: Callable[[str], str], kind: str, count: int) -> None:
    """MariaDB looks into the table when it plans, and needs no index of an empty one."""
    _check_named(empty_urls(kind), count)


def test_compare_and_set_finds_its_row_by_the_key(empty_url: str) -> None:
    plan = _plan(empty_url, _statements(empty_url).operation(_BY_KEY).statement)
    assert any(key in plan for key in ("runs_pkey", "sqlite_autoindex_runs_1", "PRIMARY 258 ")), plan


def _check_named(url: str, count: int) -> None:
    named = Condition("identifier", Operator.IN, [f"{9 * number:014}" for number in range(count)])
    plan = _plan(url, _statements(url).find(Find("runs", (named,), limit=count)).statement)
    assert re.search(r"Index Cond: .*identifier = |SEARCH runs USING INDEX .*\bidentifier=\?|^PRIMARY 258 ", plan), plan


def _check(plan: str, index: str) -> None:
    assert index in plan, plan
    assert "sort" not in plan.lower().replace("presorted", ""), plan
    assert "temp b-tree" not in plan.lower(), plan


def _analyse(url: str) -> None:
    parsed = parse_database_url(url)
    connection: Any = database_at(parsed).connect_driver(is_writer=True)
    connection.cursor().execute("ANALYZE TABLE runs" if parsed.kind is DatabaseKind.MYSQL else "ANALYZE runs")
    connection.commit()
    connection.close()


def _run(number: int, status: str) -> Row:
    return {
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
