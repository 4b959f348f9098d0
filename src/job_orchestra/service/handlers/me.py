"""One's own account."""

from __future__ import annotations

import http

from job_orchestra.domain.roles import Permission
from job_orchestra.domain.users import TokenKind
from job_orchestra.protocol.resources.accounts import (
    LoginBody,
    MeAnswer,
    NewTokenAnswer,
    NewTokenBody,
    PasswordBody,
    TokenAnswer,
)
from job_orchestra.protocol.resources.answers import Page
from job_orchestra.service.answers.accounts import new_token_answer, token_answer, user_answer
from job_orchestra.service.answers.pages import page
from job_orchestra.service.authorization import may
from job_orchestra.service.call import Answered, Call
from job_orchestra.service.parameters import CURSOR, LIMIT
from job_orchestra.service.parts import ServiceParts


async def login(parts: ServiceParts, call: Call) -> NewTokenAnswer:
    body = call.body_as(LoginBody)
    return new_token_answer(await parts.accounts.login(body.user, body.password))


async def logout(parts: ServiceParts, call: Call) -> None:
    await parts.accounts.logout(call.caller.token)


async def refresh(parts: ServiceParts, call: Call) -> TokenAnswer:
    return token_answer(await parts.accounts.renew_session(call.caller.token))


async def show(parts: ServiceParts, call: Call) -> MeAnswer:
    caller = call.caller
    permissions = [permission.value for permission in Permission if may(caller, permission)]
    return MeAnswer(user_answer(caller.user), permissions, token_answer(caller.token))


async def set_password(parts: ServiceParts, call: Call) -> None:
    body = call.body_as(PasswordBody)
    await parts.accounts.change_password(call.caller.user, body.current, body.new)


async def list_tokens(parts: ServiceParts, call: Call) -> Page[TokenAnswer]:
    return page(await parts.accounts.list_tokens(call.user, call.value(LIMIT), call.value(CURSOR)), token_answer)


async def create_token(parts: ServiceParts, call: Call) -> Answered:
    return await create_token_of(parts, call.user, call.body_as(NewTokenBody))


async def delete_token(parts: ServiceParts, call: Call) -> None:
    await parts.accounts.delete_token(call.user, call.path["token"])


async def create_token_of(parts: ServiceParts, user: str, body: NewTokenBody) -> Answered:
    new = await parts.accounts.create_token(user, TokenKind.PERSONAL, body.description, body.expires_in)
    return Answered(new_token_answer(new), http.HTTPStatus.CREATED)
