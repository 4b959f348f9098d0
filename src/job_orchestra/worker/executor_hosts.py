"""The executor hosts beside the worker: the one of its own version and environment, and earlier ones with runs left."""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
import signal
import sys
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from contextlib import suppress
from hashlib import sha256
from typing import Any

from job_orchestra.domain.errors import Unavailable
from job_orchestra.execution.host_directory import HostDirectory
from job_orchestra.execution.host_messages import AbortRun, ExecuteRun, StopWhenIdle
from job_orchestra.execution.host_start import start_host
from job_orchestra.execution.process_identity import ProcessIdentity
from job_orchestra.fail_points import FailPoint, reach
from job_orchestra.version import __version__
from job_orchestra.worker.background import log_faults
from job_orchestra.worker.directory import WorkerDirectory
from job_orchestra.worker.host_environment import host_environment
from job_orchestra.worker.host_link import HostLink, open_again, wait_for_end

_logger = logging.getLogger(__name__)

_FIND_TIMEOUT = 2.0
_SHORTEST_LIFE = 5.0
"""A host that lives shorter than this is not restarted at once."""


class ExecutorHosts:
    def __init__(
        self,
        directory: WorkerDirectory,
        environment: Mapping[str, str],
        on_finished: Callable[[str], None],
        on_lost: Callable[[], Awaitable[None]],
        on_found_again: Callable[[], None],
        linger: float,
    ) -> None:
        """`on_finished` hears the names of runs that a host has left, `on_lost` that a host is gone with its runs.

        No run is handed to another host before `on_lost` has returned. `on_found_again` hears that a host may have
        missed what it was told of its runs.
        """
        self._directory = directory
        self._environment = host_environment(environment)
        self._on_finished = on_finished
        self._on_lost = on_lost
        self._on_found_again = on_found_again
        self._linger = linger
        self._kind = self._kind_of_host()
        self._links: set[HostLink] = set()
        self._executing: HostLink | None = None
        """The one that takes new runs."""
        self._tasks: set[asyncio.Task[None]] = set()
        self._watched: set[ProcessIdentity] = set()
        self._is_retiring = False
        self._waiting: dict[str, None] = {}
        """Runs that came while there was no host of this version."""

    def _kind_of_host(self) -> str:
        facts = [sys.executable, *(f"{name}={value}" for name, value in sorted(self._environment.items()))]
        digest = sha256("\0".join(facts).encode(errors="surrogateescape")).hexdigest()
        return f"{__version__}-{digest[:16]}"

    async def start(self) -> None:
        """Finds the hosts that are left of earlier lives of the worker, and has one of its own started."""
        finding = [self._begin(self._find(HostDirectory(path))) for path in self._directory.hosts.iterdir()]
        if finding:
            # A host that is stopped (by a signal, say) may greet later; it is not waited for.
            await asyncio.wait(finding, timeout=_FIND_TIMEOUT)
        if self._executing is None:
            self._begin(self._keep(0.0))

    def execute(self, name: str) -> None:
        """Hands the run over, as soon as there is a host."""
        if self._executing is None:
            self._waiting[name] = None
        else:
            self._executing.tell(ExecuteRun(name))

    def abort(self, name: str, by: str | None = None) -> None:
        """Whichever host carries the run out looks at the wish in its directory, unless `by` tells whose it is."""
        for link in self._links:
            link.tell(AbortRun(name, by))

    def retire(self) -> None:
        """All hosts go when they are idle, and none is started any more."""
        self._is_retiring = True
        for link in self._links:
            link.tell(StopWhenIdle())

    def silence(self) -> float:
        """Seconds for which the host that takes new runs has not answered; asks it anew if it has."""
        if self._executing is None:
            return 0.0
        self._executing.ask()
        return self._executing.silence

    def pids(self) -> set[int]:
        return {link.hello.identity.pid for link in self._links}

    def watch(self, identity: ProcessIdentity) -> None:
        """Hears of the end of a living host also if there is no link to it, because its socket is gone."""
        if identity not in self._watched and all(link.hello.identity != identity for link in self._links):
            self._watched.add(identity)
            self._begin(self._watch(identity))

    async def close(self) -> None:
        """Leaves the hosts alone, and their runs."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for link in self._links:
            await link.close()

    # ---------- the life of a host

    def _begin(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(log_faults(work), name="executor hosts")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _find(self, directory: HostDirectory) -> None:
        link: HostLink | None = None
        try:
            link = await HostLink.open(directory)
        except Unavailable:
            identity = directory.read_identity()
            if identity is not None:
                link = await open_again(directory, identity)
        if link is None:
            _clear(directory)
            return
        _logger.info("Found an executor host with %d runs.", len(link.hello.active))
        self._adopt(link, may_execute=directory.kind == self._kind)
        # One that was stopped may greet long after its runs were told to end.
        self._on_found_again()

    def _adopt(self, link: HostLink, may_execute: bool) -> None:
        self._links.add(link)
        self._begin(self._follow(link))
        if self._executing is not None or not may_execute or self._is_retiring:
            link.tell(StopWhenIdle())
            return
        self._executing = link
        waiting, self._waiting = self._waiting, {}
        for name in waiting:
            link.tell(ExecuteRun(name))

    async def _follow(self, link: HostLink) -> None:
        loop = asyncio.get_running_loop()
        began = loop.time()
        await link.follow(self._on_finished)
        while (again := await open_again(link.directory, link.hello.identity)) is not None:
            _logger.warning("The connection to an executor host broke, and stands again.")
            self._replace(link, again)
            link = again
            await link.follow(self._on_finished)
        _reap(link.hello.identity.pid)
        was_executing = self._executing is link
        if was_executing:
            self._executing = None
        self._links.discard(link)
        _logger.info("An executor host has ended.")
        await self._on_lost()
        _clear(link.directory)
        if was_executing:
            await self._keep(0.0 if loop.time() - began > _SHORTEST_LIFE else 1.0)

    def _replace(self, broken: HostLink, link: HostLink) -> None:
        self._links.discard(broken)
        self._links.add(link)
        if self._executing is broken:
            self._executing = link
        if self._executing is not link or self._is_retiring:
            link.tell(StopWhenIdle())
        self._on_found_again()

    async def _watch(self, identity: ProcessIdentity) -> None:
        await wait_for_end(identity)
        self._watched.discard(identity)
        await self._on_lost()

    async def _keep(self, pause: float) -> None:
        """Starts hosts until one greets."""
        directory = HostDirectory.fresh(self._directory.hosts, self._kind)
        while self._executing is None and not self._is_retiring:
            await asyncio.sleep(pause)
            pause = min(10.0, pause * 2 or 1.0)
            pid: int | None = None
            try:
                pid = start_host(self._directory.path, directory, self._environment, self._linger)
                reach(FailPoint.WORKER_HOST_STARTED)
                self._adopt(await HostLink.open(directory), may_execute=True)
            except (OSError, Unavailable) as error:
                _logger.error("The executor host cannot be started (it may say why in %s): %s", directory.output, error)
                if pid is not None:
                    os.kill(pid, signal.SIGKILL)
                    await asyncio.to_thread(os.waitpid, pid, 0)


def _reap(pid: int) -> None:
    """Of a process that may be a child of this one, and has ended."""
    with suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)


def _clear(directory: HostDirectory) -> None:
    """Of a host that has ended; what it said last is kept here."""
    if words := directory.last_words():
        _logger.warning("An executor host that has ended said at last:\n%s", words)
    shutil.rmtree(directory.path, ignore_errors=True)
