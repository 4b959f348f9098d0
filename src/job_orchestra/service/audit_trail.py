"""The audit trail as requests leave it: what each did, and how it ended, before it is answered.

Who is not admitted, or fails, is told of only so often in a minute: a flood of them costs little and hides nobody else.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections import Counter
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import NoReturn

from job_orchestra.domain.audit import AuditEntry, AuditOrigin, AuditOutcome, new_audit_identifier, shown_target
from job_orchestra.domain.clock import Clock
from job_orchestra.domain.errors import Forbidden, NotFound, Unauthenticated, Unavailable
from job_orchestra.domain.identifiers import NAME, USER_NAME
from job_orchestra.domain.json import JsonObject
from job_orchestra.protocol.resources.accounts import LoginBody
from job_orchestra.repositories.accounts import Accounts, Identity
from job_orchestra.repositories.audit import Audit
from job_orchestra.repositories.audited_storage import AuditedAction, acting
from job_orchestra.service.audit_details import told_of
from job_orchestra.service.call import Call
from job_orchestra.service.problems import status_of
from job_orchestra.service.route import Route

_logger = logging.getLogger(__name__)

MOST_FAILURES = 100
"""In a minute, of one caller, that have entries of their own; all who are nobody are one caller."""
_MINUTE = 60.0
_SUPPRESSED = "audit.suppressed"


class AuditTrail:
    def __init__(self, audit: Audit, accounts: Accounts, clock: Clock) -> None:
        self._audit = audit
        self._accounts = accounts
        self._clock = clock
        self._identifiers = _Identifiers()
        self._failures: Counter[str] = Counter()
        """Of this minute, by user."""

    def begin(self, route: Route, path: Mapping[str, str]) -> Deed:
        """A request has come; `path` may hold anything."""
        project = path.get("project")
        target = {kind: value for kind, value in path.items() if kind != "project"}
        entry = replace(
            self._new_entry(route.audited_as),
            project=project if project is not None and NAME.fullmatch(project) else None,
            target=shown_target(target),
        )
        return Deed(self, route, entry)

    async def conclude(self, action: AuditedAction, outcome: AuditOutcome, status: int) -> None:
        await self._audit.conclude(action, outcome, status)

    def admits_failure(self, user: str) -> bool:
        """Whether there is still room for an entry of its own."""
        self._failures[user] += 1
        return self._failures[user] <= MOST_FAILURES

    async def is_user(self, name: str) -> bool:
        if not USER_NAME.fullmatch(name):
            return False
        try:
            await self._accounts.get_user(name)
        except NotFound:
            return False
        return True

    async def run(self) -> NoReturn:
        """Until it is cancelled."""
        while True:
            await asyncio.sleep(_MINUTE)
            await self.end_minute()

    async def end_minute(self) -> None:
        """Tells how many failures had no entry of their own."""
        failures, self._failures = self._failures, Counter()
        for user, count in failures.items():
            if count <= MOST_FAILURES:
                continue
            entry = replace(self._new_entry(_SUPPRESSED), user=user, outcome=AuditOutcome.FAILED)
            try:
                await self._audit.add(replace(entry, details={"failures": count - MOST_FAILURES}))
            except Unavailable as error:
                _logger.warning("%d failures of %r are not in the audit trail: %s", count, user, error)

    def _new_entry(self, action: str) -> AuditEntry:
        now = self._clock.now()
        return AuditEntry(self._identifiers.next(now), now, AuditOrigin.SERVICE, action[:64])


class _Identifiers:
    """Each greater than the one before, whatever the clock does: entries of one service are in their order."""

    def __init__(self) -> None:
        self._last = (datetime.min.replace(tzinfo=UTC), 0)

    def next(self, now: datetime) -> str:
        date, bits = self._last
        # One bit is left, so that counting on stays within its millisecond.
        later = now.replace(microsecond=now.microsecond // 1000 * 1000)
        self._last = (later, secrets.randbits(79)) if later > date else (date, bits + 1)
        return new_audit_identifier(*self._last)


class Deed:
    """One request, on its way through the dispatch."""

    def __init__(self, trail: AuditTrail, route: Route, entry: AuditEntry) -> None:
        self._trail = trail
        self._route = route
        self._action = AuditedAction(entry)
        self._call: Call | None = None

    def is_by(self, identity: Identity | None) -> None:
        if identity is None:
            return
        user, entry = identity.user.identifier, self._action.entry
        target = {"user": user, **entry.target} if self._route.path.startswith("/me/") else entry.target
        self._action.entry = replace(entry, user=user, token=identity.token.identifier, target=target)

    @contextmanager
    def under_way(self, call: Call) -> Generator[None]:
        """What is changed within takes the entry along."""
        self._call = call
        if not self._route.changes:
            yield
            return
        self._action.entry = replace(told_of(call, self._action.entry), status=int(self._route.status))
        with acting(self._action):
            yield

    async def done(self, status: int) -> None:
        if self._route.changes:
            await self._trail.conclude(self._action, AuditOutcome.DONE, status)

    async def failed(self, error: Exception) -> None:
        """Never raises because of the trail: the caller is to be told of the first error.

        Nothing is written where a database does not answer that was to be changed.
        """
        is_refused = isinstance(error, Unauthenticated | Forbidden)
        if isinstance(error, Unavailable) or not (self._route.changes or isinstance(error, Forbidden)):
            return
        try:
            await self._forget_pretended_user(error)
            if self._action.is_recorded or self._trail.admits_failure(self._action.entry.user):
                outcome = AuditOutcome.REFUSED if is_refused else AuditOutcome.FAILED
                await self._trail.conclude(self._action, outcome, status_of(error))
        except Unavailable as unavailable:
            _logger.warning("%s is not in the audit trail: %s", self._action.entry.action, unavailable)

    async def _forget_pretended_user(self, error: Exception) -> None:
        """Of a login that failed; the name is told only if it is a user's, for people type passwords there, too."""
        body = None if self._call is None else self._call.body
        if isinstance(body, LoginBody):
            is_known = isinstance(error, Unauthenticated) and await self._trail.is_user(body.user)
            target: JsonObject = {"user": body.user} if is_known else {}
            self._action.entry = replace(self._action.entry, user="", target=target)
