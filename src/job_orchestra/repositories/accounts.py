"""Accounts: who is asking, and everything about users and their tokens."""

from __future__ import annotations

from dataclasses import dataclass

from job_orchestra.domain.account_rules import SERVICE_USER
from job_orchestra.domain.clock import Clock
from job_orchestra.domain.errors import Conflict, Invalid, Unauthenticated
from job_orchestra.domain.roles import Role
from job_orchestra.domain.users import SESSION_LIFETIME, Token, TokenKind, User
from job_orchestra.repositories.conditions import equal, find_one
from job_orchestra.repositories.paging import LIMIT, Listed
from job_orchestra.repositories.passwords import PasswordHasher
from job_orchestra.repositories.rows.tokens import token_from_row
from job_orchestra.repositories.rows.users import user_from_row
from job_orchestra.repositories.run_tokens import RunScope, RunTokens
from job_orchestra.repositories.tokens import NewToken, Tokens, hash_secret
from job_orchestra.repositories.users import Users
from job_orchestra.storage.port import Find, Storage
from job_orchestra.storage.schema import TOKENS, USERS

_CONTROL_LIFETIME = 60.0
_HASHER = PasswordHasher()
_UNKNOWN = "The token is unknown or has expired."


@dataclass(frozen=True, slots=True)
class Identity:
    """Who is asking, and with which token."""

    user: User
    token: Token
    run: RunScope | None = None
    """Of a run's token: its user is none of ours and has no roles; what it may in this scope is for who asks to say."""


class Accounts:
    def __init__(self, storage: Storage, clock: Clock, hasher: PasswordHasher = _HASHER) -> None:
        self._storage = storage
        self._clock = clock
        self._hasher = hasher
        self._users = Users(storage, clock, hasher)
        self._tokens = Tokens(storage, clock)
        self._run_tokens = RunTokens(storage, clock)

    # ---------- who is asking

    async def authenticate(self, secret: str, user: str | None = None) -> Identity:
        """Unauthenticated if the token is unknown, has expired, or is not `user`'s.

        One trip to the database where the user is named, two where the token alone has to tell.
        """
        by_secret = Find(TOKENS.name, (equal("sha256", hash_secret(secret)),), limit=1)
        if user is not None and _is_storable(user):
            tokens, users = await self._storage.find_all([by_secret, _by_identifier(user)])
        else:
            tokens, users = await self._storage.find(by_secret), []
        token = token_from_row(tokens[0]) if tokens else None
        if token is None or self._has_expired(token) or user not in {None, token.user}:
            raise Unauthenticated(_UNKNOWN)
        if token.kind is TokenKind.CONTROL:
            return Identity(User(SERVICE_USER, (), token.created_at), token)
        if token.kind is TokenKind.RUN:
            return await self._identity_of_run(token)
        if user is None:
            users = await self._storage.find(_by_identifier(token.user))
        if not users:
            raise Unauthenticated(_UNKNOWN)
        return Identity(user_from_row(users[0]), token)

    async def recall(self, identity: Identity) -> Identity:
        """Who that is now; Unauthenticated once the token has gone or expired. A run's is what it was."""
        if identity.run is not None:
            return identity
        by_token = Find(TOKENS.name, (equal("identifier", identity.token.identifier),), limit=1)
        tokens, users = await self._storage.find_all([by_token, _by_identifier(identity.token.user)])
        token = token_from_row(tokens[0]) if tokens else None
        if token is None or not users or self._has_expired(token):
            raise Unauthenticated(_UNKNOWN)
        return Identity(user_from_row(users[0]), token)

    async def _identity_of_run(self, token: Token) -> Identity:
        scope = await self._run_tokens.scope_of(token)
        if scope is None:
            raise Unauthenticated("The token was that of a run's attempt, which does not run any more.")
        return Identity(User(f"run {scope.run}", (), token.created_at), token, scope)

    async def login(self, user: str, password: str) -> NewToken:
        """A session of a week. Unauthenticated, with one sentence for whatever is wrong."""
        found = await self._users.find(user) if _is_storable(user) else None
        if not await self._hasher.verify(password, found.password if found else None) or found is None:
            raise Unauthenticated("User or password is wrong.")
        new = await self._tokens.create(user, TokenKind.SESSION, "login", SESSION_LIFETIME)
        await self._tokens.delete_expired(TokenKind.SESSION)
        return new

    async def logout(self, token: Token) -> None:
        await self._tokens.delete(token.user, token.identifier)

    async def renew_session(self, token: Token) -> Token:
        """The session with a new week, at most once a day; any other token as it is."""
        return await self._tokens.renew_session(token)

    def _has_expired(self, token: Token) -> bool:
        return token.expires_at is not None and token.expires_at <= self._clock.now()

    # ---------- services and masters

    async def create_control_token(self) -> str:
        """The secret of a token for one handshake with a master; removes those that have expired."""
        await self._tokens.delete_expired(TokenKind.CONTROL)
        new = await self._tokens.create(SERVICE_USER, TokenKind.CONTROL, "control channel", _CONTROL_LIFETIME)
        return new.secret

    async def check_control_token(self, secret: str) -> None:
        """Unauthenticated unless it is a control token that has not expired."""
        row = await find_one(self._storage, Find(TOKENS.name, (equal("sha256", hash_secret(secret)),)))
        token = None if row is None else token_from_row(row)
        if token is None or token.kind is not TokenKind.CONTROL or self._has_expired(token):
            raise Unauthenticated("This needs a control token that has not expired.")

    # ---------- tokens

    async def create_token(
        self, user: str, kind: TokenKind = TokenKind.PERSONAL, description: str = "", lifetime: float | None = None
    ) -> NewToken:
        """`lifetime` in seconds, None for ever; NotFound if there is no such user."""
        await self._users.get(user)
        return await self._tokens.create(user, kind, description, lifetime)

    async def list_tokens(self, user: str, limit: int = LIMIT, cursor: str | None = None) -> Listed[Token]:
        """NotFound if there is no such user."""
        await self._users.get(user)
        return await self._tokens.list(user, limit, cursor)

    async def delete_token(self, user: str, token: str) -> None:
        """NotFound if that user has no such token."""
        await self._tokens.delete(user, token)

    # ---------- users

    async def create_user(
        self, identifier: str, roles: tuple[Role, ...] = (), display_name: str = "", password: str | None = None
    ) -> User:
        """Without a password it is a service user, who has tokens only. Invalid, or Conflict if the name is taken."""
        return await self._users.create(identifier, roles, display_name, password)

    async def list_users(self, limit: int = LIMIT, cursor: str | None = None, descending: bool = False) -> Listed[User]:
        return await self._users.list(limit, cursor, descending)

    async def get_user(self, user: str) -> User:
        """NotFound if there is none."""
        return await self._users.get(user)

    async def update_user(
        self, user: str, display_name: str | None = None, roles: tuple[Role, ...] | None = None
    ) -> User:
        """What is None stays as it is; Conflict if nobody would be left who manages users."""
        return await self._users.update(user, display_name, roles)

    async def set_user_enabled(self, user: str, is_enabled: bool) -> User:
        """Conflict if nobody would be left who manages users."""
        return await self._users.set_enabled(user, is_enabled)

    async def set_password(self, user: str, new: str) -> None:
        """Ends the user's sessions."""
        await self._users.set_password(user, new)

    async def change_password(self, user: User, current: str, new: str) -> None:
        """By the user itself: Invalid at `current` if that is not its password; ends its sessions."""
        if user.password is None:
            raise Conflict(f"User {user.identifier!r} has no password; an administrator can set one.")
        if not await self._hasher.verify(current, user.password):
            raise Invalid.at("current", "is not the present password")
        await self._users.set_password(user.identifier, new)

    async def delete_user(self, user: str) -> None:
        """With its tokens; Conflict unless it is disabled and owns no worker."""
        await self._users.delete(user)


def _by_identifier(user: str) -> Find:
    return Find(USERS.name, (equal("identifier", user),), limit=1)


def _is_storable(identifier: str) -> bool:
    """What no user can be called is not even looked for: databases refuse some of it."""
    return len(identifier) <= 64 and identifier.isascii() and identifier.isprintable()
