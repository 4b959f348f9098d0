"""The query and header parameters of this API."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, TypeVar

from job_orchestra.domain.audit import AuditOutcome
from job_orchestra.domain.git_names import flaw_of_name
from job_orchestra.domain.json import JsonObject
from job_orchestra.domain.queries.expressions import Expression
from job_orchestra.domain.queries.parsing import LONGEST, parse_expression
from job_orchestra.domain.revisions import Position, read_position
from job_orchestra.domain.runs import SourceKind
from job_orchestra.domain.statuses import RunStatus
from job_orchestra.service.parameter import Parameter

Read = TypeVar("Read")

_MOST_LIMIT = 1000
_MOST_TICKS = 100
BEHIND_BRANCH = "/"


# ---------- how values are read


def _integer(minimum: int, maximum: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not (text.isascii() and text.isdigit() and len(text) < 20 and minimum <= int(text) <= maximum):
            raise ValueError(f"{text!r} is not an integer from {minimum} to {maximum}")
        return int(text)

    return read


def _one_of(choices: Mapping[str, Read]) -> Callable[[str], Read]:
    def read(text: str) -> Read:
        if text not in choices:
            raise ValueError(f"{text!r} is not one of {', '.join(choices)}")
        return choices[text]

    return read


def _text(text: str) -> str:
    if not text:
        raise ValueError("is empty")
    return text


def _statuses(text: str) -> tuple[RunStatus, ...]:
    read = _one_of({status.value: status for status in RunStatus})
    return tuple(dict.fromkeys(read(part.strip()) for part in text.split(",")))


def _date(text: str) -> datetime:
    try:
        # A plus sign in a query means a space.
        date = datetime.fromisoformat(text.replace(" ", "+") if text.count(":") > 2 else text)
    except ValueError:
        raise ValueError(f"{text!r} is not a date such as 2026-11-23T10:00:00Z") from None
    return date if date.tzinfo is not None else date.replace(tzinfo=UTC)


def _idempotency_key(text: str) -> str:
    if not (1 <= len(text) <= 200 and text.isascii()):
        raise ValueError("takes 1 to 200 printable ASCII characters")
    return text


def _branch(text: str) -> str:
    if flaw := flaw_of_name(text):
        raise ValueError(f"{text!r} {flaw}")
    return text


def _behind_branch(text: str) -> str:
    """Its name, in a form that no name has: a cursor is nothing to be made up."""
    name = text.removeprefix(BEHIND_BRANCH)
    if name == text or flaw_of_name(name):
        raise ValueError(f"{text!r} is no cursor that a list of branches gave")
    return name


def _position(text: str) -> Position:
    try:
        return read_position(text)
    except ValueError as error:
        raise ValueError(f"{text!r} {error}") from None


def _choices(*choices: str) -> JsonObject:
    return {"type": "string", "enum": list(choices)}


_FLAGS = {"true": True, "false": False}

# ---------- the parameters of this API

LIMIT = Parameter(
    "limit",
    "How many items a page has.",
    _integer(1, _MOST_LIMIT),
    100,
    {"type": "integer", "minimum": 1, "maximum": _MOST_LIMIT, "default": 100},
)
CURSOR: Parameter[str | None] = Parameter("cursor", "`next` of the page before.", _text, None)
ORDER_BY = Parameter(
    "order_by",
    "`-` in front turns the order round.",
    _one_of({"identifier": False, "-identifier": True}),
    False,
    {**_choices("identifier", "-identifier"), "default": "identifier"},
)
RUN_ORDER_BY = Parameter(
    "order_by",
    "`-` in front turns the order round: newest first.",
    _one_of({"created_at": False, "-created_at": True}),
    True,
    {**_choices("created_at", "-created_at"), "default": "-created_at"},
)
PAGE: tuple[Parameter[Any], ...] = (LIMIT, CURSOR)
TICK_ORDER_BY = Parameter(
    "order_by",
    "`-` in front turns the order round: newest first.",
    _one_of({"due": False, "-due": True}),
    True,
    {**_choices("due", "-due"), "default": "-due"},
)
TICK_LIMIT = Parameter(
    "limit",
    "How many ticks are told.",
    _integer(1, _MOST_TICKS),
    10,
    {"type": "integer", "minimum": 1, "maximum": _MOST_TICKS, "default": 10},
)

PROJECT: Parameter[str | None] = Parameter("project", "Only runs of this project.", _text, None)
JOB: Parameter[str | None] = Parameter("job", "Only runs of this job.", _text, None)
STATUS: Parameter[tuple[RunStatus, ...] | None] = Parameter(
    "status", f"Only runs of these, separated by commas: {', '.join(RunStatus)}.", _statuses, None
)
WORKER: Parameter[str | None] = Parameter("worker", "Only runs of this worker.", _text, None)
SOURCE: Parameter[SourceKind | None] = Parameter(
    "source",
    "Only runs triggered by this kind of source.",
    _one_of({kind.value: kind for kind in SourceKind}),
    None,
    _choices(*SourceKind),
)
SOURCE_IDENTIFIER: Parameter[str | None] = Parameter(
    "source_identifier", "Only runs triggered by the user, schedule or run of this name.", _text, None
)
_DATE: JsonObject = {"type": "string", "format": "date-time"}
CREATED_AFTER: Parameter[datetime | None] = Parameter(
    "created_after", "Only runs created at this time or later.", _date, None, _DATE
)
CREATED_BEFORE: Parameter[datetime | None] = Parameter(
    "created_before", "Only runs created before this time.", _date, None, _DATE
)
WHERE: Parameter[Expression | None] = Parameter(
    "where",
    "Only runs whose parameters and results are like this, such as `results.tests.failed > 0`. A page may then be "
    "shorter than `limit` though there are more, and `next` goes on; likewise with filters that no index has "
    "together.",
    parse_expression,
    None,
    {"type": "string", "maxLength": LONGEST},
    is_free=True,
)
COUNT = Parameter(
    "count",
    "Counts the runs of all pages, too: exactly up to 1,000, and beyond it says that there are more.",
    _one_of(_FLAGS),
    False,
    {"type": "boolean", "default": False},
)
RUN_FILTERS: tuple[Parameter[Any], ...] = (
    JOB, STATUS, WORKER, SOURCE, SOURCE_IDENTIFIER, CREATED_AFTER, CREATED_BEFORE, WHERE, COUNT, RUN_ORDER_BY, *PAGE,
)  # fmt: skip

FOLLOW = Parameter(
    "follow",
    "Keeps the answer open and sends what is added to the log, until the run has ended.",
    _one_of(_FLAGS),
    False,
    {"type": "boolean", "default": False},
)
ATTEMPT: Parameter[int | None] = Parameter(
    "attempt",
    "Of this attempt; the run's present one if it is left out.",
    _integer(1, 1 << 31),
    None,
    {"type": "integer"},
)

_LARGEST = 1 << 60
_LONGEST_SOUGHT = 200
_MOST_HITS = 1000


def _sought(text: str) -> str:
    if not text or "\n" in text or len(text.encode()) > _LONGEST_SOUGHT:
        raise ValueError(f"is to have 1 to {_LONGEST_SOUGHT} bytes, and no newline")
    return text


OFFSET: Parameter[int | None] = Parameter(
    "offset", "A byte of the log.", _integer(0, _LARGEST), None, {"type": "integer", "minimum": 0}
)
LINE: Parameter[int | None] = Parameter(
    "line", "The number of a line; the first one has 1.", _integer(1, _LARGEST), None, {"type": "integer", "minimum": 1}
)
UNTIL: Parameter[int | None] = Parameter(
    "until",
    "Tells recorded places up to this byte, too.",
    _integer(0, _LARGEST),
    None,
    {"type": "integer", "minimum": 0},
)
SEARCH_FROM = Parameter(
    "offset",
    "Where the search begins: `next` of the answer before.",
    _integer(0, _LARGEST),
    0,
    {"type": "integer", "minimum": 0, "default": 0},
)
SOUGHT: Parameter[str | None] = Parameter(
    "text",
    f"What is sought, as it is; at most {_LONGEST_SOUGHT} bytes.",
    _sought,
    None,
    {"type": "string", "minLength": 1, "maxLength": _LONGEST_SOUGHT},
    is_free=True,
)
IGNORE_CASE = Parameter(
    "ignore_case",
    "Small and capital letters from a to z are the same.",
    _one_of(_FLAGS),
    False,
    {"type": "boolean", "default": False},
)
HIT_LIMIT = Parameter(
    "limit",
    "How many hits an answer has at most.",
    _integer(1, _MOST_HITS),
    100,
    {"type": "integer", "minimum": 1, "maximum": _MOST_HITS, "default": 100},
)
WHILE: Parameter[RunStatus | None] = Parameter(
    "while",
    "As long as the run has this status and attempt the answer waits, but no longer than 20 seconds.",
    _one_of({status.value: status for status in RunStatus}),
    None,
    _choices(*RunStatus),
)

STORED = Parameter(
    "stored",
    "As the run's commands saved them, without what transformers make of them.",
    _one_of(_FLAGS),
    False,
    {"type": "boolean", "default": False},
)

KEEP_SUCCEEDED = Parameter(
    "keep_succeeded",
    "Of a pipeline: runs of elements that succeeded count again, and are not executed once more.",
    _one_of(_FLAGS),
    False,
    {"type": "boolean", "default": False},
)

LOSE_RUNS = Parameter(
    "lose_runs",
    "Deletes the worker although it has runs that have not ended: they end or are retried, as their jobs say.",
    _one_of(_FLAGS),
    False,
    {"type": "boolean", "default": False},
)

_MOST_REVISIONS = 50
BRANCH: Parameter[str | None] = Parameter(
    "branch", "Whose revisions; default: as the project says, or else the repository.", _branch, None
)
BRANCH_CURSOR: Parameter[str | None] = Parameter("cursor", "`next` of the page before.", _behind_branch, None)
REVISION_LIMIT = Parameter(
    "limit",
    "How many revisions a page has.",
    _integer(1, _MOST_REVISIONS),
    20,
    {"type": "integer", "minimum": 1, "maximum": _MOST_REVISIONS, "default": 20},
)
REVISION_CURSOR: Parameter[Position | None] = Parameter("cursor", "`next` of the page before.", _position, None)
REVISIONS: tuple[Parameter[Any], ...] = (BRANCH, REVISION_LIMIT, REVISION_CURSOR)

IDEMPOTENCY_KEY: Parameter[str | None] = Parameter(
    "Idempotency-Key", "A trigger of the job with the same key answers with the same run.", _idempotency_key, None
)
RANGE: Parameter[str | None] = Parameter(
    "Range", "`bytes=FIRST-LAST`, `bytes=FIRST-` or `bytes=-COUNT`.", str, None, is_free=True
)
IF_RANGE: Parameter[str | None] = Parameter(
    "If-Range", "With whatever validator: `Range` is ignored, for the answer never had one.", str, None, is_free=True
)

# ---------- administration

AUDIT_ORDER_BY = Parameter(
    "order_by",
    "`-` in front turns the order round: newest first.",
    _one_of({"date": False, "-date": True}),
    True,
    {**_choices("date", "-date"), "default": "-date"},
)
AUDIT_USER: Parameter[str | None] = Parameter("user", "Only what this user did.", _text, None)
AUDIT_ACTION: Parameter[str | None] = Parameter("action", "Only this action, such as `run.abort`.", _text, None)
AUDIT_PROJECT: Parameter[str | None] = Parameter("project", "Only what was done in this project.", _text, None)
AUDIT_OUTCOME: Parameter[AuditOutcome | None] = Parameter(
    "outcome",
    "Only what ended so. With several of these filters a page may be shorter than `limit` though there are more.",
    _one_of({outcome.value: outcome for outcome in AuditOutcome}),
    None,
    _choices(*AuditOutcome),
)
AUDIT_AFTER: Parameter[datetime | None] = Parameter(
    "created_after", "Only entries of this time or later.", _date, None, _DATE
)
AUDIT_BEFORE: Parameter[datetime | None] = Parameter(
    "created_before", "Only entries from before this time.", _date, None, _DATE
)
AUDIT_FILTERS: tuple[Parameter[Any], ...] = (
    AUDIT_USER, AUDIT_ACTION, AUDIT_PROJECT, AUDIT_OUTCOME, AUDIT_AFTER, AUDIT_BEFORE, AUDIT_ORDER_BY, *PAGE,
)  # fmt: skip
HOURS = Parameter(
    "hours",
    "How far back; measures are kept for two days.",
    _integer(1, 48),
    24,
    {"type": "integer", "minimum": 1, "maximum": 48, "default": 24},
)
STEP = Parameter(
    "step",
    "Minutes that each item is of: the highest numbers within.",
    _integer(1, 60),
    1,
    {"type": "integer", "minimum": 1, "maximum": 60, "default": 1},
)
