"""`python -m benchmarks.executor`: no-op runs through an executor host alone, beside bare posix_spawn."""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.limits import spawn_rate
from job_orchestra.domain.definitions import Workspace
from job_orchestra.domain.jobs import RunLimits
from job_orchestra.execution.host_directory import HostDirectory
from job_orchestra.execution.host_messages import ExecuteRun, StopWhenIdle, encode_host_message
from job_orchestra.execution.host_start import start_host
from job_orchestra.execution.process_identity import boot_identifier
from job_orchestra.execution.request import Request
from job_orchestra.execution.run_directory import run_name, write_requests


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.executor", description=__doc__)
    parser.add_argument("--runs", type=int, default=2000)
    parser.add_argument("--at-once", type=int, default=8)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="orchestra-benchmark-") as directory:
        before = spawn_rate()
        rate = host_rate(Path(directory), arguments.runs, arguments.at_once)
        bare = (before + spawn_rate()) / 2
    print(f"no-op runs through the executor host: {rate:.0f}/s, {rate / bare:.2f} of bare posix_spawn ({bare:.0f}/s)")


def host_rate(root: Path, runs: int, at_once: int) -> float:
    """Runs per second, from the first order to the last notice of an end."""
    (root / "runs").mkdir()
    requests = [_request(number, at_once) for number in range(runs)]
    assert not any(write_requests(root / "runs", requests).values())
    directory = HostDirectory(root / "hosts" / "benchmark")
    pid = start_host(root, directory, os.environ)
    with directory.connect() as connection, connection.makefile("rwb", buffering=0) as channel:
        assert b"hello" in channel.readline()
        begin = time.perf_counter()
        for number in range(runs + at_once):
            if number >= at_once:
                assert b"finished" in channel.readline()
            if number < runs:
                channel.write(encode_host_message(ExecuteRun(run_name(requests[number].key))))
        elapsed = time.perf_counter() - begin
        channel.write(encode_host_message(StopWhenIdle()))
    os.waitpid(pid, 0)
    _check(root, requests)
    return runs / elapsed


def _request(number: int, jobs: int) -> Request:
    return Request(
        run=f"run-{number}",
        attempt=1,
        project="benchmark",
        job=f"job-{number % jobs}",
        definition={"type": "commands", "commands": [["/bin/true"]]},
        parameters={},
        workspace=Workspace.JOB,
        limits=RunLimits(),
        service_url="",
        boot=boot_identifier(),
    )


def _check(root: Path, requests: Sequence[Request]) -> None:
    for request in requests:
        last = (root / "runs" / run_name(request.key) / "journal").read_bytes().splitlines()[-1]
        assert b'"status":"succeeded"' in last


if __name__ == "__main__":
    main()
