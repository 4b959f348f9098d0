"""Users, their tokens, and what changes them."""

from __future__ import annotations

from job_orchestra.protocol.resources.answers import Answer, Body


class LoginBody(Body, frozen=True):
    user: str
    password: str


class TokenAnswer(Answer, frozen=True):
    identifier: str
    user: str
    kind: str
    description: str
    created_at: str
    expires_at: str | None


class NewTokenAnswer(Answer, frozen=True):
    """The only answer that ever holds the secret."""

    identifier: str
    secret: str
    expires_at: str | None


class NewTokenBody(Body, frozen=True):
    description: str = ""
    expires_in: float | None = None
    """Seconds from now; None never."""


class PasswordBody(Body, frozen=True):
    """`current` is needed to change one's own."""

    new: str
    current: str = ""


class UserAnswer(Answer, frozen=True):
    identifier: str
    display_name: str
    roles: list[str]
    is_enabled: bool
    has_password: bool
    created_at: str


class MeAnswer(Answer, frozen=True):
    user: UserAnswer
    permissions: list[str]
    token: TokenAnswer


class NewUserBody(Body, frozen=True):
    identifier: str
    display_name: str = ""
    roles: list[str] = []
    password: str | None = None


class UserChangesBody(Body, frozen=True):
    display_name: str | None = None
    roles: list[str] | None = None
