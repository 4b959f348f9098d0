"""Addresses of MongoDB as users write them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import NoReturn
from urllib.parse import parse_qsl, unquote

from job_orchestra.domain.errors import Invalid

SCHEMES = ("mongodb", "mongodb+srv")

_FORM = "mongodb://user:password@host:27017/database"
_ESCAPED = "special characters of the password as %XX"
_LONGEST_NAME = 63
_NOT_IN_NAMES = frozenset('/\\. "$*<>:|?\0')


@dataclass(frozen=True, slots=True)
class MongoUrl:
    """Where a database is. Its representation never shows the password."""

    scheme: str
    hosts: str
    """One or several, as they were written."""
    database: str
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    options: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    """What the driver is told besides, such as ("replicaSet", "rs0")."""
    written: str = field(default="", repr=False)
    """The whole URL, for the driver."""

    def __str__(self) -> str:
        """For messages: without password and options."""
        user = f"{self.user}@" if self.user else ""
        return f"{self.scheme}://{user}{self.hosts}/{self.database}"


def parse_mongo_url(url: str) -> MongoUrl:
    """Invalid at `database.url`, for the form alone: the driver says which options there are."""
    scheme, separator, rest = url.partition("://")
    if not separator or scheme not in SCHEMES:
        refuse(f"is no URL of MongoDB; write {_FORM}")
    if "#" in rest or "\0" in unquote(rest):
        refuse(f"has '#' or a NUL character; write {_FORM}, {_ESCAPED}")
    place, _, options = rest.partition("?")
    authority, _, database = place.partition("/")
    if "@" in database or "@" in options:
        refuse(f"cannot be read; write {_FORM}, {_ESCAPED}")
    credentials, has_user, hosts = authority.rpartition("@")
    _check_hosts(hosts, scheme)
    user, password = _credentials(credentials) if has_user else (None, None)
    return MongoUrl(scheme, hosts, _database(database), user, password, _options(options), url)


def _check_hosts(hosts: str, scheme: str) -> None:
    for each in hosts.split(","):
        found = re.fullmatch(r"(\[[0-9A-Fa-f:.]+\]|[^:@\[\]/]+)(?::(\d+))?", each)
        if found is None or not 0 < int(found[2] or 1) <= 65535:
            refuse(f"names no host, or a port that is not a number up to 65535; write {_FORM}, {_ESCAPED}")
        if scheme == "mongodb+srv" and (found[2] or "," in hosts):
            refuse("names several hosts or a port, which mongodb+srv:// finds by the one name it is given")


def _credentials(written: str) -> tuple[str, str | None]:
    """User and password."""
    if re.search(r"[@/]|%(?![0-9A-Fa-f]{2})|:.*:", written) or written.startswith(":") or not written:
        refuse(f"cannot be read; write {_FORM}, {_ESCAPED}")
    user, has_password, password = written.partition(":")
    return unquote(user), unquote(password) if has_password else None


def _database(written: str) -> str:
    database = unquote(written)
    if not database:
        refuse(f"names no database; write {_FORM}")
    if _NOT_IN_NAMES.intersection(database) or len(database.encode(errors="replace")) > _LONGEST_NAME:
        refuse(
            f"names the database {database!r}; a name has at most {_LONGEST_NAME} bytes, and no space, no dot and none "
            'of /\\"$*<>:|?'
        )
    return database


def _options(written: str) -> tuple[tuple[str, str], ...]:
    try:
        return tuple(parse_qsl(written, strict_parsing=bool(written), keep_blank_values=True))
    except ValueError:
        refuse("has options that cannot be read; write them as ?replicaSet=rs0&authSource=admin")


def refuse(message: str) -> NoReturn:
    raise Invalid.at("database.url", message)
