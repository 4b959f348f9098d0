"""One's own account."""

from __future__ import annotations

from types import NoneType

from job_orchestra.client.call import Call, path, query
from job_orchestra.protocol.resources.accounts import (
    LoginBody,
    MeAnswer,
    NewTokenAnswer,
    NewTokenBody,
    PasswordBody,
    TokenAnswer,
)
from job_orchestra.protocol.resources.answers import Page


def login(user: str, password: str) -> Call[NewTokenAnswer]:
    """A session; needs no credentials."""
    return Call("POST", "/me/login", NewTokenAnswer, LoginBody(user, password))


def logout() -> Call[None]:
    return Call("POST", "/me/logout", NoneType)


def refresh() -> Call[TokenAnswer]:
    """Prolongs the session, at most once a day; answers with its token's new expiry."""
    return Call("POST", "/me/refresh", TokenAnswer)


def get() -> Call[MeAnswer]:
    return Call("GET", "/me", MeAnswer)


def set_password(current: str, new: str) -> Call[None]:
    return Call("POST", "/me/password", NoneType, PasswordBody(new=new, current=current))


def tokens(*, limit: int | None = None, cursor: str | None = None) -> Call[Page[TokenAnswer]]:
    return Call("GET", "/me/tokens", Page[TokenAnswer], query=query(limit=limit, cursor=cursor))


def create_token(description: str = "", expires_in: float | None = None) -> Call[NewTokenAnswer]:
    return Call("POST", "/me/tokens", NewTokenAnswer, NewTokenBody(description, expires_in))


def delete_token(token: str) -> Call[None]:
    return Call("DELETE", path("me", "tokens", token), NoneType)
