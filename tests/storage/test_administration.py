"""Creating and upgrading the schema; what migrations make is what the program expects."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from job_orchestra.composition.databases import open_administration
from job_orchestra.domain.errors import Conflict
from job_orchestra.storage.port import SchemaState, Storage, StorageAdministration, StorageUnavailable
from job_orchestra.storage.schema import COLLECTIONS, ColumnType
from job_orchestra.storage.sql.databases import database_at
from job_orchestra.storage.sql.tables import index_name, metadata_of
from job_orchestra.storage.sql.urls import parse_database_url
from tests.mariadb_server import MariadbServer
from tests.postgresql_server import PostgresqlServer
from tests.storage.scenario import batch, identifiers, insert, play
from tests.storage.schemas import create_version, described, engine_of, execute


def test_from_nothing_to_current(new_url: Callable[[], str]) -> None:
    administration = open_administration(new_url())
    assert administration.state() is SchemaState.MISSING
    there, newest = administration.versions()
    assert there is None
    with pytest.raises(Conflict, match="create"):
        administration.upgrade()
    administration.create()
    assert administration.state() is SchemaState.CURRENT
    assert administration.versions() == (newest, newest)
    assert list(administration.upgrade()) == []
    with pytest.raises(Conflict, match="already"):
        administration.create()


def test_a_newer_schema_is_left_alone(new_sql_url: Callable[[], str]) -> None:
    url = new_sql_url()
    administration = open_administration(url)
    administration.create()
    execute(url, "UPDATE alembic_version SET version_num = '9999'")
    assert administration.state() is SchemaState.NEWER
    with pytest.raises(Conflict, match="9999"):
        administration.upgrade()


def test_a_database_of_something_else_is_left_alone(new_sql_url: Callable[[], str]) -> None:
    url = new_sql_url()
    database_at(parse_database_url(url)).create()
    execute(url, "CREATE TABLE something (x INTEGER)")
    administration = open_administration(url)
    assert administration.state() is SchemaState.MISSING
    with pytest.raises(Conflict, match="something"):
        administration.create()


def test_of_several_who_create_it_one_does(new_url: Callable[[], str]) -> None:
    url = new_url()
    create = f"from job_orchestra.composition.databases import open_administration as at; at({url!r}).create()"
    processes = [subprocess.Popen([sys.executable, "-c", create], stderr=subprocess.PIPE) for _ in range(3)]
    told = [process.communicate()[1].decode() for process in processes]
    assert sum(not each for each in told) == 1, told
    assert sum("Conflict: " in each and "already" in each for each in told) == 2, told
    assert open_administration(url).state() is SchemaState.CURRENT


def test_migrations_make_what_the_program_expects(new_sql_url: Callable[[], str]) -> None:
    migrated, fresh = new_sql_url(), new_sql_url()
    open_administration(migrated).create()
    database_at(parse_database_url(fresh)).create()
    engine = engine_of(fresh)
    with engine.begin() as connection:
        metadata_of().create_all(connection)
    assert described(migrated) == described(fresh)
    assert set(described(fresh)) == {collection.name for collection in COLLECTIONS}


def test_every_text_in_a_key_or_index_has_a_length_and_fits() -> None:
    """3072 bytes in MariaDB and MySQL, four for each character; the key stands at the end of every index."""
    for collection in COLLECTIONS:
        for names in (collection.key, *((*index.columns, *collection.key) for index in collection.indexes)):
            columns = [collection.column(name) for name in dict.fromkeys(names)]
            assert all(column.longest for column in columns if column.type is ColumnType.TEXT), names
            assert sum(4 * column.longest + 3 if column.longest else 9 for column in columns) <= 3072, names


def test_names_of_indexes_are_short_enough_and_differ() -> None:
    names = [index_name(each.name, index.columns) for each in COLLECTIONS for index in each.indexes]
    assert len(set(names)) == len(names)
    assert max(len(name) for name in names) <= 63


def test_a_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    open_administration("sqlite:///deep/below/x.db", tmp_path).create()
    path = tmp_path / "deep" / "below" / "x.db"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_places_that_cannot_be_used(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StorageUnavailable, match="cannot be created"):
        open_administration(f"sqlite:///{tmp_path}/file/x.db").create()
    with pytest.raises(StorageUnavailable, match="cannot be used"):
        open_administration("postgresql://orchestra:secret@127.0.0.1:1/x").state()
    with pytest.raises(StorageUnavailable, match="refused"):
        open_administration("mysql://orchestra:secret@127.0.0.1:1/x").state()
    with pytest.raises(StorageUnavailable, match=r"/nowhere\.pem: No such file"):
        open_administration("mysql://orchestra:secret@127.0.0.1:1/x?ssl_ca=/nowhere.pem").state()


def test_names_under_which_a_server_creates_nothing(postgresql: PostgresqlServer, mariadb: MariadbServer) -> None:
    with pytest.raises(StorageUnavailable, match="no schema that its search_path names"):
        open_administration(f"{postgresql.url()}?options=-c%20search_path=nowhere").create()
    with pytest.raises(StorageUnavailable, match="has a name that the server does not take"):
        open_administration(mariadb.url("x" * 65)).create()


def documented_statements(heading: str, name: str) -> list[str]:
    """SQL of that section of the operating guide, with `name` in the place of `orchestra`."""
    text = (Path(__file__).parent.parent.parent / "docs" / "operating.md").read_text()
    section = text.partition(f"### {heading}\n")[2].partition("\n### ")[0]
    blocks = [block.partition("```")[0] for block in section.split("```sql\n")[1:]]
    lines = [line.partition("--")[0] for block in blocks for line in block.splitlines()]
    return [one.strip() for one in " ".join(lines).replace("orchestra", name).split(";")[:-1]]


def test_the_rights_that_the_documentation_grants_on_postgresql_are_enough(postgresql: PostgresqlServer) -> None:
    name = f"rights_{os.getpid()}"
    url = postgresql.url(name).replace("orchestra@", f"{name}:password@")
    owner, database, worker, defaults = documented_statements("PostgreSQL", name)
    with psycopg.connect(postgresql.url(), autocommit=True) as administrator:
        for statement in (owner, database, worker):
            administrator.execute(statement.encode())
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(defaults.encode())
    create_version(url, "0001")
    open_administration(url).upgrade()

    async def scenario(storage: Storage) -> None:
        assert (await storage.write(batch(insert("a")))).is_applied
        assert await identifiers(storage) == ["a"]

    play(postgresql.url(name).replace("orchestra@", f"{name}_work:password@"), scenario)


def test_the_rights_that_the_documentation_grants_on_mariadb_are_enough(mariadb: MariadbServer) -> None:
    name = f"rights_{os.getpid()}"
    url = mariadb.url(name).replace("orchestra@", f"{name}:password@")
    with mariadb.connect() as owner, owner.cursor() as cursor:
        for statement in documented_statements("MariaDB and MySQL", name):
            cursor.execute(statement.replace("'%'", "'127.0.0.1'"))
        create_version(url, "0001")
        open_administration(url).upgrade()
        cursor.execute(f"REVOKE CREATE, ALTER, INDEX ON {name}.* FROM {name}@'127.0.0.1'")

        async def scenario(storage: Storage) -> None:
            assert (await storage.write(batch(insert("a")))).is_applied
            assert await identifiers(storage) == ["a"]

        play(url, scenario)
        cursor.execute(f"DROP USER {name}@'127.0.0.1'")


def test_who_may_not_insert_on_postgresql_leaves_the_database_as_it_was(postgresql_url: str) -> None:
    role = f"unable_{postgresql_url.rpartition('/')[2]}"
    with psycopg.connect(postgresql_url, autocommit=True) as owner:
        owner.execute(f"CREATE ROLE {role} LOGIN".encode())
        owner.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role}".encode())
        unable = open_administration(postgresql_url.replace("orchestra@", f"{role}@"))
        for tables in ("late_events", "ALL TABLES IN SCHEMA public"):
            owner.execute(f"REVOKE INSERT ON {tables} FROM {role}".encode())
            refuses_to_load(unable)


def test_who_may_not_insert_on_mariadb_leaves_the_database_as_it_was(mariadb: MariadbServer, mariadb_url: str) -> None:
    with mariadb.connect() as owner, owner.cursor() as cursor:
        cursor.execute("CREATE USER unable@'127.0.0.1'")
        try:
            cursor.execute(f"GRANT SELECT, UPDATE, DELETE ON {mariadb_url.rpartition('/')[2]}.* TO unable@'127.0.0.1'")
            refuses_to_load(open_administration(mariadb_url.replace("orchestra@", "unable@")))
        finally:
            cursor.execute("DROP USER unable@'127.0.0.1'")


def refuses_to_load(administration: StorageAdministration) -> None:
    with pytest.raises(StorageUnavailable, match=r"does not allow this user|permission denied"), administration.load():
        pytest.fail("what cannot be loaded was begun")
    assert administration.state() is SchemaState.CURRENT


def test_a_password_is_in_no_message(tmp_path: Path) -> None:
    for url in (
        "postgresql://u:geheim@127.0.0.1:1/x",
        "postgresql://u:geheim@nowhere.invalid/x",
        "mysql://u:geheim@127.0.0.1:1/x",
        "mysql://u:geheim@nowhere.invalid/x",
    ):
        with pytest.raises(StorageUnavailable) as caught:
            open_administration(url).create()
        assert "geheim" not in f"{caught.value!r} {caught.value}"
