"""The steps from each schema to the next, one module each in `versions/`, numbered; they never change once released.

A migration is a function `upgrade` over a `SchemaChange`. On MariaDB and MySQL each of its steps is committed by
itself; what an interruption left half done is finished by doing it again.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from job_orchestra.storage.schema_versions import Migrations, StoredVersion, version_of

if TYPE_CHECKING:
    from sqlalchemy import Connection

MIGRATIONS = Migrations(Path(__file__).with_name("versions"))


def migrate(
    connection: Connection,
    name: str,
    tell: Callable[[str], None],
    reached: Callable[[str], StoredVersion] = StoredVersion,
) -> None:
    """One migration, on a schema of the version before it, told step by step; to be committed by the caller.

    What is `reached` with it is then written into the database.
    """
    from job_orchestra.storage.sql.migrations.schema_change import SchemaChange
    from job_orchestra.storage.sql.migrations.version_table import write_version

    module = import_module(f"{__name__}.versions.{name}")
    module.upgrade(SchemaChange(connection, lambda step: tell(f"{name}: {step}")))
    write_version(connection, reached(version_of(name)))
