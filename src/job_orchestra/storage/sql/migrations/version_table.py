"""Which schema a database has: one row in a table of its own."""

from __future__ import annotations

from sqlalchemy import (
    Column,
    Connection,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    insert,
    inspect,
    select,
    update,
)

from job_orchestra.storage.schema_versions import StoredVersion
from job_orchestra.storage.sql.tables import TABLE_OPTIONS
from job_orchestra.storage.sql.versions import LONGEST, TABLE, stored_from_text, stored_to_text

_table = Table(
    TABLE,
    MetaData(),
    Column("version_num", String(LONGEST), nullable=False),
    PrimaryKeyConstraint("version_num", name="alembic_version_pkc"),
    **TABLE_OPTIONS,
)


def create_version_table(connection: Connection) -> None:
    """If it is not there. Without a row it says that the creation of a schema has not come far."""
    _table.create(connection, checkfirst=True)


def read_version(connection: Connection) -> StoredVersion | None:
    """None if there is no schema, or only a part of the first one."""
    if not inspect(connection).has_table(TABLE):
        return None
    text = connection.execute(select(_table.c.version_num)).scalar_one_or_none()
    return None if text is None else stored_from_text(text)


def write_version(connection: Connection, version: StoredVersion) -> None:
    if read_version(connection) is None:
        connection.execute(insert(_table).values(version_num=stored_to_text(version)))
    else:
        connection.execute(update(_table).values(version_num=stored_to_text(version)))
