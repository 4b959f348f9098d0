"""An export of the same rows is the same, byte for byte, whatever databases they have been in."""

from __future__ import annotations

import asyncio
import hashlib
import io
import json
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from job_orchestra.domain.errors import Conflict
from job_orchestra.domain.json import JsonValue
from job_orchestra.domain.roles import Role
from job_orchestra.domain.statuses import RunStatus
from job_orchestra.storage.port import Batch, Delete, Insert, Row, Value
from job_orchestra.storage.schema import COLLECTIONS, VERSION, Collection, Column, ColumnType
from job_orchestra.storage.transfer.transfer import Progress
from tests.repositories.records import Records
from tests.services import DATABASES
from tests.storage.content import fill, records_at, rows_at


def unheard(_: Progress) -> None:
    pass


def export_of(url: str, directory: Path) -> bytes:
    file = io.BytesIO()
    records_at(url, directory).transfer.export_to(file, unheard)
    return file.getvalue()


def import_into(url: str, directory: Path, export: bytes) -> None:
    file = directory / "to-import.jsonl"
    file.write_bytes(export)
    records_at(url, directory).transfer.import_file(file, unheard)


def fill_at(url: str, directory: Path) -> None:
    async def main() -> None:
        async with records_at(url, directory) as composition:
            await fill(Records(composition.storage))

    asyncio.run(main())


def test_around_all_databases_and_back(request: pytest.FixtureRequest, tmp_path: Path) -> None:
    first: str = request.getfixturevalue("sqlite_url")
    fill_at(first, tmp_path)
    export = export_of(first, tmp_path)
    rows = rows_at(records_at(first, tmp_path).administration)
    assert all(rows.values())
    assert {str(row["status"]) for row in rows["runs"]} == set(RunStatus)
    taken = export
    for kind in (*DATABASES, "mongodb_node", "sqlite"):
        url = request.getfixturevalue(f"new_{kind}_url")()
        import_into(url, tmp_path, taken)
        taken = export_of(url, tmp_path)
        assert taken == export, kind
        assert rows_at(records_at(url, tmp_path).administration) == rows


def test_sessions_and_control_tokens_stay_behind(database_url: str, tmp_path: Path) -> None:
    async def main() -> None:
        async with records_at(database_url, tmp_path) as composition:
            records = Records(composition.storage)
            await records.accounts.create_user("ada", (Role.ADMINISTRATOR,), password="correct horse")
            await records.accounts.create_token("ada")
            before = export_of(database_url, tmp_path)
            await records.accounts.login("ada", "correct horse")
            await records.accounts.create_control_token()
            assert export_of(database_url, tmp_path) == before

    asyncio.run(main())
    assert len(rows_at(records_at(database_url, tmp_path).administration)["tokens"]) == 3


def test_an_export_is_as_its_page_says(sqlite_url: str, tmp_path: Path) -> None:
    fill_at(sqlite_url, tmp_path)
    export = export_of(sqlite_url, tmp_path)
    *lines, last = export.splitlines(keepends=True)
    assert export.isascii()
    assert json.loads(lines[0])["export"] == {"format": "job-orchestra", "schema": VERSION, "version": 1}
    manifest = json.loads(last)["manifest"]
    assert manifest["sha256"] == hashlib.sha256(b"".join(lines)).hexdigest()
    for collection in COLLECTIONS:
        own = [line for line in lines if line.startswith(f'{{"{collection.name}":'.encode())]
        told = {"rows": len(own), "sha256": hashlib.sha256(b"".join(own)).hexdigest()}
        assert manifest["collections"][collection.name] == told


def test_a_file_is_for_its_owner_alone_and_whole(sqlite_url: str, tmp_path: Path) -> None:
    transfer = records_at(sqlite_url, tmp_path).transfer
    fill_at(sqlite_url, tmp_path)
    folder = tmp_path / "exports"
    folder.mkdir()
    file = folder / "all.jsonl"
    modes: list[int] = []
    manifest = transfer.export_file(file, unheard)
    assert file.read_bytes() == export_of(sqlite_url, tmp_path)
    assert manifest.rows == len(file.read_bytes().splitlines()) - 2
    modes.append(stat.S_IMODE(file.stat().st_mode))
    with pytest.raises(Conflict, match="there already"):
        transfer.export_file(file, unheard)
    (folder / "link").symlink_to(file)
    transfer.export_file(folder / "link", unheard, overwrite=True)
    assert (folder / "link").is_symlink()
    with pytest.raises(Conflict, match="no regular file"):
        transfer.export_file(folder, unheard, overwrite=True)
    modes.append(stat.S_IMODE(file.stat().st_mode))
    assert modes == [0o600, 0o600]
    assert sorted(each.name for each in folder.iterdir()) == ["all.jsonl", "link"]


def test_an_export_that_fails_leaves_nothing(new_url: Callable[[], str], tmp_path: Path) -> None:
    folder = tmp_path / "exports"
    folder.mkdir()
    with pytest.raises(Conflict, match="create"):
        records_at(new_url(), tmp_path).transfer.export_file(folder / "x", unheard)
    assert list(folder.iterdir()) == []


_text = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20)
_any_text = st.text(st.characters(), max_size=10)
_floats = st.floats(allow_nan=False, allow_infinity=False)
_json: SearchStrategy[JsonValue] = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**60), 10**60) | _floats | _any_text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_any_text, inner, max_size=3),
    max_leaves=10,
)
_integers = st.integers(-(2**63), 2**63 - 1) | st.sampled_from((-(2**63), 2**63 - 1, 2**53 + 1, 0))
_VALUES: dict[ColumnType, SearchStrategy[Any]] = {
    ColumnType.TEXT: _text,
    ColumnType.INTEGER: _integers,
    ColumnType.NUMBER: _floats,
    ColumnType.BOOLEAN: st.booleans(),
    ColumnType.JSON: _json,
}


def _value(column: Column) -> SearchStrategy[Value]:
    values = st.just("personal") if column.name == "kind" else _VALUES[column.type]
    return st.none() | values if column.is_nullable else values


def _rows(collection: Collection) -> SearchStrategy[list[Row]]:
    row = st.fixed_dictionaries({column.name: _value(column) for column in collection.columns})
    uniques = [collection.key, *(index.columns for index in collection.indexes if index.is_unique)]

    def by(names: tuple[str, ...]) -> Callable[[Row], tuple[Value, ...]]:
        return lambda row: tuple(row[name] for name in names)

    return st.lists(row, max_size=6, unique_by=tuple(map(by, uniques)))


_contents = st.fixed_dictionaries({collection.name: _rows(collection) for collection in COLLECTIONS})


@pytest.mark.parametrize("kind", DATABASES)
def test_any_rows_survive(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    """From a database of this kind into another one of it, and into one of SQLite."""
    origin: str = request.getfixturevalue(f"{kind}_url")
    targets = {each: records_at(_created(request, each), tmp_path) for each in {kind, "sqlite"}}

    @settings(
        deadline=None,
        max_examples=8,
        print_blob=True,
        suppress_health_check=(HealthCheck.too_slow, HealthCheck.data_too_large),
    )
    @given(_contents)
    def survive(contents: dict[str, list[Row]]) -> None:
        asyncio.run(_replace_rows(origin, tmp_path, contents))
        rows = rows_at(records_at(origin, tmp_path).administration)
        for collection in COLLECTIONS:
            assert_same(collection, rows[collection.name], contents[collection.name])
        export = export_of(origin, tmp_path)
        for target in targets.values():
            url = target.settings.database.url
            asyncio.run(_replace_rows(url, tmp_path, {}))
            import_into(url, tmp_path, export)
            assert export_of(url, tmp_path) == export
            assert rows_at(target.administration) == rows

    survive()


def assert_same(collection: Collection, found: list[Row], written: list[Row]) -> None:
    """To the type and the sign of zero, which == does not look at."""
    numbers = {column.name for column in collection.columns if column.type is ColumnType.NUMBER}

    def spelled(row: Row) -> str:
        # A number of its own may lose the sign of zero: not every database keeps it.
        unsigned = {name: 0.0 for name in numbers if row[name] == 0}
        return json.dumps({**row, **unsigned}, sort_keys=True)

    assert sorted(map(spelled, found)) == sorted(map(spelled, json.loads(json.dumps(written))))


def _created(request: pytest.FixtureRequest, kind: str) -> str:
    url: str = request.getfixturevalue(f"new_{kind}_url")()
    return url


async def _replace_rows(url: str, directory: Path, contents: dict[str, list[Row]]) -> None:
    records = records_at(url, directory)
    async with records:
        if contents or records.administration.versions()[0] is not None:
            deletes = [Delete(collection.name, ()) for collection in COLLECTIONS]
            inserts = [Insert(name, row) for name, rows in contents.items() for row in rows]
            assert (await records.storage.write(Batch((*deletes, *inserts)))).is_applied
