from __future__ import annotations

import asyncio

from job_orchestra.domain.workers import Worker
from job_orchestra.protocol.control import WorkerWish
from job_orchestra.protocol.resources.answers import Page
from job_orchestra.protocol.resources.workers import WorkerAnswer
from job_orchestra.service.answers.workers import worker_answer
from job_orchestra.service.call import Call
from job_orchestra.service.parameters import CURSOR, LIMIT, LOSE_RUNS, ORDER_BY
from job_orchestra.service.parts import ServiceParts


async def list_all(parts: ServiceParts, call: Call) -> Page[WorkerAnswer]:
    listed = await parts.workers.list(call.value(LIMIT), call.value(CURSOR), call.value(ORDER_BY))
    return Page(await asyncio.gather(*(_answer(parts, worker) for worker in listed.items)), listed.next)


async def show(parts: ServiceParts, call: Call) -> WorkerAnswer:
    return await _answer(parts, await parts.workers.get(call.path["worker"]))


async def enable(parts: ServiceParts, call: Call) -> WorkerAnswer:
    return await _wished(parts, await parts.workers.set_enabled(call.path["worker"], True))


async def disable(parts: ServiceParts, call: Call) -> WorkerAnswer:
    return await _wished(parts, await parts.workers.set_enabled(call.path["worker"], False))


async def drain(parts: ServiceParts, call: Call) -> WorkerAnswer:
    return await _wished(parts, await parts.workers.set_drain(call.path["worker"]))


async def disconnect(parts: ServiceParts, call: Call) -> WorkerAnswer:
    return await _wished(parts, await parts.workers.set_disconnect(call.path["worker"]))


async def delete(parts: ServiceParts, call: Call) -> None:
    await parts.workers.delete(call.path["worker"], lose_runs=call.value(LOSE_RUNS))
    parts.masters.tell(WorkerWish(call.path["worker"]))


async def _wished(parts: ServiceParts, worker: Worker) -> WorkerAnswer:
    parts.masters.tell(WorkerWish(worker.identifier))
    return await _answer(parts, worker)


async def _answer(parts: ServiceParts, worker: Worker) -> WorkerAnswer:
    return worker_answer(worker, await parts.runs.count_active(worker.identifier))
