"""A whole installation as a user has it: `orchestra init`, projects of one's own, `orchestra up`."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import threading
from contextlib import ExitStack
from pathlib import Path

_ORCHESTRA = (sys.executable, "-m", "job_orchestra")
_READY = re.compile(r"All is ready: (http://\S+)")
_LOGIN = re.compile(r"Login for the website: (\S+), password (\S+)")
_PATIENCE = 60.0


class Up:
    """Ready when it is made; `url`, `user` and `password` are those of its website."""

    def __init__(self, directory: Path, projects: str) -> None:
        self.directory = directory
        self.environment = _environment()
        subprocess.run([*_ORCHESTRA, "init", str(directory)], check=True, env=self.environment, capture_output=True)
        (directory / "projects.py").write_text(projects)
        self._lines: list[str] = []
        self._changed = threading.Condition()
        self._process = subprocess.Popen(
            [*_ORCHESTRA, "up"],
            cwd=directory,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._reader = threading.Thread(target=self._read)
        self._reader.start()
        try:
            self.url = self._said(_READY)[1]
            login = self._said(_LOGIN)
        except BaseException:
            self.close()
            raise
        self.user, self.password = login[1], login[2]

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            with self._changed:
                self._lines.append(line)
                self._changed.notify_all()
        with self._changed:
            self._changed.notify_all()

    def _said(self, pattern: re.Pattern[str]) -> re.Match[str]:
        def search() -> re.Match[str] | None:
            return pattern.search("".join(self._lines))

        with self._changed:
            self._changed.wait_for(lambda: search() or self._process.poll() is not None, _PATIENCE)
            found = search()
        assert found is not None, "".join(self._lines)
        return found

    def close(self) -> None:
        self._process.send_signal(signal.SIGINT)
        try:
            self._process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            raise
        finally:
            self._reader.join()
            if self._process.stdout is not None:
                self._process.stdout.close()


def _environment() -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("ORCHESTRA_")}
    names = ("MASTER", "SERVICE", "WEBSITE")
    ports = zip(names, _free_ports(len(names)), strict=True)
    return inherited | {f"ORCHESTRA_{name}_PORT": str(port) for name, port in ports}


def _free_ports(count: int) -> list[int]:
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [one.getsockname()[1] for one in sockets]
