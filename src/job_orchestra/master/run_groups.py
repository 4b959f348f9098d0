"""The runs that wait, by what they need: of each group those that start soon; the others stay in the database."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from job_orchestra.domain.runs import Run, RunRequest, queue_key
from job_orchestra.master.run_group import RunGroup


class RunGroups:
    def __init__(self) -> None:
        self._groups: dict[str, RunGroup] = {}
        self._group_of: dict[str, str] = {}
        """Of the runs that are in memory, and of no others."""
        self._low: set[str] = set()
        """Groups that ran low while the database has more of them."""
        self._limited: set[str] = set()
        """Groups whose runs are of a concurrency group."""

    def __len__(self) -> int:
        return len(self._group_of)

    def __contains__(self, run: str) -> bool:
        return run in self._group_of

    @property
    def has_limited(self) -> bool:
        """Whether there are runs of concurrency groups."""
        return bool(self._limited)

    def add(self, run: Run) -> None:
        """May be called again for the same run."""
        key = queue_key(run.request)
        self._group_of[run.identifier] = key
        self._leave_out(self._group(key, run.request).add(run))
        self._on_changed(key)

    def add_head(self, runs: Sequence[Run], *, has_more: bool) -> None:
        """The first runs of one group; whether the database has more of them behind these."""
        request = runs[0].request
        # The end comes first: behind an earlier one, they would be left out.
        self._leave_out(self._group(queue_key(request), request).end_with(runs[-1] if has_more else None))
        for run in runs:
            self.add(run)

    def discard(self, run: str) -> None:
        """The run waits no more; unknown ones are fine."""
        key = self._group_of.pop(run, None)
        if key is None:
            return
        group = self._groups[key]
        group.discard(run)
        self._on_changed(key)
        if group.is_low:
            self._low.add(key)
        elif not group:
            self._forget(key)

    def groups_to_refill(self) -> list[str]:
        """Groups that ran low while the database has more of them; they are named once, and wait for `add_head`."""
        keys, self._low = sorted(self._low), set()
        for key in keys:
            self._groups[key].end_with(None)
            if not self._groups[key]:
                self._forget(key)
        return keys

    # ---------- for those who have an order among groups

    def _on_new(self, key: str) -> None:
        """A group that there was not before."""

    def _on_changed(self, key: str) -> None:
        """Another run may be its first."""

    def _on_gone(self, key: str) -> None:
        """An empty group, which is not there any more."""

    # ---------- groups

    def _group(self, key: str, request: RunRequest) -> RunGroup:
        if key not in self._groups:
            self._groups[key] = RunGroup(request)
            if request.concurrency is not None:
                self._limited.add(key)
            self._on_new(key)
        return self._groups[key]

    def _leave_out(self, runs: Iterable[str]) -> None:
        for run in runs:
            del self._group_of[run]

    def _forget(self, key: str) -> None:
        del self._groups[key]
        self._low.discard(key)
        self._limited.discard(key)
        self._on_gone(key)
