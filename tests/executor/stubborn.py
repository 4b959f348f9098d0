"""Processes that do what they can to stay: `python tests/executor/stubborn.py KIND PIDS [COUNT|here]`.

Each notes its pid in the file PIDS. They leave parents, process group, session, environment, directory and all that is
open, and are deaf to whatever a process may be deaf to. Those that a failed test leaves behind go after some minutes.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Mapping

_SHED = "shed"
"""Tells that the environment is gone."""
HERE = "here"
"""In the place of COUNT: this process itself is of that kind, and has shed nothing."""
_UNHEARD = signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP, signal.SIGCHLD}


_OVER = time.monotonic() + 300.0


def become_daemon() -> None:
    """Returns in a grandchild only, which has shed everything."""
    if os.fork():
        os._exit(0)
    os.setsid()
    if os.fork():
        os._exit(0)
    os.chdir("/")
    os.closerange(0, 256)
    for number in _UNHEARD:
        try:
            signal.signal(number, signal.SIG_IGN)
        except OSError:
            continue  # of the C library


def note(pids: str) -> None:
    descriptor = os.open(pids, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.write(descriptor, b"%d\n" % os.getpid())
    os.close(descriptor)


def stay() -> None:
    time.sleep(max(0.0, _OVER - time.monotonic()))
    os._exit(0)


def daemon(pids: str) -> None:
    note(pids)
    stay()


def stopped(pids: str) -> None:
    note(pids)
    while True:
        os.kill(os.getpid(), signal.SIGSTOP)


def hydra(pids: str) -> None:
    """Starts another of itself, in a session of its own, as soon as one of its three heads is cut off."""
    note(pids)
    heads = 0
    while time.monotonic() < _OVER:
        if heads == 3:
            os.wait()
            heads -= 1
        if os.fork() == 0:
            os.setsid()
            note(pids)
            stay()
        heads += 1


def comet(pids: str) -> None:
    """Is never the same process for long: goes on in a child, and leaves."""
    note(pids)
    while time.monotonic() < _OVER:
        if os.fork():
            os._exit(0)
        os.setsid()


def headless(pids: str) -> None:
    """Goes on in a thread when its first one has exited, which makes it look like a zombie."""
    threading.Thread(target=stay).start()
    note(pids)
    exit_thread()


def exit_thread() -> None:
    """Of the calling thread alone, without a word to interpreter or C library."""
    ctypes.CDLL(None).syscall({"x86_64": 60}.get(os.uname().machine, 93), 0)


KINDS: Mapping[str, Callable[[str], None]] = {
    "daemon": daemon,
    "stopped": stopped,
    "hydra": hydra,
    "comet": comet,
    "headless": headless,
}


def main(kind: str, pids: str, count: str = "1") -> None:
    for _ in range(int(count)):
        if os.fork() == 0:
            os.execve(sys.executable, [sys.executable, "-S", __file__, kind, pids, _SHED], {})


if __name__ == "__main__":
    if sys.argv[3:] == [_SHED]:
        become_daemon()
        KINDS[sys.argv[1]](sys.argv[2])
    elif sys.argv[3:] == [HERE]:
        KINDS[sys.argv[1]](sys.argv[2])
    else:
        main(*sys.argv[1:])
