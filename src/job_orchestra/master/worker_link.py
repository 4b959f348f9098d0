"""One connection of a worker: drives the session, stores what comes, says what is to be said."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from job_orchestra.domain.clock import Clock
from job_orchestra.domain.errors import OrchestraError, Unavailable
from job_orchestra.domain.job_data import definition_to_data, limits_to_data
from job_orchestra.domain.placement import Candidate, candidate_of
from job_orchestra.domain.runs import Run
from job_orchestra.domain.workers import Worker, WorkerDescription, refusal_of
from job_orchestra.master.inbox import Inbox
from job_orchestra.master.intake import Account, Intake, Report, Stored, gather_reports
from job_orchestra.protocol.codec import decode_to_master
from job_orchestra.protocol.connection import ConnectionLost, FrameConnection
from job_orchestra.protocol.master_session import (
    Dismissed,
    HindranceChanged,
    MasterSession,
    PutBack,
    StoreEvents,
    StoreLog,
    TakenOver,
)
from job_orchestra.protocol.messages import Abort, Execute, Goodbye, ToMaster, ToWorker
from job_orchestra.protocol.outbox import Outbox
from job_orchestra.protocol.run_key import RunKey
from job_orchestra.protocol.violations import ProtocolViolation

_logger = logging.getLogger(__name__)

_GIVEN_UP = "the master, which had given this attempt up while the worker was away"


class LinkEvents(Protocol):
    """What a link tells the master."""

    async def on_stored(self, stored: Sequence[Stored]) -> None: ...

    def on_log_grew(self, run: Run, size: int) -> None: ...

    async def on_put_back(self, run: Run) -> None: ...

    async def on_described(self, worker: Worker) -> None: ...


@dataclass(frozen=True, slots=True)
class LinkParts:
    intake: Intake
    events: LinkEvents
    clock: Clock
    make_token: Callable[[Run], Awaitable[str]]
    """For the API; durable when it returns, and made again for each time that a run is sent."""


class WorkerLink:
    def __init__(self, connection: FrameConnection, session: MasterSession, worker: Worker, parts: LinkParts) -> None:
        self.worker = worker
        self.runs: dict[RunKey, Run] = {}
        """Assigned to the worker and not ended, as they are stored."""
        self.late: dict[RunKey, Run] = {}
        """Accounts of attempts that count no more, and have not told everything."""
        self.is_closed = asyncio.Event()
        self._connection = connection
        self._session = session
        self._parts = parts
        self._outbox: Outbox[ToWorker] = Outbox(connection)
        self._inbox = Inbox()
        self._errands: set[asyncio.Task[None]] = set()

    # ---------- what the dispatcher asks and orders

    def candidate(self) -> Candidate:
        return replace(
            # Attempts that were given up use executors and workspaces until they have ended.
            candidate_of(self.worker, [*self.runs.values(), *self.late.values()], self._parts.clock.now()),
            is_connected=not self._outbox.is_closed,
        )

    def execute(self, run: Run) -> None:
        """Sends a run that is assigned to this worker, once; the greeting repeats it after a reconnection."""
        key = RunKey(run.identifier, run.attempt)
        if not self._session.execute(key):
            return
        self.runs[key] = run
        if run.request.token:
            errand = asyncio.create_task(self._execute_with_token(run), name=f"make a token for run {run.identifier}")
            self._errands.add(errand)
            errand.add_done_callback(self._errands.discard)
        else:
            self._send(run, "")

    async def _execute_with_token(self, run: Run) -> None:
        try:
            token = await self._parts.make_token(run)
        except Unavailable as error:
            # The master stops; the next one sends it.
            _logger.warning("Run %s is not sent: %s", run.identifier, error)
            return
        if self.has(run):
            self._send(run, token)

    def _send(self, run: Run, token: str) -> None:
        self._outbox.post(
            Execute(
                run=run.identifier,
                attempt=run.attempt,
                project=run.request.project,
                job=run.request.job,
                definition=definition_to_data(run.request.definition),
                parameters=run.request.parameters,
                workspace=run.request.workspace.value,
                limits=limits_to_data(run.request.limits),
                token=token,
            )
        )

    def abort(self, run: Run) -> None:
        """Sends the wish to end a run that this worker has; it ends when the worker says so."""
        if self.has(run):
            self._outbox.post(Abort(run.identifier, run.attempt, run.wished_by or "somebody"))

    def has(self, run: Run) -> bool:
        return RunKey(run.identifier, run.attempt) in self.runs

    def resume(self, run: Run) -> None:
        """The worker's welcome told it to go on with a run that is assigned to it."""
        self.runs[RunKey(run.identifier, run.attempt)] = run

    def resume_late(self, account: Run) -> None:
        """The worker's welcome told it to go on with an attempt that counts no more: it ends as soon as it can."""
        self.late[RunKey(account.identifier, account.attempt)] = account
        self._outbox.post(Abort(account.identifier, account.attempt, _GIVEN_UP))

    def dismiss(self, code: str, message: str) -> None:
        """Says goodbye and closes; what was received before is still stored."""
        self._outbox.post(Goodbye(code, message))
        self._outbox.close()

    # ---------- the connection

    def post(self, message: ToWorker) -> None:
        self._outbox.post(message)

    async def serve(self) -> None:
        """Until the connection ends, for whichever reason; may be cancelled."""
        reading = asyncio.create_task(self._read(), name=f"read from worker {self.worker.identifier}")
        sending = asyncio.create_task(self._outbox.flush(), name=f"send to worker {self.worker.identifier}")
        try:
            await self._work()
        finally:
            self._outbox.close()
            reading.cancel()
            await asyncio.wait([reading, sending], timeout=5.0)
            sending.cancel()
            await self._connection.close()
            self.is_closed.set()

    async def _read(self) -> None:
        try:
            while not self._outbox.is_closed:
                await self._inbox.put(await self._connection.receive_frame())
        except ConnectionLost as error:
            _logger.info("Worker %s: %s", self.worker.identifier, error)
        finally:
            self._outbox.close()
            self._inbox.close()

    async def _work(self) -> None:
        try:
            while frames := await self._inbox.take():
                await self._handle([message for frame in frames for message in decode_to_master(frame)])
        except OrchestraError as error:
            # Malformed or senseless: this connection ends with the reason, and nobody else is concerned.
            _logger.warning("Worker %s is dismissed: %s", self.worker.identifier, error)
            self.dismiss("violation", error.message)

    async def _handle(self, messages: Sequence[ToMaster]) -> None:
        to_store: list[tuple[Account, StoreEvents | StoreLog]] = []
        for message in messages:
            for effect in self._session.receive(message):
                match effect:
                    case StoreEvents() | StoreLog():
                        to_store.append((self._account(effect.key), effect))
                    case PutBack():
                        await self._put_back(effect)
                    case TakenOver():
                        await self._forget_refusal()
                    case HindranceChanged(by):
                        _logger.info("Worker %s %s.", self.worker.identifier, by or "takes new runs again")
                        await self._describe(replace(self.worker.description, hindrance=by))
                    case Dismissed():
                        _logger.info("Worker %s says goodbye: %s", self.worker.identifier, effect.goodbye.message)
                        self._outbox.close()
                    case _:
                        pass
        if to_store:
            await self._store(to_store)

    def _account(self, key: RunKey) -> Account:
        return Account(self.runs[key]) if key in self.runs else Account(self.late[key], is_late=True)

    async def _describe(self, description: WorkerDescription) -> None:
        self.worker = replace(self.worker, description=description)
        await self._parts.events.on_described(self.worker)

    async def _put_back(self, effect: PutBack) -> None:
        run = self.runs.pop(effect.key, None)
        if run is None:
            raise ProtocolViolation(f"The worker refused run {effect.key.run!r}, which it has begun.")
        refusal = refusal_of(run.identifier, effect.reason, self._parts.clock.now())
        _logger.warning("Worker %s refused run %s: %s", self.worker.identifier, run.identifier, refusal.reason)
        if not self._is_pausing():
            # One for all that were on their way to it: they are refused for the same reason. And before the run is put
            # back, so that it does not come here again at once.
            await self._describe(replace(self.worker.description, refusal=refusal))
        await self._parts.events.on_put_back(run)

    async def _forget_refusal(self) -> None:
        """The worker takes runs again; what was on its way to it before the refusal does not say so."""
        if self.worker.description.refusal is not None and not self._is_pausing():
            await self._describe(replace(self.worker.description, refusal=None))

    def _is_pausing(self) -> bool:
        refusal = self.worker.description.refusal
        return refusal is not None and refusal.is_in_force(self._parts.clock.now())

    async def _store(self, to_store: Sequence[tuple[Account, StoreEvents | StoreLog]]) -> None:
        reports = gather_reports(to_store)
        await self._parts.intake.store_logs(reports)
        for report in reports:
            if report.log_end is not None and not report.account.is_late:
                self._parts.events.on_log_grew(report.account.run, report.log_end)
        stored = await self._store_records(reports)
        for one in stored:
            self._answer(one)
        await self._parts.events.on_stored(stored)

    async def _store_records(self, reports: Sequence[Report]) -> list[Stored]:
        """All have come to an end, whatever became of one: the next connection is greeted from what is stored then."""
        work = (self._parts.intake.store_records(report) for report in reports)
        stored: list[Stored] = []
        faults: list[BaseException] = []
        for outcome in await asyncio.gather(*work, return_exceptions=True):
            (faults if isinstance(outcome, BaseException) else stored).append(outcome)  # type: ignore[arg-type]
        if faults:
            raise faults[0]
        return stored

    def _answer(self, stored: Stored) -> None:
        run, key = stored.account.run, stored.account.key
        accounts = self.late if stored.account.is_late else self.runs
        if run.status.is_terminal:
            del accounts[key]
            self._outbox.post(self._session.release(key))
            return
        accounts[key] = run
        self._outbox.post(self._session.acknowledge(key, run.journal_sequence, stored.log_end or 0))
        if stored.is_log_to_be_sent_again:
            self._outbox.post(self._session.send_again(key, run.journal_sequence))

    # ---------- what changes meanwhile

    def update(self, worker: Worker) -> None:
        """The record of the worker has changed: its switches count from now on."""
        self.worker = replace(
            self.worker,
            is_enabled=worker.is_enabled,
            should_drain=worker.should_drain,
            should_disconnect=worker.should_disconnect,
        )
