from __future__ import annotations

from dataclasses import dataclass

from job_orchestra.domain.reasons import Reason, ReasonCode
from job_orchestra.domain.statuses import RunStatus


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run ends, and why."""

    status: RunStatus
    reason: Reason

    @classmethod
    def succeeded(cls) -> Outcome:
        return cls(RunStatus.SUCCEEDED, Reason(ReasonCode.COMPLETED, "All commands returned 0."))

    @classmethod
    def failed(cls, sentence: str) -> Outcome:
        return cls(RunStatus.FAILED, Reason(ReasonCode.COMMAND_FAILED, sentence))

    @classmethod
    def aborted(cls, code: ReasonCode, sentence: str) -> Outcome:
        return cls(RunStatus.ABORTED, Reason(code, sentence))

    @classmethod
    def exception(cls, code: ReasonCode, sentence: str) -> Outcome:
        return cls(RunStatus.EXCEPTION, Reason(code, sentence))

    @classmethod
    def fault(cls, error: Exception, place: str = "") -> Outcome:
        """Of this program, not of the job."""
        sentence = f"The executor host failed{place}: {type(error).__name__}: {error}."
        return cls.exception(ReasonCode.INTERNAL_ERROR, sentence)
