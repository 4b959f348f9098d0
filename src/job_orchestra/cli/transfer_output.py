"""What exports and imports of the database tell: how far they are, and what came of them."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Self

import click

from job_orchestra.cli.options import Output
from job_orchestra.cli.output import print_json
from job_orchestra.storage.transfer.lines import Manifest
from job_orchestra.storage.transfer.transfer import Progress, Step

_PAUSE = 0.1


class ProgressLine:
    """On standard error, written over again and again; nothing where that is no terminal."""

    def __init__(self) -> None:
        self._is_shown = sys.stderr.isatty()
        self._next = 0.0
        self.step: Step | None = None
        """Of the last progress."""

    def show(self, progress: Progress) -> None:
        now = time.monotonic()
        if self._is_shown and (now >= self._next or progress.step is not self.step):
            share = "" if progress.fraction is None else f", {progress.fraction:.0%}"
            click.echo(f"\r{progress.rows:,} rows {progress.step}{share}\x1b[K", nl=False, err=True)
            self._next = now + _PAUSE
        self.step = progress.step

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._is_shown and self.step is not None:
            click.echo("\r\x1b[K", nl=False, err=True)


def tell_exported(output: Output, file: Path | None, manifest: Manifest, logs: Path) -> None:
    """`file` is None for standard output, which has nothing but the export."""
    if output is Output.JSON:
        print_json(_data(file, manifest, logs))
        return
    is_stream = file is None
    click.echo(f"{'Exported' if is_stream else f'{file}:'} {_summary(manifest)}.", err=is_stream)
    click.echo(f"Logs of runs are files and not in it: copy {logs}, too.", err=is_stream)


def tell_imported(output: Output, file: Path, manifest: Manifest, logs: Path, *, dry_run: bool) -> None:
    if output is Output.JSON:
        print_json({**_data(file, manifest, logs), "is_imported": not dry_run})
        return
    click.echo(f"{'This would be imported' if dry_run else 'Imported'}: {_summary(manifest)}.")
    click.echo(f"Logs of runs are files and not in it: their place is {logs}.")


def tell_left_incomplete(step: Step | None) -> None:
    """If an import that did not come to its end has begun to write."""
    if step is Step.IMPORTED:
        click.echo(
            "The database is not complete now: no application works on it. The same import starts over.", err=True
        )


def _summary(manifest: Manifest) -> str:
    counts = ", ".join(f"{name} {part.rows:,}" for name, part in manifest.collections.items() if part.rows)
    return f"{manifest.rows:,} rows ({counts})" if counts else "no rows"


def _data(file: Path | None, manifest: Manifest, logs: Path) -> dict[str, object]:
    collections = {name: {"rows": part.rows, "sha256": part.sha256} for name, part in manifest.collections.items()}
    return {
        "file": None if file is None else str(file),
        "rows": manifest.rows,
        "collections": collections,
        "sha256": manifest.sha256,
        "logs": str(logs),
    }
