"""Starting an executor host: an interpreter that loads nearly nothing, in a session of its own."""

from __future__ import annotations

import os
import signal
import socket
import sys
from collections.abc import Mapping
from pathlib import Path

from job_orchestra.execution.host_directory import HostDirectory

_PROGRAM = Path(__file__).resolve().parents[1] / "executor" / "__main__.py"
_SOCKET = 3


def start_host(
    worker_directory: Path, directory: HostDirectory, environment: Mapping[str, str], linger: float = 60.0
) -> int:
    """The pid of a new host, whose socket takes connections from now on. It is a child of this process, to be reaped.

    `linger` are seconds after which an idle host exits that no worker is connected to.
    """
    directory.path.mkdir(parents=True, exist_ok=True, mode=0o700)
    listener = directory.listen()
    with listener, socket.socket(fileno=os.dup(listener.fileno())) as inherited:
        arguments = (
            sys.executable,
            "-I",
            "-S",
            "-X",
            "utf8",
            _PROGRAM,
            worker_directory.absolute(),
            directory.path.absolute(),
        )
        output = os.fspath(directory.output)
        return os.posix_spawn(
            sys.executable,
            (*map(str, arguments), str(_SOCKET), str(linger)),
            environment,
            file_actions=(
                (os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0),
                (os.POSIX_SPAWN_OPEN, 1, output, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600),
                (os.POSIX_SPAWN_DUP2, 1, 2),
                (os.POSIX_SPAWN_DUP2, inherited.fileno(), _SOCKET),
            ),
            setsid=True,
            setsigmask=(),
            setsigdef=signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP},
        )
