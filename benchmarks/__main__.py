"""`make bench`: what a trigger costs, beside what the machine does at best in the same run."""

from __future__ import annotations

import argparse
import asyncio
import os
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.installation import running_installation
from benchmarks.main_job import LOG_SIZE, PROJECTS_FILE, Measures, measure, milliseconds
from job_orchestra.client.asynchronous import AsyncClient
from tests.servers import running_server
from tests.services import DATABASES


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--runs", type=int, default=1000, help="how many runs the throughput is measured with")
    parser.add_argument("--database", choices=DATABASES, action="append", help="default: all")
    arguments = parser.parse_args()
    print(f"{os.cpu_count()} cores. Every figure stands beside a limit of the machine measured in the same run.\n")
    for name in arguments.database or DATABASES:
        print(describe(asyncio.run(_measure_on(name, arguments.runs))), flush=True)


@contextmanager
def database_at(kind: str) -> Generator[str]:
    """The URL of an empty one of that kind, there as long as the context is; of SQLite beside the settings file."""
    if kind == "sqlite":
        yield "sqlite:///orchestra.db"
    else:
        with running_server(kind) as server:
            yield server.new_database_url()


async def _measure_on(name: str, runs: int) -> Measures:
    with tempfile.TemporaryDirectory(prefix="orchestra-benchmark-") as temporary:
        directory = Path(temporary)
        with (
            database_at(name) as url,
            running_installation(directory, url, PROJECTS_FILE) as installation,
        ):
            client = AsyncClient(installation.service_url, installation.credentials)
            try:
                return await measure(client, name, directory, runs)
            finally:
                await client.close()


def describe(measures: Measures) -> str:
    ratio = measures.runs_per_second / measures.spawns
    megabytes = LOG_SIZE / 1e6
    return "\n".join(
        [
            f"{measures.database}",
            f"  trigger to first instruction   {milliseconds(measures.latency)} "
            f"(one bare posix_spawn of /bin/true: {1000 / measures.spawns:.1f} ms)",
            f"  no-op runs, end to end         {measures.runs_per_second:.0f}/s, {ratio:.2f} of the bare rate "
            f"({measures.spawns:.0f}/s)",
            f"  log of {megabytes:.0f} MB                  stored and verified in {measures.log_seconds:.2f} s, "
            f"{measures.log_seconds / measures.log_write_seconds:.1f} times a bare durable write "
            f"({measures.log_write_seconds:.2f} s)",
            f"  printed line seen by follower  {milliseconds(measures.line_delays)}",
            "",
        ]
    )


if __name__ == "__main__":
    main()
