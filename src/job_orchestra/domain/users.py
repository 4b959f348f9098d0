from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from job_orchestra.domain.roles import Role


@dataclass(frozen=True, slots=True)
class User:
    identifier: str
    roles: tuple[Role, ...]
    created_at: datetime
    display_name: str = ""
    password: str | None = None
    """`pbkdf2_sha256$iterations$salt$hash`, in hexadecimal; None for a service user, who has tokens only."""
    is_enabled: bool = True
    revision: int = 0
    """Grows with each change of roles and `is_enabled`: for compare-and-set, which cannot compare roles."""

    @property
    def is_administrator(self) -> bool:
        """Whether it may do everything now."""
        return self.is_enabled and Role.ADMINISTRATOR in self.roles


class TokenKind(StrEnum):
    SESSION = "session"
    """Made by login; ends a week after its last renewal, and with a change of the password."""
    PERSONAL = "personal"
    """Made by its user for a program or worker; ends at its expiry, if it has one."""
    RUN = "run"
    """Made by a master for an attempt of a run whose job asks for it; valid until that has ended, in its project."""
    CONTROL = "control"
    """Made by a service for one handshake with a master's control channel; valid for a minute."""


@dataclass(frozen=True, slots=True)
class Token:
    identifier: str
    user: str
    kind: TokenKind
    sha256: str
    """Of the secret, which is not kept."""
    created_at: datetime
    description: str = ""
    expires_at: datetime | None = None


SESSION_LIFETIME = 7 * 24 * 3600.0
SESSION_RENEWAL_AFTER = 24 * 3600.0
"""A session is renewed by activity at most once in this many seconds."""
