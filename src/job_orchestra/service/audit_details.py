"""What the audit trail tells of what was given with a request: names, and the few values that are never a secret."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import msgspec

from job_orchestra.domain.audit import LONGEST_VALUE, AuditEntry
from job_orchestra.domain.json import JsonObject, JsonValue
from job_orchestra.protocol.resources.accounts import (
    LoginBody,
    NewTokenBody,
    NewUserBody,
    PasswordBody,
    UserChangesBody,
)
from job_orchestra.protocol.resources.answers import Body
from job_orchestra.protocol.resources.runs import TriggerBody
from job_orchestra.service.call import Call

_MOST_NAMES = 100


def told_of(call: Call, entry: AuditEntry) -> AuditEntry:
    """The entry with what the call tells besides."""
    body = call.body
    user = body.user if isinstance(body, LoginBody) else entry.user
    switches: JsonObject = {name: True for name, value in call.values.items() if value is True}
    return replace(entry, user=user, details={**switches, **_details(body)})


def _details(body: Body | None) -> JsonObject:
    match body:
        case None | LoginBody() | PasswordBody():
            return {}
        case NewUserBody():
            return {"user": body.identifier, "roles": [*body.roles], "password": body.password is not None}
        case UserChangesBody():
            roles: JsonObject = {} if body.roles is None else {"roles": [*body.roles]}
            return roles if body.display_name is None else {**roles, "display_name": body.display_name}
        case NewTokenBody():
            return {"description": body.description, "expires_in": body.expires_in}
        case TriggerBody():
            return {"parameters": _names(body.parameters)} if body.parameters else {}
        case _:
            return {"given": _names(field.name for field in msgspec.structs.fields(body))}


def _names(names: Iterable[str]) -> list[JsonValue]:
    return [name[:LONGEST_VALUE] for name in sorted(names)[:_MOST_NAMES]]
