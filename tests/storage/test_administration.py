"""Creating and upgrading the schema; what migrations make is what the program expects."""

from __future__ import annotations

import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa

from job_orchestra.composition.databases import open_administration
from job_orchestra.domain.errors import Conflict
from job_orchestra.storage.port import SchemaState, StorageUnavailable
from job_orchestra.storage.schema import COLLECTIONS
from job_orchestra.storage.sql.databases import database_at
from job_orchestra.storage.sql.migrations import migrate
from job_orchestra.storage.sql.tables import index_name, metadata_of
from job_orchestra.storage.sql.urls import parse_database_url


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
    _execute(url, "UPDATE alembic_version SET version_num = '9999'")
    assert administration.state() is SchemaState.NEWER
    with pytest.raises(Conflict, match="9999"):
        administration.upgrade()


def test_a_database_of_something_else_is_left_alone(new_sql_url: Callable[[], str]) -> None:
    url = new_sql_url()
    database_at(parse_database_url(url)).create()
    _execute(url, "CREATE TABLE something (x INTEGER)")
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
    engine = _engine(fresh)
    with engine.begin() as connection:
        metadata_of().create_all(connection)
    assert _described(migrated) == _described(fresh)
    assert set(_described(fresh)) == {collection.name for collection in COLLECTIONS}


def test_users_of_the_first_version_are_kept(new_sql_url: Callable[[], str]) -> None:
    url, fresh = new_sql_url(), new_sql_url()
    open_administration(fresh).create()
    _create_version(url, "0001")
    _execute(url, "INSERT INTO users VALUES ('ada', 'Ada', '[\"administrator\"]', NULL, true, 5)")
    assert open_administration(url).state() is SchemaState.OLDER
    assert "0002_revision_of_users" in open_administration(url).upgrade()
    assert _described(url) == _described(fresh)
    with _engine(url).connect() as connection:
        row = connection.execute(sa.text("SELECT identifier, display_name, is_enabled, revision FROM users")).one()
    assert tuple(row) == ("ada", "Ada", True, 0)


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


def test_a_password_is_in_no_message(tmp_path: Path) -> None:
    for url in ("postgresql://u:geheim@127.0.0.1:1/x", "postgresql://u:geheim@nowhere.invalid/x"):
        with pytest.raises(StorageUnavailable) as caught:
            open_administration(url).create()
        assert "geheim" not in f"{caught.value!r} {caught.value}"


def _engine(url: str) -> sa.Engine:
    database = database_at(parse_database_url(url))
    return sa.create_engine(
        database.sqlalchemy_url(), poolclass=sa.NullPool, creator=lambda: database.connect_driver(is_writer=True)
    )


def _create_version(url: str, version: str) -> None:
    """An earlier schema, as the program of its time made it."""
    database = database_at(parse_database_url(url))
    if not database.exists():
        database.create()
    with _engine(url).begin() as connection:
        migrate(connection, version)


def _execute(url: str, statement: str) -> None:
    with _engine(url).begin() as connection:
        connection.execute(sa.text(statement))


def _described(url: str) -> dict[str, object]:
    """All that inspection tells of each table."""
    described: dict[str, object] = {}
    with _engine(url).connect() as connection:
        inspector = sa.inspect(connection)
        for table in sorted(inspector.get_table_names()):
            if table != "alembic_version":
                columns = [{**column, "type": repr(column["type"])} for column in inspector.get_columns(table)]
                indexes = sorted(inspector.get_indexes(table), key=lambda index: str(index["name"]))
                key = inspector.get_pk_constraint(table)["constrained_columns"]
                described[table] = (columns, indexes, key, inspector.get_unique_constraints(table))
    return described
