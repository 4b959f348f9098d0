"""What `orchestra up` does while the database cannot be used: wait, say so, and go on, as the applications do."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import TypeVar

from job_orchestra.cli.children import Say
from job_orchestra.domain.errors import Unavailable

_FIRST_DELAY = 0.05
_LONGEST_DELAY = 2.0

Result = TypeVar("Result")


def outlast(attempt: Callable[[], Result], say: Say, patience: float | None = None) -> Result:
    """The result of `attempt`, repeated until the database can be used; Unavailable after `patience` seconds."""
    began = time.monotonic()
    delay = _FIRST_DELAY
    said = ""
    while True:
        try:
            result = attempt()
        except Unavailable as error:
            if patience is not None and time.monotonic() - began > patience:
                raise
            if error.message != said:
                said = error.message
                say(f"Waiting for the database: {said}")
        else:
            if said:
                say("The database can be used.")
            return result
        time.sleep(delay)
        delay = min(2 * delay, _LONGEST_DELAY)


@contextmanager
def stopped_by_sigterm() -> Generator[None]:
    """SIGTERM is a KeyboardInterrupt, as SIGINT is."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
