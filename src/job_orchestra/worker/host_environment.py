"""What executor hosts, and with them commands, find in their environment of what the worker has."""

from __future__ import annotations

from collections.abc import Mapping

from job_orchestra.fail_points import VARIABLE, is_of_host

_PREFIX = "ORCHESTRA_"
_OF_THE_START = {
    "FDSTORE",
    "INVOCATION_ID",
    "JOURNAL_STREAM",
    "LISTEN_FDNAMES",
    "LISTEN_FDS",
    "LISTEN_PID",
    "MAINPID",
    "MANAGERPID",
    "MEMORY_PRESSURE_WATCH",
    "MEMORY_PRESSURE_WRITE",
    "NOTIFY_SOCKET",
    "SYSTEMD_EXEC_PID",
    "WATCHDOG_PID",
    "WATCHDOG_USEC",
}
"""What systemd says of one start of a unit: no concern of commands, and each restart would make another host."""
_MARKERS = {"ORCHESTRA_RUN", "ORCHESTRA_ATTEMPT"}
"""Kept, so that a worker that is itself started by a run is known as a part of it, with its hosts."""


def host_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """The worker's environment without its own credentials, and without what belongs to one start of it."""
    kept = {*_MARKERS, VARIABLE} if is_of_host(environment.get(VARIABLE, "")) else _MARKERS
    return {
        name: value
        for name, value in environment.items()
        if name in kept or not (name.startswith(_PREFIX) or name in _OF_THE_START)
    }
