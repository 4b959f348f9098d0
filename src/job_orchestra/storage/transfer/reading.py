"""Reading an export: each line is verified before its row is handed on, and the manifest at the end."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO, NoReturn, cast

from job_orchestra.domain.checking import shown
from job_orchestra.domain.errors import Invalid
from job_orchestra.storage import schema
from job_orchestra.storage.port import Row, Value
from job_orchestra.storage.schema import BY_NAME
from job_orchestra.storage.transfer import lines
from job_orchestra.storage.transfer.lines import Manifest, Tally
from job_orchestra.storage.transfer.rows import RowCheck

OLDEST_SCHEMA = 4
"""Of exports that the defaults of newer columns complete; goes up with a migration that does more than that."""

_LONGEST_HEADING = 4096
_MOST_ROWS = 1000
_MOST_BYTES = 4 * 2**20

_PLACES = {name: place for place, name in enumerate(BY_NAME)}


@dataclass(frozen=True, slots=True)
class Lot:
    """Some rows that follow each other in one collection."""

    collection: str
    rows: Sequence[Row]
    end: int
    """Where in the file the last one ends."""


class ExportReading:
    """One reading of an export from its beginning. Invalid, with the line, for whatever is not as it has to be."""

    def __init__(self, file: BinaryIO, name: str) -> None:
        self._file = file
        self._name = name
        self._line = 0
        self._end = 0
        self._schema = schema.VERSION
        self._tally = Tally(BY_NAME)
        self._checks: dict[str, RowCheck] = {}
        self._collection = ""
        self._key: tuple[Value, ...] = ()
        self._manifest: Manifest | None = None

    @property
    def manifest(self) -> Manifest:
        """When all was read."""
        assert self._manifest is not None
        return self._manifest

    def lots(self) -> Iterator[Lot]:
        self._read_heading()
        rows: list[Row] = []
        name, began, end = "", self._end, self._end
        while (read := self._read_row()) is not None:
            collection, row = read
            if rows and (collection != name or len(rows) == _MOST_ROWS or end - began > _MOST_BYTES):
                yield Lot(name, rows, end)
                rows, began = [], end
            rows.append(row)
            name, end = collection, self._end
        if rows:
            yield Lot(name, rows, end)

    # ---------- kinds of lines

    def _read_heading(self) -> None:
        line = self._read_line(_LONGEST_HEADING)
        content = self._content(line, lines.HEADING) if line[:1] == b"{" else None
        if content is None or content.get("format") != lines.FORMAT:
            raise Invalid.at(self._name, "is no export of Job Orchestra")
        version, made_with = content.get("version"), content.get("schema")
        if version != lines.FORMAT_VERSION:
            self._refuse(f"the format has version {shown(version)}, this program reads version {lines.FORMAT_VERSION}")
        if not isinstance(made_with, int):
            self._refuse(f"the schema {shown(made_with)} is no number")
        self._check_schema(made_with)
        self._schema = made_with
        is_current = made_with == schema.VERSION
        self._checks = {each.name: RowCheck(each, is_current=is_current) for each in schema.COLLECTIONS}
        self._tally.add_heading(line)

    def _check_schema(self, made_with: int) -> None:
        if made_with > schema.VERSION:
            self._refuse(
                f"it was made with schema {made_with}, this program knows none above {schema.VERSION}: "
                "install the newer program"
            )
        if made_with < OLDEST_SCHEMA:
            self._refuse(
                f"it was made with schema {made_with}, this program takes {OLDEST_SCHEMA} and later: import it with "
                "the program that made it, then bring the database here with `orchestra database upgrade`"
            )

    def _read_row(self) -> tuple[str, Row] | None:
        """None where the manifest is, and is right."""
        line = self._read_line(lines.LONGEST_LINE)
        what, content = self._parse(line)
        if what == lines.MANIFEST:
            self._check_manifest(line, content)
            return None
        check = self._checks.get(what)
        if check is None:
            self._refuse(f"there is no collection {shown(what)}")
        try:
            row = check.check(content)
        except ValueError as error:
            self._refuse(f"{error}{self._advice()}")
        self._check_order(what, row)
        self._tally.add_row(what, line)
        return what, row

    def _check_order(self, collection: str, row: Row) -> None:
        key = tuple(row[name] for name in BY_NAME[collection].key)
        if collection == self._collection:
            # A key's columns take no null, and the values of each are of one type.
            if not cast("tuple[str, ...]", key) > cast("tuple[str, ...]", self._key):
                self._refuse(f"the key {key} does not come behind {self._key}, the one before")
        elif self._collection and _PLACES[collection] < _PLACES[self._collection]:
            self._refuse(f"rows of {collection} do not come behind those of {self._collection}")
        self._collection, self._key = collection, key

    def _check_manifest(self, line: bytes, content: object) -> None:
        found = self._tally.manifest()
        if self._schema != schema.VERSION:
            found = _without_newer_collections(found, content)
        if line != lines.manifest_line(found):
            self._refuse(f"{_difference(found, content)}: the file is not as it was written")
        if self._read(self._file.read, 1):
            self._line += 1
            self._refuse("there is more behind the manifest")
        self._manifest = found

    # ---------- any line

    def _read_line(self, longest: int) -> bytes:
        line = self._read(self._file.readline, longest)
        self._line += 1
        self._end += len(line)
        if not line.endswith(b"\n"):
            if self._line == 1:
                raise Invalid.at(self._name, "is no export of Job Orchestra" if line else "is empty")
            if len(line) == longest:
                self._refuse(f"the line has more than {longest} bytes")
            self._refuse("it ends here, without a manifest: the file was cut short")
        return line

    def _read(self, read: Callable[[int], bytes], most: int) -> bytes:
        try:
            return read(most)
        except OSError as error:  # what is said of a descriptor names no file
            raise OSError(error.errno, error.strerror, self._name) from None

    def _parse(self, line: bytes) -> tuple[str, object]:
        try:
            content: object = _DECODER.decode(line.decode("ascii"))
        except (ValueError, RecursionError) as error:
            self._refuse(f"it is no line of JSON in ASCII: {error}")
        if not isinstance(content, dict) or len(cast("dict[str, object]", content)) != 1:
            self._refuse("a line is an object with one field, the collection or the manifest")
        [(what, row)] = cast("dict[str, object]", content).items()
        return what, row

    def _content(self, line: bytes, wanted: str) -> dict[str, object] | None:
        what, content = self._parse(line)
        return cast("dict[str, object]", content) if what == wanted and isinstance(content, dict) else None

    def _advice(self) -> str:
        if self._schema == schema.VERSION:
            return ""
        return (
            f"; the export was made with schema {self._schema}: import it with the program that made it, then bring "
            "the database here with `orchestra database upgrade`"
        )

    def _refuse(self, message: str) -> NoReturn:
        raise Invalid.at(f"{self._name}, line {self._line}", message)


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"there is no {name} in JSON")


_DECODER = json.JSONDecoder(parse_constant=_refuse_constant)


def _without_newer_collections(found: Manifest, content: object) -> Manifest:
    """An earlier schema had fewer; those that it has not cannot have rows."""
    told = _parts(content)
    parts = {name: part for name, part in found.collections.items() if name in told or part.rows}
    return Manifest(parts, found.sha256)


def _difference(found: Manifest, content: object) -> str:
    told = _parts(content)
    for name, part in found.collections.items():
        expected = told.get(name)
        if expected != {"rows": part.rows, "sha256": part.sha256}:
            return f"{name} has {part.rows} rows with SHA-256 {part.sha256}, the manifest says {json.dumps(expected)}"
    return f"the lines before have SHA-256 {found.sha256}, the manifest says otherwise"


def _parts(content: object) -> dict[str, object]:
    parts = cast("dict[str, object]", content).get("collections") if isinstance(content, dict) else None
    return cast("dict[str, object]", parts) if isinstance(parts, dict) else {}
