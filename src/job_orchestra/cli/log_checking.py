"""What `orchestra database check` does, and tells: each finding at once, for there may be any number of them."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import click
import msgspec

from job_orchestra.cli.options import Output
from job_orchestra.cli.terminal_text import one_line
from job_orchestra.composition.records import RecordsComposition
from job_orchestra.domain.errors import Conflict
from job_orchestra.repositories.log_check import Finding

_PAUSE = 0.1


@dataclass(slots=True)
class Tally:
    logs: int = 0
    files: int = 0
    findings: int = 0
    removed: int = 0

    @property
    def left(self) -> int:
        return self.findings - self.removed


async def check(records: RecordsComposition, output: Output, *, is_thorough: bool, is_removing: bool) -> Tally:
    """`is_removing` takes away what no run needs."""
    if is_removing and not await records.log_check.has_runs():
        raise Conflict(
            "There is no run in this database, so that all logs would be removed. "
            "Without --remove-unneeded they are told, and stay."
        )
    tally, progress = Tally(), _Progress()
    teller: _Teller = _ForPrograms() if output is Output.JSON else _ForPeople(records.settings.storage.directory)
    async for looked in records.log_check.look(is_thorough=is_thorough):
        tally.logs += looked.logs
        tally.files += looked.files
        for finding in looked.findings:
            is_removed = is_removing and await records.log_check.remove(finding)
            tally.findings += 1
            tally.removed += is_removed
            progress.clear()
            teller.tell(finding, is_removed)
        progress.show(tally)
    progress.clear()
    teller.end(tally)
    return tally


class _Progress:
    """On standard error, written over again and again; nothing where that is no terminal."""

    def __init__(self) -> None:
        self._is_terminal = sys.stderr.isatty()
        self._is_shown = False
        self._next = 0.0

    def show(self, tally: Tally) -> None:
        now = time.monotonic()
        if self._is_terminal and now >= self._next:
            click.echo(f"\r{tally.logs:,} logs and {tally.files:,} files looked at …\x1b[K", err=True, nl=False)
            self._is_shown, self._next = True, now + _PAUSE

    def clear(self) -> None:
        if self._is_shown:
            click.echo("\r\x1b[K", err=True, nl=False)
            self._is_shown = False


class _Teller(Protocol):
    def tell(self, finding: Finding, is_removed: bool) -> None: ...
    def end(self, tally: Tally) -> None: ...


class _ForPeople:
    """A line for each finding."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def tell(self, finding: Finding, is_removed: bool) -> None:
        flaw, removed = click.style(finding.judgement.flaw, fg="red"), " Removed." if is_removed else ""
        click.echo(f"{flaw}  {one_line(f'{_name(finding)}: {finding.judgement.sentence}{removed}')}")

    def end(self, tally: Tally) -> None:
        looked = f"{tally.logs:,} logs of runs and {tally.files:,} files in {self._directory} were looked at"
        findings = f"{tally.findings:,} {'finding' if tally.findings == 1 else 'findings'}"
        if not tally.findings:
            click.echo(f"{looked}: all is in order.")
        else:
            click.echo(f"{looked}: {findings}" + (f", {tally.removed:,} of them removed." if tally.removed else "."))


class _ForPrograms:
    """One JSON document, written bit by bit."""

    def __init__(self) -> None:
        self._separator = '{"findings":['

    def tell(self, finding: Finding, is_removed: bool) -> None:
        fields = msgspec.json.encode(_fields(finding, is_removed)).decode()
        click.echo(f"{self._separator}\n{fields}", nl=False)
        self._separator = ","

    def end(self, tally: Tally) -> None:
        begin = self._separator if self._separator != "," else "\n"
        click.echo(f'{begin}],"logs":{tally.logs},"files":{tally.files},"removed":{tally.removed}}}')


def _name(finding: Finding) -> str:
    if finding.entry is not None:
        return finding.entry.file
    assert finding.key is not None
    late = ", late report" if finding.key.is_late else ""
    return f"{finding.key.project}/{finding.key.run}, attempt {finding.key.attempt}{late}"


def _fields(finding: Finding, is_removed: bool) -> dict[str, object]:
    key = finding.key
    return {
        "flaw": finding.judgement.flaw.value,
        "sentence": finding.judgement.sentence,
        "project": None if key is None else key.project,
        "run": None if key is None else key.run,
        "attempt": None if key is None else key.attempt,
        "is_late": None if key is None else key.is_late,
        "file": None if finding.entry is None else finding.entry.file,
        "is_removed": is_removed,
    }
