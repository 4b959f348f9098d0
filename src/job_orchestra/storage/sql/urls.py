"""The addresses of databases that users write in their settings."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import NoReturn
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from job_orchestra.domain.errors import Invalid

_PLACE = "database.url"

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*")
_SQLITE_FORM = "sqlite:///relative/path.db or sqlite:////absolute/path.db"
_MYSQL_OPTIONS = {
    "connect_timeout": re.compile(r"[1-9][0-9]{0,3}"),
    "unix_socket": re.compile(r"/.+"),
    "ssl_disabled": re.compile(r"true|false"),
    "ssl_ca": re.compile(r".+"),
    "ssl_cert": re.compile(r".+"),
    "ssl_key": re.compile(r".+"),
    "ssl_verify_cert": re.compile(r"true|false"),
    "ssl_verify_identity": re.compile(r"true|false"),
}


class DatabaseKind(StrEnum):
    SQLITE = "sqlite"
    POSTGRESQL = "postgresql"
    MYSQL = "mysql"
    """MariaDB too."""


_SERVERS = {
    "postgresql": DatabaseKind.POSTGRESQL,
    "postgres": DatabaseKind.POSTGRESQL,
    "mysql": DatabaseKind.MYSQL,
    "mariadb": DatabaseKind.MYSQL,
}
SCHEMES = ("sqlite", *_SERVERS)
_FORMS = {
    DatabaseKind.POSTGRESQL: "postgresql://user:password@host:5432/database",
    DatabaseKind.MYSQL: "mysql://user:password@host:3306/database",
}


@dataclass(frozen=True, slots=True)
class DatabaseUrl:
    """Where a database is. Its representation never shows the password."""

    kind: DatabaseKind
    database: str
    """The path of the file (absolute), or the name of the database."""
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    host: str | None = None
    port: int | None = None
    options: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    """What the driver is told besides, such as ("sslmode", "require")."""

    def __str__(self) -> str:
        """For messages: without password and options."""
        if self.kind is DatabaseKind.SQLITE:
            return f"sqlite:///{self.database}"
        user = f"{self.user}@" if self.user else ""
        port = f":{self.port}" if self.port else ""
        return f"{self.kind}://{user}{self.host or ''}{port}/{self.database}"


def parse_database_url(url: str, directory: Path | None = None) -> DatabaseUrl:
    """Invalid at `database.url`; a relative path of SQLite is taken from `directory` (default: that of the process)."""
    scheme, separator, _ = url.partition("://")
    if not separator or not _SCHEME.fullmatch(scheme):
        _refuse(f"is no URL; write {', '.join((_SQLITE_FORM, *_FORMS.values()))}")
    if scheme == "sqlite":
        return _parse_sqlite(url, directory)
    if scheme not in _SERVERS:
        _refuse(f"has the scheme {scheme!r}; 'sqlite', 'postgresql', 'mysql' and 'mariadb' are known")
    return _parse_server(url, _SERVERS[scheme])


def _parse_sqlite(url: str, directory: Path | None) -> DatabaseUrl:
    host, slash, path = url.removeprefix("sqlite://").partition("/")
    path = unquote(path)
    if host or not slash:
        _refuse(f"names no file; write {_SQLITE_FORM} (three slashes before the path)")
    if "?" in path or "\0" in path:
        _refuse(f"has a path with a character that cannot be used; write {_SQLITE_FORM}, without options")
    if not path or path.endswith("/") or path == ":memory:":
        _refuse(f"names no file (a database in memory would be lost at a restart); write {_SQLITE_FORM}")
    return DatabaseUrl(DatabaseKind.SQLITE, str((directory or Path()).joinpath(path).absolute()))


def _parse_server(url: str, kind: DatabaseKind) -> DatabaseUrl:
    form = _FORMS[kind]
    try:
        parts = urlsplit(url)
        port = parts.port
        host = _part(parts.hostname)
        if host is not None:
            host.encode("idna")
    except ValueError:
        # Not the error's own words: they may repeat a password that has characters which had to be percent-encoded.
        _refuse(
            f"cannot be read; write {form}, the port a number up to 65535, "
            "and special characters of the password as %XX"
        )
    database = unquote(parts.path.removeprefix("/"))
    if not database:
        _refuse(f"names no database; write {form}")
    if parts.fragment or "\0" in unquote(url):
        _refuse(f"has '#' or a NUL character; write {form}, special characters of the password as %XX")
    return DatabaseUrl(
        kind,
        database,
        user=_part(parts.username),
        password=_part(parts.password),
        host=host,
        port=port,
        options=_options(parts, kind),
    )


def _options(parts: SplitResult, kind: DatabaseKind) -> tuple[tuple[str, str], ...]:
    try:
        options = tuple(parse_qsl(parts.query, strict_parsing=bool(parts.query), keep_blank_values=True))
    except ValueError:
        _refuse("has options that cannot be read; write them as ?connect_timeout=5&name=value")
    for name, value in options if kind is DatabaseKind.MYSQL else ():
        if name not in _MYSQL_OPTIONS:
            _refuse(f"has the option {name!r}; known are {', '.join(_MYSQL_OPTIONS)}")
        if not _MYSQL_OPTIONS[name].fullmatch(value):
            _refuse(f"has a value of the option {name!r} that does not fit; write it as {_example(name)}")
    return options


def _example(option: str) -> str:
    if option == "connect_timeout":
        return "?connect_timeout=5"
    if option in ("ssl_disabled", "ssl_verify_cert", "ssl_verify_identity"):
        return f"?{option}=true or ?{option}=false"
    return f"?{option}=/path/to/file"


def _part(text: str | None) -> str | None:
    return unquote(text) if text else None


def _refuse(message: str) -> NoReturn:
    raise Invalid.at(_PLACE, message)
