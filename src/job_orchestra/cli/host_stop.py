"""Ends the executor hosts of a worker's directory that nobody is going to use again."""

from __future__ import annotations

import os
import select
import signal
from contextlib import suppress
from pathlib import Path

from job_orchestra.execution.host_directory import HOSTS, HostDirectory
from job_orchestra.execution.host_messages import StopWhenIdle, encode_host_message
from job_orchestra.execution.process_identity import ProcessIdentity, is_alive

_GREETING_TIMEOUT = 15.0


def stop_idle_hosts(worker_directory: Path) -> None:
    """Those with active runs go when these have ended."""
    for host in _hosts(worker_directory):
        with suppress(OSError), host.connect() as connection:
            connection.settimeout(_GREETING_TIMEOUT)
            connection.recv(1 << 16)  # its greeting, lest the connection breaks with it unread
            connection.sendall(encode_host_message(StopWhenIdle()))


def end_hosts(worker_directory: Path) -> None:
    """With their runs, which are aborted; returns when all are gone, however long their commands and teardowns take."""
    identities = [identity for host in _hosts(worker_directory) if (identity := _identity(host))]
    for identity in identities:
        with suppress(ProcessLookupError):
            os.kill(identity.pid, signal.SIGTERM)
    for identity in identities:
        _wait_for_end(identity)


def _wait_for_end(identity: ProcessIdentity) -> None:
    try:
        descriptor = os.pidfd_open(identity.pid)
    except ProcessLookupError:
        return
    try:
        if is_alive(identity):  # and so the descriptor is its
            select.select([descriptor], [], [])
    finally:
        os.close(descriptor)


def _hosts(worker_directory: Path) -> list[HostDirectory]:
    hosts = worker_directory / HOSTS
    return [HostDirectory(path) for path in hosts.iterdir()] if hosts.is_dir() else []


def _identity(host: HostDirectory) -> ProcessIdentity | None:
    """None if it is gone: whoever has its pid now is not to be signalled."""
    identity = host.read_identity()
    return identity if identity is not None and is_alive(identity) else None
