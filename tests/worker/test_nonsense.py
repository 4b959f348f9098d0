"""A master that speaks nonsense: the worker says so, connects again, and its runs go on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from job_orchestra.protocol.codec import encode
from job_orchestra.protocol.messages import PROTOCOL_VERSION, Acknowledged, Welcome
from tests.executor.hosting import commands
from tests.worker.standing_in import StandInMaster, Stored, run, working

_NONSENSE: dict[str, tuple[Callable[[Stored], bytes], str]] = {
    "noise": (lambda _: b"\xc1noise", "malformed"),
    "nesting": (lambda _: b"\x91" * 100_000, "malformed"),
    "welcome again": (lambda _: encode((Welcome(PROTOCOL_VERSION, "1", "m", (), ()),)), "twice"),
    "more acknowledged than was sent": (
        lambda stored: encode((Acknowledged(stored.execute.run, 1, 99, 0),)), "acknowledged event 99",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", _NONSENSE)
def test_a_master_that_speaks_nonsense_costs_a_connection(directory: Path, tmp_path: Path, name: str) -> None:
    said, words = _NONSENSE[name]
    gate = tmp_path / "gate"

    async def test() -> None:
        master = StandInMaster()
        async with master.serving() as url, working(directory, url):
            await master.until(lambda: master.is_connected)
            stored = await master.execute(commands(f"echo before; while ! test -e {gate}; do sleep 0.02; done"))
            await master.until_log(stored, "before")
            await master.send_frame(said(stored))
            goodbye = await master.until(lambda: master.goodbyes)
            assert goodbye[0].code == "violation"
            assert words in goodbye[0].message
            await master.until(lambda: len(master.hellos) == 2)
            gate.touch()
            assert (await master.finish(stored)).outcome == ("succeeded", "completed")

    run(test)
