"""The cookies of a visitor: the session's secret, before there is one a random value for the login form, the zone."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response

from job_orchestra.domain.users import SESSION_LIFETIME, SESSION_RENEWAL_AFTER, TokenKind
from job_orchestra.protocol.resources.accounts import TokenAnswer
from job_orchestra.website.cookie_keys import CookieKeys
from job_orchestra.website.presentation import parse_moment

_A_YEAR = 365 * 24 * 3600
_SECRET = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class SessionCookies:
    """`Lax`, so that a link in a mail leads to the page and not to the login; forms carry a token of their own."""

    prefix: str
    is_secure: bool
    keys: CookieKeys

    @classmethod
    def of(cls, url: str, keys: CookieKeys) -> SessionCookies:
        """Browsers share cookies between the ports of a host; the port in the name keeps installations apart."""
        parts = urlsplit(url)
        is_secure = parts.scheme == "https"
        port = parts.port or (443 if is_secure else 80)
        return cls(f"{'__Host-' if is_secure else ''}orchestra_{port}", is_secure, keys)

    def has_session(self, request: Request) -> bool:
        """Whether the browser sent one, be it what it may."""
        return f"{self.prefix}_session" in request.cookies

    def session(self, request: Request) -> str | None:
        return self._read(request, "session")

    def start_session(self, response: Response, secret: str) -> None:
        self._write(response, "session", secret, int(SESSION_LIFETIME))

    def end_session(self, response: Response) -> None:
        self._write(response, "session", "", 0)

    def visit(self, request: Request) -> str | None:
        """What the login form's token is derived from."""
        return self._read(request, "visit")

    def start_visit(self, response: Response, secret: str) -> None:
        self._write(response, "visit", secret, None)

    def zone(self, request: Request) -> str | None:
        """The name of the visitor's time zone, as the browser tells it."""
        return request.cookies.get(f"{self.prefix}_zone")

    def set_zone(self, response: Response, name: str) -> None:
        self._set(response, "zone", name, _A_YEAR)

    def _read(self, request: Request, name: str) -> str | None:
        value = self.keys.decrypt(request.cookies.get(f"{self.prefix}_{name}", ""))
        return value if value is not None and _SECRET.fullmatch(value) else None

    def _write(self, response: Response, name: str, value: str, max_age: int | None) -> None:
        self._set(response, name, self.keys.encrypt(value) if value else "", max_age)

    def _set(self, response: Response, name: str, value: str, max_age: int | None) -> None:
        response.set_cookie(
            f"{self.prefix}_{name}",
            value,
            max_age=max_age,
            path="/",
            secure=self.is_secure,
            httponly=True,
            samesite="lax",
        )


def new_visit() -> str:
    return secrets.token_hex(32)


def is_due_for_renewal(token: TokenAnswer, now: datetime) -> bool:
    """Whether a day of the session's week has passed since it was made or last renewed."""
    if token.kind != TokenKind.SESSION or token.expires_at is None:
        return False
    left = (parse_moment(token.expires_at) - now).total_seconds()
    return left < SESSION_LIFETIME - SESSION_RENEWAL_AFTER
