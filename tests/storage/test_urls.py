"""Addresses of databases as users write them."""

from __future__ import annotations

from pathlib import Path

import pytest

from job_orchestra.domain.errors import Invalid
from job_orchestra.storage.sql import open_administration, open_storage, parse_database_url
from job_orchestra.storage.sql.urls import DatabaseKind, DatabaseUrl


def test_sqlite() -> None:
    here = Path("/srv/orchestra")
    assert parse_database_url("sqlite:///data/x.db", here).database == "/srv/orchestra/data/x.db"
    assert parse_database_url("sqlite:////var/x.db", here).database == "/var/x.db"
    assert parse_database_url("sqlite:///with%20space.db", here).database == "/srv/orchestra/with space.db"
    assert parse_database_url("sqlite:///x.db").database == str(Path.cwd() / "x.db")


def test_postgresql() -> None:
    assert parse_database_url("postgresql://me:p%40ss%2Fw@db.example:5433/jobs?sslmode=require") == DatabaseUrl(
        DatabaseKind.POSTGRESQL, "jobs", "me", "p@ss/w", "db.example", 5433, (("sslmode", "require"),)
    )
    assert parse_database_url("postgres://localhost/jobs").port is None
    socket = parse_database_url("postgresql:///jobs?host=/var/run/postgresql")
    assert (socket.host, socket.options) == (None, (("host", "/var/run/postgresql"),))


def test_mysql_and_mariadb_are_the_same() -> None:
    url = parse_database_url("mysql://me:p%40ss@db.example:3307/jobs?ssl_verify_cert=true")
    assert url == DatabaseUrl(
        DatabaseKind.MYSQL, "jobs", "me", "p@ss", "db.example", 3307, (("ssl_verify_cert", "true"),)
    )
    assert parse_database_url("mariadb://me:p%40ss@db.example:3307/jobs?ssl_verify_cert=true") == url
    assert str(url) == "mysql://me@db.example:3307/jobs"


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("", "is no URL"),
        ("orchestra.db", "is no URL"),
        ("sqlite://", "names no file"),
        ("sqlite:///", "names no file"),
        ("sqlite://x.db", "three slashes"),
        ("sqlite:///:memory:", "lost at a restart"),
        ("sqlite:///folder/", "names no file"),
        ("sqlite:///x.db?mode=ro", "without options"),
        ("sqlite:///x%00.db", "cannot be used"),
        ("oracle://x/y", "'sqlite', 'postgresql', 'mysql' and 'mariadb' are known"),
        ("postgresql://host", "names no database"),
        ("postgresql://host:port/x", "a number up to 65535"),
        ("postgresql://u:secret@host:99999/x", "a number up to 65535"),
        ("postgresql://u:se[cret@host/x", "%XX"),
        ("postgresql://u:sec#ret@host/x", "%XX"),
        ("postgresql://u:secret@host/x#y", "'#'"),
        ("postgresql://u:secret@host/x?sslmode", "options"),
        ("postgresql://u:secret@host..name/x", "cannot be read"),
        ("mysql://u:secret@host", "names no database; write mysql://"),
        ("mysql://u:secret@host/x?charset=latin1", "'charset'; known are connect_timeout"),
        ("mysql://u:secret@host/x?connect_timeout=secret", "?connect_timeout=5"),
        ("mysql://u:secret@host/x?ssl_verify_cert=1", "?ssl_verify_cert=true"),
    ],
)
def test_mistakes_say_what_would_be_right_and_no_password(url: str, told: str) -> None:
    for refuse in (parse_database_url, open_storage, open_administration):
        with pytest.raises(Invalid) as caught:
            refuse(url)
        (mistake,) = caught.value.mistakes
        assert mistake.place == "database.url"
        assert told in mistake.message
        assert "secret" not in str(caught.value)


@pytest.mark.parametrize("option", ["colour=secret", "connect_timeout=secret"])
def test_options_that_libpq_does_not_take_are_named(option: str) -> None:
    for refuse in (open_storage, open_administration):
        with pytest.raises(Invalid, match=f"the option '{option.partition('=')[0]}'") as caught:
            refuse(f"postgresql://u:secret@host/x?{option}")
        assert "secret" not in str(caught.value)


def test_a_url_never_shows_its_password() -> None:
    url = parse_database_url("postgresql://me:secret@host:5432/jobs?password=secret")
    assert "secret" not in f"{url} {url!r}"
    assert str(url) == "postgresql://me@host:5432/jobs"
