"""What fields of bodies have to be beyond their type, so that every mistake of a body is told at once.

Whoever works with the values checks them all the same: these rules are the same functions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, TypeAlias

from job_orchestra.domain.account_rules import (
    identifier_mistakes,
    lifetime_mistakes,
    password_mistakes,
    role_mistakes,
    text_mistakes,
)
from job_orchestra.domain.errors import Mistake
from job_orchestra.protocol.resources.accounts import NewTokenBody, NewUserBody, PasswordBody, UserChangesBody
from job_orchestra.protocol.resources.answers import Body

Rule: TypeAlias = Callable[[str, Any], Iterable[Mistake]]
"""From a field's name and a value of its type to what is wrong with it."""

RULES: Mapping[type[Body], Mapping[str, Rule]] = {
    NewUserBody: {
        "identifier": identifier_mistakes,
        "display_name": text_mistakes,
        "roles": role_mistakes,
        "password": password_mistakes,
    },
    UserChangesBody: {"display_name": text_mistakes, "roles": role_mistakes},
    PasswordBody: {"new": password_mistakes},
    NewTokenBody: {"description": text_mistakes, "expires_in": lifetime_mistakes},
}


def rule_mistakes(kind: type[Body], field: str, value: object) -> Iterator[Mistake]:
    """Of a value that has the field's type."""
    rule = RULES.get(kind, {}).get(field)
    if rule is not None:
        yield from rule(field, value)
