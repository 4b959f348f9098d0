"""The directories that commands are executed in, each for one run at a time."""

from __future__ import annotations

import asyncio
import fcntl
import os
import threading
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from pathlib import Path

from job_orchestra.domain.definitions import Workspace
from job_orchestra.domain.identifiers import NAME
from job_orchestra.execution.removal import remove_tree
from job_orchestra.execution.request import Request
from job_orchestra.execution.room import LOOK_AGAIN
from job_orchestra.execution.run_directory import run_name
from job_orchestra.execution.run_files import open_run_file
from job_orchestra.execution.workspace_layout import (
    WORKSPACES,
    job_workspace,
    lock_path,
    project_workspace,
    run_workspace,
)
from job_orchestra.executor.stop_signal import StopSignal


class WorkspaceFault(Exception):
    """The directory cannot be had; str() is a sentence."""


class HeldWorkspace:
    """A directory that belongs to one run until it is released."""

    def __init__(self, directory: Path, is_kept: bool, release: Callable[[], None]) -> None:
        self.directory = directory
        self._is_kept = is_kept
        self._release = release

    async def remove(self) -> None:
        """Removes what is not kept between runs; WorkspaceFault if something resists."""
        if not self._is_kept:
            await asyncio.to_thread(_remove_tree, self.directory)

    def release(self) -> None:
        self._release()


class Workspaces:
    """Hands directories out: the runs of this host wait in the order of their coming, hosts for each other by locks."""

    def __init__(self, worker_directory: Path) -> None:
        self._root = worker_directory / WORKSPACES
        self._holders: dict[Path, str] = {}
        self._queues: dict[Path, deque[asyncio.Future[None]]] = {}

    def path(self, request: Request) -> Path:
        """WorkspaceFault if project or job cannot name a directory."""
        for name in (request.project, request.job):
            if not NAME.fullmatch(name):
                raise WorkspaceFault(f"{name!r} cannot name a directory.")
        match request.workspace:
            case Workspace.RUN:
                return run_workspace(self._root, request.key)
            case Workspace.JOB:
                return job_workspace(self._root, request.project, request.job)
            case Workspace.PROJECT:
                return project_workspace(self._root, request.project)

    async def take(
        self, request: Request, stop: StopSignal, announce: Callable[[str], Awaitable[None]]
    ) -> HeldWorkspace | None:
        """The run's directory, made if need be; `announce` hears what is waited for. None if told to stop meanwhile."""
        directory = self.path(request)
        try:
            if request.workspace is Workspace.RUN:
                return await self._take_fresh(directory, stop)
            if not await self._queue(directory, run_name(request.key), stop, announce):
                return None
            with ExitStack() as undo:
                undo.callback(self._leave, directory)
                lock = await self._lock(lock_path(self._root, directory), stop, announce)
                if lock is None:
                    return None
                undo.callback(_unlock, lock)
                if await stop.when_there_is_room(lambda: _make(directory)) is None:
                    return None
                return HeldWorkspace(directory, True, undo.pop_all().close)
        except OSError as error:
            raise WorkspaceFault(f"The workspace {directory} cannot be made: {error.strerror or error}.") from None

    async def _take_fresh(self, directory: Path, stop: StopSignal) -> HeldWorkspace | None:
        try:
            return await stop.when_there_is_room(lambda: _make_fresh(directory))
        except FileExistsError:
            # Threads are for this rare case alone: a start is not to wait behind the removals of other runs.
            await asyncio.to_thread(_remove_tree, directory)
            return await stop.when_there_is_room(lambda: _make_fresh(directory))

    # ---------- among the runs of this host

    async def _queue(
        self, directory: Path, name: str, stop: StopSignal, announce: Callable[[str], Awaitable[None]]
    ) -> bool:
        if directory in self._holders:
            await announce(f"Waiting for the workspace {directory}, which run {self._holders[directory]} is using.")
        if directory not in self._holders:
            self._holders[directory] = name
            return True
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        queue = self._queues.setdefault(directory, deque())
        queue.append(turn)
        if await stop.wait_for(turn) and stop.outcome() is None:
            self._holders[directory] = name
            return True
        if turn.done():
            self._leave(directory)
        else:
            queue.remove(turn)
        return False

    def _leave(self, directory: Path) -> None:
        queue = self._queues.get(directory)
        if queue:
            # It stays held, for the next one.
            queue.popleft().set_result(None)
            return
        self._queues.pop(directory, None)
        del self._holders[directory]

    # ---------- among hosts: the one of an earlier version may still have a run in the same directory

    async def _lock(self, path: Path, stop: StopSignal, announce: Callable[[str], Awaitable[None]]) -> int | None:
        """A descriptor that holds the lock until it is closed."""
        descriptor = await stop.when_there_is_room(lambda: _open_lock(path))
        if descriptor is None:
            return None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            await announce("Waiting for the workspace, which a run of another executor host is using.")
            locked = _lock_in_thread(descriptor)
            if await stop.wait_for(locked) and stop.outcome() is None:
                return descriptor
            # The thread cannot be called back: it gives the lock back when it gets it.
            locked.add_done_callback(lambda _: _unlock(descriptor))
            return None
        return descriptor


def _unlock(descriptor: int) -> None:
    # Closing alone might leave the lock, for a moment, to a command that is just being started.
    fcntl.flock(descriptor, fcntl.LOCK_UN)
    os.close(descriptor)


def _lock_in_thread(descriptor: int) -> asyncio.Future[None]:
    loop = asyncio.get_running_loop()
    locked: asyncio.Future[None] = loop.create_future()

    def wait() -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        loop.call_soon_threadsafe(locked.set_result, None)

    def start() -> None:
        try:
            threading.Thread(target=wait, daemon=True).start()
        except RuntimeError:  # the limit of processes is reached
            loop.call_later(LOOK_AGAIN, start)

    start()
    return locked


def _open_lock(path: Path) -> int:
    return open_run_file(_make(path.parent) / path.name, os.O_RDWR | os.O_CREAT)


def _make(directory: Path) -> Path:
    directory.mkdir(parents=True, exist_ok=True)
    return directory


def _make_fresh(directory: Path) -> HeldWorkspace:
    directory.mkdir(parents=True)
    return HeldWorkspace(directory, False, lambda: None)


def _remove_tree(directory: Path) -> None:
    try:
        remove_tree(directory)
    except FileNotFoundError:
        pass  # the commands have done so themselves
    except OSError as error:
        raise WorkspaceFault(f"The workspace {directory} cannot be removed: {error}.") from None
