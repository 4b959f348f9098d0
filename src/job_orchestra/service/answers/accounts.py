from __future__ import annotations

from job_orchestra.domain.users import Token, User
from job_orchestra.protocol.resources.accounts import NewTokenAnswer, TokenAnswer, UserAnswer
from job_orchestra.repositories.tokens import NewToken
from job_orchestra.service.answers.dates import iso, optional_iso


def user_answer(user: User) -> UserAnswer:
    return UserAnswer(
        identifier=user.identifier,
        display_name=user.display_name,
        roles=[role.value for role in user.roles],
        is_enabled=user.is_enabled,
        has_password=user.password is not None,
        created_at=iso(user.created_at),
    )


def token_answer(token: Token) -> TokenAnswer:
    return TokenAnswer(
        identifier=token.identifier,
        user=token.user,
        kind=token.kind.value,
        description=token.description,
        created_at=iso(token.created_at),
        expires_at=optional_iso(token.expires_at),
    )


def new_token_answer(new: NewToken) -> NewTokenAnswer:
    return NewTokenAnswer(new.token.identifier, new.secret, optional_iso(new.token.expires_at))
