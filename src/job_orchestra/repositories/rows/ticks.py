from __future__ import annotations

from job_orchestra.domain.job_data import run_request_from_data, run_request_to_data
from job_orchestra.domain.moments import to_microseconds
from job_orchestra.domain.ticks import Tick, TickState
from job_orchestra.repositories.rows.columns import integer, json_object, moment, optional_text, text
from job_orchestra.storage.port import Row


def tick_to_row(tick: Tick) -> Row:
    return {
        "project": tick.project,
        "schedule": tick.schedule,
        "due": to_microseconds(tick.due),
        "number": tick.number,
        "job": tick.job,
        **tick_facts(tick),
    }


def tick_facts(tick: Tick) -> Row:
    """The columns that change until the tick is settled."""
    return {
        "state": tick.state.value,
        "decided_at": to_microseconds(tick.decided_at),
        "request": None if tick.request is None else run_request_to_data(tick.request),
        "run": tick.run,
        "detail": tick.detail,
    }


def tick_from_row(row: Row) -> Tick:
    return Tick(
        project=text(row, "project"),
        schedule=text(row, "schedule"),
        due=moment(row, "due"),
        number=integer(row, "number"),
        state=TickState(text(row, "state")),
        job=text(row, "job"),
        decided_at=moment(row, "decided_at"),
        request=None if row["request"] is None else run_request_from_data(json_object(row, "request")),
        run=optional_text(row, "run"),
        detail=text(row, "detail"),
    )
