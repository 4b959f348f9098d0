"""Imports the program, and forks a process of it for each request: `python prepared_server.py SOCKET`.

A request is a message with descriptors: of its text, of the three streams, and of a pipe that is told whether it has
ended: first that it has not, with the process identifier, then that it has, with the exit code. The server ends when
nobody is there any more who could ask.
"""

from __future__ import annotations

import gc
import json
import os
import pkgutil
import resource
import runpy
import selectors
import signal
import socket
import struct
import sys
import time
from contextlib import suppress
from importlib import import_module
from io import FileIO, TextIOWrapper

import job_orchestra

_TOLD = struct.Struct("=?i")
_NOT_IMPORTED = ("job_orchestra.cli.templates", "job_orchestra.executor", "job_orchestra.storage.sql.migrations")
"""What is not part of the process that is forked: it has its own interpreter, or is loaded as a file."""


def main(descriptor: int) -> None:
    """Returns in the processes that are forked, ready to be the program."""
    _import_all()
    requests = socket.socket(fileno=descriptor)
    with selectors.DefaultSelector() as selector:
        selector.register(requests, selectors.EVENT_READ)
        while True:
            for key, _ in selector.select():
                if key.fileobj is not requests:
                    selector.unregister(key.fileobj)
                    _tell_end(int(key.fd), *key.data)
                    continue
                _, files, _, _ = socket.recv_fds(requests, 1, 5)
                if not files:
                    os._exit(0)  # what runs still is not ours
                pid = os.fork()
                if pid == 0:
                    _become(*files)
                    return
                selector.register(os.pidfd_open(pid), selectors.EVENT_READ, (pid, files[-1]))
                for file in files[:-1]:
                    os.close(file)


def _import_all() -> None:
    for module in pkgutil.walk_packages(job_orchestra.__path__, "job_orchestra."):
        if not module.name.startswith(_NOT_IMPORTED) and not module.name.endswith(".__main__"):
            import_module(module.name)
    gc.collect()
    gc.freeze()


def _tell_end(descriptor: int, pid: int, told: int) -> None:
    os.close(descriptor)
    _, status = os.waitpid(pid, 0)
    with suppress(BrokenPipeError):  # nobody wants to know
        os.write(told, _TOLD.pack(True, os.waitstatus_to_exitcode(status)))
    os.close(told)


def _become(request: int, stdin: int, stdout: int, stderr: int, told: int) -> None:
    os.setsid()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    given = json.loads(os.pread(request, os.fstat(request).st_size, 0))
    for stream, descriptor in enumerate((stdin, stdout, stderr)):
        os.dup2(descriptor, stream)
    resource.setrlimit(resource.RLIMIT_NOFILE, given["descriptors"])
    os.environ.clear()
    os.environ.update(given["environment"])
    time.tzset()
    os.chdir(given["cwd"])
    # Only now: a signal that comes before would be lost, or end another than it was meant for.
    os.write(told, _TOLD.pack(False, os.getpid()))
    os.closerange(3, max(map(int, os.listdir("/proc/self/fd"))) + 1)  # noqa: PTH208
    is_unbuffered = bool(os.environ.get("PYTHONUNBUFFERED"))
    sys.stdin = _text(0, "r", sys.stdin.errors)
    sys.stdout = _text(1, "w", sys.stdout.errors, is_unbuffered)
    sys.stderr = _text(2, "w", "backslashreplace", is_unbuffered=True)
    sys.argv = ["orchestra", *given["arguments"]]


def _text(descriptor: int, mode: str, errors: str | None, is_unbuffered: bool = False) -> TextIOWrapper:
    file = open(descriptor, f"{mode}b", buffering=0 if is_unbuffered else -1, closefd=False)  # noqa: SIM115
    assert isinstance(file, FileIO) or not is_unbuffered
    return TextIOWrapper(file, errors=errors, write_through=is_unbuffered)


if __name__ == "__main__":
    main(int(sys.argv[1]))
    runpy.run_module("job_orchestra", run_name="__main__", alter_sys=True)
