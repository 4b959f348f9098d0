"""The collections, declared once; each adapter makes tables, indexes and conversions from them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from job_orchestra.storage.port import Value

VERSION = 10
"""Goes up with each change of what follows, on all databases alike: migrations and exports carry it."""


class ColumnType(StrEnum):
    TEXT = "text"
    """Compared byte by byte."""
    INTEGER = "integer"
    """64 bits; also for dates, as microseconds since 1970, UTC."""
    NUMBER = "number"
    BOOLEAN = "boolean"
    JSON = "json"
    """Never in a condition or order."""


@dataclass(frozen=True, slots=True)
class Column:
    name: str
    type: ColumnType
    is_nullable: bool = False
    default: Value = None
    longest: int | None = None
    """Characters of a text. Every text in a key or index has one, for MariaDB and MySQL bound what stands there."""


@dataclass(frozen=True, slots=True)
class Index:
    columns: tuple[str, ...]
    is_unique: bool = False
    """Rows with None in one of the columns are not held to it."""


@dataclass(frozen=True, slots=True)
class Collection:
    name: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    indexes: tuple[Index, ...] = ()

    @property
    def unique_columns(self) -> frozenset[str]:
        """Those that stand in a unique index."""
        return frozenset(column for index in self.indexes if index.is_unique for column in index.columns)

    def column(self, name: str) -> Column:
        """KeyError names the column and the collection."""
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(f"collection {self.name} has no column {name}")


def _text(name: str, *, nullable: bool = False, default: str | None = None, longest: int | None = None) -> Column:
    return Column(name, ColumnType.TEXT, nullable, default, longest)


def _name(name: str, *, nullable: bool = False) -> Column:
    """Of a project, job, schedule, worker, master, user or run; or a word or a hash of ours."""
    return _text(name, nullable=nullable, longest=64)


def _integer(name: str, *, nullable: bool = False, default: int | None = None) -> Column:
    return Column(name, ColumnType.INTEGER, nullable, default)


def _number(name: str) -> Column:
    return Column(name, ColumnType.NUMBER, is_nullable=True)


def _flag(name: str, *, default: bool | None = None) -> Column:
    return Column(name, ColumnType.BOOLEAN, default=default)


def _json(name: str, *, nullable: bool = False) -> Column:
    return Column(name, ColumnType.JSON, nullable)


PROJECTS = Collection(
    "projects",
    (_name("identifier"), _json("settings"), _flag("is_active"), _integer("changed_at")),
    key=("identifier",),
)

JOBS = Collection(
    "jobs",
    (
        _name("project"),
        _name("identifier"),
        _json("settings"),
        _flag("is_active"),
        _flag("is_enabled"),
        _integer("changed_at"),
    ),
    key=("project", "identifier"),
)

SCHEDULES = Collection(
    "schedules",
    (
        _name("project"),
        _name("identifier"),
        _json("settings"),
        _flag("is_active"),
        _flag("is_enabled"),
        _integer("changed_at"),
        _integer("enabled_at", nullable=True),
        _integer("timetable_since", nullable=True),
    ),
    key=("project", "identifier"),
)

TICKS = Collection(
    "ticks",
    (
        _name("project"),
        _name("schedule"),
        _integer("due"),
        _integer("number"),
        _name("state"),
        _name("job"),
        _integer("decided_at"),
        _json("request", nullable=True),
        _name("run", nullable=True),
        _text("detail", default=""),
    ),
    key=("project", "schedule", "due"),
    indexes=(
        # Whoever decides on a tick takes the next number: one of two masters does.
        Index(("project", "schedule", "number"), is_unique=True),
        Index(("state", "project", "schedule", "number")),
    ),
)

RUNS = Collection(
    "runs",
    (
        _name("identifier"),
        _name("project"),
        _name("job"),
        _json("request"),
        _text("queue_key", longest=160),
        _integer("urgency", default=0),
        _name("source_kind"),
        _text("source_identifier", longest=200),
        _text("idempotency_key", nullable=True, longest=200),
        _text("retry_of", nullable=True),
        _integer("created_at"),
        _flag("should_cancel", default=False),
        _flag("should_abort", default=False),
        _text("wished_by", nullable=True),
        _name("status"),
        _text("reason_code", nullable=True),
        _text("reason", nullable=True),
        _integer("attempt", default=1),
        _name("worker", nullable=True),
        _integer("assigned_at", nullable=True),
        _integer("started_at", nullable=True),
        _integer("ended_at", nullable=True),
        _number("duration"),
        _json("results"),
        _integer("journal_sequence", default=0),
        _integer("log_size", default=0),
        _text("log_sha256", nullable=True),
        _flag("is_pinned", default=False),
        # A place in a concurrency group, for as long as the run holds one (`domain/concurrency.py`).
        _text("concurrency_slot", nullable=True, longest=160),
        # Of a run with an expiry of its own, while it waits and was never taken.
        _integer("expires_at", nullable=True),
        # Those that are over, oldest first; None for a run that was never retried.
        _json("past_attempts", nullable=True),
    ),
    key=("identifier",),
    indexes=(
        Index(("project", "job", "idempotency_key"), is_unique=True),
        Index(("concurrency_slot",), is_unique=True),
        Index(("project", "identifier")),
        Index(("project", "job", "identifier")),
        Index(("project", "status", "identifier")),
        Index(("project", "job", "status", "identifier")),
        Index(("status", "identifier")),
        # The queue: groups of pending runs, each in its order; urgency is minus the priority, so that one index serves.
        # Runs that wait for a moment are a group of their own, whose key is empty; there, urgency is the moment.
        Index(("status", "queue_key", "urgency", "identifier")),
        # By status first: the workers that have runs are found by one short look for each.
        Index(("status", "worker", "identifier")),
        Index(("worker", "identifier")),
        Index(("source_kind", "source_identifier", "identifier")),
        Index(("expires_at", "identifier")),
        # The wishes that are not yet facts, found among the few runs that are pending or running.
        Index(("status", "should_cancel", "should_abort", "identifier")),
    ),
)

EVENTS = Collection(
    "run_events",
    (
        _name("run"),
        _integer("attempt"),
        _integer("sequence"),
        _name("kind"),
        _integer("date"),
        _json("data"),
    ),
    key=("run", "attempt", "sequence"),
)

RUN_VALUES = Collection(
    "run_values",
    # Hints: the run has, or once had, a result at this path with this key of a value (`domain/queries/value_keys.py`).
    (_text("path", longest=300), _text("value", longest=200), _name("run")),
    key=("path", "value", "run"),
    indexes=(Index(("path", "run", "value")), Index(("run",))),
)

RESULT_KEYS = Collection(
    "result_keys",
    (
        _text("path", longest=300),
        _text("state"),
        _text("position", default=""),
        _integer("named_at"),
    ),
    key=("path",),
)

LATE_REPORTS = Collection(
    "late_reports",
    (
        _name("run"),
        _integer("attempt"),
        _name("worker"),
        _integer("lost_at"),
        _integer("received_at", nullable=True),
        _name("status"),
        _text("reason_code", nullable=True),
        _text("reason", nullable=True),
        _integer("started_at", nullable=True),
        _integer("ended_at", nullable=True),
        _number("duration"),
        _json("results"),
        _integer("journal_sequence", default=0),
        _integer("log_size", default=0),
        _text("log_sha256", nullable=True),
    ),
    key=("run", "attempt"),
)

LATE_EVENTS = Collection("late_events", EVENTS.columns, key=EVENTS.key)

REMOVALS = Collection(
    "removals",
    (_name("run"), _name("project"), _integer("attempt")),
    key=("run",),
)
"""Runs that are being removed, until nothing of them is left."""

WORKERS = Collection(
    "workers",
    (
        _name("identifier"),
        _name("owner"),
        _text("instance"),
        _json("description"),
        _integer("registered_at"),
        _flag("is_enabled", default=True),
        _flag("should_drain", default=False),
        _flag("should_disconnect", default=False),
        _flag("is_connected", default=False),
        _integer("connected_at", nullable=True),
        _integer("disconnected_at", nullable=True),
        _number("skew"),
        _name("master", nullable=True),
        _integer("seen_at", default=0),
    ),
    key=("identifier",),
    indexes=(Index(("owner", "identifier")),),
)

USERS = Collection(
    "users",
    (
        _name("identifier"),
        _text("display_name", default=""),
        _json("roles"),
        _text("password", nullable=True),
        _flag("is_enabled", default=True),
        _integer("created_at"),
        _integer("revision", default=0),
    ),
    key=("identifier",),
)

TOKENS = Collection(
    "tokens",
    (
        _name("identifier"),
        _name("user"),
        _name("kind"),
        _name("sha256"),
        _text("description", default=""),
        _integer("created_at"),
        _integer("expires_at", nullable=True),
    ),
    key=("identifier",),
    indexes=(
        Index(("sha256",), is_unique=True),
        Index(("user", "identifier")),
        Index(("kind", "expires_at")),
    ),
)

AUDIT = Collection(
    "audit",
    # Whoever writes an entry knows all of it but, for as long as its request goes on, how that ends. Then it is final,
    # and the order of identifiers is one for all of them.
    (
        _name("identifier"),
        _integer("date"),
        _name("origin"),
        _name("user"),
        _name("token", nullable=True),
        _name("action"),
        _name("project", nullable=True),
        _json("target"),
        _name("outcome"),
        _integer("status", nullable=True),
        _json("details"),
    ),
    key=("identifier",),
    indexes=(
        Index(("user", "identifier")),
        Index(("action", "identifier")),
        Index(("project", "identifier")),
        Index(("outcome", "identifier")),
    ),
)

MASTERS = Collection(
    "masters",
    (
        _name("identifier"),
        _text("version"),
        _text("url"),
        _integer("started_at"),
        _integer("seen_at"),
        _integer("stopped_at", nullable=True),
        _integer("configured_at", nullable=True),
        _text("configuration_trouble", default=""),
    ),
    key=("identifier",),
)

MEASURES = Collection(
    "measures",
    (
        _integer("minute"),
        _integer("waiting"),
        _integer("running"),
        _integer("workers"),
        _integer("executors"),
        _integer("in_use"),
    ),
    key=("minute",),
)
"""How much there was to do, once a minute, by whichever master was first."""

COLLECTIONS = (
    PROJECTS,
    JOBS,
    SCHEDULES,
    TICKS,
    RUNS,
    EVENTS,
    RUN_VALUES,
    RESULT_KEYS,
    LATE_REPORTS,
    LATE_EVENTS,
    REMOVALS,
    WORKERS,
    USERS,
    TOKENS,
    AUDIT,
    MASTERS,
    MEASURES,
)

BY_NAME = {collection.name: collection for collection in COLLECTIONS}
