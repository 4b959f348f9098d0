"""For Python programs that are executed by a run. Imports nothing but the standard library.

from job_orchestra.client.inside import save_results
save_results({"tests": {"passed": 12, "failed": 0}})
"""

from __future__ import annotations

import fcntl
import json
import os
import tempfile
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import cast


class OutsideRun(RuntimeError):
    """The program is not executed by a run: the environment lacks a variable that every run has."""


@dataclass(frozen=True, slots=True)
class ThisRun:
    project: str
    job: str
    run: str
    attempt: int
    service_url: str
    """Of the HTTP API."""


def this_run() -> ThisRun:
    """What the environment says; OutsideRun where it says nothing."""
    return ThisRun(
        project=_variable("ORCHESTRA_PROJECT"),
        job=_variable("ORCHESTRA_JOB"),
        run=_variable("ORCHESTRA_RUN"),
        attempt=int(_variable("ORCHESTRA_ATTEMPT")),
        service_url=_variable("ORCHESTRA_SERVICE_URL"),
    )


def results() -> dict[str, object]:
    """What the run's commands have saved so far."""
    return _read(Path(_variable("ORCHESTRA_RESULT_FILE")))


def save_results(new: Mapping[str, object]) -> None:
    """Adds to the run's results; a key that is there already gets the new value.

    The file is replaced whole, so that nobody reads half of it; programs of one run may save at the same time.
    """
    json.dumps(new, allow_nan=False)  # Before anything is touched: ValueError or TypeError says what is no JSON.
    file = Path(_variable("ORCHESTRA_RESULT_FILE"))
    with _lock(file.parent):
        _replace(file, json.dumps({**_read(file), **new}, allow_nan=False))


def _variable(name: str) -> str:
    try:
        return os.environ[name]
    except KeyError:
        raise OutsideRun(f"There is no {name} in the environment: this program is not executed by a run.") from None


def _read(file: Path) -> dict[str, object]:
    try:
        content = file.read_bytes()
    except FileNotFoundError:
        return {}
    if not content.strip():
        return {}
    value: object = json.loads(content)
    if not isinstance(value, dict):
        raise ValueError(f"{file} holds {type(value).__name__}, not an object of results.")
    return cast("dict[str, object]", value)


@contextmanager
def _lock(directory: Path) -> Generator[None]:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _replace(file: Path, content: str) -> None:
    descriptor, temporary = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            stream.write(content)
        Path(temporary).replace(file)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
