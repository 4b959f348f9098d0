from __future__ import annotations

import asyncio
import http
from collections.abc import Sequence
from dataclasses import replace
from urllib.parse import quote

from job_orchestra.domain.absences import absence_of
from job_orchestra.domain.concurrency import GroupInUse, group_of
from job_orchestra.domain.definitions import PipelineDefinition
from job_orchestra.domain.errors import Conflict, NotFound
from job_orchestra.domain.explanation import QueueAhead, Situation, explain
from job_orchestra.domain.jobs import Job
from job_orchestra.domain.json import JsonObject
from job_orchestra.domain.runs import LogFacts, Run, SourceKind
from job_orchestra.domain.statuses import RunStatus
from job_orchestra.domain.triggering import request_of
from job_orchestra.fail_points import FailPoint, reach
from job_orchestra.protocol.control import RunTriggered, RunWish
from job_orchestra.protocol.resources.answers import Page
from job_orchestra.protocol.resources.runs import (
    CountAnswer,
    EventAnswer,
    RunAnswer,
    RunPageAnswer,
    RunSummaryAnswer,
    WhyAnswer,
)
from job_orchestra.repositories.insertion import Triggered
from job_orchestra.repositories.run_filters import RunFilter
from job_orchestra.service import parameters
from job_orchestra.service.answers.dates import optional_iso
from job_orchestra.service.answers.pages import page
from job_orchestra.service.answers.runs import event_answer, run_answer, run_summary_answer, why_answer
from job_orchestra.service.call import Answered, Call
from job_orchestra.service.handlers.pipelines import keeping_what_succeeded, states_of
from job_orchestra.service.late_reports import find_late_report, late_reports_of
from job_orchestra.service.logs import log_key
from job_orchestra.service.parts import ServiceParts

_LONGEST_WAIT = 20.0
"""Seconds; shorter than what anybody waits for an answer."""
_MOST_COUNTED = 1000
"""An index is counted through in milliseconds so far; a number beyond tells people nothing that is worth more."""


async def list_everywhere(parts: ServiceParts, call: Call) -> RunPageAnswer:
    return await _list(parts, call, call.value(parameters.PROJECT))


async def list_all(parts: ServiceParts, call: Call) -> RunPageAnswer:
    project = await parts.projects.get(call.path["project"])
    return await _list(parts, call, project.identifier)


async def _list(parts: ServiceParts, call: Call, project: str | None) -> RunPageAnswer:
    wanted = RunFilter(
        project=project,
        job=call.value(parameters.JOB),
        statuses=call.value(parameters.STATUS),
        worker=call.value(parameters.WORKER),
        source_kind=call.value(parameters.SOURCE),
        source_identifier=call.value(parameters.SOURCE_IDENTIFIER),
        created_after=call.value(parameters.CREATED_AFTER),
        created_before=call.value(parameters.CREATED_BEFORE),
    )
    limit, cursor = call.value(parameters.LIMIT), call.value(parameters.CURSOR)
    newest_first = call.value(parameters.RUN_ORDER_BY)
    expression = call.value(parameters.WHERE)
    found = await parts.run_search.search(expression, wanted, limit, cursor, newest_first)
    count = await _count(parts, wanted) if expression is None and call.value(parameters.COUNT) else None
    summaries = await _summaries(parts, found.items)
    return RunPageAnswer(summaries, found.next, found.looked_through, optional_iso(found.looked_until), count)


async def _count(parts: ServiceParts, wanted: RunFilter) -> CountAnswer | None:
    number = await parts.run_search.count(wanted, _MOST_COUNTED + 1)
    return None if number is None else CountAnswer(min(number, _MOST_COUNTED), number <= _MOST_COUNTED)


async def _summaries(parts: ServiceParts, runs: Sequence[Run]) -> list[RunSummaryAnswer]:
    is_connected = await _worker_connections(parts, runs)
    warnings = await parts.foresight.warnings(runs)
    return [run_summary_answer(run, is_connected.get(run.identifier), warnings.get(run.identifier)) for run in runs]


async def _worker_connections(parts: ServiceParts, runs: Sequence[Run]) -> dict[str, bool]:
    """Of each run that is with a worker, whether that is connected: one look for all."""
    workers = {run.identifier: run.worker for run in runs if run.worker is not None and not run.status.is_terminal}
    found = {worker.identifier: worker for worker in await parts.workers.load_many(workers.values())}
    return {run: worker in found and found[worker].is_connected for run, worker in workers.items()}


async def get_run(parts: ServiceParts, call: Call) -> Run:
    return await parts.runs.get(call.path["project"], call.path["run"])


async def show(parts: ServiceParts, call: Call) -> RunAnswer:
    return await _shown(parts, await get_run(parts, call))


async def wait(parts: ServiceParts, call: Call) -> RunAnswer:
    """Woken by what masters say; a hint that is lost costs a second."""
    deadline = asyncio.get_running_loop().time() + _LONGEST_WAIT
    with parts.followers.watch(call.path["run"]) as watch:
        run = await get_run(parts, call)
        waited_for = (call.value(parameters.WHILE), call.value(parameters.ATTEMPT) or run.attempt)
        while (run.status, run.attempt) == waited_for and asyncio.get_running_loop().time() < deadline:
            if await watch.wait():
                run = await get_run(parts, call)
        return await _shown(parts, run)


async def _shown(parts: ServiceParts, run: Run) -> RunAnswer:
    late_reports = await late_reports_of(parts, run)
    no_longer_kept = await _no_longer_kept(parts, run)
    shown = await parts.transformation.apply(run)
    if run.status.is_terminal or (run.worker is None and run.status is RunStatus.PENDING):
        warning = await parts.foresight.warning(run)
        return run_answer(run, shown, late_reports=late_reports, no_longer_kept=no_longer_kept, warning=warning)
    # Its record learns of the log at the end; until then the stored bytes are what there is.
    run = replace(run, log=LogFacts(await parts.log_store.size(log_key(run, None))))
    if run.worker is None:
        return run_answer(run, shown, no_longer_kept=no_longer_kept)
    worker = await parts.workers.find(run.worker)
    absence = absence_of(run, worker)
    return run_answer(run, shown, absence is None, absence, late_reports, no_longer_kept)


async def _no_longer_kept(parts: ServiceParts, run: Run) -> list[str]:
    """The runs that it names and that are gone; nothing is asked for the usual run, which names none."""
    source = run.source.identifier if run.source.kind is SourceKind.RUN else None
    named = [one for one in (run.retry_of, source) if one is not None]
    kept = await parts.runs.kept(named)
    return sorted({one for one in named if one not in kept})


async def why(parts: ServiceParts, call: Call) -> WhyAnswer:
    run = await get_run(parts, call)
    workers = [] if run.status.is_terminal else await parts.workers.all()
    active = await asyncio.gather(*(parts.runs.active_on(worker.identifier) for worker in workers))
    full = await _full_group_of(parts, run)
    situation = Situation(
        run=run,
        job=await _job_of(parts, run),
        workers=workers,
        active=active,
        now=parts.clock.now(),
        is_master_there=parts.masters.is_any_there,
        outages=parts.readiness.log_outages,
        holds=() if full is None else (full.sentence,),
        queue=await parts.runs.ahead_of(run) if _is_in_the_queue(run) else QueueAhead(),
        elements=await states_of(parts, run) if _is_unfinished_pipeline(run) else (),
    )
    return why_answer(run, explain(situation, parts.selector), () if full is None else full.holders)


async def _full_group_of(parts: ServiceParts, run: Run) -> GroupInUse | None:
    """The concurrency group that it waits for; None if it does not."""
    group = group_of(run.request)
    if group is None or run.status is not RunStatus.PENDING or run.worker is not None:
        return None
    in_use = await parts.concurrency.of(group)
    return in_use if in_use.is_full else None


def _is_in_the_queue(run: Run) -> bool:
    return run.status is RunStatus.PENDING and run.waits_until is None


def _is_unfinished_pipeline(run: Run) -> bool:
    return isinstance(run.request.definition, PipelineDefinition) and not run.status.is_terminal


async def _job_of(parts: ServiceParts, run: Run) -> Job | None:
    try:
        return await parts.jobs.get(run.request.project, run.request.job)
    except NotFound:
        return None


async def results(parts: ServiceParts, call: Call) -> JsonObject | Answered:
    """A header names the transformers that failed: the body is the results and nothing else."""
    run = await get_run(parts, call)
    if call.value(parameters.STORED):
        return run.results
    shown = await parts.transformation.apply(run)
    if not shown.failures:
        return shown.results
    failed = ", ".join(quote(failure.transformer, safe=" ") for failure in shown.failures)
    return Answered(shown.results, http.HTTPStatus.OK, {"Failed-Transformers": failed})


async def events(parts: ServiceParts, call: Call) -> Page[EventAnswer]:
    run = await get_run(parts, call)
    listed = await parts.runs.list_events(run.identifier, call.value(parameters.LIMIT), call.value(parameters.CURSOR))
    return page(listed, event_answer)


async def late_events(parts: ServiceParts, call: Call) -> Page[EventAnswer]:
    run = await get_run(parts, call)
    account = (await find_late_report(parts, run, call.path["attempt"])).account
    limit, cursor = call.value(parameters.LIMIT), call.value(parameters.CURSOR)
    listed = await parts.late_reports.list_events(account.identifier, account.attempt, limit, cursor)
    return page(listed, event_answer)


async def cancel(parts: ServiceParts, call: Call) -> RunAnswer:
    run = await parts.runs.request_cancel(call.path["project"], call.path["run"], call.user)
    return await _wished(parts, run)


async def abort(parts: ServiceParts, call: Call) -> RunAnswer:
    run = await parts.runs.request_abort(call.path["project"], call.path["run"], call.user)
    return await _wished(parts, run)


async def _wished(parts: ServiceParts, run: Run) -> RunAnswer:
    reach(FailPoint.SERVICE_WISH_COMMITTED)
    parts.masters.tell(RunWish(run.identifier))
    return await _shown(parts, run)


async def pin(parts: ServiceParts, call: Call) -> RunAnswer:
    return await _shown(parts, await parts.runs.set_pinned(call.path["project"], call.path["run"], True))


async def unpin(parts: ServiceParts, call: Call) -> RunAnswer:
    return await _shown(parts, await parts.runs.set_pinned(call.path["project"], call.path["run"], False))


async def retry(parts: ServiceParts, call: Call) -> Answered:
    """A new run with the parameters of this one, of the job as it is configured now."""
    earlier = await get_run(parts, call)
    if not earlier.status.is_terminal:
        raise Conflict(f"Run {earlier.identifier!r} is {earlier.status}; only what has ended can be retried.")
    job = await parts.jobs.get(earlier.request.project, earlier.request.job)
    request = request_of(job, earlier.request.parameters, earlier.request.priority)
    if call.value(parameters.KEEP_SUCCEEDED):
        request = await keeping_what_succeeded(parts, earlier, request)
    return await triggered(
        parts,
        await parts.runs.trigger(
            request, call.source, call.value(parameters.IDEMPOTENCY_KEY), retry_of=earlier.identifier
        ),
    )


async def triggered(parts: ServiceParts, done: Triggered) -> Answered:
    """201 with a new run, 200 with the run that an earlier call with this key made."""
    reach(FailPoint.SERVICE_TRIGGER_COMMITTED)
    run = done.run
    parts.masters.tell(RunTriggered(run.identifier))
    status = http.HTTPStatus.CREATED if done.is_new else http.HTTPStatus.OK
    warning = await parts.foresight.warning(run)
    answer = run_answer(run, await parts.transformation.apply(run), warning=warning)
    return Answered(answer, status, {"Location": f"/projects/{run.request.project}/runs/{run.identifier}"})
