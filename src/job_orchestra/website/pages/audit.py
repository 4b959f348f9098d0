from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from typing import ClassVar

from starlette.responses import Response

from job_orchestra.client.calls import administration
from job_orchestra.domain.audit import AuditOrigin, AuditOutcome
from job_orchestra.domain.errors import Invalid
from job_orchestra.domain.json import JsonObject
from job_orchestra.protocol.resources.administration import AuditEntryAnswer
from job_orchestra.website import paths
from job_orchestra.website.mistakes import by_field
from job_orchestra.website.page import Page
from job_orchestra.website.presentation import value_words
from job_orchestra.website.typed_moments import typed_moments
from job_orchestra.website.visit import Visit

_LIMIT = 50
_LONGEST = 60
OUTCOMES = {"": "any", **{outcome.value: outcome.value for outcome in AuditOutcome}}


@dataclass(frozen=True, slots=True)
class Filter:
    """As typed; an empty text filters nothing."""

    user: str = ""
    action: str = ""
    project: str = ""
    outcome: str = ""
    created_after: str = ""
    created_before: str = ""


FILTERS = tuple(one.name for one in fields(Filter))


@dataclass(frozen=True, slots=True)
class Thing:
    """What something was done to, or made."""

    kind: str
    identifier: str
    address: str | None
    """Of its page, where it may have one."""


@dataclass(frozen=True, slots=True)
class Row:
    entry: AuditEntryAnswer
    who: str
    """Empty where nobody knows."""
    address: str | None
    """Of the user's page."""
    things: tuple[Thing, ...]
    details: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditPage(Page):
    template: ClassVar[str] = "audit.html"
    section: ClassVar[str] = "/audit"
    filter: Filter
    outcomes: dict[str, str] = field(default_factory=lambda: OUTCOMES)
    rows: tuple[Row, ...] = ()
    mistakes: dict[str, str] = field(default_factory=dict[str, str])
    """By field of the form."""
    newest: str | None = None
    """Address of the newest entries, where this is not their page."""
    older: str | None = None


async def show(visit: Visit) -> Response:
    asked, cursor = Filter(*(visit.query(name) for name in FILTERS)), visit.query("cursor")
    given = {name: getattr(asked, name) or None for name in FILTERS}
    try:
        since, until = typed_moments(visit, created_after=asked.created_after, created_before=asked.created_before)
        found = await visit.send(
            administration.audit(
                **{**given, "created_after": since, "created_before": until}, limit=_LIMIT, cursor=cursor or None
            )
        )
    except Invalid as error:
        return visit.page(AuditPage(title="Audit", filter=asked, mistakes=by_field(error, FILTERS)), 422)
    page = AuditPage(
        title="Audit",
        filter=asked,
        rows=tuple(_row(entry) for entry in found.items),
        newest=paths.with_query("/audit", **given) if cursor else None,
        older=paths.with_query("/audit", **given, cursor=found.next) if found.next else None,
    )
    return visit.page(page)


def _row(entry: AuditEntryAnswer) -> Row:
    is_user = entry.origin == AuditOrigin.SERVICE and entry.user != "" and " " not in entry.user
    details = {name: value for name, value in entry.details.items() if name != "made"}
    made = entry.details.get("made")
    things = [*_things(entry.project, entry.target), *_things(entry.project, made if isinstance(made, dict) else {})]
    return Row(
        entry=entry,
        who=entry.user if entry.origin == AuditOrigin.SERVICE else f"{entry.user} on the host",
        address=paths.user_path(entry.user) if is_user else None,
        things=tuple(things),
        details="; ".join(f"{name}: {_shortened(value_words(value))}" for name, value in details.items()),
    )


def _things(project: str | None, named: JsonObject) -> Iterator[Thing]:
    for kind, value in named.items():
        yield Thing(kind, str(value), _address(kind, str(value), project))


def _address(kind: str, identifier: str, project: str | None) -> str | None:
    match kind:
        case "user":
            return paths.user_path(identifier)
        case "worker":
            return paths.worker_path(identifier)
        case "job" if project is not None:
            return paths.job_path(project, identifier)
        case "schedule" if project is not None:
            return paths.schedule_path(project, identifier)
        case "run" if project is not None:
            return paths.run_path(project, identifier)
        case _:
            return None


def _shortened(words: str) -> str:
    return words if len(words) <= _LONGEST else words[:_LONGEST] + "…"
