"""The world of one attempt on the worker's disk: `<worker directory>/runs/<run>.<attempt>/`.

request.json   what to carry out; written by the worker before it accepts, durably
journal        its existence is the claim: who creates it carries the run out, and nobody ever again
log            what the commands write, beside the lines of the executor host
results.json   where commands put results
abort          a wish to end the run: by whom
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from job_orchestra.domain.identifiers import NAME
from job_orchestra.execution.durability import make_durable
from job_orchestra.execution.journal import write_all
from job_orchestra.execution.removal import remove_tree
from job_orchestra.execution.request import Request, decode_request, encode_request
from job_orchestra.execution.room import SHORTAGES
from job_orchestra.execution.run_files import make_way, open_run_file, read_run_file
from job_orchestra.fail_points import FailPoint, reach
from job_orchestra.protocol.run_key import RunKey

RUNS = "runs"
_HIDDEN = "."


@dataclass(frozen=True)
class RunDirectory:
    path: Path

    @classmethod
    def of(cls, runs: Path, key: RunKey) -> RunDirectory:
        return cls(runs / run_name(key))

    @cached_property
    def name(self) -> str:
        return self.path.name

    @cached_property
    def key(self) -> RunKey:
        key = parse_run_name(self.name)
        assert key is not None
        return key

    @cached_property
    def request(self) -> Path:
        return self.path / "request.json"

    @cached_property
    def journal(self) -> Path:
        return self.path / "journal"

    @cached_property
    def log(self) -> Path:
        return self.path / "log"

    @cached_property
    def results(self) -> Path:
        return self.path / "results.json"

    @cached_property
    def abort(self) -> Path:
        return self.path / "abort"

    def read_request(self) -> Request:
        """Invalid or OSError if there is none that can be carried out."""
        return decode_request(read_run_file(self.request))


def run_name(key: RunKey) -> str:
    return f"{key.run}.{key.attempt}"


def parse_run_name(name: str) -> RunKey | None:
    """None if no run directory is named like that."""
    run, _, attempt = name.rpartition(".")
    if not NAME.fullmatch(run) or not attempt.isascii() or not attempt.isdigit() or attempt.startswith("0"):
        return None
    return RunKey(run, int(attempt))


def list_run_directories(runs: Path) -> list[RunDirectory]:
    """In the order of their names, which is that of the runs' creation."""
    names = sorted(entry.name for entry in runs.iterdir() if parse_run_name(entry.name) is not None)
    return [RunDirectory(runs / name) for name in names]


def write_requests(runs: Path, requests: Iterable[Request]) -> dict[RunKey, Exception | None]:
    """Makes the run directories, each whole or not at all, durable when it returns; which ones failed, and why.

    Several at once share the synchronisation of the directory that they are in.
    """
    outcome: dict[RunKey, Exception | None] = {}
    made: list[RunDirectory] = []
    for request in requests:
        directory = RunDirectory.of(runs, request.key)
        try:
            _write_request(directory, request)
            made.append(directory)
            outcome[request.key] = None
        except Exception as error:  # a request that is no JSON, too: it concerns none of the others
            outcome[request.key] = error
    try:
        make_durable(runs)
    except OSError as error:
        for directory in made:
            shutil.rmtree(directory.path, ignore_errors=True)
            outcome[directory.key] = error
    return outcome


def delete_run_directory(directory: RunDirectory) -> None:
    """Gone at once for who lists the runs; what a crash leaves of it is removed by `remove_remains`."""
    hidden = directory.path.with_name(f"{_HIDDEN}{directory.name}")
    directory.path.rename(hidden)
    reach(FailPoint.WORKER_DIRECTORY_HIDDEN)
    remove_tree(hidden)


def remove_remains(runs: Path) -> None:
    """What a crash left half written or half deleted."""
    for entry in runs.iterdir():
        if entry.name.startswith(_HIDDEN):
            with suppress(OSError):
                remove_tree(entry)


@dataclass(frozen=True, slots=True)
class AbortWish:
    by: str
    is_shutdown: bool = False
    """Whether the worker itself wishes so, because it is to stop."""


_UNREADABLE = AbortWish("somebody whose name in the run's directory cannot be read")
_LONGEST_WISH = 64 << 10


def wish_abort(directory: RunDirectory, by: str, is_shutdown: bool = False) -> None:
    """Keeps the wish with the run; a later wish changes nothing. What is no wish does not keep it from being one."""
    if _can_be_read(read_abort(directory)):
        return
    draft = directory.path / f"{_HIDDEN}abort"
    for path in (draft, directory.abort):
        make_way(path)
    descriptor = open_run_file(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    try:
        write_all(descriptor, json.dumps({"by": by, "shutdown": is_shutdown}).encode())
    finally:
        os.close(descriptor)
    draft.rename(directory.abort)


def is_abort_wished(directory: RunDirectory) -> bool:
    """Whether a wish is kept with the run that can be read now."""
    try:
        return _can_be_read(read_abort(directory))
    except OSError:
        return False


def read_abort(directory: RunDirectory) -> AbortWish | None:
    """The wish to end the run, if anyone had it; whatever has its name counts as one.

    OSError for want of descriptors or memory.
    """
    try:
        data = json.loads(read_run_file(directory.abort, _LONGEST_WISH))
        return AbortWish(str(data["by"]), bool(data.get("shutdown")))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, RecursionError, TypeError, KeyError, AttributeError) as error:
        if isinstance(error, OSError) and error.errno in SHORTAGES:
            raise
        return _UNREADABLE


def _can_be_read(wish: AbortWish | None) -> bool:
    return wish is not None and wish is not _UNREADABLE


def _write_request(directory: RunDirectory, request: Request) -> None:
    draft = directory.path.with_name(f"{_HIDDEN}new.{directory.name}")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(mode=0o700)
    try:
        with (draft / "request.json").open("xb", buffering=0) as file:
            write_all(file.fileno(), encode_request(request))
            os.fdatasync(file.fileno())
        make_durable(draft)
        reach(FailPoint.WORKER_REQUEST_DRAFTED)
        draft.rename(directory.path)
    except Exception:
        shutil.rmtree(draft, ignore_errors=True)
        raise
