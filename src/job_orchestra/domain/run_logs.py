"""What the record of a run says of its log, and what has to be true of the log therefore. No I/O."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from job_orchestra.domain.runs import LogFacts
from job_orchestra.domain.statuses import RunStatus

LEAST_COMPRESSED = 8 << 10
"""Bytes of the smallest log that is worth it: files take whole blocks, of 4 KiB as a rule."""


@dataclass(frozen=True, slots=True)
class RecordedLog:
    """Of one attempt: the last one of a run, or that of a late report."""

    project: str
    run: str
    attempt: int
    status: RunStatus
    facts: LogFacts
    is_late: bool = False

    @property
    def is_final(self) -> bool:
        """Whether the log is whole: both sides have compared it."""
        return self.status.is_terminal and self.facts.sha256 is not None


class Flaw(StrEnum):
    """What may be wrong between records and files."""

    MISSING = "missing"
    """A log of which there should be some, and is no byte."""
    SHORTER = "shorter"
    LONGER = "longer"
    DIFFERENT = "different"
    """Of the right size, and other bytes."""
    DAMAGED = "damaged"
    """A compressed file that cannot be read."""
    WITHOUT_RUN = "without-run"
    """A log of which no record knows."""
    LEFT_OVER = "left-over"
    """What an interrupted compression left."""
    UNKNOWN = "unknown"
    """A file that is no log."""


@dataclass(frozen=True, slots=True)
class Judgement:
    flaw: Flaw
    sentence: str


def is_worth_compressing(log: RecordedLog) -> bool:
    return log.is_final and log.facts.size >= LEAST_COMPRESSED


def judge_size(log: RecordedLog, size: int) -> Judgement | None:
    """None if a file of that size is in order. While a run goes on, its log is where its last bytes are just now."""
    expected = log.facts.size
    # Where nobody compared the log at the end, more of it may have come while that was decided.
    if not log.status.is_terminal or size == expected or (size > expected and not log.is_final):
        return None
    if size == 0:
        return Judgement(Flaw.MISSING, f"{expected} bytes are recorded, and nothing is stored.")
    flaw = Flaw.SHORTER if size < expected else Flaw.LONGER
    return Judgement(flaw, f"{expected} bytes are recorded, and {size} are stored.")


def judge_digest(log: RecordedLog, sha256: str) -> Judgement | None:
    """Of a log that has the right size."""
    if not log.is_final or sha256 == log.facts.sha256:
        return None
    return Judgement(Flaw.DIFFERENT, f"SHA-256 {log.facts.sha256} is recorded, and {sha256} is stored.")
