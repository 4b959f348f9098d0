"""Whatever is wrong with an export is told with its line, before anything is written."""

from __future__ import annotations

import json
import os
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from job_orchestra.domain.errors import Conflict, Invalid
from job_orchestra.storage import schema
from job_orchestra.storage.port import SchemaState
from job_orchestra.storage.schema import COLLECTIONS, VERSION
from job_orchestra.storage.sql.migrations import MIGRATIONS
from job_orchestra.storage.transfer import reading
from job_orchestra.storage.transfer.lines import Tally, manifest_line
from tests.storage.content import records_at, rows_at
from tests.storage.test_transfer import export_of, fill_at, unheard


class Target:
    """A database that does not exist yet, and stays that way while imports into it are refused."""

    def __init__(self, directory: Path) -> None:
        self._file = directory / "export.jsonl"
        self.records = records_at(f"sqlite:///{directory}/target.db", directory)

    def take(self, export: bytes, *, dry_run: bool = False) -> None:
        self._file.write_bytes(export)
        self.records.transfer.import_file(self._file, unheard, dry_run=dry_run)

    def refuse(self, export: bytes, message: str, longest: int = 10_000) -> None:
        with pytest.raises(Invalid) as caught:
            self.take(export)
        assert len(str(caught.value)) <= longest
        assert message in str(caught.value)
        assert str(self._file) in str(caught.value)
        assert self.records.administration.state() is SchemaState.MISSING


@pytest.fixture
def target(tmp_path: Path) -> Target:
    return Target(tmp_path)


@pytest.fixture
def export(sqlite_url: str, tmp_path: Path) -> bytes:
    fill_at(sqlite_url, tmp_path)
    return export_of(sqlite_url, tmp_path)


def changed(
    export: bytes, change: Callable[[list[dict[str, Any]]], list[dict[str, Any]] | None], *, schema: int = VERSION
) -> bytes:
    """What `change` makes of the objects of all lines but the manifest, with a manifest that fits."""
    objects = [json.loads(line) for line in export.splitlines()[:-1]]
    objects = change(objects) or objects
    objects[0]["export"]["schema"] = schema
    lines = [(json.dumps(one, sort_keys=True, separators=(",", ":")) + "\n").encode() for one in objects]
    tally = Tally(collection.name for collection in COLLECTIONS)
    tally.add_heading(lines[0])
    for one, line in zip(objects[1:], lines[1:], strict=True):
        tally.add_row(next(iter(one)), line)
    return b"".join([*lines, manifest_line(tally.manifest())])


def first(objects: list[dict[str, Any]], collection: str) -> dict[str, Any]:
    row: dict[str, Any] = next(one[collection] for one in objects if collection in one)
    return row


def test_a_right_one_is_taken_and_a_dry_run_writes_nothing(export: bytes, target: Target) -> None:
    assert changed(export, lambda objects: None) == export
    target.take(export, dry_run=True)
    assert target.records.administration.state() is SchemaState.MISSING
    target.take(export)
    assert target.records.administration.state() is SchemaState.CURRENT
    with pytest.raises(Conflict, match="there are rows in projects"):
        target.take(export, dry_run=True)


@pytest.mark.parametrize(
    "content",
    [b"\n", b"\x00" * 10_000, b"{}\n", b'{"export":3}\n', b'{"export":{"format":"x"}}\n', b"SQLite format 3\0"],
)
def test_what_is_no_export(content: bytes, target: Target) -> None:
    with pytest.raises(Invalid):
        target.take(content)
    assert target.records.administration.state() is SchemaState.MISSING


def test_files_that_are_none(target: Target, tmp_path: Path) -> None:
    target.refuse(b"", "is empty")
    os.mkfifo(tmp_path / "pipe")
    for path, error in (
        (tmp_path / "pipe", Invalid),
        (tmp_path, IsADirectoryError),
        (tmp_path / "x", FileNotFoundError),
    ):
        with pytest.raises(error):
            target.records.transfer.import_file(path, unheard)


def test_wherever_it_is_cut_short(export: bytes, target: Target) -> None:
    lines = export.splitlines(keepends=True)
    target.refuse(b"".join(lines[:-1]), f"line {len(lines)}: it ends here, without a manifest")
    target.refuse(export[:-1], f"line {len(lines)}: it ends here")
    target.refuse(b"".join(lines[:5]) + lines[5][:20], "line 6: it ends here")
    target.refuse(export + b"\n", f"line {len(lines) + 1}: there is more behind the manifest")


def test_any_changed_byte_is_found(export: bytes, target: Target) -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    chance = random.Random(seed)
    places = [*chance.sample(range(len(export)), 40), *chance.sample(range(len(export) - 1500, len(export)), 10)]
    for place in places:
        other = chance.choice([byte for byte in b'0a"} \n\xff\x00' if byte != export[place]])
        with pytest.raises(Invalid):
            target.take(export[:place] + bytes([other]) + export[place + 1 :])
    assert target.records.administration.state() is SchemaState.MISSING


def test_lines_that_are_missing_or_moved(export: bytes, target: Target) -> None:
    lines = export.splitlines(keepends=True)
    target.refuse(b"".join([*lines[:3], *lines[4:]]), "the manifest says")
    target.refuse(b"".join([lines[0], lines[2], lines[1], *lines[3:]]), "line 3: the key ('example',) does not come")
    target.refuse(b"".join([lines[0], lines[-2], *lines[1:]]), "line 3: rows of projects do not come behind")
    target.refuse(b"".join([lines[0], lines[1], *lines[1:]]), "line 3: the key")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"created_at": "1"}, "column created_at takes an integer of 64 bits"),
        ({"created_at": 2**63}, "column created_at takes an integer of 64 bits"),
        ({"created_at": True}, "column created_at takes an integer of 64 bits"),
        ({"is_enabled": 1}, "column is_enabled takes true or false"),
        ({"display_name": "a\0b"}, "column display_name takes no text with the character NUL"),
        ({"display_name": "\ud800"}, "column display_name takes no text with half of a surrogate pair"),
        ({"display_name": 5}, "column display_name takes text"),
        ({"display_name": None}, "column display_name takes no null"),
        ({"identifier": "a" * 65}, "column identifier takes at most 64 characters, not 65"),
        ({"shoe_size": 5}, "users has no column 'shoe_size'"),
    ],
)
def test_rows_that_do_not_fit(change: dict[str, Any], message: str, export: bytes, target: Target) -> None:
    place = next(n for n, line in enumerate(export.splitlines(), 1) if line.startswith(b'{"users"'))
    wrong = changed(export, lambda objects: first(objects, "users").update(change))
    target.refuse(wrong, f"line {place}: {message}")


def test_a_file_that_cannot_be_read_is_named(target: Target) -> None:
    unreadable = Path("/proc/self/mem")  # a regular file, of which the first byte is an error of input
    with pytest.raises(OSError, match=str(unreadable)):
        target.records.transfer.import_file(unreadable, unheard)


def test_columns_that_are_missing_and_collections_that_nobody_knows(export: bytes, target: Target) -> None:
    target.refuse(
        changed(export, lambda objects: first(objects, "users").pop("revision") and None), "column revision is missing"
    )
    lines = export.splitlines(keepends=True)
    target.refuse(b"".join([*lines[:2], b'{"shoes":{}}\n']), "line 3: there is no collection 'shoes'")
    long = b'{"' + b"x" * 100_000 + b'":{}}\n'
    target.refuse(b"".join([*lines[:2], long]), "line 3: there is no collection 'xxxx", longest=1000)
    target.refuse(b"".join([*lines[:2], b'{"users":{},"runs":{}}\n']), "line 3: a line is an object with one field")
    target.refuse(b"".join([*lines[:2], b'{"users":[]}\n']), "line 3: a row is an object")
    target.refuse(b"".join([*lines[:2], b'{"users":{"created_at":NaN}}\n']), "line 3: it is no line of JSON in ASCII")
    target.refuse(b"".join([*lines[:2], b"[" * 100_000 + b"\n"]), "line 3: it is no line of JSON in ASCII")


def test_newer_ones(export: bytes, target: Target) -> None:
    target.refuse(export.replace(b'"version":1}', b'"version":2}', 1), "line 1: the format has version 2")
    target.refuse(
        changed(export, lambda objects: None, schema=VERSION + 1),
        f"line 1: it was made with schema {VERSION + 1}, this program knows none above {VERSION}",
    )


def test_the_schema_has_the_version_of_its_migrations() -> None:
    assert int(MIGRATIONS.newest) == VERSION


class TestEarlierSchemas:
    """As if this program had been given columns and collections since an export was made."""

    @pytest.fixture(autouse=True)
    def later(self, monkeypatch: pytest.MonkeyPatch, export: bytes) -> None:
        monkeypatch.setattr(schema, "VERSION", VERSION + 1)

    def test_defaults_fill_what_is_new(self, export: bytes, target: Target) -> None:
        def as_it_was(objects: list[dict[str, Any]]) -> list[dict[str, Any]]:
            for one in objects:
                one.get("users", {}).pop("revision", None)
                one.get("runs", {}).pop("reason", None)
            return [one for one in objects if "late_events" not in one]

        target.take(_without_collection(changed(export, as_it_was), "late_events"))
        rows = rows_at(target.records.administration)
        assert all(row["revision"] == 0 for row in rows["users"])
        assert all(row["reason"] is None for row in rows["runs"])
        assert not rows["late_events"]

    def test_what_has_no_default_is_refused_with_what_helps(self, export: bytes, target: Target) -> None:
        wrong = changed(export, lambda objects: first(objects, "users").pop("created_at") and None)
        target.refuse(wrong, f"column created_at is missing; the export was made with schema {VERSION}: import it")

    def test_too_old(self, export: bytes, target: Target, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(reading, "OLDEST_SCHEMA", VERSION + 1)
        target.refuse(export, f"it was made with schema {VERSION}, this program takes {VERSION + 1} and later")


def _without_collection(export: bytes, name: str) -> bytes:
    """As a manifest is that was made before there was this collection."""
    *lines, last = export.splitlines(keepends=True)
    manifest = json.loads(last)
    del manifest["manifest"]["collections"][name]
    return b"".join([*lines, (json.dumps(manifest, sort_keys=True, separators=(",", ":")) + "\n").encode()])
