"""The slots of concurrency groups as one master knows them. No I/O.

What other masters do is learned late; then an assignment fails at the database, which alone decides.
"""

from __future__ import annotations

from collections.abc import Mapping

from job_orchestra.domain.concurrency import DEFAULT_LIMIT, ConcurrencyGroup, Limits, free_number, split_slot


class Slots:
    def __init__(self) -> None:
        self._limits: Limits = {}
        self._taken: dict[str, dict[int, str]] = {}
        """Numbers and their runs, by group."""
        self._slot_of: dict[str, str] = {}
        self.is_stale = True
        """What is known may be wrong: it is to be read again before the next run of a group is assigned."""

    def replace(self, limits: Limits, holders: Mapping[str, str]) -> None:
        """As the database has it."""
        self._limits = limits
        self._taken.clear()
        self._slot_of.clear()
        self.is_stale = False
        for slot, run in holders.items():
            self.take(slot, run)

    def next_free(self, group: ConcurrencyGroup) -> str | None:
        """None while the group is full."""
        number = free_number(self._taken.get(str(group), ()), self._limits.get(group, DEFAULT_LIMIT))
        return None if number is None else group.slot(number)

    def take(self, slot: str, run: str) -> None:
        self._slot_of[run] = slot
        group, number = split_slot(slot)
        self._taken.setdefault(group, {})[number] = run

    def free(self, run: str) -> None:
        """The run holds no slot any more; unknown ones are fine."""
        slot = self._slot_of.pop(run, None)
        if slot is not None:
            group, number = split_slot(slot)
            del self._taken[group][number]
