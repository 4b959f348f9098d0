"""The commands of a run as its events tell: what was executed, how it ended, how long it took."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from job_orchestra.domain.json import JsonObject
from job_orchestra.protocol.resources.runs import EventAnswer


@dataclass(frozen=True, slots=True)
class CommandRow:
    attempt: int
    phase: str
    arguments: str
    """As one would type them, shortened."""
    started_at: str
    exit_code: int | None
    """Negative: ended by that signal. None while it runs."""
    duration: float | None
    log_offset: int


_LONGEST = 300
_SAFE = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789@%+=:,./_-")


def command_rows(events: Iterable[EventAnswer]) -> list[CommandRow]:
    """In the order of their start."""
    started: dict[tuple[object, ...], EventAnswer] = {}
    ended: dict[tuple[object, ...], JsonObject] = {}
    for event in events:
        key = (event.attempt, event.data.get("phase"), event.data.get("index"))
        if event.kind == "command_started":
            started[key] = event
        elif event.kind == "command_ended":
            ended[key] = event.data
    return [_row(event, ended.get(key, {})) for key, event in started.items()]


def _row(event: EventAnswer, end: JsonObject) -> CommandRow:
    arguments = event.data.get("arguments")
    exit_code, duration, offset = end.get("exit_code"), end.get("duration"), event.data.get("log_offset")
    return CommandRow(
        attempt=event.attempt,
        phase=str(event.data.get("phase")),
        arguments=_typed([str(one) for one in arguments] if isinstance(arguments, list) else []),
        started_at=event.date,
        exit_code=exit_code if isinstance(exit_code, int) else None,
        duration=float(duration) if isinstance(duration, int | float) else None,
        log_offset=offset if isinstance(offset, int) else 0,
    )


def _typed(arguments: Sequence[str]) -> str:
    text = " ".join(_quoted(one) for one in arguments)
    return text if len(text) <= _LONGEST else text[:_LONGEST] + "…"


def _quoted(argument: str) -> str:
    if argument and all(character in _SAFE for character in argument):
        return argument
    return "'" + argument.replace("'", "'\"'\"'") + "'"
