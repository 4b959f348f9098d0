"""The process of a database server of the tests' own: started, stopped, killed, held up and started again at will."""

from __future__ import annotations

import os
import pwd
import select
import shutil
import signal
import subprocess
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TypedDict

from tests.ports import free_port

DEADLINE = 30.0
_UNPRIVILEGED = "nobody"


class _As(TypedDict):
    """What `subprocess` is told of the user who executes a program; None is this process's own."""

    user: int | None
    group: int | None
    extra_groups: list[int] | None


class ServerProcess(ABC):
    """In a directory and on a port of its own; as root may not execute servers, `nobody` does then."""

    name: str
    refusals: tuple[type[Exception], ...]
    """What connecting raises while the server takes no connections."""
    stop_signal = signal.SIGTERM
    """In order, but not waiting for those who are connected."""

    def __init__(self) -> None:
        self.directory = Path(tempfile.mkdtemp(prefix=f"orchestra-{self.name.lower()}-"))
        self.port = free_port()
        self._as = _nobody() if os.geteuid() == 0 else _As(user=None, group=None, extra_groups=None)
        self._process: subprocess.Popen[bytes] | None = None
        self._databases = 0
        self.give(self.directory)

    @abstractmethod
    def url(self, database: str) -> str: ...

    @abstractmethod
    def command(self) -> Sequence[str | Path]:
        """What starts the server."""

    @abstractmethod
    def try_connecting(self) -> None:
        """Raises one of `refusals` as long as the server takes no connections."""

    @property
    def environment(self) -> Mapping[str, str]:
        return os.environ

    def new_database_url(self) -> str:
        """Of a database that does not exist yet."""
        self._databases += 1
        return self.url(f"test_{self._databases}")

    def give(self, path: Path) -> None:
        """The server may use it as its own."""
        if self._as["user"] is not None:
            os.chown(path, self._as["user"], self._as["group"] or -1)

    def reachable(self, programs: Path) -> Path:
        """That folder, or one with a copy of the programs where the server's user does not get to it."""
        if os.geteuid() != 0 or _is_reachable_by_all(programs):
            return programs
        return self.copy_programs(programs)

    @abstractmethod
    def copy_programs(self, programs: Path) -> Path:
        """Into the server's directory, with what they need."""

    def execute(self, *command: str | Path, given: bytes = b"") -> None:
        """As the server's user."""
        done = subprocess.run(
            command,
            input=given,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=self.directory,
            env=self.environment,
            **self._as,
        )
        if done.returncode:
            raise RuntimeError(f"{command[0]} ended with {done.returncode}: {done.stdout.decode()[-2000:]}")

    def start(self) -> None:
        """Returns when it takes connections."""
        assert self._process is None
        with (self.directory / "log").open("ab") as log:
            self._process = subprocess.Popen(
                self.command(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                cwd=self.directory,
                env=self.environment,
                **self._as,
            )
        self._wait()

    def stop(self) -> None:
        self._end(self.stop_signal)

    def kill(self) -> None:
        """All its processes at once, as a power failure does; returns when none of them is left."""
        assert self._process is not None
        # A process that is told by SIGKILL still answers until it has died: that is waited for, by its descriptor.
        children = [
            descriptor for child in _children(self._process.pid) if (descriptor := _open_process(child)) is not None
        ]
        self._process.kill()
        for child in children:
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(child, signal.SIGKILL)
        for child in children:
            assert select.select([child], [], [], DEADLINE)[0], f"a process of {self.name} outlived SIGKILL"
            os.close(child)
        self._process.wait(DEADLINE)
        self._process = None

    def pause(self) -> None:
        """It hangs: connections stand and are taken, and nobody answers."""
        self._signal_all(signal.SIGSTOP)

    def resume(self) -> None:
        self._signal_all(signal.SIGCONT)

    def _signal_all(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)  # first, so that it makes no more children
        for child in _children(self._process.pid):
            with suppress(ProcessLookupError):
                os.kill(child, number)

    def remove(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self.resume()
            self.kill()
        shutil.rmtree(self.directory)

    def _end(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)
        self._process.wait(DEADLINE)
        self._process = None

    def _wait(self) -> None:
        deadline = time.monotonic() + DEADLINE
        while True:
            assert self._process is not None
            if self._process.poll() is not None:
                raise RuntimeError(f"{self.name} did not start: {(self.directory / 'log').read_text()}")
            try:
                self.try_connecting()
            except self.refusals:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.02)
            else:
                return


def _nobody() -> _As:
    nobody = pwd.getpwnam(_UNPRIVILEGED)
    return _As(user=nobody.pw_uid, group=nobody.pw_gid, extra_groups=[])


def _is_reachable_by_all(folder: Path) -> bool:
    return all(each.stat().st_mode & 0o005 == 0o005 for each in (folder, *folder.parents))


def _open_process(process: int) -> int | None:
    """None if it has gone already."""
    try:
        return os.pidfd_open(process)
    except ProcessLookupError:
        return None


def _children(process: int) -> list[int]:
    """PostgreSQL's processes have sessions of their own."""
    text = Path(f"/proc/{process}/task/{process}/children").read_text()
    return [int(each) for each in text.split()]
