"""From every schema there ever was to that of the program: with rows, through interruptions, and by two at once."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import Engine, event

from job_orchestra.storage.port import SchemaState
from job_orchestra.storage.schema_versions import version_of
from job_orchestra.storage.sql import open_administration
from job_orchestra.storage.sql.migrations import MIGRATIONS
from tests.storage.schemas import create_version, described, fill, rows

_READING = ("SELECT", "SHOW", "PRAGMA", "DESCRIBE", "SET", "BEGIN")
_ADDED: dict[str, dict[str, object]] = {
    "users": {"revision": 0},
    "workers": {"seen_at": 0},
    "runs": {"is_pinned": False, "concurrency_slot": None, "expires_at": None, "past_attempts": None},
    "schedules": {"enabled_at": None, "timetable_since": None},
}
"""What rows of the first version have afterwards that they had not before."""


_fresh: dict[str, dict[str, object]] = {}


def fresh_schema(new_sql_url: Callable[[], str]) -> dict[str, object]:
    """As the program creates it."""
    url = new_sql_url()
    kind = url.partition(":")[0]
    if kind not in _fresh:
        open_administration(url).create()
        _fresh[kind] = described(url)
    return _fresh[kind]


class Interrupted(Exception):
    """As a process is that dies behind that statement: nothing of what follows is done."""


@pytest.mark.parametrize("version", [version_of(name) for name in MIGRATIONS.names])
def test_every_schema_becomes_that_of_the_program_and_keeps_its_rows(
    new_sql_url: Callable[[], str], version: str
) -> None:
    url = new_sql_url()
    create_version(url, version)
    fill(url)
    before = rows(url)
    told: list[str] = []
    done = open_administration(url).upgrade(told.append)
    assert list(done) == [name for name in MIGRATIONS.names if version_of(name) > version]
    assert {line.partition(": ")[0] for line in told} == set(done)
    assert open_administration(url).state() is SchemaState.CURRENT
    assert described(url) == fresh_schema(new_sql_url)
    _check_rows(before, rows(url))


def test_an_upgrade_may_be_interrupted_at_every_statement(new_sql_url: Callable[[], str]) -> None:
    url = new_sql_url()
    create_version(url, "0001")
    fill(url)
    before = rows(url)
    _repeat_until_done(url, lambda: open_administration(url).upgrade())
    assert described(url) == fresh_schema(new_sql_url)
    _check_rows(before, rows(url))


def test_a_creation_may_be_interrupted_at_every_statement(new_sql_url: Callable[[], str]) -> None:
    url = new_sql_url()

    def create() -> None:
        administration = open_administration(url)
        # Applications that wait for it do not take a part of it for an older schema, and end.
        assert administration.state() is SchemaState.MISSING
        administration.create()

    _repeat_until_done(url, create, lambda statements: statements * 2)  # where all is taken back: there is much
    assert described(url) == fresh_schema(new_sql_url)


def test_of_two_upgrades_at_once_each_migration_is_carried_out_by_one(new_sql_url: Callable[[], str]) -> None:
    url = new_sql_url()
    create_version(url, "0001")
    upgrade = f"from job_orchestra.storage.sql import open_administration as at; print(*at({url!r}).upgrade())"
    processes = [
        subprocess.Popen([sys.executable, "-c", upgrade], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    ended = [process.communicate() for process in processes]
    assert all(process.returncode == 0 for process in processes), ended
    done = [name for output, _ in ended for name in output.split()]
    assert sorted(done) == list(MIGRATIONS.names[1:])
    assert described(url) == fresh_schema(new_sql_url)


def test_long_steps_say_how_much_there_is_to_do(new_sql_url: Callable[[], str]) -> None:
    url = new_sql_url()
    create_version(url, "0002")
    fill(url)
    told: list[str] = []
    open_administration(url).upgrade(told.append)
    assert "0003_late_reports: creating the index runs_by_status_worker_identifier (3 rows)" in told
    assert "0004_seen_at_of_workers: adding the column seen_at to workers (3 rows)" in told


def _repeat_until_done(
    url: str, work: Callable[[], object], further: Callable[[int], int] = lambda statements: statements + 1
) -> None:
    """Interrupted further on each time, where all is taken back; after each statement where it is not."""
    is_taken_back = not url.startswith("mysql:")
    statements, last = 1, ""
    for attempt in range(1, 200):
        try:
            with _interrupted_after(statements):
                work()
        except Interrupted as interruption:
            # Rows are taken back everywhere: the same statement a second time, and then the one behind it.
            has_gone_on = not is_taken_back and str(interruption) != last
            statements, last = 1 if has_gone_on else further(statements), str(interruption)
        else:
            assert attempt > 3, "hardly anything was interrupted"
            return
    raise AssertionError("it never ends")


@contextmanager
def _interrupted_after(statements: int) -> Generator[None]:
    """Of those that change something, in this process."""
    executed = 0

    def count(*arguments: Any) -> None:
        nonlocal executed
        if not str(arguments[2]).lstrip().upper().startswith(_READING):
            executed += 1
            if executed == statements:
                raise Interrupted(arguments[2])

    event.listen(Engine, "after_cursor_execute", count)
    try:
        yield
    finally:
        event.remove(Engine, "after_cursor_execute", count)


def _check_rows(before: dict[str, list[dict[str, Any]]], after: dict[str, list[dict[str, Any]]]) -> None:
    for table, expected in before.items():
        added = {name: value for name, value in _ADDED.get(table, {}).items() if name not in expected[0]}
        assert after[table] == [{**row, **added} for row in expected], table
