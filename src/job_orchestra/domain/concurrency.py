"""Concurrency groups: the runs of one, of whichever jobs of a project, share so many slots and no more.

A run holds a slot from its assignment to its end. Slots are numbered; that two runs never hold the same one is the
database's word, so the lowest free number below the limit is all that has to be chosen.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from job_orchestra.domain.runs import Run, RunRequest

DEFAULT_LIMIT = 1
"""Of a group of which the project says nothing."""
_NAMED = 10
"""Of a large group, the holders that its sentence names."""


@dataclass(frozen=True, slots=True, order=True)
class ConcurrencyGroup:
    project: str
    name: str

    def __str__(self) -> str:
        return f"{self.project}/{self.name}"

    def slot(self, number: int) -> str:
        return f"{self}/{number}"


Limits: TypeAlias = Mapping[ConcurrencyGroup, int]
"""Of the groups that have another one than the default."""


def group_of(request: RunRequest) -> ConcurrencyGroup | None:
    return None if request.concurrency is None else ConcurrencyGroup(request.project, request.concurrency)


def split_slot(slot: str) -> tuple[str, int]:
    """The group, as its text, and the number."""
    group, _, number = slot.rpartition("/")
    return group, int(number)


def free_number(taken: Iterable[int], limit: int) -> int | None:
    """The lowest one that nobody has; None if so many have one as may, those beyond a limit that was lowered too."""
    numbers = set(taken)
    if len(numbers) >= limit:
        return None
    return next(number for number in range(1, limit + 1) if number not in numbers)


@dataclass(frozen=True, slots=True)
class GroupInUse:
    """A group as it is at a moment."""

    group: ConcurrencyGroup
    limit: int
    holders: tuple[Run, ...]

    @property
    def is_full(self) -> bool:
        return len(self.holders) >= self.limit

    @property
    def sentence(self) -> str:
        """What a run is told that waits for one of its slots."""
        names = [run.identifier for run in self.holders[:_NAMED]]
        more = [f"{len(self.holders) - _NAMED} more"] if len(self.holders) > _NAMED else []
        *first, last = [*names, *more]
        size = "one run" if self.limit == 1 else f"{self.limit} runs"
        if not first:
            return f"Concurrency group {self.group.name!r} takes {size} at a time, and run {last} has its slot."
        listed = f"{', '.join(first)} and {last}"
        return f"Concurrency group {self.group.name!r} takes {size} at a time, and runs {listed} have its slots."
