"""Tokens: made, listed, prolonged, deleted. Their secrets are shown once and kept as SHA-256 only."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace
from datetime import timedelta
from hashlib import sha256

from job_orchestra.domain.account_rules import lifetime_mistakes, text_mistakes
from job_orchestra.domain.clock import Clock
from job_orchestra.domain.errors import Invalid, NotFound
from job_orchestra.domain.moments import to_microseconds
from job_orchestra.domain.users import SESSION_LIFETIME, SESSION_RENEWAL_AFTER, Token, TokenKind
from job_orchestra.repositories.conditions import equal
from job_orchestra.repositories.paging import LIMIT, Listed, list_page
from job_orchestra.repositories.rows.columns import optional_microseconds
from job_orchestra.repositories.rows.tokens import token_from_row, token_to_row
from job_orchestra.storage.port import Batch, Condition, Delete, Find, Insert, Operator, Order, Storage, Update
from job_orchestra.storage.schema import TOKENS


@dataclass(frozen=True, slots=True)
class NewToken:
    token: Token
    secret: str
    """Nowhere kept; whoever made the token sees it this once."""


def hash_secret(secret: str) -> str:
    return sha256(secret.encode(errors="surrogatepass")).hexdigest()


class Tokens:
    def __init__(self, storage: Storage, clock: Clock) -> None:
        self._storage = storage
        self._clock = clock

    async def create(
        self, user: str, kind: TokenKind, description: str = "", lifetime: float | None = None
    ) -> NewToken:
        """`lifetime` in seconds, None for ever; Invalid at `expires_in` or `description`."""
        mistakes = [*text_mistakes("description", description), *lifetime_mistakes("expires_in", lifetime)]
        if mistakes:
            raise Invalid(mistakes)
        now = self._clock.now()
        secret = secrets.token_hex(32)
        token = Token(
            identifier=secrets.token_hex(8),
            user=user,
            kind=kind,
            sha256=hash_secret(secret),
            created_at=now,
            description=description,
            expires_at=None if lifetime is None else now + timedelta(seconds=lifetime),
        )
        await self._storage.write(Batch((Insert(TOKENS.name, token_to_row(token)),)))
        return NewToken(token, secret)

    async def list(self, user: str, limit: int = LIMIT, cursor: str | None = None) -> Listed[Token]:
        """Of the user, by identifier; expired ones are among them until they are removed."""
        query = Find(TOKENS.name, (equal("user", user),), (Order("identifier"),), limit=limit)
        return await list_page(self._storage, query, cursor, token_from_row)

    async def renew_session(self, token: Token) -> Token:
        """The session with a new week, at most once a day; any other token as it is."""
        if token.kind is not TokenKind.SESSION or token.expires_at is None:
            return token
        now = self._clock.now()
        renewed_at = token.expires_at - timedelta(seconds=SESSION_LIFETIME)
        if now - renewed_at < timedelta(seconds=SESSION_RENEWAL_AFTER):
            return token
        expires_at = now + timedelta(seconds=SESSION_LIFETIME)
        where = (equal("identifier", token.identifier),)
        changes = {"expires_at": to_microseconds(expires_at)}
        await self._storage.write(Batch((Update(TOKENS.name, where, changes, optional=True),)))
        return replace(token, expires_at=expires_at)

    async def delete(self, user: str, token: str) -> None:
        """NotFound if that user has no such token."""
        where = (equal("identifier", token), equal("user", user))
        outcome = await self._storage.write(Batch((Delete(TOKENS.name, where),)))
        if outcome.rows == (0,):
            raise NotFound("token", token)

    async def delete_expired(self, kind: TokenKind) -> None:
        now = optional_microseconds(self._clock.now())
        where = (equal("kind", kind.value), Condition("expires_at", Operator.LESS, now))
        await self._storage.write(Batch((Delete(TOKENS.name, where),)))
