"""The command `orchestra worker` as a process: signals, the command that stops it, and its upgrade."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

import job_orchestra
from job_orchestra.version import __version__
from tests.executor.hosting import commands
from tests.worker.standing_in import StandInMaster, Stored, host_pids, run

_CODE = Path(job_orchestra.__file__).parent
_WAITING = "echo ready; until [ -e go ]; do sleep 0.01; done; echo done"


class Program:
    """`orchestra worker` of one installation, started as often as the test wants."""

    def __init__(self, directory: Path, url: str, environment: Mapping[str, str] | None = None) -> None:
        self.settings = directory.parent / "orchestra.toml"
        self.settings.write_text(
            f'[worker]\nidentifier = "worker-1"\ndirectory = "{directory}"\nmaster_url = "{url}"\n'
            'user = "worker"\ntoken = "token"\n'
        )
        self._environment = {**os.environ, **(environment or {})}
        self._processes: list[asyncio.subprocess.Process] = []

    async def orchestra(self, *arguments: str) -> asyncio.subprocess.Process:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-m", "job_orchestra", *arguments, "--settings", str(self.settings)),
            env=self._environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self._processes.append(process)
        return process

    async def end(self) -> None:
        for process in self._processes:
            if process.returncode is None:
                process.kill()
            await process.wait()


@asynccontextmanager
async def program(directory: Path, url: str, environment: Mapping[str, str] | None = None) -> AsyncGenerator[Program]:
    one = Program(directory, url, environment)
    try:
        yield one
    finally:
        await one.end()


async def begin(master: StandInMaster, line: str = _WAITING, **phases: list[str]) -> Stored:
    await master.until(lambda: master.is_connected)
    stored = await master.execute(commands(line, **phases))
    await master.until_log(stored, "\nready\n")
    return stored


def let_go(directory: Path, stored: Stored) -> None:
    (directory / "workspaces/job/example" / stored.execute.job / "go").touch()


async def refused_or_finished(master: StandInMaster) -> Stored:
    stored = await master.execute(commands("true"))
    await master.until(lambda: stored.refusal is not None or stored.is_released)
    return stored


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL], ids=lambda number: number.name)
def test_a_signal_keeps_the_runs(directory: Path, number: signal.Signals) -> None:
    async def test() -> None:
        master = StandInMaster()
        async with master.serving() as url, program(directory, url) as installation:
            worker = await installation.orchestra("worker")
            stored, aborted = await begin(master), await begin(master)
            (host,) = host_pids(directory)
            worker.send_signal(number)
            assert await worker.wait() == (-number if number is signal.SIGKILL else 0)
            await master.until(lambda: not master.is_connected)
            assert host_pids(directory) == [host]
            await installation.orchestra("worker")
            await master.until(lambda: master.is_connected)
            await master.abort(aborted)
            await master.finish(aborted)
            assert aborted.outcome == ("aborted", "abort_requested")
            let_go(directory, stored)
            await master.finish(stored)
            assert stored.outcome == ("succeeded", "completed")
            assert host_pids(directory) == [host]

    run(test)


def test_stop_with_drain_and_then_with_abort(directory: Path) -> None:
    async def test() -> None:
        master = StandInMaster()
        async with master.serving() as url, program(directory, url) as installation:
            worker = await installation.orchestra("worker")
            stored, stubborn = await begin(master), await begin(master)
            draining = await installation.orchestra("worker", "stop", "--drain")
            # Until it has heard of it, it takes what comes.
            while (await refused_or_finished(master)).refusal is None:
                continue
            let_go(directory, stored)
            await master.finish(stored)
            assert stored.outcome == ("succeeded", "completed")
            assert (worker.returncode, draining.returncode) == (None, None)
            assert await (await installation.orchestra("worker", "stop", "--abort")).wait() == 0
            assert (await worker.wait(), await draining.wait()) == (0, 0)
            assert stubborn.outcome == ("aborted", "shutdown")
            assert await (await installation.orchestra("worker", "stop")).wait() != 0

    run(test)


def test_stop_with_abort_ends_what_a_killed_worker_left(directory: Path) -> None:
    async def test() -> None:
        master = StandInMaster()
        async with master.serving() as url, program(directory, url) as installation:
            worker = await installation.orchestra("worker", "--on-stop", "drain")
            stored = await begin(master)
            worker.kill()
            await worker.wait()
            assert await (await installation.orchestra("worker", "stop", "--abort")).wait() == 0
            assert host_pids(directory) == []
            await installation.orchestra("worker")
            await master.finish(stored)
            assert stored.outcome == ("aborted", "shutdown")

    run(test)


def test_an_upgrade(directory: Path) -> None:
    """The code is replaced below a running host: it goes on with its runs, and a new one takes the new runs."""

    def install(version: str) -> None:
        shutil.rmtree(code, ignore_errors=True)
        shutil.copytree(_CODE, code / "job_orchestra", ignore=shutil.ignore_patterns("__pycache__"))
        (code / "job_orchestra" / "version.py").write_text(f'__version__ = "{version}"\n')

    code = directory.parent / "code"

    async def test() -> None:
        master = StandInMaster()
        install("98.0.0")
        async with master.serving() as url, program(directory, url, {"PYTHONPATH": str(code)}) as installation:
            worker = await installation.orchestra("worker")
            stored = await begin(master, teardown=["echo over"])
            aborted = await begin(master, "trap '' TERM; echo ready; while true; do sleep 0.05; done")
            (earlier,) = host_pids(directory)
            shutil.rmtree(code)
            worker.terminate()
            await worker.wait()
            install("99.0.0")
            await installation.orchestra("worker")
            await master.until(lambda: master.is_connected)
            new = await master.finish(await master.execute(commands("echo new")))
            assert new.log.startswith(b"[orchestra] Job Orchestra 99.0.0,")
            await master.abort(aborted)
            await master.finish(aborted)
            assert aborted.outcome == ("aborted", "abort_requested")
            assert earlier in host_pids(directory)
            let_go(directory, stored)
            await master.finish(stored)
            assert stored.outcome == ("succeeded", "completed")
            assert stored.log.startswith(b"[orchestra] Job Orchestra 98.0.0,")
            assert b"\nover\n" in stored.log
            async with asyncio.timeout(20):
                while earlier in host_pids(directory):
                    await asyncio.sleep(0.01)
            assert [hello.version for hello in master.hellos] == ["98.0.0", "99.0.0"]

    assert __version__ not in {"98.0.0", "99.0.0"}
    run(test)


def peak_memory(pid: int) -> int:
    """Bytes."""
    text = Path(f"/proc/{pid}/status").read_text()
    return int(next(line.split()[1] for line in text.splitlines() if line.startswith("VmHWM"))) << 10


def test_what_a_run_writes_while_the_master_is_away_stays_on_disk(directory: Path) -> None:
    """Nothing of it is kept in memory, neither meanwhile nor when it is caught up with."""
    size = 150_000_000

    async def test() -> None:
        master = StandInMaster()
        async with master.serving():
            url = f"ws://127.0.0.1:{master.port}"
        async with program(directory, url) as installation:
            async with master.serving():
                worker = await installation.orchestra("worker")
                stored = await begin(master, f"{_WAITING}; head -c {size} /dev/urandom")
                before = peak_memory(worker.pid)
            await master.until(lambda: not master.is_connected)
            let_go(directory, stored)
            journal = directory / "runs" / f"{stored.execute.run}.1" / "journal"
            async with asyncio.timeout(40):
                while b'"kind":"ended"' not in journal.read_bytes():
                    await asyncio.sleep(0.02)
            assert peak_memory(worker.pid) - before < 16 << 20
            async with master.serving():
                await master.finish(stored)
                assert len(stored.log) > size
                assert stored.times_sent_again == 0
                assert peak_memory(worker.pid) - before < 64 << 20

    run(test)
