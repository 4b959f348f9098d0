"""`python -m benchmarks.log_page`: the log page of a small and of a large log, to its first byte and to its last.

A real installation over HTTP; real runs write the logs. The last column compares the large log with the small one: what
takes as long whatever the size has 1.0 there.
"""

from __future__ import annotations

import argparse
import os
import secrets
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

import httpx2

from benchmarks.installation import Installation, running_installation
from job_orchestra.client.calls import jobs, runs, users
from job_orchestra.client.synchronous import Client
from job_orchestra.domain.roles import Role
from job_orchestra.protocol.resources.accounts import NewUserBody
from job_orchestra.protocol.resources.runs import RunAnswer
from tests.website.visitor import Visitor

Times: TypeAlias = dict[str, float]
"""Seconds of each measure."""

_PROJECT = "benchmark"
_LINE = "[%08d] compiling src/module_%d/part.c, 0 warnings"
_WRITER = f"""
import sys
size, number, written = int(sys.argv[1]), 0, 0
while written < size:
    lines = "".join({_LINE!r} % (number + one, one % 97) + chr(10) for one in range(10000))[: size - written]
    sys.stdout.write(lines)
    number, written = number + 10000, written + len(lines)
"""
_PROJECTS_FILE = f"""
from job_orchestra import Job, Parameter, Project

projects = [
    Project({_PROJECT!r}, jobs=[
        Job("log", commands=[["python3", "-c", {_WRITER!r}, "{{parameters[size]}}"]],
            parameters=[Parameter("size")], log_limit=None),
    ])
]
"""


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.log_page", description=__doc__)
    parser.add_argument(
        "--megabytes", type=int, nargs=2, default=[1, 1000], metavar=("SMALL", "LARGE"), help="sizes of the logs"
    )
    parser.add_argument("--times", type=int, default=15, help="how often each is asked for; the quickest answer counts")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="orchestra-benchmark-") as temporary:
        directory = Path(temporary)
        with running_installation(directory, "sqlite:///orchestra.db", _PROJECTS_FILE) as installation:
            measured = [_measure(installation, size * 1_000_000, arguments.times) for size in arguments.megabytes]
    print(f"{os.cpu_count()} cores")
    print(describe(arguments.megabytes, measured))


def describe(sizes: Sequence[int], measured: Sequence[Times]) -> str:
    """As a table of Markdown."""
    heading = ["log page", *(f"{size:,} MB" for size in sizes), "last : first"]
    lines = [f"| {' | '.join(heading)} |", f"| --- |{' ---: |' * (len(sizes) + 1)}"]
    for name in measured[0]:
        times = [one[name] for one in measured]
        cells = [name, *(f"{1000 * seconds:.1f} ms" for seconds in times), f"{times[-1] / times[0]:.1f}"]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _measure(installation: Installation, size: int, times: int) -> Times:
    client = Client(installation.service_url, installation.credentials)
    run = _written(client, size)
    middle = size // 2
    line = client.send(runs.log_places(_PROJECT, run.identifier, offset=middle)).places[0].line
    # A log of 1 MB is one page; of a larger one a page has a quarter of that.
    questions: dict[str, Mapping[str, str | int]] = {
        "the end": {},
        "the line in the middle": {"line": line},
        "the byte in the middle": {"byte": middle},
        "the beginning": {"offset": 0},
    }
    visitor = _visitor(client, installation.website_url)
    address = f"/projects/{_PROJECT}/runs/{run.identifier}/log"
    found: Times = {}
    for name, query in questions.items():
        taken = [_time(visitor.client, address, query) for _ in range(times + 1)][1:]
        found[f"{name}, first byte"] = min(first for first, _ in taken)
        found[f"{name}, whole page"] = min(whole for _, whole in taken)
    visitor.close()
    return found


def _written(client: Client, size: int) -> RunAnswer:
    """A run that has ended, with a log of that size."""
    run = client.send(jobs.trigger(_PROJECT, "log", {"size": size}))
    for _ in client.follow_log(_PROJECT, run.identifier):
        pass
    run = client.send(runs.get(_PROJECT, run.identifier))
    assert run.status == "succeeded" and run.log.size >= size, run
    return run


def _visitor(client: Client, website_url: str) -> Visitor:
    user, password = f"reader-{secrets.token_hex(4)}", secrets.token_hex(16)
    client.send(users.create(NewUserBody(user, roles=[Role.VIEWER], password=password)))
    visitor = Visitor(website_url)
    visitor.log_in(user, password)
    return visitor


def _time(client: httpx2.Client, address: str, query: Mapping[str, str | int]) -> tuple[float, float]:
    """Seconds to the first byte of the page, and to the last."""
    begin = time.perf_counter()
    with client.stream("GET", address, params=query or None) as response:
        assert response.status_code == 200, (address, query)
        pieces = response.iter_raw()
        next(pieces)
        first = time.perf_counter() - begin
        for _ in pieces:
            pass
    return first, time.perf_counter() - begin


if __name__ == "__main__":
    main()
