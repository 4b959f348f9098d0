"""The lines of an export, as docs/reference/export-format.md describes them: the same for the same rows, everywhere."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from job_orchestra.domain.users import TokenKind
from job_orchestra.storage import schema
from job_orchestra.storage.port import Row, Value
from job_orchestra.storage.schema import Collection, ColumnType

FORMAT = "job-orchestra"
FORMAT_VERSION = 1
HEADING = "export"
MANIFEST = "manifest"

LONGEST_LINE = 256 * 2**20
"""Bytes. Rows have at most a few megabytes; what is no export shall not fill the memory."""

_encode = json.JSONEncoder(sort_keys=True, allow_nan=False, separators=(",", ":")).encode

_NUMBERS = {
    collection.name: tuple(column.name for column in collection.columns if column.type is ColumnType.NUMBER)
    for collection in schema.COLLECTIONS
}
_SHORT_LIVED = frozenset({TokenKind.SESSION.value, TokenKind.CONTROL.value})


@dataclass(frozen=True, slots=True)
class Part:
    """What the manifest says of a collection."""

    rows: int
    sha256: str
    """Of its lines."""


@dataclass(frozen=True, slots=True)
class Manifest:
    collections: Mapping[str, Part]
    sha256: str
    """Of all lines before the manifest."""

    @property
    def rows(self) -> int:
        return sum(part.rows for part in self.collections.values())


class Tally:
    """Counts and hashes the lines of an export as they go by."""

    def __init__(self, collections: Iterable[str]) -> None:
        self._all = hashlib.sha256()
        self._hashes = {name: hashlib.sha256() for name in collections}
        self._rows = dict.fromkeys(self._hashes, 0)

    def add_heading(self, line: bytes) -> None:
        self._all.update(line)

    def add_row(self, collection: str, line: bytes) -> None:
        self._all.update(line)
        self._hashes[collection].update(line)
        self._rows[collection] += 1

    def manifest(self) -> Manifest:
        parts = {name: Part(self._rows[name], digest.hexdigest()) for name, digest in self._hashes.items()}
        return Manifest(parts, self._all.hexdigest())


def heading_line() -> bytes:
    return _line(HEADING, {"format": FORMAT, "version": FORMAT_VERSION, "schema": schema.VERSION})


def row_line(collection: Collection, row: Row) -> bytes:
    if numbers := _NUMBERS[collection.name]:
        row = {**row, **{name: _number(row[name]) for name in numbers}}
    return _line(collection.name, row)


def manifest_line(manifest: Manifest) -> bytes:
    parts: dict[str, Value] = {
        name: {"rows": part.rows, "sha256": part.sha256} for name, part in manifest.collections.items()
    }
    return _line(MANIFEST, {"collections": parts, "sha256": manifest.sha256})


def is_exported(collection: Collection, row: Row) -> bool:
    """Not what lives for a minute or a week only: an old export shall not bring a login back that was ended since."""
    return collection is not schema.TOKENS or row["kind"] not in _SHORT_LIVED


def _line(what: str, content: Mapping[str, object]) -> bytes:
    return f"{_encode({what: content})}\n".encode("ascii")


def _number(value: Value) -> float | None:
    """Not all databases tell zero from minus zero; added to zero, both are zero."""
    return None if value is None else float(value) + 0.0  # type: ignore[arg-type]
