"""The page of a schedule, fetched from a real service."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from job_orchestra.domain.json import JsonObject
from job_orchestra.domain.ticks import Tick, TickState
from job_orchestra.repositories.conditions import equal
from job_orchestra.storage.port import Batch, Find, Update, Value
from job_orchestra.storage.schema import SCHEDULES
from tests.website.examples import Examples
from tests.website.installation import Installation
from tests.website.visitor import Visitor

_NIGHTLY = "/projects/example/schedules/nightly"


@pytest.fixture
def operator(visitors: Callable[[str | None], Visitor], examples: Examples) -> Visitor:
    return visitors("operator")


def _ticks(run: str) -> Iterator[Tick]:
    """More than there are on a page; every second one made the run."""
    first = datetime(2026, 7, 1, 1, tzinfo=UTC)
    missed = Tick("example", "nightly", first, 1, TickState.MISSED, "hello", first, detail="No <master>.")
    for number in range(1, 60):
        due = first + timedelta(days=number)
        tick = replace(missed, due=due, number=number)
        yield replace(tick, state=TickState.TRIGGERED, run=run, detail="") if number % 2 else tick


def test_a_schedule(operator: Visitor, installation: Installation) -> None:
    page = operator.get(_NIGHTLY).text
    assert "Next ticks, if it were enabled" in page
    assert re.search(r"03:00 CES?T</small>", page)
    assert '<h2>Past ticks</h2>\n<p class="empty">None.</p>' in page
    run = installation.call(installation.runs.list()).items[0].identifier
    installation.call(installation.ticks.add(_ticks(run)))
    page = operator.get(_NIGHTLY).text
    assert "No &lt;master&gt;." in page
    assert f'href="/projects/example/runs/{run}"' in page
    (older,) = re.findall(r'<a href="([^"]+)">Older ticks</a>', page)
    assert "2026-07-02 01:00:00" in operator.get(older.replace("&amp;", "&")).text
    project = operator.get("/projects/example").text
    assert 'href="/projects/example/schedules/nightly"' in project
    assert '<span class="status triggered">triggered</span></a>' in project
    assert operator.get("/projects/example/schedules/unknown").status_code == 404


def test_a_schedule_that_is_broken(operator: Visitor, installation: Installation) -> None:
    settings: JsonObject = {"job": "gone", "expression": "0 3 * *", "time_zone": "Atlantis"}
    before = installation.call(installation.storage.find(Find(SCHEDULES.name)))[0]["settings"]
    _set_settings(installation, settings)
    try:
        assert "This schedule is broken. It cannot tick:" in operator.get(_NIGHTLY).text
        operator.send(_NIGHTLY, f"{_NIGHTLY}/enable")
        assert ">broken</span>" in operator.get("/projects/example").text
    finally:
        _set_settings(installation, before)


def _set_settings(installation: Installation, settings: Value) -> None:
    update = Update(SCHEDULES.name, (equal("identifier", "nightly"),), {"settings": settings})
    installation.call(installation.storage.write(Batch((update,))))
