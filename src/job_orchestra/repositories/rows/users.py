from __future__ import annotations

from job_orchestra.domain.moments import to_microseconds
from job_orchestra.domain.roles import Role
from job_orchestra.domain.users import User
from job_orchestra.repositories.rows.columns import flag, integer, json_list, moment, optional_text, text
from job_orchestra.storage.port import Row


def user_to_row(user: User) -> Row:
    return {
        "identifier": user.identifier,
        "display_name": user.display_name,
        "roles": [role.value for role in user.roles],
        "password": user.password,
        "is_enabled": user.is_enabled,
        "created_at": to_microseconds(user.created_at),
        "revision": user.revision,
    }


def user_from_row(row: Row) -> User:
    return User(
        identifier=text(row, "identifier"),
        roles=tuple(Role(str(role)) for role in json_list(row, "roles")),
        created_at=moment(row, "created_at"),
        display_name=text(row, "display_name"),
        password=optional_text(row, "password"),
        is_enabled=flag(row, "is_enabled"),
        revision=integer(row, "revision"),
    )
