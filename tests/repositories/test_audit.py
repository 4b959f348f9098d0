"""The audit trail: an entry with each change, pages of entries, and their end."""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import replace
from datetime import timedelta

import pytest

from job_orchestra.domain.audit import AuditEntry, AuditOrigin, AuditOutcome, new_audit_identifier, shown_target
from job_orchestra.domain.errors import Conflict, Invalid, NotFound
from job_orchestra.domain.roles import Role
from job_orchestra.repositories import audit as audit_module
from job_orchestra.repositories.accounts import Accounts
from job_orchestra.repositories.audit import AuditFilter
from job_orchestra.repositories.audited_storage import AuditedAction, AuditedStorage, acting
from job_orchestra.repositories.passwords import PasswordHasher
from job_orchestra.repositories.runs import Runs
from tests.repositories.records import USER, Records, play, request_of


def entry_of(records: Records, action: str = "user.create", user: str = "ada", **given: object) -> AuditEntry:
    """One millisecond later than the one before."""
    records.clock.advance(0.001)
    now = records.clock.now()
    entry = AuditEntry(new_audit_identifier(now, secrets.randbits(80)), now, AuditOrigin.SERVICE, action, user)
    return replace(entry, **given)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def audited_accounts(records: Records) -> Accounts:
    return Accounts(AuditedStorage(records.storage), records.clock, PasswordHasher(iterations=10))


def test_an_entry_is_kept_as_it_is(database_url: str) -> None:
    async def scenario(records: Records) -> None:
        entry = entry_of(
            records, token="0123", project="p", target={"job": "j 😀"}, outcome=AuditOutcome.FAILED, status=409,
            details={"parameters": ["a", "b"]},
        )  # fmt: skip
        await records.audit.add(entry)
        assert (await records.audit.list()).items == [entry]

    play(database_url, scenario)


def test_what_an_action_changes_takes_its_entry_along(database_url: str) -> None:
    async def scenario(records: Records) -> None:
        accounts, action = audited_accounts(records), AuditedAction(entry_of(records))
        with acting(action):
            await accounts.create_user("bob", (Role.VIEWER,))
        # Nobody has said how it ended, as if the process had died here.
        expected = replace(action.entry, details={"made": {"user": "bob"}})
        assert (await records.audit.list()).items == [expected]
        await records.audit.conclude(action, AuditOutcome.DONE)
        assert (await records.audit.list()).items == [expected]
        await accounts.create_user("carol")
        assert len((await records.audit.list()).items) == 1

    play(database_url, scenario)


def test_what_changed_nothing_is_in_the_trail_when_it_is_concluded(database_url: str) -> None:
    async def scenario(records: Records) -> None:
        accounts = audited_accounts(records)
        await accounts.create_user("bob")
        taken, missing = AuditedAction(entry_of(records)), AuditedAction(entry_of(records, "token.delete"))
        with acting(taken), pytest.raises(Conflict):
            await accounts.create_user("bob")
        await records.audit.conclude(taken, AuditOutcome.FAILED, 409)
        with acting(missing), pytest.raises(NotFound):
            await accounts.delete_token("bob", "0" * 16)
        await records.audit.conclude(missing, AuditOutcome.FAILED, 404)
        told = [(one.action, one.outcome, one.status) for one in (await records.audit.list()).items]
        assert told == [
            ("token.delete", AuditOutcome.FAILED, 404),
            ("user.create", AuditOutcome.FAILED, 409),
        ]

    play(database_url, scenario)


def test_each_run_that_an_action_made_is_told_of(database_url: str) -> None:
    async def scenario(records: Records) -> None:
        runs, action = Runs(AuditedStorage(records.storage), records.clock), AuditedAction(entry_of(records))
        with acting(action):
            made = await asyncio.gather(*(runs.trigger(request_of(), USER, key) for key in ("a", "b", "c")))
            again = await runs.trigger(request_of(), USER, "a")
        assert not again.is_new
        await records.audit.conclude(action, AuditOutcome.FAILED, 503)
        entries = (await records.audit.list(newest_first=False)).items
        told = {str(one.details["made"]) for one in entries if one.outcome is AuditOutcome.DONE}
        assert told == {str({"run": one.run.identifier}) for one in made}
        assert [one.status for one in entries if one.outcome is AuditOutcome.FAILED] == [503]

    play(database_url, scenario)


def test_a_key_that_was_used_makes_an_entry_without_a_run(database_url: str) -> None:
    async def scenario(records: Records) -> None:
        runs, action = Runs(AuditedStorage(records.storage), records.clock), AuditedAction(entry_of(records))
        await records.runs.trigger(request_of(), USER, "key")
        with acting(action):
            assert not (await runs.trigger(request_of(), USER, "key")).is_new
        await records.audit.conclude(action, AuditOutcome.DONE, 200)
        (entry,) = (await records.audit.list()).items
        assert (entry.outcome, entry.status, entry.details) == (AuditOutcome.DONE, 200, {})

    play(database_url, scenario)


def test_pages_and_filters(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit_module, "_STRETCH", 3)
    monkeypatch.setattr(audit_module, "MOST_LOOKED_THROUGH", 6)

    async def scenario(records: Records) -> None:
        begun = records.clock.now()
        entries = [
            entry_of(
                records, action=("job.trigger", "run.abort")[number % 2], user=("ada", "bob", "")[number % 3],
                project="p" if number < 10 else None,
                outcome=AuditOutcome.REFUSED if number == 0 else AuditOutcome.DONE,
            )
            for number in range(12)
        ]  # fmt: skip
        await asyncio.gather(*(records.audit.add(one) for one in entries))

        async def everything(wanted: AuditFilter, limit: int = 2, newest_first: bool = True) -> list[AuditEntry]:
            found: list[AuditEntry] = []
            cursor = None
            while True:
                page = await records.audit.list(wanted, limit, cursor, newest_first)
                assert len(page.items) <= limit
                found += page.items
                if (cursor := page.next) is None:
                    return found

        assert await everything(AuditFilter()) == entries[::-1]
        assert await everything(AuditFilter(), newest_first=False) == entries
        assert await everything(AuditFilter(user="bob")) == entries[10::-3]
        assert await everything(AuditFilter(project="p"), 5) == entries[9::-1]
        assert await everything(AuditFilter(outcome=AuditOutcome.REFUSED)) == entries[:1]
        both = AuditFilter(user="ada", action="run.abort")
        assert await everything(both) == [entries[9], entries[3]]
        assert await everything(both, newest_first=False) == [entries[3], entries[9]]
        assert await everything(AuditFilter(action="job.trigger", outcome=AuditOutcome.REFUSED), 1) == entries[:1]
        later = begun + timedelta(milliseconds=4)
        assert await everything(AuditFilter(created_after=later)) == entries[:2:-1]
        assert await everything(AuditFilter(created_before=later, user="ada")) == entries[:1]
        with pytest.raises(Invalid, match="cursor"):
            await records.audit.list(cursor="nonsense")
        with pytest.raises(Invalid, match="cursor"):
            await records.audit.list(both, cursor="nonsense")

    play(database_url, scenario)


def test_old_entries_go_a_few_at_a_time(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit_module, "_REMOVED_AT_ONCE", 2)

    async def scenario(records: Records) -> None:
        entries = [entry_of(records) for _ in range(7)]
        await asyncio.gather(*(records.audit.add(one) for one in entries))
        assert [gone async for gone in records.audit.prune(entries[5].date)] == [2, 4, 5]
        assert (await records.audit.list(newest_first=False)).items == entries[5:]
        assert [gone async for gone in records.audit.prune(entries[5].date)] == []

    play(database_url, scenario)


def test_what_may_be_a_secret_is_not_shown() -> None:
    secret = secrets.token_hex(32)
    assert secret not in str(shown_target({"token": f" {secret}", "user": "x" * 300}))
    assert shown_target({"user": "x" * 300, "token": "01ab"}) == {"user": "x" * 200, "token": "01ab"}
