"""The program as a process of its own, forked from one that has imported it already.

To import it takes most of the time of a command, and of the start of an application, and tests start thousands. What is
forked is a process like any other: with its own arguments, environment, directory, files and session, to be killed.
Tests of starting itself, and of what depends on the interpreter's own start, start an interpreter.
"""

from __future__ import annotations

import atexit
import json
import os
import resource
import select
import signal
import socket
import struct
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import IO

_SERVER = Path(__file__).with_name("prepared_server.py")
_TOLD = struct.Struct("=?i")
"""Whether it has ended, and the exit code; or else the process identifier."""
_OF_THE_INTERPRETER = ("PYTHON", "LC_", "LANG", "LD_")
"""Beginnings of the names of variables that count when an interpreter starts."""
_UNBUFFERED = "PYTHONUNBUFFERED"
"""The exception, which the server sees to."""


class Prepared:
    """A subset of `subprocess.Popen`."""

    def __init__(self, arguments: Sequence[str], status: int, stdout: IO[bytes] | None = None) -> None:
        self.args = arguments
        self.stdout = stdout
        self.returncode: int | None = None
        self._status = status
        has_ended, self.pid = _read_told(status)
        assert not has_ended, "the server of prepared processes could not make one: see what it says"

    def __del__(self) -> None:
        if self.returncode is None:
            os.close(self._status)

    def poll(self) -> int | None:
        return self._ended(0)

    def wait(self, timeout: float | None = None) -> int:
        """As `Popen` has it: TimeoutExpired."""
        code = self._ended(timeout)
        if code is None:
            raise subprocess.TimeoutExpired(self.args, timeout or 0)
        return code

    def send_signal(self, sign: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, sign)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def _ended(self, timeout: float | None) -> int | None:
        if self.returncode is None and select.select([self._status], [], [], timeout)[0]:
            _, self.returncode = _read_told(self._status)
            os.close(self._status)
        return self.returncode


def is_preparable(environment: Mapping[str, str]) -> bool:
    """Whether an interpreter that is started with it would be like this one."""
    return _of_interpreter(environment) == _of_interpreter(os.environ)


def start(
    arguments: Sequence[str],
    *,
    cwd: Path,
    env: Mapping[str, str],
    stdin: int = subprocess.DEVNULL,
    stdout: int | IO[bytes],
    stderr: int | IO[bytes],
) -> Prepared:
    """`orchestra` with these arguments, in a session of its own; streams as `Popen` has them."""
    assert is_preparable(env), "these variables are for an interpreter that starts"
    request = os.memfd_create("request")
    reading = None
    opened = [request]
    try:
        os.write(request, _request(arguments, cwd, env))
        if subprocess.DEVNULL in {stdin, stdout, stderr}:
            opened.append(os.open(os.devnull, os.O_RDWR))
        nothing = opened[-1]
        if stdout == subprocess.PIPE:
            reading, stdout = os.pipe()
            opened.append(stdout)
        streams = [stdin, stdout, stdout if stderr == subprocess.STDOUT else stderr]
        files = [nothing if one == subprocess.DEVNULL else _descriptor(one) for one in streams]
        status, told = os.pipe()
        opened.append(told)
        socket.send_fds(_server(), [b"."], [request, *files, told])
    finally:
        for descriptor in opened:
            os.close(descriptor)
    return Prepared(arguments, status, None if reading is None else os.fdopen(reading, "rb", 0))


def run(
    arguments: Sequence[str],
    *,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    given: str = "",
    timeout: float = 60.0,
) -> subprocess.CompletedProcess[str]:
    """To its end; TimeoutExpired, and it is killed."""
    with tempfile.TemporaryFile() as stdin, tempfile.TemporaryFile() as stdout, tempfile.TemporaryFile() as stderr:
        stdin.write(given.encode(errors="surrogateescape"))
        stdin.seek(0)
        process = start(
            arguments, cwd=cwd or Path.cwd(), env=env or os.environ, stdin=stdin.fileno(), stdout=stdout, stderr=stderr
        )
        try:
            code = process.wait(timeout)
        finally:
            process.kill()
        return subprocess.CompletedProcess(process.args, code, _content(stdout), _content(stderr))


@cache
def _server() -> socket.socket:
    """Ends with the process that asked for it."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with theirs:
        command = [sys.executable, "-P", str(_SERVER), str(theirs.fileno())]
        process = subprocess.Popen(command, pass_fds=[theirs.fileno()], start_new_session=True)

    @atexit.register
    def end() -> None:
        ours.close()
        process.wait()

    return ours


def _of_interpreter(environment: Mapping[str, str]) -> dict[str, str]:
    return {
        name: value
        for name, value in environment.items()
        if name.startswith(_OF_THE_INTERPRETER) and name != _UNBUFFERED
    }


def _request(arguments: Sequence[str], cwd: Path, env: Mapping[str, str]) -> bytes:
    """With what a child has from its parent, too."""
    descriptors = resource.getrlimit(resource.RLIMIT_NOFILE)
    request = {"arguments": arguments, "cwd": str(cwd), "environment": dict(env), "descriptors": descriptors}
    return json.dumps(request).encode()


def _descriptor(stream: int | IO[bytes]) -> int:
    return stream if isinstance(stream, int) else stream.fileno()


def _read_told(status: int) -> tuple[bool, int]:
    data = os.read(status, _TOLD.size)
    assert len(data) == _TOLD.size, "the server of prepared processes has gone"
    has_ended, number = _TOLD.unpack(data)
    return has_ended, number


def _content(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode(errors="surrogateescape").replace("\r\n", "\n")
