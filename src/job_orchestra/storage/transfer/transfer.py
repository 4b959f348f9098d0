"""From a database into a file, and from a file into another database, of whatever kinds they are."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import BinaryIO, TypeAlias

from job_orchestra.storage.port import StorageAdministration
from job_orchestra.storage.schema import BY_NAME, COLLECTIONS
from job_orchestra.storage.transfer import lines
from job_orchestra.storage.transfer.files import new_file, opened
from job_orchestra.storage.transfer.lines import Manifest, Tally
from job_orchestra.storage.transfer.reading import ExportReading

_ROWS_BETWEEN_PROGRESS = 1000


class Step(StrEnum):
    """What has been done with the rows so far."""

    EXPORTED = "exported"
    VERIFIED = "verified"
    IMPORTED = "imported"
    """From before the first one on: from here the database is not complete until the end."""


@dataclass(frozen=True, slots=True)
class Progress:
    step: Step
    rows: int
    fraction: float | None = None
    """How much of all that is; None where nobody knows."""


OnProgress: TypeAlias = Callable[[Progress], None]


class Transfer:
    """Synchronous, for a process that does nothing else."""

    def __init__(self, administration: StorageAdministration) -> None:
        self._administration = administration

    def export_file(self, path: Path, on_progress: OnProgress, *, overwrite: bool = False) -> Manifest:
        """The file is there when it is whole. Conflict if there is one already, or if the schema is not current."""
        with new_file(path, overwrite=overwrite) as file:
            return self.export_to(file, on_progress)

    def export_to(self, file: BinaryIO, on_progress: OnProgress) -> Manifest:
        tally = Tally(BY_NAME)
        heading = lines.heading_line()
        tally.add_heading(heading)
        file.write(heading)
        rows = 0
        with self._administration.snapshot() as snapshot:
            for collection in COLLECTIONS:
                for row in snapshot.rows(collection.name):
                    if not lines.is_exported(collection, row):
                        continue
                    line = lines.row_line(collection, row)
                    tally.add_row(collection.name, line)
                    file.write(line)
                    rows += 1
                    if rows % _ROWS_BETWEEN_PROGRESS == 0:
                        on_progress(Progress(Step.EXPORTED, rows))
        manifest = tally.manifest()
        file.write(lines.manifest_line(manifest))
        return manifest

    def import_file(self, path: Path, on_progress: OnProgress, *, dry_run: bool = False) -> Manifest:
        """Into an empty database, which is created where there is none; nothing is written before all is verified.

        Invalid for an export that is not right, Conflict for a database that is not empty. What fails later leaves
        the database incomplete, and can be started over.
        """
        self._administration.check_loadable()
        with opened(path) as file:
            manifest = _verify(file, path, on_progress)
            if not dry_run:
                self._load(file, path, on_progress)
        return manifest

    def _load(self, file: BinaryIO, path: Path, on_progress: OnProgress) -> None:
        """Verifies once more what it reads: the file may have been changed meanwhile."""
        size = _size(file)
        with self._administration.load() as load:
            on_progress(Progress(Step.IMPORTED, 0, 0.0))
            rows = 0
            for lot in ExportReading(file, str(path)).lots():
                load.insert(lot.collection, lot.rows)
                rows += len(lot.rows)
                on_progress(Progress(Step.IMPORTED, rows, lot.end / size))


def _verify(file: BinaryIO, path: Path, on_progress: OnProgress) -> Manifest:
    size = _size(file)
    reading = ExportReading(file, str(path))
    rows = 0
    for lot in reading.lots():
        rows += len(lot.rows)
        on_progress(Progress(Step.VERIFIED, rows, lot.end / size))
    return reading.manifest


def _size(file: BinaryIO) -> int:
    """And back to the beginning."""
    file.seek(0)
    return os.fstat(file.fileno()).st_size
