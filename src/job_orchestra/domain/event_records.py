"""Events in the one form in which they are written down: a journal's line, a message, a row."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import Any, cast

from job_orchestra.domain.checking import is_json
from job_orchestra.domain.errors import Invalid
from job_orchestra.domain.events import (
    CommandEnded,
    CommandStarted,
    Concluded,
    ElementSkipped,
    Ended,
    Event,
    PartEnded,
    PartRefused,
    PartTriggered,
    Phase,
    ResultsChanged,
    Started,
)
from job_orchestra.domain.json import JsonObject
from job_orchestra.domain.moments import from_microseconds, to_microseconds
from job_orchestra.domain.reasons import Reason, ReasonCode
from job_orchestra.domain.statuses import RunStatus


@dataclass(frozen=True, slots=True)
class EventRecord:
    sequence: int
    kind: str
    date: int
    """Microseconds since 1970, UTC."""
    data: JsonObject


_KINDS: dict[str, type[Event]] = {
    "started": Started,
    "command_started": CommandStarted,
    "command_ended": CommandEnded,
    "results_changed": ResultsChanged,
    "part_triggered": PartTriggered,
    "part_ended": PartEnded,
    "part_refused": PartRefused,
    "element_skipped": ElementSkipped,
    "concluded": Concluded,
    "ended": Ended,
}
_NAMES = {kind: name for name, kind in _KINDS.items()}


def event_to_record(event: Event) -> EventRecord:
    data: dict[str, Any] = {
        item.name: getattr(event, item.name) for item in fields(event) if item.name not in {"sequence", "date"}
    }
    if isinstance(event, (Ended, Concluded)):
        data["reason"] = {"code": event.reason.code.value, "sentence": event.reason.sentence}
        data["status"] = event.status.value
    elif isinstance(event, PartEnded):
        data["end"] = event.end.value
    elif isinstance(event, (CommandStarted, CommandEnded)):
        data["phase"] = event.phase.value
    if isinstance(event, CommandStarted):
        data["arguments"] = list(event.arguments)
    return EventRecord(event.sequence, _NAMES[type(event)], to_microseconds(event.date), data)


def record_to_event(record: EventRecord) -> Event:
    """Invalid, naming what is wrong, if the record is none that `event_to_record` makes."""
    kind = _KINDS.get(record.kind)
    if kind is None:
        raise Invalid.at("kind", f"unknown event {record.kind!r}; known are {', '.join(_KINDS)}")
    expected = {item.name for item in fields(kind)} - {"sequence", "date"}
    if set(record.data) != expected:
        raise Invalid.at("data", f"event {record.kind} has {sorted(expected)}, not {sorted(record.data)}")
    for name, value in record.data.items():
        if not is_json(value):
            raise Invalid.at(f"data.{name}", "holds what cannot be stored: NUL characters, NaN or huge numbers, say")
    try:
        return kind(record.sequence, from_microseconds(record.date), **_typed(kind, record.data))
    except KeyError as error:
        raise Invalid.at("data", f"event {record.kind}: {error} is missing") from None
    except (TypeError, ValueError, OverflowError) as error:
        raise Invalid.at("data", f"event {record.kind}: {error}") from None


def _typed(kind: type[Event], data: JsonObject) -> dict[str, Any]:
    """The values with their types, by the annotations of the dataclasses in `events`."""
    typed: dict[str, Any] = {}
    annotations = {item.name: str(item.type) for item in fields(kind)}
    for name, value in data.items():
        match annotations[name]:
            case "int":
                typed[name] = _integer(name, _expect(name, value, int))
            case "float":
                typed[name] = _not_negative(name, float(_expect(name, value, int, float)))
            case "str":
                typed[name] = _expect(name, value, str)
            case "bool":
                typed[name] = _flag(name, value)
            case "JsonObject":
                typed[name] = _expect(name, value, dict)
            case "Phase":
                typed[name] = Phase(cast("str", value))
            case "RunStatus":
                typed[name] = _terminal(RunStatus(cast("str", value)))
            case "Reason":
                reason = _expect(name, value, dict)
                typed[name] = Reason(ReasonCode(reason["code"]), _expect("sentence", reason["sentence"], str))
            case _:
                typed[name] = tuple(_expect(name, one, str) for one in _expect(name, value, list))
    return typed


def _integer(name: str, value: int) -> int:
    least = -(1 << 31) if name == "exit_code" else 0
    if not least <= value < 1 << 63:
        raise ValueError(f"{name} is {value:.3g}, which is out of its range")
    return value


def _flag(name: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise TypeError(f"{name} is {value!r}, not true or false")
    return value


def _terminal(status: RunStatus) -> RunStatus:
    if not status.is_terminal:
        raise ValueError(f"no run ends as {status}")
    return status


def _not_negative(name: str, value: float) -> float:
    if not 0 <= value < math.inf:
        raise ValueError(f"{name} is {value!r}, not a duration")
    return value


def _expect(name: str, value: object, *types: type) -> Any:
    if not isinstance(value, types) or isinstance(value, bool):
        raise TypeError(f"{name} is {value!r}, not {' or '.join(one.__name__ for one in types)}")
    return value
