from __future__ import annotations

from job_orchestra.domain.json import JsonObject
from job_orchestra.domain.moments import to_microseconds
from job_orchestra.domain.workers import Refusal, Worker, WorkerDescription
from job_orchestra.repositories.rows.columns import (
    flag,
    integer,
    json_object,
    moment,
    optional_moment,
    optional_number,
    optional_text,
    text,
)
from job_orchestra.storage.port import Row


def description_to_data(description: WorkerDescription) -> JsonObject:
    return {
        "version": description.version,
        "display_name": description.display_name,
        "executor_limit": description.executor_limit,
        "properties": description.properties,
        "hindrance": description.hindrance,
        "refusal": None if description.refusal is None else _refusal_to_data(description.refusal),
    }


def _refusal_to_data(refusal: Refusal) -> JsonObject:
    return {"run": refusal.run, "reason": refusal.reason, "date": to_microseconds(refusal.date)}


def _refusal_from_data(data: JsonObject) -> Refusal:
    return Refusal(text(data, "run"), text(data, "reason"), moment(data, "date"))


def _description_from_data(data: JsonObject) -> WorkerDescription:
    return WorkerDescription(
        version=text(data, "version"),
        display_name=text(data, "display_name"),
        executor_limit=integer(data, "executor_limit"),
        properties=json_object(data, "properties"),
        # Older records have none.
        hindrance=optional_text({"hindrance": None, **data}, "hindrance") or "",
        refusal=_refusal_from_data(json_object(data, "refusal")) if data.get("refusal") is not None else None,
    )


def worker_from_row(row: Row) -> Worker:
    return Worker(
        identifier=text(row, "identifier"),
        owner=text(row, "owner"),
        instance=text(row, "instance"),
        description=_description_from_data(json_object(row, "description")),
        registered_at=moment(row, "registered_at"),
        is_enabled=flag(row, "is_enabled"),
        should_drain=flag(row, "should_drain"),
        should_disconnect=flag(row, "should_disconnect"),
        is_connected=flag(row, "is_connected"),
        connected_at=optional_moment(row, "connected_at"),
        disconnected_at=optional_moment(row, "disconnected_at"),
        skew=optional_number(row, "skew"),
        master=optional_text(row, "master"),
        seen_at=moment(row, "seen_at"),
    )
