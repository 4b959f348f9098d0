"""The connections of workers that this master holds, by the workers' identifiers."""

from __future__ import annotations

from collections.abc import Iterator

from job_orchestra.domain.placement import Candidate
from job_orchestra.domain.runs import Run
from job_orchestra.master.worker_link import WorkerLink


class WorkerLinks:
    def __init__(self) -> None:
        self._links: dict[str, WorkerLink] = {}

    def __iter__(self) -> Iterator[WorkerLink]:
        return iter(list(self._links.values()))

    def get(self, worker: str) -> WorkerLink | None:
        return self._links.get(worker)

    def of(self, run: Run) -> WorkerLink | None:
        """The connection of the worker that the run is assigned to, if it is here."""
        return self._links.get(run.worker) if run.worker is not None else None

    def add(self, link: WorkerLink) -> None:
        self._links[link.worker.identifier] = link

    def remove(self, link: WorkerLink) -> bool:
        """False if another connection of the worker has taken its place already."""
        if self._links.get(link.worker.identifier) is not link:
            return False
        del self._links[link.worker.identifier]
        return True

    def names(self) -> list[str]:
        return list(self._links)

    def candidates(self) -> list[Candidate]:
        return [link.candidate() for link in self._links.values()]
