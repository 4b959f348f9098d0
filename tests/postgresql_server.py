"""A PostgreSQL server of the tests' own: started in less than a second, killed and started again at will."""

from __future__ import annotations

import os
import pwd
import select
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import TypedDict

import psycopg
from psycopg import sql

_DEADLINE = 30.0
_UNPRIVILEGED = "nobody"
_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "max_connections": "200",
    "shared_buffers": "32MB",
    "autovacuum_naptime": "10s",
    "deadlock_timeout": "50ms",
    "log_min_messages": "fatal",
}


class _As(TypedDict):
    """What `subprocess` is told of the user who executes a program; None is this process's own."""

    user: int | None
    group: int | None
    extra_groups: list[int] | None


class PostgresqlServer:
    """`programs` is the folder with `postgres` and `initdb`; as root may not execute them, `nobody` does then."""

    def __init__(self, programs: Path) -> None:
        self._as = _nobody() if os.geteuid() == 0 else _As(user=None, group=None, extra_groups=None)
        self._directory = Path(tempfile.mkdtemp(prefix="orchestra-postgresql-"))
        self._programs = programs
        if os.geteuid() == 0:
            if not _is_reachable_by_all(programs):
                self._programs = _copy(programs, self._directory)
            shutil.chown(self._directory, _UNPRIVILEGED, pwd.getpwnam(_UNPRIVILEGED).pw_gid)
        self._port = _free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self._databases = 0
        self._execute("initdb", "--auth=trust", "--username=orchestra", "--encoding=UTF8", "--locale=C", "--no-sync")

    def url(self, database: str = "postgres") -> str:
        return f"postgresql://orchestra@127.0.0.1:{self._port}/{database}"

    def new_database_url(self) -> str:
        """Of a database that does not exist yet."""
        self._databases += 1
        return self.url(f"test_{self._databases}")

    def copy_of(self, template_url: str) -> str:
        """The URL of a new database with what is in another one, that nobody is connected to."""
        url = self.new_database_url()
        name, template = (sql.Identifier(each.rpartition("/")[2]) for each in (url, template_url))
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(name, template))
        return url

    def give(self, folder: Path) -> None:
        """The server may use it as its own."""
        if self._as["user"] is not None:
            os.chown(folder, self._as["user"], self._as["group"] or -1)

    def start(self) -> None:
        """Returns when it takes connections."""
        assert self._process is None
        settings = [argument for name, value in _SETTINGS.items() for argument in ("-c", f"{name}={value}")]
        with (self._directory / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [
                    self._programs / "postgres",
                    *("-D", self._directory / "data", "-k", self._directory, "-p", str(self._port)),
                    *settings,
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                cwd=self._directory,
                **self._as,
            )
        self._wait()

    def stop(self) -> None:
        """In order, but not waiting for those who are connected."""
        self._end(signal.SIGINT)

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
            assert select.select([child], [], [], _DEADLINE)[0], "a process of PostgreSQL outlived SIGKILL"
            os.close(child)
        self._process.wait(_DEADLINE)
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
        if self._process is not None:
            self.resume()
            self._end(signal.SIGQUIT)
        shutil.rmtree(self._directory)

    def _end(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)
        self._process.wait(_DEADLINE)
        self._process = None

    def _wait(self) -> None:
        deadline = time.monotonic() + _DEADLINE
        while True:
            assert self._process is not None
            if self._process.poll() is not None:
                raise RuntimeError(f"PostgreSQL did not start: {(self._directory / 'log').read_text()}")
            try:
                psycopg.connect(self.url(), connect_timeout=5).close()
            except psycopg.OperationalError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.02)
            else:
                return

    def _execute(self, program: str, *arguments: str) -> None:
        subprocess.run(
            [self._programs / program, "-D", self._directory / "data", *arguments],
            check=True,
            capture_output=True,
            cwd=self._directory,
            **self._as,
        )


def _nobody() -> _As:
    nobody = pwd.getpwnam(_UNPRIVILEGED)
    return _As(user=nobody.pw_uid, group=nobody.pw_gid, extra_groups=[])


def _is_reachable_by_all(folder: Path) -> bool:
    return all(each.stat().st_mode & 0o005 == 0o005 for each in (folder, *folder.parents))


def _copy(programs: Path, directory: Path) -> Path:
    """Of the server that `scripts/test_services.py` unpacked; its libraries are three folders up."""
    for libraries in programs.parent.parent.parent.glob("*.libs"):
        shutil.copytree(libraries, directory / libraries.name)
    return Path(shutil.copytree(programs.parent, directory / "programs" / "copy")) / "bin"


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


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
