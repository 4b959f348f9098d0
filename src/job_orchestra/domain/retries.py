"""Which ends of a run's attempt are followed by another one, as a job or an element says."""

from __future__ import annotations

from dataclasses import dataclass

from job_orchestra.domain.reasons import Reason, ReasonCode
from job_orchestra.domain.statuses import RunStatus


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    retries: int = 0
    on: tuple[RunStatus | ReasonCode, ...] = (RunStatus.FAILED, RunStatus.EXCEPTION)
    """A status stands for every reason that it may have, but for the loss of the worker, which has its own policy."""
    delay: float = 0.0
    """Seconds between the end of an attempt and the next one."""

    def is_cause(self, status: RunStatus, reason: Reason) -> bool:
        return status in self.on or reason.code in self.on
