"""Ending processes: terminate, wait, kill, until none is left. Waits for the processes themselves, not for a time."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable, Sequence

from job_orchestra.execution.process_identity import Process, read_process
from job_orchestra.execution.room import SHORTAGES, when_there_is_room

Find = Callable[[], Sequence[Process]]
"""What is left now; asked again after each step, for processes beget others while they are ended."""

_KILL_WAIT = 1.0
_KILL_ROUNDS = 10
_PAUSE = 0.01
"""Where there is nobody to wait for: all that was found has ended since. Others get their turn meanwhile."""
_MOST_WATCHED = 64
"""By all endings of this process together, and one more by each: it takes descriptors, and a run may have thousands."""

_watching: set[int] = set()
"""Descriptors of the processes that are being waited for."""


async def end_processes(find: Find, grace: float) -> Sequence[Process]:
    """SIGTERM, at most `grace` seconds, then SIGKILL, until `find` finds none. Returns what could not be ended.

    That is empty but for processes that the kernel does not let go, or that belong to another user.
    """
    loop = asyncio.get_running_loop()
    deadline = loop.time() + grace
    terminated: set[tuple[int, int]] = set()
    while (remaining := deadline - loop.time()) > 0:
        left = await when_there_is_room(lambda: _terminate(find, terminated))
        if not left:
            return ()
        await _wait_for_exits(left, remaining)
    for _ in range(_KILL_ROUNDS):
        left = await when_there_is_room(lambda: _kill(find))
        if not left:
            return ()
        await _wait_for_exits(left, _KILL_WAIT)
    return await when_there_is_room(find)


def _terminate(find: Find, terminated: set[tuple[int, int]]) -> Sequence[Process]:
    """What is left; those that were not `terminated` are."""
    left = find()
    for process in left:
        if (process.pid, process.start) not in terminated:
            # A stopped process gets the signal when it goes on.
            _signal(process, signal.SIGTERM, signal.SIGCONT)
            terminated.add((process.pid, process.start))
    return left


def _kill(find: Find) -> Sequence[Process]:
    """What was left, all of it stopped before the first is killed."""
    left = _stop_all(find)
    for process in left:
        _signal(process, signal.SIGKILL)
    return left


def _stop_all(find: Find) -> Sequence[Process]:
    """What is left, all of it stopped, so that nothing can fork away between being seen and being killed."""
    stopped: set[tuple[int, int]] = set()
    left = find()
    for _ in range(_KILL_ROUNDS):
        new = [one for one in left if (one.pid, one.start) not in stopped]
        if not new:
            break
        for process in new:
            _signal(process, signal.SIGSTOP)
        stopped.update((one.pid, one.start) for one in new)
        left = find()
    return left


def _signal(process: Process, *signals: signal.Signals) -> None:
    descriptor = _open(process)
    if descriptor is None:
        return
    try:
        for number in signals:
            signal.pidfd_send_signal(descriptor, number)
    except (ProcessLookupError, PermissionError):
        pass  # It ended by itself, or is not ours to end: the caller looks again.
    finally:
        os.close(descriptor)


def _open(process: Process) -> int | None:
    """A descriptor of this very process: who has taken its pid since is not meant."""
    try:
        descriptor = os.pidfd_open(process.pid)
    except OSError as error:
        if error.errno in SHORTAGES:
            raise
        return None
    is_meant = False
    try:
        now = read_process(process.pid)
        is_meant = now is not None and now.start == process.start
    finally:
        if not is_meant:
            os.close(descriptor)
    return descriptor if is_meant else None


async def _wait_for_exits(processes: Sequence[Process], timeout: float) -> None:
    """For all of them, or as many as may be watched: the caller looks again anyway."""
    loop = asyncio.get_running_loop()
    everyone_gone = loop.create_future()
    open_descriptors: set[int] = set()

    def leave(descriptor: int) -> None:
        loop.remove_reader(descriptor)
        os.close(descriptor)
        open_descriptors.discard(descriptor)
        _watching.discard(descriptor)

    def on_exit(descriptor: int) -> None:
        leave(descriptor)
        if not open_descriptors and not everyone_gone.done():
            everyone_gone.set_result(None)

    try:
        for process in processes[: max(1, _MOST_WATCHED - len(_watching))]:
            try:
                descriptor = _open(process)
            except OSError:
                break
            if descriptor is not None:
                open_descriptors.add(descriptor)
                _watching.add(descriptor)
                loop.add_reader(descriptor, on_exit, descriptor)
        if open_descriptors:
            await asyncio.wait((everyone_gone,), timeout=timeout)
        else:
            await asyncio.sleep(min(_PAUSE, timeout))
    finally:
        for descriptor in list(open_descriptors):
            leave(descriptor)
