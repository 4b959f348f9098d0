"""Ctrl-C reaches a command that waits, also in the one moment in which Python would not notice it."""

from __future__ import annotations

import signal
import socket
import threading
from collections.abc import Generator
from contextlib import contextmanager
from types import FrameType

_INTERVAL = 0.05
_NUDGE = signal.SIGURG
"""Ignored by every process that does not ask for it, so one that comes late harms nobody."""


@contextmanager
def interruptible() -> Generator[None]:
    """Inside, for the main thread: KeyboardInterrupt comes at once, whatever is waited for.

    Python looks for signals between two instructions, and when a system call was broken off by one. One that comes
    behind the last look and before the call breaks off nothing, and would be noticed when the call is over.
    """
    heard, wakeup = socket.socketpair()
    wakeup.setblocking(False)
    is_over = threading.Event()
    nudging = threading.Thread(target=_nudge, args=(threading.get_ident(), heard, is_over), daemon=True)
    handler = signal.signal(_NUDGE, _do_nothing)
    before = signal.set_wakeup_fd(wakeup.fileno(), warn_on_full_buffer=False)
    nudging.start()
    try:
        yield
    finally:
        is_over.set()
        signal.set_wakeup_fd(before)
        wakeup.close()
        nudging.join()
        heard.close()
        signal.signal(_NUDGE, handler)


def _do_nothing(_: int, __: FrameType | None) -> None:
    """A signal without a handler would break off no system call."""


def _nudge(main_thread: int, heard: socket.socket, is_over: threading.Event) -> None:
    """Behind an interruption, until it was noticed."""
    while signals := heard.recv(64):
        if signal.SIGINT in signals:
            while not is_over.wait(_INTERVAL):
                signal.pthread_kill(main_thread, _NUDGE)
