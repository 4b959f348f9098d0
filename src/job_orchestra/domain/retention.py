"""How long ended runs are kept: the rules, and which run they let go. No I/O, no clock."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from job_orchestra.domain.statuses import TERMINAL, RunStatus

FAILURES = (RunStatus.FAILED, RunStatus.EXCEPTION)
OTHERS = tuple(status for status in TERMINAL if status not in FAILURES)

KEY_LIFETIME = timedelta(days=1)
"""Since its trigger, for which a run with an idempotency key is kept whatever the rules say (P1)."""


@dataclass(frozen=True, slots=True)
class Rule:
    """For the ended runs of a job with one of these statuses, counted by themselves. None lets nothing go."""

    statuses: tuple[RunStatus, ...]
    days: int | None
    count: int | None


@dataclass(frozen=True, slots=True)
class Retention:
    """An ended run goes when it is older than its days, or when its count of newer ones have ended."""

    days: int | None = None
    count: int | None = None
    failure_days: int | None = None
    """Of failures; None: as all others."""
    failure_count: int | None = None

    @property
    def rules(self) -> tuple[Rule, ...]:
        """Those that let anything go."""
        failures = Rule(FAILURES, self.failure_days or self.days, self.failure_count or self.count)
        rules = (Rule(OTHERS, self.days, self.count), failures)
        return tuple(rule for rule in rules if rule.days is not None or rule.count is not None)


KEEP_EVERYTHING = Retention()


@dataclass(frozen=True, slots=True)
class EndedRun:
    """What the rules look at."""

    project: str
    identifier: str
    attempt: int
    created_at: datetime
    ended_at: datetime
    has_key: bool = False
    """An idempotency key, so that a repeated trigger asks for it."""
    source_run: str | None = None
    """The run that triggered it."""


def retention_in_force(job: Retention | None, project: Retention | None, default: Retention) -> Retention:
    """The innermost that is given, alone. What is no longer configured gives none."""
    if job is not None:
        return job
    return default if project is None else project


def created_before(rule: Rule, now: datetime) -> datetime | None:
    """What was created later is not too old; None where nothing ever is."""
    return None if rule.days is None else now - timedelta(days=rule.days)


def goes(run: EndedRun, rule: Rule, has_enough_newer: bool, unfinished: Collection[str], now: datetime) -> bool:
    """Whether the rule lets the run go, which is not pinned.

    `has_enough_newer` tells whether as many as the rule counts are newer, `unfinished` are runs that have not ended:
    what they triggered, they may still look at. Age begins with the end, told by the worker's clock, but never before
    the run was triggered.
    """
    if run.source_run in unfinished or (run.has_key and run.created_at > now - KEY_LIFETIME):
        return False
    boundary = created_before(rule, now)
    is_too_old = boundary is not None and max(run.created_at, run.ended_at) < boundary
    return is_too_old or (rule.count is not None and has_enough_newer)
