"""`python -m benchmarks.history`: how long each page and list that shows history takes, at several sizes of history.

A real installation over HTTP, for each size one after the other. The last column compares the largest size with the
smallest: what takes as long whatever the size has 1.0 there.
"""

from __future__ import annotations

import argparse
import os
import secrets
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeAlias

import httpx2

from benchmarks.__main__ import database_at
from benchmarks.history_filling import fill
from benchmarks.history_questions import Question, questions
from benchmarks.history_rows import INDEXED, INTERVAL, PROJECT, REVISIONS, projects_file
from benchmarks.installation import Installation, running_installation
from job_orchestra.client.calls import runs, users
from job_orchestra.client.synchronous import Client
from job_orchestra.composition.records import RecordsComposition
from job_orchestra.domain.roles import Role
from job_orchestra.protocol.resources.accounts import NewUserBody
from job_orchestra.settings.reading import load_settings
from job_orchestra.storage.port import SchemaState
from tests.git_source import GitSource
from tests.services import DATABASES
from tests.website.visitor import Visitor

Times: TypeAlias = dict[str, float]
"""Seconds for each question."""

_SETTINGS = f"[storage]\nindexed_results = {list(INDEXED)}\n"
_GIB = 1 << 30


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.history", description=__doc__)
    parser.add_argument("--database", choices=DATABASES, default="sqlite")
    parser.add_argument("--url", help="of databases of your own, with {runs} in it: filled once, and kept")
    parser.add_argument("--runs", type=int, nargs="+", default=[10_000, 100_000, 1_000_000], help="sizes of history")
    parser.add_argument("--times", type=int, default=15, help="how often each is asked for; the quickest answer counts")
    parser.add_argument("--only", default="", help="what begins so: page, runs, where, audit")
    arguments = parser.parse_args()
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / _GIB
    print(
        f"{arguments.url or arguments.database}, on {os.cpu_count()} cores with {memory:.0f} GiB of memory", flush=True
    )
    sizes: list[int] = sorted(arguments.runs)
    measured = [
        _measure_size(arguments.database, arguments.url, size, arguments.times, arguments.only) for size in sizes
    ]
    print(describe(sizes, measured))


def describe(sizes: Sequence[int], measured: Sequence[Times]) -> str:
    """As a table of Markdown, in milliseconds."""
    heading = ["asked for", *(f"{size:,} runs" for size in sizes), "last : first"]
    lines = [f"| {' | '.join(heading)} |", f"| --- |{' ---: |' * (len(sizes) + 1)}"]
    for name in measured[0]:
        times = [one[name] for one in measured]
        cells = [name, *(f"{1000 * seconds:.1f} ms" for seconds in times), f"{times[-1] / times[0]:.1f}"]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _measure_size(kind: str, own: str | None, count: int, times: int, only: str) -> Times:
    with tempfile.TemporaryDirectory(prefix="orchestra-benchmark-") as temporary:
        directory = Path(temporary)
        source = GitSource(directory / "repository")
        revisions = [source.commit(f"Revision {number}") for number in range(REVISIONS)][::-1]
        with _database(kind, own, count) as url:
            _provide(url, count, directory, revisions)
            with running_installation(directory, url, projects_file(source.path), _SETTINGS) as installation:
                return _measure(installation, count, times, only)


def _database(kind: str, own: str | None, count: int) -> AbstractContextManager[str]:
    return database_at(kind) if own is None else nullcontext(own.replace("{runs}", str(count)))


def _provide(url: str, count: int, directory: Path, revisions: Sequence[str]) -> None:
    """What was filled to its end before is taken as it is."""
    settings = load_settings(directory / "orchestra.toml", {"ORCHESTRA_DATABASE_URL": url})
    administration = RecordsComposition(settings).administration
    if administration.state() is SchemaState.CURRENT:
        return
    begin = time.perf_counter()
    fill(administration, count, datetime.now(UTC), revisions)
    print(f"filled with {count:,} runs in {time.perf_counter() - begin:.0f} s", file=sys.stderr, flush=True)


def _measure(installation: Installation, count: int, times: int, only: str) -> Times:
    client = Client(installation.service_url, installation.credentials)
    newest = client.send(runs.list_all(None, limit=1)).items[0]
    now = datetime.fromisoformat(newest.created_at) + INTERVAL
    ended, waiting = (
        client.send(runs.list_all(PROJECT, status=one, limit=1)).items[0] for one in ("failed", "pending")
    )
    visitor = _visitor(client, installation.website_url)
    authorization = {"Authorization": installation.credentials.authorization}
    with httpx2.Client(base_url=installation.service_url, headers=authorization, trust_env=False, timeout=60) as api:
        known = questions(count, now, ended.identifier, waiting.identifier)
        asked = [one for one in known if one.name.startswith(only)]
        found = {one.name: _time(_asking(one, visitor.client if one.of_website else api), times) for one in asked}
    visitor.close()
    return found


def _visitor(client: Client, website_url: str) -> Visitor:
    """A new user, who has logged in."""
    user, password = f"reader-{secrets.token_hex(4)}", secrets.token_hex(16)
    client.send(users.create(NewUserBody(user, roles=[Role.AUDITOR], password=password)))
    visitor = Visitor(website_url)
    visitor.log_in(user, password)
    return visitor


def _asking(question: Question, client: httpx2.Client) -> Callable[[], None]:
    def ask() -> None:
        response = client.get(question.path, params=dict(question.query) or None)
        assert response.status_code == 200, (question, response.status_code, response.text[:300])

    return ask


def _time(ask: Callable[[], None], times: int) -> float:
    """Of the quickest answer: what else the machine does, which is another thing at each size, only ever adds to it."""
    ask()
    taken: list[float] = []
    for _ in range(times):
        begin = time.perf_counter()
        ask()
        taken.append(time.perf_counter() - begin)
    return min(taken)


if __name__ == "__main__":
    main()
