"""What the columns of migrations are; the same types as those of the schema."""

from __future__ import annotations

from sqlalchemy import Column

from job_orchestra.storage.schema import ColumnType
from job_orchestra.storage.sql.tables import column_type


def text(name: str, longest: int | None = None, *, nullable: bool = False) -> Column[str]:
    """In a key or index it needs a length."""
    return Column(name, column_type(ColumnType.TEXT, longest), nullable=nullable)


def integer(name: str, *, nullable: bool = False) -> Column[int]:
    return Column(name, column_type(ColumnType.INTEGER), nullable=nullable, autoincrement=False)


def number(name: str) -> Column[float]:
    return Column(name, column_type(ColumnType.NUMBER), nullable=True)


def flag(name: str) -> Column[bool]:
    return Column(name, column_type(ColumnType.BOOLEAN), nullable=False)


def json(name: str, *, nullable: bool = False) -> Column[str]:
    return Column(name, column_type(ColumnType.JSON), nullable=nullable)
