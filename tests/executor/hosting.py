"""A real executor host in a directory of its own, spoken to through its socket."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import secrets
import signal
import termios
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from job_orchestra.domain.definitions import Workspace
from job_orchestra.domain.event_records import EventRecord
from job_orchestra.domain.jobs import RunLimits
from job_orchestra.domain.json import JsonObject
from job_orchestra.execution.host_directory import HostDirectory
from job_orchestra.execution.host_messages import (
    AbortRun,
    ExecuteRun,
    HostHello,
    RunFinished,
    ToHost,
    ToWorker,
    decode_to_worker,
    encode_host_message,
)
from job_orchestra.execution.host_start import start_host
from job_orchestra.execution.journal import JournalReader
from job_orchestra.execution.process_identity import boot_identifier
from job_orchestra.execution.request import Request
from job_orchestra.execution.run_directory import RunDirectory, wish_abort, write_requests

DEADLINE = 20.0
T = TypeVar("T")


def wait_for(condition: Callable[[], T], what: str = "") -> T:
    """The first true value of the condition; looks at it again and again, for there is nothing to be told by."""
    deadline = time.monotonic() + DEADLINE
    while not (value := condition()):
        assert time.monotonic() < deadline, f"waited in vain for {what or condition}"
        time.sleep(0.002)
    return value


def commands(*lines: str | Sequence[str], **phases: Sequence[str | Sequence[str]]) -> JsonObject:
    """A definition; a string is a line for the shell, braces doubled."""
    as_lists = {name: [_command(line) for line in given] for name, given in {"commands": lines, **phases}.items()}
    return {"type": "commands", **as_lists}  # type: ignore[dict-item]


def _command(line: str | Sequence[str]) -> list[str]:
    return ["sh", "-c", line] if isinstance(line, str) else list(line)


class Ended:
    """What the journal and the log say of a run that has ended."""

    def __init__(self, directory: RunDirectory) -> None:
        reader = JournalReader(directory.journal)
        reader.look()
        self.directory = directory
        self.events: list[EventRecord] = reader.read(0, 10_000, 1 << 30)
        self.log = directory.log.read_bytes()
        self.end = self.events[-1]
        assert [event.sequence for event in self.events] == list(range(1, len(self.events) + 1))
        assert self.end.kind == "ended"
        assert self.end.data["log_size"] == len(self.log)
        assert self.end.data["log_sha256"] == hashlib.sha256(self.log).hexdigest()

    @property
    def outcome(self) -> tuple[Any, Any]:
        reason: Any = self.end.data["reason"]
        return self.end.data["status"], reason["code"]

    @property
    def sentence(self) -> str:
        reason: Any = self.end.data["reason"]
        return str(reason["sentence"])

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [event.data for event in self.events if event.kind == kind]

    def outputs(self) -> list[bytes]:
        """The exact bytes of each command, cut out by the offsets of its events."""
        started, ended = self.of("command_started"), self.of("command_ended")
        return [self.log[a["log_offset"] : b["log_offset"]] for a, b in zip(started, ended, strict=True)]


class Host:
    def __init__(self, root: Path, environment: Mapping[str, str] | None = None, linger: float = 60.0) -> None:
        self.root = root
        self.runs = root / "runs"
        self.runs.mkdir(exist_ok=True)
        self.directory = HostDirectory(root / "hosts" / "test")
        self.pid = start_host(root, self.directory, os.environ if environment is None else environment, linger)
        self.prefix = secrets.token_hex(4)
        """Of the identifiers of its runs: their processes are looked for among all of the machine."""
        self._count = 0
        self._finished: set[str] = set()
        self._connect()

    def _connect(self) -> None:
        self._socket = self.directory.connect()
        self._socket.settimeout(DEADLINE)
        self._file = self._socket.makefile("rb")
        hello = self.receive()
        assert isinstance(hello, HostHello)
        self.hello = hello

    def reconnect(self) -> None:
        self.disconnect()
        self._connect()

    def disconnect(self) -> None:
        self._file.close()
        self._socket.close()

    def send(self, message: ToHost | bytes) -> None:
        self._socket.sendall(message if isinstance(message, bytes) else encode_host_message(message))

    def has_read_everything(self) -> bool:
        """Whether the host has taken all that was sent, and waits for what comes next."""
        unread = bytearray(4)
        fcntl.ioctl(self._socket, termios.TIOCOUTQ, unread)
        return not any(unread) and Path(f"/proc/{self.pid}/stat").read_text().rpartition(") ")[2].startswith("S")

    def receive(self) -> ToWorker:
        line = self._file.readline()
        assert line, f"the host has gone: {self.directory.output.read_text()}"
        return decode_to_worker(line)

    def prepare(self, definition: JsonObject, *, limits: RunLimits | None = None, **fields: Any) -> RunDirectory:
        self._count += 1
        given: dict[str, Any] = {
            "run": f"{self.prefix}-{self._count}",
            "attempt": 1,
            "project": "example",
            "job": "test",
            "parameters": {},
            "workspace": Workspace.JOB,
            "service_url": "http://service",
            "boot": boot_identifier(),
            **fields,
        }
        request = Request(definition=definition, limits=limits or RunLimits(grace=0.5), **given)
        assert write_requests(self.runs, [request]) == {request.key: None}
        return RunDirectory.of(self.runs, request.key)

    def begin(self, definition: JsonObject, **fields: Any) -> RunDirectory:
        directory = self.prepare(definition, **fields)
        self.send(ExecuteRun(directory.name))
        return directory

    def abort(self, directory: RunDirectory, by: str = "somebody") -> None:
        wish_abort(directory, by)
        self.send(AbortRun(directory.name))

    def finish(self, directory: RunDirectory) -> Ended:
        while directory.name not in self._finished:
            message = self.receive()
            assert isinstance(message, RunFinished)
            self._finished.add(message.name)
        return Ended(directory)

    def execute(self, definition: JsonObject, **fields: Any) -> Ended:
        return self.finish(self.begin(definition, **fields))

    def place(self, job: str = "test") -> Path:
        """The workspace of the job."""
        place = self.root / "workspaces/job/example" / job
        place.mkdir(parents=True, exist_ok=True)
        return place

    def wait_for_exit(self) -> int:
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


@contextmanager
def hosting(root: Path, environment: Mapping[str, str] | None = None, linger: float = 60.0) -> Generator[Host]:
    host = Host(root, environment, linger)
    try:
        yield host
        assert host.directory.output.read_text() == ""
    finally:
        host.disconnect()
        try:
            os.kill(host.pid, signal.SIGKILL)
            os.waitpid(host.pid, 0)
        except (ProcessLookupError, ChildProcessError):
            pass  # The test has seen to it.


def read_json(path: Path) -> Any:
    return json.loads(path.read_bytes())
