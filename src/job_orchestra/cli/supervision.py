"""All applications of an installation under one foreground process: `orchestra up`, and the demo."""

from __future__ import annotations

import asyncio
import fcntl
import os
import signal
import tempfile
from collections.abc import Callable, Coroutine, Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from job_orchestra.cli.children import Child, ChildPlan, Say
from job_orchestra.cli.exit_codes import ExitCode
from job_orchestra.domain.errors import Conflict, Unavailable
from job_orchestra.settings.sections import Settings

_STOP_ORDER = ("website", "service", "worker", "master")
"""From what needs others to what others need."""

Work = Callable[[], Coroutine[Any, Any, bool]]
"""Whether the children stay after it."""


def plan_children(settings: Settings, workers: int) -> list[ChildPlan]:
    """The first worker is that of the settings; further ones have names and directories of their own."""
    file = ["--settings", str(settings.file)]
    plans = [ChildPlan(name, [name, *file]) for name in ("master", "service", "website")]
    for number in range(1, workers + 1):
        directory = settings.worker.directory
        identifier = f"{settings.worker.identifier[:60]}-{number}"
        environment = {
            "ORCHESTRA_WORKER_IDENTIFIER": identifier,
            "ORCHESTRA_WORKER_DIRECTORY": str(directory.with_name(f"{directory.name}-{number}")),
        }
        name = "worker" if workers == 1 else f"worker-{number}"
        plans.append(ChildPlan(name, ["worker", *file], environment if number > 1 else {}))
    return plans


async def supervise(plans: Sequence[ChildPlan], say: Say, work: Work, patience: float | None = None) -> None:
    """Keeps the children alive until SIGTERM or SIGINT; `work`, begun when all are ready, may end it earlier.

    Unavailable if they are not all ready after `patience` seconds. A second signal kills them.
    """
    stop = asyncio.Event()
    with tempfile.TemporaryDirectory(prefix="orchestra-") as sockets:
        children = [Child(plan, Path(sockets), say) for plan in plans]
        _listen_for_signals(stop, children, say)
        working = asyncio.create_task(_work(children, work, patience), name="work")
        stopping = asyncio.create_task(stop.wait(), name="stop")
        try:
            await asyncio.wait([working, stopping], return_when=asyncio.FIRST_COMPLETED)
            if working.done() and working.result():
                await stopping
        finally:
            for task in (working, stopping):
                task.cancel()
            await asyncio.gather(working, stopping, return_exceptions=True)
            await stop_in_order(children)


async def _work(children: Sequence[Child], work: Work, patience: float | None) -> bool:
    try:
        async with asyncio.timeout(patience):
            for child in children:
                await child.is_ready.wait()
    except TimeoutError:
        waiting = ", ".join(child.name for child in children if not child.is_ready.is_set())
        raise Unavailable(f"Not ready after {patience:g} seconds: {waiting}.") from None
    return await work()


async def stop_in_order(children: Sequence[Child]) -> None:
    for name in _STOP_ORDER:
        await asyncio.gather(*(child.stop() for child in children if child.name.partition("-")[0] == name))


def _listen_for_signals(stop: asyncio.Event, children: Sequence[Child], say: Say) -> None:
    def on_signal() -> None:
        if stop.is_set():
            for child in children:
                child.kill()
            os._exit(ExitCode.INTERRUPTED)
        say("Stopping.")
        stop.set()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, on_signal)


@contextmanager
def only_one(directory: Path) -> Generator[None]:
    """Conflict if the installation is under such a process already."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(directory / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        raise Conflict(f"`orchestra up` is running in {directory.parent} already.") from None
    finally:
        os.close(descriptor)
