"""What administrators and auditors look at: the trail, the installation, and how much it has to do."""

from __future__ import annotations

import asyncio
import platform
from datetime import timedelta

from job_orchestra.domain.measures import coarser
from job_orchestra.protocol.resources.administration import (
    AdministrationAnswer,
    AuditEntryAnswer,
    MeasuresAnswer,
    ServiceFactsAnswer,
)
from job_orchestra.protocol.resources.answers import Page
from job_orchestra.repositories.audit import AuditFilter
from job_orchestra.service.answers.administration import (
    entry_answer,
    master_answers,
    measure_answer,
    project_answer,
    version_answers,
)
from job_orchestra.service.answers.dates import iso
from job_orchestra.service.answers.pages import page
from job_orchestra.service.call import Call
from job_orchestra.service.parameters import (
    AUDIT_ACTION,
    AUDIT_AFTER,
    AUDIT_BEFORE,
    AUDIT_ORDER_BY,
    AUDIT_OUTCOME,
    AUDIT_PROJECT,
    AUDIT_USER,
    CURSOR,
    HOURS,
    LIMIT,
    STEP,
)
from job_orchestra.service.parts import ServiceParts
from job_orchestra.version import __version__

_MOST_PROJECTS = 1000


async def audit(parts: ServiceParts, call: Call) -> Page[AuditEntryAnswer]:
    wanted = AuditFilter(
        user=call.value(AUDIT_USER),
        action=call.value(AUDIT_ACTION),
        project=call.value(AUDIT_PROJECT),
        outcome=call.value(AUDIT_OUTCOME),
        created_after=call.value(AUDIT_AFTER),
        created_before=call.value(AUDIT_BEFORE),
    )
    listed = await parts.audit.list(wanted, call.value(LIMIT), call.value(CURSOR), call.value(AUDIT_ORDER_BY))
    return page(listed, entry_answer)


async def measures(parts: ServiceParts, call: Call) -> MeasuresAnswer:
    found = await parts.measures.since(parts.clock.now() - timedelta(hours=call.value(HOURS)))
    step = timedelta(minutes=call.value(STEP))
    return MeasuresAnswer(int(step.total_seconds()), [measure_answer(one) for one in coarser(found, step)])


async def show(parts: ServiceParts, call: Call) -> AdministrationAnswer:
    installation, links = parts.installation, parts.masters.connections
    database, logs, masters, workers, projects = await asyncio.gather(
        installation.database(),
        installation.logs(),
        parts.known_masters.list(),
        parts.workers.all(),
        parts.projects.outlines(_MOST_PROJECTS),
    )
    return AdministrationAnswer(
        service=ServiceFactsAnswer(__version__, platform.python_version(), parts.url, iso(installation.started_at)),
        database=database,
        logs=logs,
        masters=master_answers(masters, links, workers, parts.clock.now()),
        unknown_masters=sorted(links.keys() - {master.url for master in masters}),
        workers=version_answers(workers),
        projects=[project_answer(one) for one in projects],
        settings=dict(installation.settings),
    )
