"""Commands that destroy what the worker keeps of their own run: it is given up, and nothing else minds."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from job_orchestra.domain.event_records import EventRecord
from job_orchestra.execution.process_identity import boot_identifier
from job_orchestra.execution.run_directory import run_name
from job_orchestra.protocol.messages import Welcome
from job_orchestra.protocol.run_key import RunKey
from job_orchestra.protocol.worker_session import Connected, WorkerIdentity, WorkerSession
from job_orchestra.worker.conversation import Conversation
from tests.executor.hosting import commands
from tests.worker.standing_in import StandInMaster, run, working

_OWN = 'cd "$(dirname $ORCHESTRA_RESULT_FILE)"'
_DAMAGES = {
    "directory deleted": f'{_OWN}; rm -rf "$PWD"',
    "directory moved away": f'{_OWN}; mv "$PWD" "$PWD.away"; mkdir ../../elsewhere; mv "$PWD.away" ../../elsewhere',
    "a file in the place of the directory": f'{_OWN}; d="$PWD"; cd ..; rm -rf "$d"; touch "$d"',
    "journal deleted": f"{_OWN}; rm journal",
    "journal emptied": f"{_OWN}; : > journal",
    "a pipe in the place of the journal": f"{_OWN}; rm journal; mkfifo journal",
    "a link in the place of the journal": f"{_OWN}; mv journal other; ln -s other journal",
    "a directory in the place of the journal": f"{_OWN}; rm journal; mkdir -p journal/deep",
}


@pytest.mark.parametrize("damage", _DAMAGES)
def test_a_run_that_destroys_its_own_directory_is_lost(
    directory: Path, damage: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.ERROR)
    tally = directory.parent / "tally"

    async def test() -> None:
        master = StandInMaster()
        async with master.serving() as url:
            async with working(directory, url):
                await master.until(lambda: master.is_connected)
                go = directory.parent / "go"
                wait = f"until [ -e {go} ]; do sleep 0.01; done"
                stored = await master.execute(commands(f"echo once >> {tally}; {wait}; {_DAMAGES[damage]}; sleep 0.2"))
                # What the master has not heard of cannot be missed: the run would end by its executor host's fault.
                await master.until(lambda: stored.events)
                go.touch()
                await master.until(lambda: stored.is_lost)
                await master.abort(stored)
                following = await master.finish(await master.execute(commands("true")))
                assert following.outcome == ("succeeded", "completed")
            async with working(directory, url):
                await master.until(lambda: master.is_connected)
                assert (await master.finish(await master.execute(commands("true")))).outcome[0] == "succeeded"

    run(test)
    assert tally.read_text() == "once\n"
    assert len(caplog.records) < 10, "it is said once, not again and again"


def test_a_run_that_writes_into_its_journal_ends_as_a_fault(directory: Path) -> None:
    """What its host writes behind that is no event of the run any more."""

    async def test() -> None:
        master = StandInMaster()
        async with master.serving() as url, working(directory, url):
            await master.until(lambda: master.is_connected)
            stored = await master.execute(commands(f"{_OWN}; echo nonsense >> journal; echo further"))
            await master.finish(stored)
            assert stored.outcome == ("exception", "internal_error")
            assert b"\nfurther\n" in stored.log
            assert (await master.finish(await master.execute(commands("true")))).outcome[0] == "succeeded"

    run(test)


_OTHERS = {
    "pipe": "mkfifo {0}",
    "link": "ln -s /dev/zero {0}",
    "directory": "mkdir -p {0}/deep",
    "nonsense": "echo nonsense > {0}",
}


@pytest.mark.parametrize("other", _OTHERS)
def test_what_has_the_name_of_a_wish_keeps_no_abort_from_anyone(directory: Path, other: str) -> None:
    async def test() -> None:
        master = StandInMaster()
        async with master.serving() as url, working(directory, url):
            await master.until(lambda: master.is_connected)
            obstruct = "; ".join(_OTHERS[other].format(name) for name in ("abort", ".abort"))
            runs = [
                await master.execute(commands(f"{prepare}; echo ready; sleep 1000"), job=job)
                for job, prepare in (("evil", f"{_OWN}; {obstruct}"), ("good", "true"))
            ]
            await master.until(lambda: all(b"\nready\n" in stored.log for stored in runs))
            for stored in runs:
                await master.abort(stored)
                await master.finish(stored)
                assert stored.outcome == ("aborted", "abort_requested")
                assert b"requested by" in stored.log
                assert b"cannot be read" not in stored.log

    run(test)


@pytest.mark.parametrize("other", ["pipe", "link", "directory"])
def test_a_log_that_something_else_has_the_name_of_is_put_back(directory: Path, other: str) -> None:
    async def test() -> None:
        master = StandInMaster()
        async with master.serving() as url, working(directory, url):
            await master.until(lambda: master.is_connected)
            obstruct = "; ".join(_OTHERS[other].format(name) for name in ("log", ".log"))
            stored = await master.execute(commands(f"echo one; {_OWN}; rm log; {obstruct}; echo two"))
            await master.finish(stored)
            assert stored.outcome == ("succeeded", "completed")
            assert b"\none\ntwo\n" in stored.log

    run(test)


@dataclass
class LeftRun:
    """What is left of a run whose journal was emptied, and then got an end of the worker's own."""

    key: RunKey
    sequence: int = 1
    log_size: int = 0
    is_ended: bool = True
    boot: str = boot_identifier()

    @property
    def name(self) -> str:
        return run_name(self.key)

    def journal_size(self, after: int, last: int) -> int:
        return 0

    def read_journal(self, after: int, limit: int) -> list[EventRecord]:
        raise NotImplementedError

    def read_log(self, offset: int, size: int) -> bytes:
        raise NotImplementedError


def test_the_end_of_what_is_left_does_not_pass_for_the_event_that_had_its_number() -> None:
    """The master has that event, and hears by the next hello that the worker has not."""
    session = WorkerSession()
    keeper: Any = SimpleNamespace(runs=())
    conversation = Conversation(session, lambda: keeper)
    conversation.carry_out([Connected(Welcome(1, "1", "m", (), ()))])
    left = LeftRun(RunKey("r", 1))
    session.add(left.key, 1, 0)
    conversation.damaged(left.key, left)
    conversation.report(left)
    hello = session.hello(WorkerIdentity("1", "w", "i", left.boot, "", 1, {}), 0.0)
    assert [one.sequence for one in hello.runs] == [0]
