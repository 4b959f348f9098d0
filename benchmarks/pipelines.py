"""`python -m benchmarks.pipelines`: what pipelines cost, beside the same runs without one in the same installation."""

from __future__ import annotations

import argparse
import asyncio
import statistics
import tempfile
import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from benchmarks.__main__ import database_at
from benchmarks.installation import running_installation
from benchmarks.main_job import PROJECT, ended, latencies, milliseconds, throughput, trigger
from job_orchestra.client.asynchronous import AsyncClient
from job_orchestra.client.calls import runs
from tests.services import DATABASES

_PROJECTS_FILE = """
from job_orchestra import Element, Job, Pipeline, Project

ELEMENTS = {elements}

def ladder(identifier, job):
    names = [f"step-{{number}}" for number in range(ELEMENTS)]
    before = [[], *([name] for name in names)]
    steps = [Element(name, job=job, after=after) for name, after in zip(names, before)]
    return Pipeline(identifier, elements=steps)

projects = [
    Project(
        "benchmark",
        jobs=[
            Job("now", commands=[["date", "+%s.%N"]], workspace="run"),
            Job("nothing", commands=[["/bin/true"]], workspace="run"),
            ladder("ladder", "nothing"),
            ladder("clocks", "now"),
            Pipeline("wide", elements=[Element("each", job="nothing", for_each=list(range(ELEMENTS)))]),
        ],
    )
]
"""
_LATENCIES = 50


@dataclass(frozen=True, slots=True)
class _Measures:
    one_by_one: float
    """Seconds for which a client needs that triggers each run when the one before has ended."""
    at_once: float
    ladder: float
    wide: float
    latencies: list[float]
    """Seconds from a trigger to the first instruction of the command."""
    gaps: list[float]
    """Seconds from the end of an element to the first instruction of the next one's command."""


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.pipelines", description=__doc__)
    parser.add_argument("--elements", type=int, default=100)
    parser.add_argument("--database", choices=DATABASES, action="append", help="default: sqlite")
    arguments = parser.parse_args()
    for name in arguments.database or ["sqlite"]:
        print(_describe(name, arguments.elements, asyncio.run(_measure_on(name, arguments.elements))), flush=True)


async def _measure_on(database: str, elements: int) -> _Measures:
    with tempfile.TemporaryDirectory(prefix="orchestra-benchmark-") as temporary:
        projects = _PROJECTS_FILE.format(elements=elements)
        with database_at(database) as url, running_installation(Path(temporary), url, projects) as installation:
            client = AsyncClient(installation.service_url, installation.credentials)
            try:
                return await _measure(client, elements)
            finally:
                await client.close()


async def _measure(client: AsyncClient, elements: int) -> _Measures:
    await latencies(client, 5)  # everything is imported and connected then
    await _seconds_of(client, "wide")
    begin = time.perf_counter()
    for _ in range(elements):
        await ended(client, await trigger(client, "nothing"))
    one_by_one = time.perf_counter() - begin
    return _Measures(
        one_by_one=one_by_one,
        at_once=elements / await throughput(client, elements),
        ladder=await _seconds_of(client, "ladder"),
        wide=await _seconds_of(client, "wide"),
        latencies=await latencies(client, _LATENCIES),
        gaps=await _gaps(client, elements),
    )


async def _seconds_of(client: AsyncClient, pipeline: str) -> float:
    begin = time.perf_counter()
    await ended(client, await trigger(client, pipeline))
    return time.perf_counter() - begin


async def _gaps(client: AsyncClient, elements: int) -> list[float]:
    """By the worker's clock, which is that of this host."""
    await ended(client, await trigger(client, "clocks"))
    listed = await client.send(runs.list_all(PROJECT, job="now", limit=elements))
    names = sorted(run.identifier for run in listed.items)
    found = [await client.send(runs.get(PROJECT, name)) for name in names]
    ends = [datetime.fromisoformat(run.ended_at or "").timestamp() for run in found]
    starts = [_time_in(await client.log(PROJECT, name)) for name in names]
    return [start - end for end, start in zip(ends, starts[1:], strict=False)]


def _time_in(log: bytes) -> float:
    return float(next(line for line in log.decode().splitlines() if line and line[0].isdigit()))


def _describe(database: str, elements: int, measures: _Measures) -> str:
    ratio = statistics.median(measures.gaps) / statistics.median(measures.latencies)
    return "\n".join(
        [
            f"{database}, {elements} runs of /bin/true",
            f"  ladder       {measures.ladder:.2f} s, {measures.ladder / measures.one_by_one:.2f} of the same runs "
            f"triggered one after the other ({measures.one_by_one:.2f} s)",
            f"  wide         {measures.wide:.2f} s, {measures.wide / measures.at_once:.2f} of the same runs triggered "
            f"at once ({measures.at_once:.2f} s)",
            f"  end to next  {milliseconds(measures.gaps)}, {ratio:.2f} of trigger to start "
            f"({milliseconds(measures.latencies)})",
            "",
        ]
    )


if __name__ == "__main__":
    main()
