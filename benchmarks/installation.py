"""A real installation for a benchmark: `orchestra up` in a directory of its own, on ports that are free."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from job_orchestra.client.credentials import Credentials
from job_orchestra.composition.installation_secrets import InstallationSecrets, read_secret

EXECUTORS = 16


@dataclass(frozen=True, slots=True)
class Installation:
    service_url: str
    website_url: str
    credentials: Credentials
    """Of who may do everything."""


@contextmanager
def running_installation(
    directory: Path, database_url: str, projects: str, settings: str = ""
) -> Generator[Installation]:
    """`settings` are sections beside those that every benchmark has."""
    master, service, website = _free_ports(3)
    (directory / "projects.py").write_text(projects)
    (directory / "orchestra.toml").write_text(
        f'[database]\nurl = "{database_url}"\n[master]\nport = {master}\n[service]\nport = {service}\n'
        f'[website]\nport = {website}\n[worker]\nexecutor_limit = {EXECUTORS}\n[logging]\nlevel = "warning"\n'
        f"{settings}"
    )
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ORCHESTRA_")}
    process = subprocess.Popen(
        [sys.executable, "-m", "job_orchestra", "up"],
        cwd=directory,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith("All is ready"):
                break
        credentials = read_secret(InstallationSecrets.of(directory).command_line)
        assert credentials is not None, "`orchestra up` did not get ready"
        yield Installation(f"http://127.0.0.1:{service}", f"http://127.0.0.1:{website}", credentials)
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)


def _free_ports(count: int) -> list[int]:
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [int(one.getsockname()[1]) for one in sockets]
