"""Who may connect: workers with a token of a user of role worker, services with a control token."""

from __future__ import annotations

import binascii
from base64 import b64decode
from dataclasses import dataclass

from job_orchestra.domain.errors import Forbidden, Unauthenticated
from job_orchestra.domain.roles import Permission, is_allowed
from job_orchestra.domain.users import TokenKind
from job_orchestra.repositories.accounts import Accounts


@dataclass(frozen=True, slots=True)
class WhoIsThere:
    user: str


class Admission:
    def __init__(self, accounts: Accounts) -> None:
        self._accounts = accounts

    async def admit(self, path: str, authorization: str | None) -> WhoIsThere:
        """Unauthenticated or Forbidden, with the reason; Unavailable while the database is."""
        user, secret = _credentials(authorization)
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


def _credentials(authorization: str | None) -> tuple[str | None, str]:
    """User (None with a bearer token) and secret."""
    scheme, _, value = (authorization or "").partition(" ")
    if scheme.lower() == "bearer" and value:
        return None, value.strip()
    if scheme.lower() == "basic":
        try:
            user, separator, secret = b64decode(value, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            raise Unauthenticated("The Authorization header is not valid base64.") from None
        if separator:
            return user, secret
    raise Unauthenticated("Say who you are: Authorization: Basic user:token, or Bearer token.")
