"""What worker and executor host survive, and what becomes of runs when they do not."""

from __future__ import annotations

import asyncio
import os
import random
import shlex
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from job_orchestra.domain.definitions import Workspace
from job_orchestra.domain.jobs import RunLimits
from job_orchestra.execution.process_identity import boot_identifier
from job_orchestra.execution.process_tree import all_processes, read_run_marker
from job_orchestra.execution.request import Request
from job_orchestra.execution.run_directory import RunDirectory, wish_abort, write_requests
from job_orchestra.execution.run_tag import read_tag, tag_of
from job_orchestra.protocol.run_key import RunKey
from tests.executor import stubborn
from tests.executor.hosting import commands
from tests.worker.standing_in import RunningWorker, StandInMaster, Stored, end_hosts, host_pids, run, working

_WAITING = "echo ready; until [ -e go ]; do sleep 0.01; done; echo done"


async def look(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.005)


def processes_of(stored: Stored) -> list[int]:
    key = RunKey(stored.execute.run, stored.execute.attempt)
    return [pid for pid, one in all_processes().items() if not one.is_zombie and read_run_marker(pid) == key]


def directory_of(directory: Path, stored: Stored) -> RunDirectory:
    return RunDirectory.of(directory / "runs", RunKey(stored.execute.run, stored.execute.attempt))


def let_go(directory: Path, stored: Stored) -> None:
    (directory / "workspaces/job/example" / stored.execute.job / "go").touch()


async def begin(master: StandInMaster, line: str = _WAITING) -> Stored:
    await master.until(lambda: master.is_connected)
    stored = await master.execute(commands(line))
    await master.until(lambda: b"\nready\n" in stored.log)
    return stored


def test_a_worker_that_is_stopped_leaves_its_runs_alone(directory: Path) -> None:
    async def test() -> None:
        master = StandInMaster()
        async with master.serving() as url:
            async with working(directory, url):
                stored = await begin(master)
            pids = host_pids(directory)
            async with working(directory, url):
                await master.until(lambda: len(master.hellos) == 2)
                assert host_pids(directory) == pids
                let_go(directory, stored)
                await master.finish(stored)
                assert stored.outcome == ("succeeded", "completed")
                assert b"\ndone\n" in stored.log

    run(test)


def test_a_run_that_ends_while_the_worker_is_away(directory: Path) -> None:
    async def test() -> None:
        master = StandInMaster()
        async with master.serving() as url:
            async with working(directory, url):
                stored = await begin(master)
            let_go(directory, stored)
            await look(lambda: b'"kind":"ended"' in directory_of(directory, stored).journal.read_bytes())
            async with working(directory, url):
                await master.finish(stored)
                assert stored.outcome == ("succeeded", "completed")

    run(test)


def test_a_worker_that_is_killed_again_and_again(directory: Path) -> None:
    seed = random.randrange(1 << 32)
    print(f"seed {seed}")
    chance = random.Random(seed)

    async def test() -> None:
        master = StandInMaster()
        async with master.serving() as url:
            worker = start(url)
            await master.until(lambda: master.is_connected)
            line = "echo $ORCHESTRA_RUN >> {0}/tally; for n in $(seq 30); do echo $n; sleep 0.02; done"
            runs: list[Stored] = []
            for _ in range(5):
                await master.until(lambda: master.is_connected)
                runs += [await master.execute(commands(line.replace("{0}", str(directory)))) for _ in range(3)]
                await asyncio.sleep(chance.random() * 0.2)
                worker.kill()
                worker.wait()
                await master.until(lambda: not master.is_connected)
                worker = start(url)
            for stored in runs:
                await master.finish(stored)
                assert stored.outcome == ("succeeded", "completed")
            worker.terminate()
            worker.wait()
        tally = (directory / "tally").read_text().split()
        assert sorted(tally) == sorted(stored.execute.run for stored in runs)

    def start(url: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen([sys.executable, "-m", "tests.worker.program", str(directory), url])

    run(test)


def test_what_somebody_appends_behind_the_end_is_not_the_runs(directory: Path) -> None:
    """A process that could not be ended, say: it still has the log."""

    async def test() -> None:
        master = StandInMaster()
        async with master.serving() as url:
            async with working(directory, url):
                stored = await begin(master)
            let_go(directory, stored)
            run_directory = directory_of(directory, stored)
            await look(lambda: b'"kind":"ended"' in run_directory.journal.read_bytes())
            with run_directory.log.open("ab") as log:
                log.write(b"late")
            async with working(directory, url):
                await master.finish(stored)
            assert stored.outcome == ("succeeded", "completed")
            assert b"late" not in stored.log
            assert stored.times_sent_again == 0

    run(test)


def test_an_abort_after_a_restart(directory: Path) -> None:
    async def test() -> None:
        master = StandInMaster()
        async with master.serving() as url:
            async with working(directory, url):
                stored = await begin(master)
            async with working(directory, url):
                await master.until(lambda: master.is_connected)
                await master.abort(stored)
                await master.finish(stored)
                assert stored.outcome == ("aborted", "abort_requested")

    run(test)


def test_a_wish_that_was_written_and_not_passed_on(directory: Path) -> None:
    async def test() -> None:
        master = StandInMaster()
        async with master.serving() as url:
            async with working(directory, url):
                stored = await begin(master)
            wish_abort(directory_of(directory, stored), "ann")
            async with working(directory, url):
                await master.finish(stored)
                assert stored.outcome == ("aborted", "abort_requested")

    run(test)


def test_a_host_that_is_killed(directory: Path) -> None:
    """Its runs end with that reason, nothing of them is left, and what it had not begun goes to another."""

    async def test() -> None:
        master = StandInMaster()
        async with master.serving() as url, working(directory, url):
            stored = await begin(master, "(setsid sleep 1000 &); (env -i setsid sleep 1000 &); echo ready; sleep 1000")
            (pid,) = host_pids(directory)
            os.kill(pid, signal.SIGSTOP)
            waiting = await master.execute(commands("echo later"))
            await master.until(lambda: waiting.is_accepted)
            assert len(processes_of(stored)) >= 2
            os.kill(pid, signal.SIGKILL)
            await master.finish(stored)
            assert stored.outcome == ("exception", "executor_host_lost")
            assert b"[orchestra] Run exception (executor_host_lost)" in stored.log
            assert processes_of(stored) == []
            await master.finish(waiting)
            assert waiting.outcome == ("succeeded", "completed")
            assert host_pids(directory) != [pid]

    run(test)


def test_a_host_that_is_killed_while_the_worker_is_away(directory: Path) -> None:
    async def test() -> None:
        master = StandInMaster()
        async with master.serving() as url:
            async with working(directory, url):
                stored = await begin(master, "trap '' TERM; echo ready; while true; do sleep 0.05; done")
            end_hosts(directory)
            assert processes_of(stored) != []
            async with working(directory, url):
                await master.finish(stored)
                assert stored.outcome == ("exception", "executor_host_lost")
                assert processes_of(stored) == []

    run(test)


@pytest.mark.parametrize("is_away", [False, True], ids=["beside the worker", "while the worker is away"])
@pytest.mark.parametrize("kind", ["daemon", "stopped", "hydra"])
def test_what_has_shed_everything_ends_with_a_host_that_is_killed(directory: Path, kind: str, is_away: bool) -> None:
    async def test() -> None:
        master = StandInMaster()
        pids = directory.parent / "pids"
        begin_it = shlex.join([sys.executable, stubborn.__file__, kind, str(pids), "2"])
        line = f"{begin_it}; until [ -s {shlex.quote(str(pids))} ]; do sleep 0.01; done"
        async with master.serving() as url:
            async with working(directory, url):
                stored = await begin(master, f"{line}; echo ready; sleep 1000")
                if not is_away:
                    end_hosts(directory)
                    await master.finish(stored)
            end_hosts(directory)
            async with working(directory, url):
                await master.finish(stored)
        assert stored.outcome == ("exception", "executor_host_lost")
        tag = tag_of(RunKey(stored.execute.run, stored.execute.attempt))
        assert [pid for pid, one in all_processes().items() if read_tag(pid) == tag and not one.is_zombie] == []

    run(test)


@pytest.mark.parametrize("line", [_WAITING, "trap '' TERM; echo ready; sleep 1000"], ids=["at once", "after the grace"])
@pytest.mark.parametrize("torn", [b'{"sequence":3,"ki', b"\0\0\0\0", b'garbage\n{"sequence":4}\n'])
def test_a_journal_that_ends_in_the_middle_of_a_line(directory: Path, torn: bytes, line: str) -> None:
    """Also if the worker is connected before it is repaired."""

    async def test() -> None:
        master = StandInMaster()
        async with master.serving() as url:
            async with working(directory, url):
                stored = await begin(master, line)
            end_hosts(directory)
            with directory_of(directory, stored).journal.open("ab") as journal:
                journal.write(torn)
            async with working(directory, url):
                await master.finish(stored)
                assert stored.outcome == ("exception", "executor_host_lost")
                assert [event.sequence for event in stored.events] == [1, 2, 3]

    run(test)


def test_runs_of_another_boot(directory: Path) -> None:
    """Begun or not: what was executing is over, and what was not is not begun either."""

    async def test() -> None:
        master = StandInMaster()
        async with master.serving() as url:
            async with working(directory, url):
                stored = await begin(master)
            end_hosts(directory)
            place = directory_of(directory, stored)
            content = place.journal.read_text().replace(boot_identifier(), "another")
            place.journal.write_text(content)
            unbegun = await prepare(directory, master, boot="another")
            async with working(directory, url):
                for one in (stored, unbegun):
                    await master.finish(one)
                    assert one.outcome == ("exception", "host_restarted")
                assert b"\nready\n" in stored.log
                assert processes_of(stored) == []

    run(test)


@pytest.mark.parametrize("lost", ["log", "journal", "everything"])
def test_a_disk_that_lost_its_last_writes_with_the_host(directory: Path, lost: str) -> None:
    """The master, which has more of the run than its worker, hears of the restart at once; nothing is left."""

    async def test() -> None:
        master = StandInMaster()
        async with master.serving() as url:
            async with working(directory, url):
                stored = await begin(master)
                await master.until(lambda: stored.of("command_started"))
            end_hosts(directory)
            place = directory_of(directory, stored)
            place.request.write_text(place.request.read_text().replace(boot_identifier(), "another"))
            content = place.journal.read_text().replace(boot_identifier(), "another")
            match lost:
                case "log":
                    place.journal.write_text(content)
                    os.truncate(place.log, 10)
                case "journal":
                    place.journal.write_text(content.splitlines()[0])  # torn, too
                case _:
                    place.journal.write_text("")
                    place.log.unlink()
            worker = RunningWorker(directory, url)
            await master.until(lambda: master.restarted)
            assert master.restarted == [place.key]
            await look(lambda: list((directory / "runs").iterdir()) == [])
            await worker.end()

    run(test)


@pytest.mark.parametrize("moment", ["while it is away", "and ended"])
def test_a_log_that_is_truncated_while_the_worker_is_away(directory: Path, moment: str) -> None:
    """It is sent as it is in the end; the run is not taken for lost."""

    async def test() -> None:
        master = StandInMaster()
        async with master.serving() as url:
            line = "head -c 100000 /dev/zero; echo; " + _WAITING.replace("echo done", "echo short > /dev/stderr")
            more = "" if moment == "and ended" else "; until [ -e again ]; do sleep 0.01; done; seq 100000"
            async with working(directory, url):
                stored = await begin(master, line + more)
            place = directory_of(directory, stored)
            let_go(directory, stored)
            await look(lambda: place.log.read_bytes().startswith(b"short\n"))
            if moment == "and ended":
                await look(lambda: b'"kind":"ended"' in place.journal.read_bytes())
            async with working(directory, url):
                await master.until(lambda: len(master.hellos) == 2)
                (directory / "workspaces/job/example" / stored.execute.job / "again").touch()
                await master.finish(stored)
            assert stored.outcome == ("succeeded", "completed")
            assert stored.times_sent_again == 1
            assert stored.log.startswith(b"short\n")

    run(test)


def test_a_pid_that_was_taken_by_another_process(directory: Path) -> None:
    """The journal names the host by pid, start and boot: who has its pid now is neither waited for nor ended."""

    async def test() -> None:
        master = StandInMaster()
        async with master.serving() as url:
            async with working(directory, url):
                stored = await begin(master)
            (pid,) = host_pids(directory)
            end_hosts(directory)
            place = directory_of(directory, stored)
            content = place.journal.read_text().replace(f'"pid":{pid},', f'"pid":{os.getpid()},', 1)
            place.journal.write_text(content)
            async with working(directory, url):
                await master.finish(stored)
                assert stored.outcome == ("exception", "executor_host_lost")

    run(test)


def test_a_request_that_nobody_has_begun(directory: Path) -> None:
    async def test() -> None:
        master = StandInMaster()
        stored = await prepare(directory, master)
        (directory / "runs" / ".new.half.1").mkdir()
        (directory / "runs" / ".gone.1").mkdir()
        async with master.serving() as url, working(directory, url):
            await master.finish(stored)
            assert stored.outcome == ("succeeded", "completed")
        assert list((directory / "runs").iterdir()) == []

    run(test)


async def prepare(directory: Path, master: StandInMaster, **fields: str) -> Stored:
    """A run that was written to disk by a worker that died then."""
    stored = await master.execute(commands("echo prepared"))
    given = {"boot": boot_identifier(), **fields}
    execute = stored.execute
    request = Request(
        execute.run, 1, "example", execute.job, execute.definition, {}, Workspace.JOB, RunLimits(), "", **given
    )
    (directory / "runs").mkdir(parents=True, exist_ok=True)
    write_requests(directory / "runs", [request])
    return stored


def test_a_changed_environment_brings_a_new_host(directory: Path) -> None:
    """As a new version does: the earlier host goes when its runs are done."""

    async def test() -> None:
        master = StandInMaster()
        async with master.serving() as url:
            async with working(directory, url, environment={**os.environ, "COLOUR": "red"}):
                stored = await begin(master)
            (earlier,) = host_pids(directory)
            async with working(directory, url, environment={**os.environ, "COLOUR": "green"}):
                await master.until(lambda: master.is_connected)
                other = await master.finish(await master.execute(commands("echo $COLOUR")))
                assert b"\ngreen\n" in other.log
                assert earlier in host_pids(directory)
                let_go(directory, stored)
                await master.finish(stored)
                assert stored.outcome == ("succeeded", "completed")
                await look(lambda: earlier not in host_pids(directory))

    run(test)


def test_a_host_that_cannot_be_reached_any_more(directory: Path) -> None:
    """Its runs go on, and are seen to when it ends."""

    async def test() -> None:
        master = StandInMaster()
        async with master.serving() as url:
            async with working(directory, url):
                stored = await begin(master)
                other = await begin(master)
            (pid,) = host_pids(directory)
            for path in (directory / "hosts").glob("*/socket"):
                path.unlink()
            async with working(directory, url):
                await master.until(lambda: master.is_connected)
                let_go(directory, stored)
                await master.finish(stored)
                assert stored.outcome == ("succeeded", "completed")
                os.kill(pid, signal.SIGKILL)
                await master.finish(other)
                assert other.outcome == ("exception", "executor_host_lost")

    run(test)


def test_a_directory_that_vanishes_hurts_nobody_else(directory: Path) -> None:
    async def test() -> None:
        master = StandInMaster()
        master.is_acknowledging = False
        async with master.serving() as url, working(directory, url):
            await master.until(lambda: master.is_connected)
            stored = await master.execute(commands("echo gone"))
            await master.until(lambda: stored.end)
            place = directory_of(directory, stored)
            for path in place.path.iterdir():
                path.unlink()
            place.path.rmdir()
            stored.events.clear()
            stored.log.clear()
            master.is_acknowledging = True
            await master.cut()
            other = await master.execute(commands("echo here"))
            await master.finish(other)
            assert other.outcome == ("succeeded", "completed")

    run(test)


def test_a_workspace_without_its_run_is_removed(directory: Path) -> None:
    async def test() -> None:
        master = StandInMaster()
        async with master.serving() as url:
            orphan = directory / "workspaces/run/000000000000000001.1"
            (orphan / "deep").mkdir(parents=True)
            async with working(directory, url):
                stored = await begin(master)
                assert not orphan.exists()
                let_go(directory, stored)
                await master.finish(stored)

    run(test)


def test_what_the_master_releases_unended_is_ended_and_deleted(directory: Path) -> None:
    """The attempt counts no more, because it was given up while the worker was away."""

    async def test() -> None:
        master = StandInMaster()
        async with master.serving() as url:
            async with working(directory, url):
                stored = await begin(master)
            stored.is_released = True
            worker = RunningWorker(directory, url)
            await look(lambda: list((directory / "runs").iterdir()) == [])
            assert processes_of(stored) == []
            await worker.end()

    run(test)


def test_the_log_has_the_same_hash_on_both_sides(directory: Path) -> None:
    async def test() -> None:
        master = StandInMaster()
        async with master.serving() as url, working(directory, url):
            await master.until(lambda: master.is_connected)
            stored = await master.finish(await master.execute(commands("yes line | head -c 50000000")))
            (ended,) = stored.of("command_ended")
            (started,) = stored.of("command_started")
            output = bytes(stored.log[started["log_offset"] : ended["log_offset"]])
            assert output == b"line\n" * 10_000_000

    run(test)
