"""`python -m benchmarks.takeup`: a killed master is started again, and takes up a thousand running runs.

The workers are stand-ins that speak the protocol over real connections and come back as real ones do; each run has to
be resumed, and new bytes of its log to be stored and acknowledged. Beside it: bare reading of the same rows and file
sizes.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.limits import start_seconds
from job_orchestra.composition.clock import SystemClock
from job_orchestra.composition.databases import open_administration, open_storage
from job_orchestra.domain.definitions import CommandsDefinition, Workspace
from job_orchestra.domain.event_records import event_to_record
from job_orchestra.domain.events import Started
from job_orchestra.domain.progress import apply_event
from job_orchestra.domain.roles import Role
from job_orchestra.domain.runs import LogFacts, Run, RunRequest, Source, SourceKind
from job_orchestra.domain.workers import WorkerDescription
from job_orchestra.protocol.codec import decode_to_worker, encode_frames
from job_orchestra.protocol.connection import ConnectionLost, basic_authorization, open_connection
from job_orchestra.protocol.messages import PROTOCOL_VERSION, Acknowledged, Hello, Log, RunOnDisk, ToMaster, Welcome
from job_orchestra.repositories.accounts import Accounts
from job_orchestra.repositories.run_progress import RunProgress
from job_orchestra.repositories.run_queue import RunQueue
from job_orchestra.repositories.runs import Runs
from job_orchestra.repositories.workers import Workers
from job_orchestra.storage.files import open_log_store
from job_orchestra.storage.log_port import LogKey, LogPiece
from job_orchestra.worker.reconnection import Pauses
from tests.connecting import connect_worker

_STORED = b"what the master has of the log\n" * 100
_NEW = b"what came while it was away\n"
_AT_ONCE = 200


@dataclass(slots=True)
class StandIn:
    """A worker with runs on its disk."""

    identifier: str
    runs: Sequence[Run]
    said_hello: float = 0.0
    is_resumed: float = 0.0
    """When the master had taken up the last of its runs, on the clock `perf_counter`."""
    is_acknowledged: float = 0.0
    """When the new bytes of the last of them were durable."""

    async def stay_connected(self, url: str, authorization: str) -> None:
        """Comes back again and again, until the master has acknowledged everything."""
        pauses = Pauses()
        while not self.is_acknowledged:
            began = time.perf_counter()
            try:
                await self._converse(url, authorization)
            except ConnectionLost:
                await asyncio.sleep(pauses.after(time.perf_counter() - began))

    async def _converse(self, url: str, authorization: str) -> None:
        on_disk = tuple(RunOnDisk(run.identifier, run.attempt, 1, len(_STORED + _NEW)) for run in self.runs)
        hello = Hello(PROTOCOL_VERSION, "1", self.identifier, "one", "boot", "", len(on_disk), {}, time.time(), on_disk)
        async with open_connection(url, authorization) as connection:
            self.said_hello = time.perf_counter()
            for frame in encode_frames((hello,)):
                await connection.send_frame(frame)
            left = {run.identifier for run in self.runs}
            while left:
                for message in decode_to_worker(await connection.receive_frame()):
                    if isinstance(message, Welcome):
                        assert len(message.resume) == len(self.runs), (len(message.resume), len(message.release))
                        self.is_resumed = time.perf_counter()
                        rest: list[ToMaster] = [
                            Log(run.identifier, run.attempt, len(_STORED), _NEW) for run in self.runs
                        ]
                        for frame in encode_frames(rest):
                            await connection.send_frame(frame)
                    elif isinstance(message, Acknowledged) and message.log_size == len(_STORED + _NEW):
                        left.discard(message.run)
            self.is_acknowledged = time.perf_counter()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.takeup", description=__doc__)
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--workers", type=int, default=4)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="orchestra-benchmark-") as temporary:
        asyncio.run(_measure(Path(temporary), arguments.runs, arguments.workers))


async def _measure(directory: Path, count: int, workers: int) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    (directory / "orchestra.toml").write_text(
        f'[database]\nurl = "sqlite:///orchestra.db"\n[master]\nport = {port}\nidentifier = "m"\n'
        '[logging]\nlevel = "warning"\n'
    )
    (directory / "projects.py").write_text("projects = []\n")
    authorization, stand_ins = await _prepare(directory, count, workers)
    url = f"ws://127.0.0.1:{port}/worker"

    master = _start(directory)
    await asyncio.to_thread(_ready, master)
    os.kill(master.pid, signal.SIGKILL)
    master.wait()
    connecting = [asyncio.create_task(one.stay_connected(url, authorization)) for one in stand_ins]
    await asyncio.sleep(1.0)  # they have noticed, and try again and again

    begin = time.perf_counter()
    master = _start(directory)
    try:
        ready = await asyncio.to_thread(_ready, master) - begin
        await asyncio.wait_for(asyncio.gather(*connecting), 60)
    finally:
        master.terminate()
        master.wait()
    resumed = max(one.is_resumed for one in stand_ins) - begin
    acknowledged = max(one.is_acknowledged for one in stand_ins) - begin
    bare = _bare_reading(directory, [run for one in stand_ins for run in one.runs])
    start = start_seconds()
    print(f"{count} running runs of {workers} workers; the master was killed and is started again")
    print(f"  ready                          {1000 * ready:.0f} ms (a bare interpreter: {1000 * start:.0f} ms)")
    greeting = max(one.is_resumed - one.said_hello for one in stand_ins)
    print(f"  all runs taken up              {1000 * resumed:.0f} ms, {1000 * (resumed - ready):.0f} ms after that")
    print(f"  from a hello to its welcome    at most {1000 * greeting:.0f} ms")
    print(f"  new bytes of all logs durable  {1000 * acknowledged:.0f} ms")
    print(f"  bare reading of rows and sizes {1000 * bare:.0f} ms")


def _start(directory: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "job_orchestra", "master"],
        cwd=directory,
        env={name: value for name, value in os.environ.items() if not name.startswith("ORCHESTRA_")},
        stdout=subprocess.PIPE,
        text=True,
    )


def _ready(master: subprocess.Popen[str]) -> float:
    assert master.stdout is not None
    line = master.stdout.readline()
    assert "ready" in line, line
    return time.perf_counter()


async def _prepare(directory: Path, count: int, workers: int) -> tuple[str, list[StandIn]]:
    """Runs as they are in the middle of their execution, by the operations that bring them there."""
    url = f"sqlite:///{directory}/orchestra.db"
    open_administration(url).create()
    storage, log_store, clock = open_storage(url), open_log_store(directory / "logs"), SystemClock()
    accounts = Accounts(storage, clock)
    await accounts.create_user("workers", roles=(Role.WORKER,))
    token = await accounts.create_token("workers")
    stand_ins = [StandIn(f"w{number}", []) for number in range(workers)]
    for number, one in enumerate(stand_ins):
        description = WorkerDescription("1", executor_limit=count)
        await connect_worker(Workers(storage, clock), one.identifier, "workers", "one", description, 0.0, "m")
        mine = range(number, count, workers)
        runs: list[Run] = []
        for start in range(0, len(mine), _AT_ONCE):
            some = mine[start : start + _AT_ONCE]
            runs += await asyncio.gather(
                *(_running(number, one.identifier, Runs(storage, clock), RunQueue(storage, clock),
                           RunProgress(storage, clock)) for number in some)
            )  # fmt: skip
        await log_store.append([LogPiece(_key(run), 0, _STORED) for run in runs])
        one.runs = runs
    await storage.close()
    await log_store.close()
    return basic_authorization("workers", token.secret), stand_ins


async def _running(number: int, worker: str, runs: Runs, queue: RunQueue, progress: RunProgress) -> Run:
    request = RunRequest("p", f"job-{number % 20}", CommandsDefinition((("sleep", "3600"),)), workspace=Workspace.RUN)
    triggered = await runs.trigger(request, Source(SourceKind.USER, "eve"))
    assigned = await queue.assign(triggered.run, worker)
    assert assigned is not None
    started = Started(1, SystemClock().now(), {}, "/")
    after = replace(apply_event(assigned, started), log=LogFacts())
    assert await progress.save(assigned, after, [event_to_record(started)])
    return after


def _key(run: Run) -> LogKey:
    return LogKey(run.request.project, run.identifier, run.attempt)


def _bare_reading(directory: Path, runs: Sequence[Run]) -> float:
    """The same rows by one query, the same sizes by one call of the system for each file."""
    files = {path.name: path for path in (directory / "logs").rglob("*.log")}
    paths = [files[f"{run.identifier}.{run.attempt}.log"] for run in runs]
    begin = time.perf_counter()
    connection = sqlite3.connect(directory / "orchestra.db")
    rows = connection.execute("SELECT * FROM runs WHERE status = 'running'").fetchall()
    sizes = [path.stat().st_size for path in paths]
    elapsed = time.perf_counter() - begin
    connection.close()
    assert len(rows) == len(sizes) == len(runs)
    return elapsed


if __name__ == "__main__":
    main()
