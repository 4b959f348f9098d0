"""What applying a configuration changes, in words that people can read before they do it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from job_orchestra.domain.json import JsonObject, JsonValue, is_same
from job_orchestra.domain.schedules import TIMETABLE_FIELDS


class ChangeKind(StrEnum):
    ADDED = "added"
    BACK = "back"
    """It had been removed, and is there again, with its history and its switch."""
    CHANGED = "changed"
    REMOVED = "removed"


class Thing(StrEnum):
    PROJECT = "project"
    JOB = "job"
    SCHEDULE = "schedule"


@dataclass(frozen=True, slots=True)
class FieldChange:
    """A field of the settings; None where there is none on that side."""

    field: str
    before: JsonValue
    after: JsonValue


@dataclass(frozen=True, slots=True)
class Change:
    kind: ChangeKind
    thing: Thing
    identifier: str
    """`project`, or `project/job` and the like."""
    fields: tuple[FieldChange, ...] = ()
    effects: tuple[str, ...] = ()
    """Sentences without their subject, which is the thing."""


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What the effects of a change depend on, beside the settings."""

    is_enabled: bool
    pending_runs: int = 0
    """Of a job."""


def field_changes(before: JsonObject, after: JsonObject) -> tuple[FieldChange, ...]:
    return tuple(_changes("", before, after))


def effects_of(
    kind: ChangeKind, thing: Thing, before: JsonObject, after: JsonObject, circumstances: Circumstances
) -> tuple[str, ...]:
    """`before` and `after` are settings as they are stored; empty where there are none."""
    match thing:
        case Thing.JOB:
            return tuple(_effects_of_job(kind, circumstances))
        case Thing.SCHEDULE:
            return tuple(_effects_of_schedule(kind, before, after, circumstances.is_enabled))
        case Thing.PROJECT:
            return ("stays readable, with all that happened in it",) if kind is ChangeKind.REMOVED else ()


def summary(changes: list[Change]) -> str:
    """In a few words, for a log."""
    if not changes:
        return "nothing changes"
    shown = ", ".join(f"{change.thing} {change.identifier} {_WORDS[change.kind]}" for change in changes[:_MOST_SHOWN])
    rest = len(changes) - _MOST_SHOWN
    return shown if rest <= 0 else f"{shown} and {rest} more"


_MOST_SHOWN = 5
_WORDS: Mapping[ChangeKind, str] = {
    ChangeKind.ADDED: "added",
    ChangeKind.BACK: "there again",
    ChangeKind.CHANGED: "changed",
    ChangeKind.REMOVED: "removed",
}


def _effects_of_job(kind: ChangeKind, circumstances: Circumstances) -> Iterator[str]:
    waiting = circumstances.pending_runs
    if kind is ChangeKind.REMOVED:
        yield "is triggered no longer; its history stays readable"
    if kind is ChangeKind.BACK and not circumstances.is_enabled:
        yield "is disabled, as it was"
    if waiting and kind is ChangeKind.CHANGED:
        runs = "1 pending run, which keeps" if waiting == 1 else f"{waiting} pending runs, which keep"
        yield f"has {runs} the definition of the trigger, and will be executed"
    if waiting and kind is ChangeKind.REMOVED:
        runs = "1 pending run, which waits" if waiting == 1 else f"{waiting} pending runs, which wait"
        yield f"has {runs} until it is configured again, or {'is' if waiting == 1 else 'are'} cancelled"


def _effects_of_schedule(kind: ChangeKind, before: JsonObject, after: JsonObject, is_enabled: bool) -> Iterator[str]:
    match kind:
        case ChangeKind.REMOVED:
            yield "ticks no longer; its history stays readable"
        case ChangeKind.ADDED | ChangeKind.BACK:
            yield "ticks from now on" if is_enabled else "is disabled until somebody enables it"
        case ChangeKind.CHANGED:
            if any(before.get(name) != after.get(name) for name in TIMETABLE_FIELDS):
                yield "ticks at other times from now on" if is_enabled else "is disabled; its times are others"


def _changes(place: str, before: JsonValue, after: JsonValue) -> Iterator[FieldChange]:
    one, other = _by_name(before), _by_name(after)
    if one is not None and other is not None:
        for name in dict.fromkeys([*one, *other]):
            yield from _changes(f"{place}.{name}" if place else name, one.get(name), other.get(name))
    elif not is_same(before, after):
        yield FieldChange(place, before, after)


def _by_name(value: JsonValue) -> Mapping[str, JsonValue] | None:
    """Of a table, or of a list of tables that have identifiers; None of anything else."""
    if isinstance(value, dict):
        return value
    if not isinstance(value, list) or not value:
        return None
    named: dict[str, JsonValue] = {}
    for item in value:
        identifier = item.get("identifier") if isinstance(item, dict) else None
        if not isinstance(identifier, str):
            return None
        named[identifier] = item
    return named
