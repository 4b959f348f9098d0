"""How many of the last runs of a job succeeded."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from job_orchestra.domain.statuses import RunStatus
from job_orchestra.protocol.resources.runs import RunSummaryAnswer
from job_orchestra.website.pictures.shapes import SHAPES

_EXECUTED = (RunStatus.SUCCEEDED, RunStatus.FAILED, RunStatus.EXCEPTION, RunStatus.ABORTED)
"""Ends of runs that had begun: those that were cancelled say nothing of the job."""
_WIDTH = 320
_LEAST_WIDTH = 18
"""Room for a shape, however rare its status is."""


@dataclass(frozen=True, slots=True)
class Share:
    x: int
    width: int
    status: str

    @property
    def shape(self) -> str:
        return SHAPES[self.status]


@dataclass(frozen=True, slots=True)
class SuccessRate:
    """`sentence` says all that the picture shows."""

    sentence: str
    width: int
    shares: tuple[Share, ...]


def success_rate_of(runs: Sequence[RunSummaryAnswer]) -> SuccessRate | None:
    """None where none of them was executed to its end."""
    found = Counter(run.status for run in runs)
    counts = {status: found[status] for status in _EXECUTED if found[status]}
    if not counts:
        return None
    shares = tuple(_shares(counts))
    return SuccessRate(_sentence(counts), shares[-1].x + shares[-1].width, shares)


def _shares(counts: dict[RunStatus, int]) -> list[Share]:
    """As wide as they are many, and wide enough to be seen."""
    total = sum(counts.values())
    shares: list[Share] = []
    for status, count in counts.items():
        x = shares[-1].x + shares[-1].width if shares else 0
        shares.append(Share(x, max(_LEAST_WIDTH, round(_WIDTH * count / total)), status.value))
    return shares


def _sentence(counts: dict[RunStatus, int]) -> str:
    """`31 of the last 48 executed runs succeeded (64 %); 10 failed, 7 aborted.`"""
    total, succeeded = sum(counts.values()), counts.get(RunStatus.SUCCEEDED, 0)
    if total == 1:
        return f"The last executed run: {next(iter(counts))}."
    others = ", ".join(f"{count} {status}" for status, count in counts.items() if status is not RunStatus.SUCCEEDED)
    rate = f"{100 * succeeded // total}\N{NO-BREAK SPACE}%"
    return f"{succeeded} of the last {total} executed runs succeeded ({rate}){others and f'; {others}'}."
