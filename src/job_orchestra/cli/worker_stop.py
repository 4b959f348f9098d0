"""Stops the worker of a directory on this host, by signals to the process that holds it."""

from __future__ import annotations

import os
import select
import signal
from pathlib import Path

from job_orchestra.cli.host_stop import end_hosts
from job_orchestra.domain.errors import NotFound
from job_orchestra.domain.stopping import OnStop
from job_orchestra.execution.process_identity import is_alive
from job_orchestra.execution.worker_lock import read_worker_identity

_SIGNALS = {None: signal.SIGTERM, OnStop.DRAIN: signal.SIGUSR1, OnStop.ABORT: signal.SIGUSR2}
"""None: as its settings say."""


def stop(worker_directory: Path, on_stop: OnStop | None) -> str:
    """Waits until the worker is gone; a sentence about it. NotFound if none lives there and nothing is to be ended."""
    identity = read_worker_identity(worker_directory)
    if identity is None:
        if on_stop is OnStop.ABORT:
            end_hosts(worker_directory)
            return f"No worker executes in {worker_directory}; the runs that an earlier one had left there are ended."
        raise NotFound.saying(f"No worker executes in {worker_directory}.")
    descriptor = os.pidfd_open(identity.pid)
    try:
        if is_alive(identity):
            signal.pidfd_send_signal(descriptor, _SIGNALS[on_stop])
            select.select([descriptor], [], [])
    finally:
        os.close(descriptor)
    return f"The worker in {worker_directory} has stopped."
