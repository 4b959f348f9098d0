"""Threads that are there from the start: where no more can be started, what has begun comes to its end nevertheless."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from job_orchestra.domain.errors import Unavailable

_MOST = 32
_MORE_THAN_PROCESSORS = 4
"""As asyncio's own executor has at most."""


def ready_threads() -> ThreadPoolExecutor:
    """For `asyncio.to_thread`; Unavailable if the system lets this process have no more threads."""
    count = min(_MOST, (os.cpu_count() or 1) + _MORE_THAN_PROCESSORS)
    threads = ThreadPoolExecutor(count, thread_name_prefix="ready")
    # Each of them waits for all: so none takes up two of these, and another has to be started.
    everyone = Barrier(count + 1)
    try:
        for _ in range(count):
            threads.submit(everyone.wait)
    except RuntimeError as error:
        everyone.abort()
        threads.shutdown(wait=False, cancel_futures=True)
        raise Unavailable(f"{count} threads cannot be started ({error}): the limit of processes is reached.") from None
    everyone.wait()
    return threads
