"""After the storm: has each run started once per attempt, ended as it should, with the log that its commands wrote?"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from job_orchestra.client.attempts import as_attempt
from job_orchestra.client.calls import runs
from job_orchestra.domain.reasons import ReasonCode
from job_orchestra.domain.statuses import RunStatus
from job_orchestra.execution.process_identity import ProcessIdentity, identity_from_data
from job_orchestra.execution.process_tree import all_processes, read_run_marker
from job_orchestra.execution.run_directory import RUNS
from job_orchestra.execution.workspace_layout import WORKSPACES
from job_orchestra.protocol.resources.runs import EventAnswer, RunAnswer
from job_orchestra.protocol.run_key import RunKey
from tests.faults.callers import Callers
from tests.faults.deeds import COMMAND, LIMIT, PROJECT, RETRIES, SETUP, TEARDOWN, Deed
from tests.faults.findings import Findings
from tests.faults.ledger import Entry, Ledger, Place
from tests.faults.line_audit import LineAudit
from tests.faults.logs import flaws_of, outputs_of
from tests.faults.patience import PatientClient
from tests.faults.plan import Act
from tests.faults.site import Site

_PATIENCE = 60.0
_INTERVAL = 0.05
_PAGE = 200
_AT_ONCE = 4

_ENDS_OF_HOSTS = {
    Act.KILL: (RunStatus.EXCEPTION, ReasonCode.EXECUTOR_HOST_LOST),
    Act.TERMINATE: (RunStatus.ABORTED, ReasonCode.SHUTDOWN),
}
"""How runs may end whose executor host has suffered that."""
_RETRIED = (RunStatus.FAILED, RunStatus.EXCEPTION)
_STOPPED = (
    (RunStatus.CANCELLED, ReasonCode.CANCEL_REQUESTED),
    (RunStatus.ABORTED, ReasonCode.ABORT_REQUESTED),
)
"""How runs may end that a user has stopped: it is cancelled if it has not begun, and aborted if it has."""


class Audit:
    """Findings are added; nothing is raised for what is wrong with a run."""

    def __init__(self, site: Site, client: PatientClient, ledger: Ledger, callers: Callers, findings: Findings) -> None:
        self._site = site
        self._client = client
        self._ledger = ledger
        self._callers = callers
        self._findings = findings
        self._hosts: dict[ProcessIdentity, Act] = {}
        self.ends: Counter[str] = Counter()
        self.log_bytes = 0
        self.starts = 0
        self.retries = 0
        """Attempts that have started, and were not the last."""
        self._spans: list[tuple[str, str]] = []
        """Start and end of the runs of the concurrency group."""

    async def hold(self) -> None:
        """Returns when all has been looked at; every application has to be at work."""
        await self._wait_for_ends()
        for run, line in self._callers.pipelines.items():
            self._callers.runs.update(await LineAudit(self._client, self._findings).look(run, line))
        self._ledger.read()
        self.starts = sum(entry.starts for entry in self._ledger.entries.values())
        for hosts in self._site.hosts.values():
            self._hosts.update(hosts.ended)
        await self._look_at_list()
        turns = asyncio.Semaphore(_AT_ONCE)

        async def look(run: str, deed: Deed) -> None:
            async with turns:
                await self._look_at(run, deed)

        await asyncio.gather(*(look(run, deed) for run, deed in self._callers.runs.items()))
        self._look_at_group()
        for entry in {place.key.run for place in self._ledger.entries} - set(self._callers.runs):
            self._findings.add(f"Run {entry} has started, and nobody has triggered it.")
        self._look_for_processes(lambda deed: not deed.may_be_retried)
        await self._look_at_directories()
        # An attempt that was given up may go on for a while, as long as its worker has not heard of it.
        self._look_for_processes(lambda deed: deed.may_be_retried)
        self._look_at_outputs()

    # ---------- the end

    async def _wait_for_ends(self) -> None:
        deadline = time.monotonic() + _PATIENCE
        # A run that is retried while the lists are asked for would be in neither of two.
        looks = (RunStatus.PENDING, RunStatus.RUNNING, RunStatus.PENDING)
        while active := [run for status in looks for run in await self._of_status(status)]:
            if time.monotonic() > deadline:
                for run in active:
                    why = await self._client.send(runs.why(PROJECT, run))
                    self._findings.add(f"Run {run} is {why.status} for ever: {why.summary}")
                return
            await asyncio.sleep(_INTERVAL)

    async def _of_status(self, status: RunStatus) -> list[str]:
        page = await self._client.send(runs.list_all(PROJECT, status=status, limit=_PAGE))
        return [run.identifier for run in page.items]

    async def _look_at_list(self) -> None:
        """Each deed was triggered once."""
        listed: list[str] = []
        cursor: str | None = None
        while True:
            page = await self._client.send(runs.list_all(PROJECT, limit=_PAGE, cursor=cursor))
            listed += [run.identifier for run in page.items]
            cursor = page.next
            if cursor is None:
                break
        known = [*self._callers.runs, *self._callers.pipelines]
        if sorted(listed) != sorted(known):
            more, less = set(listed) - set(known), set(known) - set(listed)
            self._findings.add(f"Runs that nobody has triggered: {sorted(more)}; that are missing: {sorted(less)}.")

    def _look_at_group(self) -> None:
        """Never more of its runs than may be; by the dates of their hosts, which are this one."""
        begun = 0
        moments = [(date, is_start) for span in self._spans for date, is_start in zip(span, (True, False), strict=True)]
        for date, is_start in sorted(moments):
            begun += 1 if is_start else -1
            if begun > LIMIT:
                self._findings.add(f"At {date} {begun} runs of the concurrency group execute, and {LIMIT} may.")

    # ---------- one run

    async def _look_at(self, identifier: str, deed: Deed) -> None:
        run = await self._client.send(runs.get(PROJECT, identifier))
        events = await self._events_of(run)
        log = await self._client.log(PROJECT, identifier)
        self.ends[f"{run.status} ({run.reason.code if run.reason else 'no reason'})"] += 1
        self.log_bytes += len(log)
        if run.concurrency is not None and run.started_at is not None and run.ended_at is not None:
            self._spans.append((run.started_at, run.ended_at))
        flaws = [*self._flaws_of_run(run, events, deed), *self._flaws_of_log(run, events, deed, log)]
        flaws += self._flaws_of_retries(run, deed)
        self._add(run, deed, flaws)
        for past in run.past_attempts:
            if past.log.sha256 is not None:
                await self._look_at_past(as_attempt(run, past.attempt), deed)

    async def _look_at_past(self, run: RunAnswer, deed: Deed) -> None:
        """`run` as an attempt tells it that has ended and was followed by another one."""
        events = await self._events_of(run)
        log = await self._client.log(PROJECT, run.identifier, run.attempt)
        self._add(
            run, deed, [*self._flaws_of_end(run, events, deed), *self._flaws_of_stored_log(run, events, deed, log)]
        )

    def _add(self, run: RunAnswer, deed: Deed, flaws: Iterable[str]) -> None:
        for flaw in flaws:
            self._findings.add(f"Run {run.identifier}.{run.attempt} on {run.worker} (deed {deed.name}): {flaw}.")

    def _flaws_of_retries(self, run: RunAnswer, deed: Deed) -> Iterator[str]:
        """It was retried for each end that its job names, and for no other."""
        if deed.job != "repeated":
            return
        ends = [past.status for past in run.past_attempts]
        if len(ends) > RETRIES or any(status not in _RETRIED for status in ends):
            yield f"it was retried after {ends}"
        is_stopped = run.identifier in self._callers.stopped
        if run.status in _RETRIED and len(ends) < RETRIES and not is_stopped:
            yield f"it ended as {run.status} after {ends}, and should have been retried"

    async def _events_of(self, run: RunAnswer) -> list[EventAnswer]:
        page = await self._client.send(runs.events(PROJECT, run.identifier, limit=_PAGE))
        return [event for event in page.items if event.attempt == run.attempt]

    def _flaws_of_run(self, run: RunAnswer, events: list[EventAnswer], deed: Deed) -> Iterator[str]:
        end = (run.status, run.reason.code if run.reason else "")
        allowed = [deed.end, *self._other_ends(run, events)]
        followed = self._callers.followed.get(run.identifier)
        if followed is not None and (followed.status, followed.reason) != end:
            yield f"it ended as {end}, and was seen before as {followed.status} ({followed.reason})"
        yield from self._flaws_of_end(run, events, deed)
        if run.results != deed.results and (len(allowed) == 1 or run.results):
            yield f"its results are {run.results}, and not {deed.results}"
        yield from self._flaws_of_starts(run, deed, is_ended_early=len(allowed) > 1)

    def _flaws_of_end(self, run: RunAnswer, events: list[EventAnswer], deed: Deed) -> Iterator[str]:
        end = (run.status, run.reason.code if run.reason else "")
        allowed = [deed.end, *self._other_ends(run, events)]
        if end not in allowed:
            yield f"it ended as {end}, and should have as one of {allowed}"
        if [event.sequence for event in events] != list(range(1, len(events) + 1)):
            yield f"its events are numbered {[event.sequence for event in events]}"

    def _flaws_of_starts(self, run: RunAnswer, deed: Deed, is_ended_early: bool) -> Iterator[str]:
        others = self._ledger.attempts_of(run.identifier) - {run.attempt}
        if others and not deed.may_be_retried:
            yield f"attempts {sorted(others)} have started, too"
        self.retries += len(others)
        for attempt in (run.attempt, *others):
            for step, entry in self._entries_of(run, attempt).items():
                if entry.starts > 1:
                    yield f"{step} of attempt {attempt} has started {entry.starts} times"
                if entry.overlaps:
                    yield f"{step} of attempt {attempt} was not alone in its workspace"
        entries = self._entries_of(run, run.attempt)
        if run.status == RunStatus.CANCELLED and entries:
            yield f"it was cancelled before it began, and {sorted(entries)} have started"
        if not is_ended_early and sorted(entries) != sorted(deed.steps):
            yield f"{sorted(entries)} have started, and not {sorted(deed.steps)}"

    def _other_ends(self, run: RunAnswer, events: list[EventAnswer]) -> Iterator[tuple[str, str]]:
        """How it may have ended because somebody ended it."""
        if run.identifier in self._callers.stopped:
            yield from _STOPPED
        identity = identity_from_data(events[0].data.get("host")) if events else None
        if identity in self._hosts:
            yield _ENDS_OF_HOSTS[self._hosts[identity]]

    def _flaws_of_log(self, run: RunAnswer, events: list[EventAnswer], deed: Deed, log: bytes) -> Iterator[str]:
        yield from self._flaws_of_stored_log(run, events, deed, log)
        followed = self._callers.followed.get(run.identifier)
        # Of a run that was retried, he has seen what the earlier attempts wrote before.
        if followed is not None and (followed.log[-len(log) :] if run.attempt > 1 and log else followed.log) != log:
            yield f"its log has {len(log)} bytes, and a follower has seen {len(followed.log)} or other ones"

    def _flaws_of_stored_log(self, run: RunAnswer, events: list[EventAnswer], deed: Deed, log: bytes) -> Iterator[str]:
        has_log = run.log.sha256 is not None or run.status != RunStatus.CANCELLED
        if has_log and (run.log.size, run.log.sha256) != (len(log), hashlib.sha256(log).hexdigest()):
            yield f"its log has {len(log)} bytes, and is said to be {run.log}"
        is_ended_early = any(self._other_ends(run, events))
        yield from flaws_of(log, outputs_of(events), deed, self._entries_of(run, run.attempt), is_ended_early)

    def _entries_of(self, run: RunAnswer, attempt: int) -> dict[str, Entry]:
        places = (Place(RunKey(run.identifier, attempt), step) for step in (SETUP, COMMAND, TEARDOWN))
        return {place.step: self._ledger.entries[place] for place in places if place in self._ledger.entries}

    # ---------- what is left

    def _look_for_processes(self, is_meant: Callable[[Deed], bool]) -> None:
        for pid in all_processes():
            marker = read_run_marker(pid)
            deed = self._callers.runs.get(marker.run) if marker is not None else None
            if marker is not None and deed is not None and is_meant(deed):
                command = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ")
                self._findings.add(f"Process {pid} ({command!r}) of run {marker.run}.{marker.attempt} is left over.")

    async def _look_at_directories(self) -> None:
        deadline = time.monotonic() + _PATIENCE
        for directory in self._site.worker_directories:
            while left := [*(directory / RUNS).iterdir(), *(directory / WORKSPACES / "run").glob("*")]:
                if time.monotonic() > deadline:
                    self._findings.add(f"Data of ended runs is left: {', '.join(map(str, left))}.")
                    break
                await asyncio.sleep(_INTERVAL)

    def _look_at_outputs(self) -> None:
        for path in self._site.outputs:
            # What a host said that has ended meanwhile, with its directory, stands in the output of its worker.
            with suppress(FileNotFoundError):
                if "Traceback" in path.read_text(errors="replace"):
                    self._findings.add(f"There is a traceback in {path}.")
