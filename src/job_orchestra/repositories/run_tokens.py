"""Tokens of runs: made for one attempt when its worker is told to carry it out, valid until that attempt has ended."""

from __future__ import annotations

from dataclasses import dataclass

from job_orchestra.domain.clock import Clock
from job_orchestra.domain.runs import Run
from job_orchestra.domain.statuses import ACTIVE
from job_orchestra.domain.users import Token, TokenKind
from job_orchestra.repositories.conditions import among, equal, find_one
from job_orchestra.repositories.rows.columns import integer, optional_text, text
from job_orchestra.repositories.tokens import Tokens
from job_orchestra.storage.port import Batch, Condition, Delete, Find, Operator, Order, Row, Storage
from job_orchestra.storage.schema import RUNS, TOKENS

_PAGE = 500


@dataclass(frozen=True, slots=True)
class RunScope:
    """The run that a token belongs to: what it may reach is its project."""

    project: str
    run: str


class RunTokens:
    def __init__(self, storage: Storage, clock: Clock) -> None:
        self._storage = storage
        self._tokens = Tokens(storage, clock)

    async def create(self, run: Run) -> str:
        """The secret of another token for this attempt; it is nowhere kept."""
        owner = _owner(run.identifier, run.attempt)
        return (await self._tokens.create(owner, TokenKind.RUN, f"of {run.request.project}/{run.identifier}")).secret

    async def scope_of(self, token: Token) -> RunScope | None:
        """None unless the attempt that the token is for has a worker, and has not ended."""
        run, _, attempt = token.user.rpartition(".")
        row = await find_one(self._storage, Find(RUNS.name, (equal("identifier", run),)))
        if row is None or not _is_carried_out(row) or str(integer(row, "attempt")) != attempt:
            return None
        return RunScope(text(row, "project"), run)

    async def delete(self, run: Run) -> None:
        """Those of all attempts of the run."""
        owners = [_owner(run.identifier, attempt) for attempt in range(1, run.attempt + 1)]
        await self._delete(owners)

    async def delete_those_of_ended_runs(self) -> None:
        """What a master that died left: such tokens are good for nothing, and go."""
        last = ""
        while rows := await self._page(last):
            last = text(rows[-1], "identifier")
            owners = {text(row, "user") for row in rows}
            await self._delete([owner for owner in owners if not await self._is_needed(owner)])

    async def _page(self, last: str) -> list[Row]:
        where = (equal("kind", TokenKind.RUN.value), Condition("identifier", Operator.GREATER, last))
        return await self._storage.find(Find(TOKENS.name, where, (Order("identifier"),), limit=_PAGE))

    async def _is_needed(self, owner: str) -> bool:
        run = owner.rpartition(".")[0]
        row = await find_one(self._storage, Find(RUNS.name, (equal("identifier", run),)))
        return row is not None and text(row, "status") in ACTIVE

    async def _delete(self, owners: list[str]) -> None:
        if owners:
            where = (among("user", owners), equal("kind", TokenKind.RUN.value))
            await self._storage.write(Batch((Delete(TOKENS.name, where),)))


def _owner(run: str, attempt: int) -> str:
    return f"{run}.{attempt}"


def _is_carried_out(row: Row) -> bool:
    """Also before the master has heard that it was started: its commands may be faster."""
    return text(row, "status") in ACTIVE and optional_text(row, "worker") is not None
