"""Who may connect: workers with a token of a user of role worker, services with a control token."""

from __future__ import annotations

from dataclasses import dataclass

from job_orchestra.domain.errors import Forbidden
from job_orchestra.domain.roles import Permission, is_allowed
from job_orchestra.domain.users import TokenKind
from job_orchestra.protocol.authorization import read_authorization
from job_orchestra.repositories.accounts import Accounts


@dataclass(frozen=True, slots=True)
class WhoIsThere:
    user: str


class Admission:
    def __init__(self, accounts: Accounts) -> None:
        self._accounts = accounts

    async def admit(self, path: str, authorization: str | None) -> WhoIsThere:
        """Unauthenticated or Forbidden, with the reason; Unavailable while the database is."""
        user, secret = read_authorization(authorization)
        if path == "/control":
            await self._accounts.check_control_token(secret)
            return WhoIsThere("service")
        identity = await self._accounts.authenticate(secret, user)
        if identity.token.kind is TokenKind.CONTROL:
            raise Forbidden("A control token connects services, not workers.")
        if not is_allowed(identity.user.roles, identity.user.is_enabled, Permission.CONNECT_WORKER):
            state = "lacks the role worker" if identity.user.is_enabled else "is disabled"
            raise Forbidden(f"User {identity.user.identifier!r} may not connect workers: it {state}.")
        return WhoIsThere(identity.user.identifier)
