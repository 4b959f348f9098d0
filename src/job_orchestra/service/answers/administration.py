from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime

from job_orchestra.domain.audit import AuditEntry
from job_orchestra.domain.masters import Master
from job_orchestra.domain.measures import Measure
from job_orchestra.domain.workers import Worker
from job_orchestra.protocol.resources.administration import (
    AuditEntryAnswer,
    ConfiguredProjectAnswer,
    MasterAnswer,
    MeasureAnswer,
    WorkerVersionAnswer,
)
from job_orchestra.repositories.projects import ProjectOutline
from job_orchestra.service.answers.dates import iso, optional_iso


def entry_answer(entry: AuditEntry) -> AuditEntryAnswer:
    return AuditEntryAnswer(
        identifier=entry.identifier,
        date=iso(entry.date),
        origin=entry.origin.value,
        user=entry.user,
        token=entry.token,
        action=entry.action,
        project=entry.project,
        target=entry.target,
        outcome=entry.outcome.value,
        status=entry.status,
        details=entry.details,
    )


def measure_answer(measure: Measure) -> MeasureAnswer:
    return MeasureAnswer(
        date=iso(measure.minute),
        waiting=measure.waiting,
        running=measure.running,
        workers=measure.workers,
        executors=measure.executors,
        in_use=measure.in_use,
    )


def master_answers(
    masters: Sequence[Master], links: Mapping[str, bool], workers: Sequence[Worker], now: datetime
) -> list[MasterAnswer]:
    held = Counter(worker.master for worker in workers if worker.is_connected)
    return [
        MasterAnswer(
            identifier=master.identifier,
            version=master.version,
            url=master.url,
            is_at_work=master.is_at_work(now),
            is_connected=links.get(master.url),
            started_at=iso(master.started_at),
            seen_at=iso(master.seen_at),
            stopped_at=optional_iso(master.stopped_at),
            configured_at=optional_iso(master.configured_at),
            configuration_trouble=master.configuration_trouble,
            workers=held[master.identifier],
        )
        for master in masters
    ]


def version_answers(workers: Sequence[Worker]) -> list[WorkerVersionAnswer]:
    """Newest first, as far as their order as texts tells."""
    connected = Counter(worker.description.version for worker in workers if worker.is_connected)
    disconnected = Counter(worker.description.version for worker in workers if not worker.is_connected)
    versions = sorted({*connected, *disconnected}, reverse=True)
    return [WorkerVersionAnswer(version, connected[version], disconnected[version]) for version in versions]


def project_answer(outline: ProjectOutline) -> ConfiguredProjectAnswer:
    project = outline.project
    return ConfiguredProjectAnswer(
        identifier=project.identifier,
        is_active=project.is_active,
        jobs=outline.jobs,
        schedules=outline.schedules,
        changed_at=iso(project.changed_at),
    )
