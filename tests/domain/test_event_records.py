from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given

from job_orchestra.domain.errors import Invalid
from job_orchestra.domain.event_records import EventRecord, event_to_record, record_to_event
from job_orchestra.domain.events import Event
from job_orchestra.domain.json import JsonObject, JsonValue
from tests.domain.strategies import checked, events, objects

ENDED: JsonObject = {
    "status": "failed",
    "reason": {"code": "command_failed", "sentence": "Command 0 returned 1."},
    "duration": 1.5,
    "log_size": 10,
    "log_sha256": "0" * 64,
}


@checked
@given(events)
def test_there_and_back_through_json(event: Event) -> None:
    record = event_to_record(event)
    written: JsonObject = json.loads(json.dumps(record.data))
    assert record_to_event(replace(record, data=written)) == event


@checked
@given(events, objects)
def test_whatever_comes_is_an_event_or_invalid(event: Event, data: JsonObject) -> None:
    record = event_to_record(event)
    for damaged in (data, {**record.data, **data}, dict.fromkeys(record.data, None)):
        try:
            record_to_event(replace(record, data=damaged))
        except Invalid as error:
            assert error.mistakes


def test_an_unknown_kind_names_the_known() -> None:
    with pytest.raises(Invalid, match="unknown event 'exploded'; known are started"):
        record_to_event(EventRecord(1, "exploded", 0, {}))


def test_missing_and_superfluous_data_are_named() -> None:
    with pytest.raises(Invalid, match=r"event results_changed has \['results'\], not \['result'\]"):
        record_to_event(EventRecord(1, "results_changed", 0, {"result": {}}))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("status", "running"),
        ("status", "gone"),
        ("status", None),
        ("status", []),
        ("reason", "because"),
        ("reason", {}),
        ("reason", {"code": "completed"}),
        ("reason", {"code": "boredom", "sentence": "…"}),
        ("reason", {"code": "completed", "sentence": 3}),
        ("duration", -1),
        ("duration", float("nan")),
        ("duration", float("inf")),
        ("duration", 10**400),
        ("duration", "1"),
        ("duration", True),
        ("log_size", -1),
        ("log_size", 1.5),
        ("log_size", 1 << 63),
        ("log_sha256", None),
        ("log_sha256", "\0"),
        ("reason", {"code": "completed", "sentence": "half \ud800"}),
    ],
)
def test_wrong_values_are_invalid(name: str, value: JsonValue) -> None:
    assert record_to_event(EventRecord(1, "ended", 0, ENDED)).sequence == 1
    with pytest.raises(Invalid):
        record_to_event(EventRecord(1, "ended", 0, {**ENDED, name: value}))


def test_a_date_beyond_the_calendar_is_invalid() -> None:
    with pytest.raises(Invalid):
        record_to_event(EventRecord(1, "ended", 1 << 62, ENDED))
