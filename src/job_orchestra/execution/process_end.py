"""Ending processes: terminate, wait, kill, until none is left. Waits for the processes themselves, not for a time."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable, Iterable, Sequence

from job_orchestra.execution.process_identity import Process, read_process

Find = Callable[[], Sequence[Process]]
"""What is left now; asked again after each step, for processes beget others while they are ended."""

_KILL_WAIT = 1.0
_KILL_ROUNDS = 10
_PAUSE = 0.01
"""Where there is nobody to wait for: all that was found has ended since. Others get their turn meanwhile."""


async def end_processes(find: Find, grace: float) -> Sequence[Process]:
    """SIGTERM, at most `grace` seconds, then SIGKILL, until `find` finds none. Returns what could not be ended.

    That is empty but for processes that the kernel does not let go, or that belong to another user.
    """
    loop = asyncio.get_running_loop()
    deadline = loop.time() + grace
    terminated: set[tuple[int, int]] = set()
    while (left := find()) and (remaining := deadline - loop.time()) > 0:
        new = [one for one in left if (one.pid, one.start) not in terminated]
        for process in new:
            # A stopped process gets the signal when it goes on.
            _signal(process, signal.SIGTERM, signal.SIGCONT)
        terminated.update((one.pid, one.start) for one in new)
        await _wait_for_exits(left, remaining)
    for _ in range(_KILL_ROUNDS):
        left = _stop_all(find)
        if not left:
            return ()
        for process in left:
            _signal(process, signal.SIGKILL)
        await _wait_for_exits(left, _KILL_WAIT)
    return find()


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
    except OSError:
        return None
    now = read_process(process.pid)
    if now is None or now.start != process.start:
        os.close(descriptor)
        return None
    return descriptor


async def _wait_for_exits(processes: Iterable[Process], timeout: float) -> None:
    loop = asyncio.get_running_loop()
    everyone_gone = loop.create_future()
    open_descriptors: set[int] = set()

    def on_exit(descriptor: int) -> None:
        loop.remove_reader(descriptor)
        os.close(descriptor)
        open_descriptors.discard(descriptor)
        if not open_descriptors and not everyone_gone.done():
            everyone_gone.set_result(None)

    for process in processes:
        descriptor = _open(process)
        if descriptor is not None:
            open_descriptors.add(descriptor)
            loop.add_reader(descriptor, on_exit, descriptor)
    if not open_descriptors:
        await asyncio.sleep(min(_PAUSE, timeout))
        return
    try:
        await asyncio.wait_for(everyone_gone, timeout)
    except TimeoutError:
        pass
    finally:
        for descriptor in open_descriptors:
            loop.remove_reader(descriptor)
            os.close(descriptor)
