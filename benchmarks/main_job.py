"""The measures of the main job: latency, throughput, a large log, and how soon a printed line is seen."""

from __future__ import annotations

import asyncio
import os
import statistics
import time
from dataclasses import dataclass
from pathlib import Path

from benchmarks.limits import spawn_rate, write_seconds
from job_orchestra.client.asynchronous import AsyncClient
from job_orchestra.client.calls import jobs, runs
from job_orchestra.domain.json import JsonObject
from job_orchestra.protocol.resources.runs import RunAnswer

PROJECT = "benchmark"
LOG_SIZE = 100_000_000

PROJECTS_FILE = """
from job_orchestra import Job, Parameter, Project

LINES = "import time\\nfor _ in range(20):\\n    print(time.time(), flush=True)\\n    time.sleep(0.1)\\n"

projects = [
    Project(
        "benchmark",
        jobs=[
            Job("now", commands=[["date", "+%s.%N"]], workspace="run"),
            Job("nothing", commands=[["/bin/true"]], workspace="run"),
            Job("file", commands=[["cat", "{parameters[path]}"]], parameters=[Parameter("path")], workspace="run"),
            Job("lines", commands=[["python3", "-c", LINES]], workspace="run"),
        ],
    )
]
"""


@dataclass(frozen=True, slots=True)
class Measures:
    database: str
    spawns: float
    latency: list[float]
    """Seconds from the trigger to the first instruction of the command, one run at a time."""
    runs_per_second: float
    log_seconds: float
    log_write_seconds: float
    line_delays: list[float]


async def measure(client: AsyncClient, database: str, directory: Path, count: int) -> Measures:
    """All of them, one after the other, over the service of a running installation."""
    await latencies(client, 5)  # everything is imported and connected then
    latency = await latencies(client, 50)
    spawns = spawn_rate()
    rate = await throughput(client, count)
    log_seconds, write = await _large_log(client, directory)
    return Measures(database, spawns, latency, rate, log_seconds, write, await _line_delays(client))


async def trigger(client: AsyncClient, job: str, parameters: JsonObject | None = None) -> str:
    run = await client.send(jobs.trigger(PROJECT, job, parameters or {}))
    return run.identifier


async def ended(client: AsyncClient, run: str) -> RunAnswer:
    """Follows the log, which ends with the run."""
    async for _ in client.follow_log(PROJECT, run):
        pass
    answer = await client.send(runs.get(PROJECT, run))
    assert answer.status == "succeeded", answer.reason
    return answer


async def latencies(client: AsyncClient, count: int) -> list[float]:
    latencies: list[float] = []
    for _ in range(count):
        begin = time.time()
        run = await trigger(client, "now")
        await ended(client, run)
        log = await client.log(PROJECT, run)
        stamp = next(line for line in log.decode().splitlines() if line and line[0].isdigit())
        latencies.append(float(stamp) - begin)
    return latencies


async def throughput(client: AsyncClient, count: int) -> float:
    begin = time.perf_counter()
    slots = asyncio.Semaphore(16)

    async def one() -> None:
        async with slots:
            await trigger(client, "nothing")

    await asyncio.gather(*(one() for _ in range(count)))
    for status in ("pending", "running"):
        while (await client.send(runs.list_all(PROJECT, status=status, limit=1))).items:
            await asyncio.sleep(0.02)
    return count / (time.perf_counter() - begin)


async def _large_log(client: AsyncClient, directory: Path) -> tuple[float, float]:
    data = os.urandom(LOG_SIZE)
    path = directory / "large"
    path.write_bytes(data)
    write = write_seconds(directory, data)
    begin = time.perf_counter()
    answer = await ended(client, await trigger(client, "file", {"path": str(path)}))
    elapsed = time.perf_counter() - begin
    assert answer.log.sha256 is not None
    assert answer.log.size > LOG_SIZE
    path.unlink()
    return elapsed, write


async def _line_delays(client: AsyncClient) -> list[float]:
    run = await trigger(client, "lines")
    delays: list[float] = []
    rest = b""
    async for piece in client.follow_log(PROJECT, run):
        now = time.time()
        *lines, rest = (rest + piece).split(b"\n")
        delays.extend(now - float(line) for line in lines if line[:1].isdigit())
    return delays


def milliseconds(seconds: list[float]) -> str:
    ordered = sorted(seconds)
    tail = ordered[int(0.95 * (len(ordered) - 1))]
    return f"median {1000 * statistics.median(ordered):.1f} ms, 95 % below {1000 * tail:.1f} ms"
