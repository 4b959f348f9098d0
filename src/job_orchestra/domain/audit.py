"""The audit trail: what an entry tells, and what it never does."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from job_orchestra.domain.identifiers import new_run_identifier
from job_orchestra.domain.json import JsonObject, JsonValue
from job_orchestra.domain.moments import to_microseconds

LONGEST_VALUE = 200
DEFAULT_AUDIT_DAYS = 365
"""For which entries are kept."""
_SECRET = re.compile(r"[0-9a-fA-F]{64}")
_LIKE_A_SECRET = "(looks like a secret)"  # noqa: S105 - the words in its place
_LATER_DIGITS = 8


class AuditOrigin(StrEnum):
    """Where it was done; who did it is another question."""

    SERVICE = "service"
    HOST = "host"
    """A command on the host, which works on the database itself: `user` is the account there."""


class AuditOutcome(StrEnum):
    DONE = "done"
    REFUSED = "refused"
    """Who asked may not, or was not who it said."""
    FAILED = "failed"
    """It was not possible, not understood, or went wrong."""


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """What one request or command did. Values of parameters, passwords and secrets of tokens are never in it."""

    identifier: str
    """Sorts by time; of two in the same millisecond, at random."""
    date: datetime
    origin: AuditOrigin
    action: str
    """`job.trigger`, `user.create`: a stable word for programs."""
    user: str = ""
    """Empty where nobody knows."""
    token: str | None = None
    """Identifier of the token that the request came with."""
    project: str | None = None
    target: JsonObject = field(default_factory=JsonObject)
    """What it was done to: kinds and identifiers."""
    outcome: AuditOutcome = AuditOutcome.DONE
    status: int | None = None
    """Of the answer, by HTTP."""
    details: JsonObject = field(default_factory=JsonObject)
    """Names of what was given, what was made, and few values that are no secret: roles, lifetimes, switches."""


def new_audit_identifier(date: datetime, random_bits: int) -> str:
    """26 characters: the time in milliseconds as that of a run has it, and 80 of the random bits."""
    milliseconds = to_microseconds(date) // 1000
    later = new_run_identifier(0, random_bits >> 40)[-_LATER_DIGITS:]
    return new_run_identifier(milliseconds, random_bits) + later


def shown_target(values: Mapping[str, str]) -> JsonObject:
    """Bounded, and without what may be a secret that somebody put in the place of an identifier."""
    return {kind: _shown(value) for kind, value in values.items()}


def shown_details(details: Mapping[str, JsonValue]) -> JsonObject:
    """Values that a command was given: whatever their texts are, they can be told of."""
    return {name: _sound(value) for name, value in details.items()}


def _shown(value: str) -> str:
    return _LIKE_A_SECRET if _SECRET.search(value) else _encodable(value[:LONGEST_VALUE])


def _sound(value: JsonValue) -> JsonValue:
    if isinstance(value, str):
        return _encodable(value)
    if isinstance(value, list):
        return [_sound(one) for one in value]
    return {_encodable(name): _sound(one) for name, one in value.items()} if isinstance(value, dict) else value


def _encodable(text: str) -> str:
    """Half surrogates, which stand for bytes of a command line that are no UTF-8, as escapes."""
    return text.encode(errors="backslashreplace").decode()
