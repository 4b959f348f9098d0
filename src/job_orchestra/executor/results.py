"""The results that a run's commands leave in the result file."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from typing import Any, NoReturn

from job_orchestra.domain.checking import Reader, read_all
from job_orchestra.domain.errors import Invalid
from job_orchestra.domain.json import JsonObject
from job_orchestra.domain.places import Place
from job_orchestra.domain.reasons import ReasonCode
from job_orchestra.execution.journal import read_range
from job_orchestra.execution.room import SHORTAGES
from job_orchestra.executor.outcome import Outcome
from job_orchestra.fail_points import FailPoint, reach


class ResultsFault(Exception):
    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome.reason.sentence)
        self.outcome = outcome


class Results:
    """All results so far: each content of the file is merged into them at the top level."""

    def __init__(self, path: Path, limit: int) -> None:
        self._path = path
        self._limit = limit
        self._seen: tuple[int, int, int] | None = None
        self.values: JsonObject = {}

    def read(self) -> bool:
        """Whether the file has changed since it was last read; ResultsFault if it is not what it should be.

        OSError for want of descriptors or memory.
        """
        try:
            # Without waiting, as for the other end of a pipe.
            descriptor = os.open(self._path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
        except FileNotFoundError:
            return False
        except OSError as error:
            if error.errno in SHORTAGES:
                raise
            raise _invalid(f"it cannot be opened: {error.strerror}") from None
        try:
            content = self._read_changed(descriptor)
        except OSError as error:
            raise _invalid(f"it cannot be read: {error.strerror}") from None
        finally:
            os.close(descriptor)
        if content is None:
            return False
        merged = {**self.values, **_decode(content)}
        self._check_size(len(json.dumps(merged, ensure_ascii=False).encode()))
        self.values = merged
        reach(FailPoint.HOST_RESULTS_READ)
        return True

    def _read_changed(self, descriptor: int) -> bytes | None:
        """None if the file is as it was when it was last read."""
        facts = os.fstat(descriptor)
        seen = (facts.st_ino, facts.st_size, facts.st_mtime_ns)
        if seen == self._seen:
            return None
        self._seen = seen
        if not stat.S_ISREG(facts.st_mode):
            raise _invalid("it is no regular file")
        self._check_size(facts.st_size)
        return read_range(descriptor, 0, facts.st_size)

    def _check_size(self, size: int) -> None:
        if size > self._limit:
            sentence = f"The results have {size:,} bytes, which is more than the limit of {self._limit:,}."
            raise ResultsFault(Outcome.exception(ReasonCode.RESULT_LIMIT, sentence))


def _decode(content: bytes) -> JsonObject:
    try:
        data: Any = json.loads(content, parse_constant=_refuse_constant)
        return read_all(data, Reader.json_object, Place(step="results"))
    except (ValueError, RecursionError, Invalid) as error:
        problem = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise _invalid(problem) from None


def _invalid(problem: str) -> ResultsFault:
    sentence = f"The result file is no JSON object that can be kept: {problem}."
    return ResultsFault(Outcome.exception(ReasonCode.RESULTS_INVALID, sentence))


def _refuse_constant(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON")
