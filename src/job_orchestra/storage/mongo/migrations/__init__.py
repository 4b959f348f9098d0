"""The steps from each schema to the next, one module each in `versions/`; they never change once released.

Their numbers are those of `storage/schema.py: VERSION`, of which 4 was the first that MongoDB had. A step can be
interrupted anywhere and is then carried out once more: whatever it makes may be there already.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

from pymongo.database import Database

from job_orchestra.storage.mongo.migrations.schema_change import SchemaChange
from job_orchestra.storage.mongo.versions import advance_version
from job_orchestra.storage.schema_versions import Migrations, version_of

MIGRATIONS = Migrations(Path(__file__).with_name("versions"))


def migrate(database: Database[dict[str, Any]], name: str, tell: Callable[[str], None]) -> None:
    """One migration, on a schema of the version before it, told step by step."""
    module = import_module(f"{__name__}.versions.{name}")
    module.upgrade(SchemaChange(database, lambda step: tell(f"{name}: {step}")))
    advance_version(database, version_of(name))
