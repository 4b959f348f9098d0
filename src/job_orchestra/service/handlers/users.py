"""Users, as administrators manage them."""

from __future__ import annotations

import http
from collections.abc import Sequence

from job_orchestra.domain.roles import Role
from job_orchestra.protocol.resources.accounts import (
    NewTokenBody,
    NewUserBody,
    PasswordBody,
    TokenAnswer,
    UserAnswer,
    UserChangesBody,
)
from job_orchestra.protocol.resources.answers import Page
from job_orchestra.service.answers.accounts import token_answer, user_answer
from job_orchestra.service.answers.pages import page
from job_orchestra.service.call import Answered, Call
from job_orchestra.service.handlers.me import create_token_of
from job_orchestra.service.parameters import CURSOR, LIMIT, ORDER_BY
from job_orchestra.service.parts import ServiceParts


async def list_all(parts: ServiceParts, call: Call) -> Page[UserAnswer]:
    listed = await parts.accounts.list_users(call.value(LIMIT), call.value(CURSOR), call.value(ORDER_BY))
    return page(listed, user_answer)


async def create(parts: ServiceParts, call: Call) -> Answered:
    body = call.body_as(NewUserBody)
    user = await parts.accounts.create_user(body.identifier, _roles(body.roles), body.display_name, body.password)
    return Answered(user_answer(user), http.HTTPStatus.CREATED, {"Location": f"/users/{user.identifier}"})


async def show(parts: ServiceParts, call: Call) -> UserAnswer:
    return user_answer(await parts.accounts.get_user(call.path["user"]))


async def update(parts: ServiceParts, call: Call) -> UserAnswer:
    body = call.body_as(UserChangesBody)
    roles = None if body.roles is None else _roles(body.roles)
    return user_answer(await parts.accounts.update_user(call.path["user"], body.display_name, roles))


async def enable(parts: ServiceParts, call: Call) -> UserAnswer:
    return user_answer(await parts.accounts.set_user_enabled(call.path["user"], True))


async def disable(parts: ServiceParts, call: Call) -> UserAnswer:
    return user_answer(await parts.accounts.set_user_enabled(call.path["user"], False))


async def set_password(parts: ServiceParts, call: Call) -> None:
    await parts.accounts.set_password(call.path["user"], call.body_as(PasswordBody).new)


async def delete(parts: ServiceParts, call: Call) -> None:
    await parts.accounts.delete_user(call.path["user"])


async def list_tokens(parts: ServiceParts, call: Call) -> Page[TokenAnswer]:
    user = call.path["user"]
    return page(await parts.accounts.list_tokens(user, call.value(LIMIT), call.value(CURSOR)), token_answer)


async def create_token(parts: ServiceParts, call: Call) -> Answered:
    return await create_token_of(parts, call.path["user"], call.body_as(NewTokenBody))


async def delete_token(parts: ServiceParts, call: Call) -> None:
    await parts.accounts.delete_token(call.path["user"], call.path["token"])


def _roles(names: Sequence[str]) -> tuple[Role, ...]:
    """All are known: the body was held to its rules."""
    return tuple(Role(name) for name in names)
