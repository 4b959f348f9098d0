"""Commands that destroy what the worker keeps of their own run: it is given up, and nothing else minds."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from tests.executor.hosting import commands
from tests.worker.standing_in import StandInMaster, run, working

_OWN = 'cd "$(dirname $ORCHESTRA_RESULT_FILE)"'
_DAMAGES = {
    "directory deleted": f'{_OWN}; rm -rf "$PWD"',
    "directory moved away": f'{_OWN}; mv "$PWD" "$PWD.away"; mkdir ../../elsewhere; mv "$PWD.away" ../../elsewhere',
    "a file in the place of the directory": f'{_OWN}; d="$PWD"; cd ..; rm -rf "$d"; touch "$d"',
    "journal deleted": f"{_OWN}; rm journal",
    "journal emptied": f"{_OWN}; : > journal",
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
