"""What names, passwords and tokens of users may be. Each rule tells its mistakes at the place that it is given."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from job_orchestra.domain.checking import nearest, shown
from job_orchestra.domain.errors import Mistake
from job_orchestra.domain.identifiers import USER_NAME, USER_NAME_RULE
from job_orchestra.domain.roles import Role

SERVICE_USER = "service"
"""Whose the control tokens are; nobody else's name."""
_LONGEST_TEXT = 200
_SHORTEST_PASSWORD = 8
LONGEST_PASSWORD = 1024
_LONGEST_LIFETIME = 100 * 366 * 24 * 3600.0


def identifier_mistakes(place: str, identifier: str) -> Iterator[Mistake]:
    if not USER_NAME.fullmatch(identifier):
        yield Mistake(place, f"{shown(identifier)} is no user's name: {USER_NAME_RULE}")
    elif identifier == SERVICE_USER:
        yield Mistake(place, f"{identifier!r} is what services call themselves; take another name")


def text_mistakes(place: str, text: str | None) -> Iterator[Mistake]:
    """Of a display name or description."""
    if text is not None and (len(text) > _LONGEST_TEXT or not text.isprintable()):
        yield Mistake(place, f"takes at most {_LONGEST_TEXT} printable characters")


def role_mistakes(place: str, names: Sequence[str] | None) -> Iterator[Mistake]:
    known = [role.value for role in Role]
    for index, name in enumerate(names or ()):
        if name not in known:
            yield Mistake(f"{place}[{index}]", f"{shown(name)} is not one of {', '.join(known)}{nearest(name, known)}")


def password_mistakes(place: str, password: str | None) -> Iterator[Mistake]:
    if password is not None and not _SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
        yield Mistake(place, f"has {len(password)} characters; it needs {_SHORTEST_PASSWORD} to {LONGEST_PASSWORD}")


def lifetime_mistakes(place: str, seconds: float | None) -> Iterator[Mistake]:
    if seconds is not None and not 1 <= seconds <= _LONGEST_LIFETIME:
        yield Mistake(place, f"{seconds:g} is not a number of seconds from 1 to {_LONGEST_LIFETIME:.0f}")
