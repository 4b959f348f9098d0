from __future__ import annotations

from types import NoneType

from job_orchestra.client.call import Call, path, query
from job_orchestra.protocol.resources.accounts import (
    NewTokenAnswer,
    NewTokenBody,
    NewUserBody,
    PasswordBody,
    TokenAnswer,
    UserAnswer,
    UserChangesBody,
)
from job_orchestra.protocol.resources.answers import Page


def list_all(*, limit: int | None = None, cursor: str | None = None) -> Call[Page[UserAnswer]]:
    return Call("GET", "/users", Page[UserAnswer], query=query(limit=limit, cursor=cursor))


def get(user: str) -> Call[UserAnswer]:
    return Call("GET", path("users", user), UserAnswer)


def create(user: NewUserBody) -> Call[UserAnswer]:
    return Call("POST", "/users", UserAnswer, user)


def update(user: str, changes: UserChangesBody) -> Call[UserAnswer]:
    return Call("PATCH", path("users", user), UserAnswer, changes)


def enable(user: str) -> Call[UserAnswer]:
    return Call("POST", path("users", user, "enable"), UserAnswer)


def disable(user: str) -> Call[UserAnswer]:
    return Call("POST", path("users", user, "disable"), UserAnswer)


def set_password(user: str, new: str) -> Call[None]:
    """Ends the user's sessions."""
    return Call("POST", path("users", user, "password"), NoneType, PasswordBody(new=new))


def delete(user: str) -> Call[None]:
    return Call("DELETE", path("users", user), NoneType)


def tokens(user: str, *, limit: int | None = None, cursor: str | None = None) -> Call[Page[TokenAnswer]]:
    return Call("GET", path("users", user, "tokens"), Page[TokenAnswer], query=query(limit=limit, cursor=cursor))


def create_token(user: str, description: str = "", expires_in: float | None = None) -> Call[NewTokenAnswer]:
    body = NewTokenBody(description, expires_in)
    return Call("POST", path("users", user, "tokens"), NewTokenAnswer, body)


def delete_token(user: str, token: str) -> Call[None]:
    return Call("DELETE", path("users", user, "tokens", token), NoneType)
