"""Receives workers: from the handshake's token to a link that serves, and what becomes of it afterwards."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Mapping, Sequence
from weakref import WeakValueDictionary

from job_orchestra.domain.clock import Clock
from job_orchestra.domain.errors import Conflict, OrchestraError, Unavailable
from job_orchestra.domain.late_reports import is_late
from job_orchestra.domain.runs import Run
from job_orchestra.domain.workers import Worker, WorkerDescription
from job_orchestra.fail_points import FailPoint, reach
from job_orchestra.master.dispatcher import Dispatcher
from job_orchestra.master.hello_checks import check_hello
from job_orchestra.master.intake import Account
from job_orchestra.master.links import WorkerLinks
from job_orchestra.master.losses import Losses
from job_orchestra.master.outage import Outage
from job_orchestra.master.services import ServiceLinks
from job_orchestra.master.worker_link import LinkParts, WorkerLink
from job_orchestra.protocol.codec import decode_to_master, encode
from job_orchestra.protocol.connection import ConnectionLost, FrameConnection
from job_orchestra.protocol.control import WorkerChanged
from job_orchestra.protocol.master_session import MasterSession, StoredRun
from job_orchestra.protocol.messages import Goodbye, Hello
from job_orchestra.protocol.run_key import RunKey
from job_orchestra.protocol.violations import ProtocolViolation
from job_orchestra.repositories.conditions import ATTEMPTS, Contended
from job_orchestra.repositories.late_reports import LateReports
from job_orchestra.repositories.run_queue import RunQueue
from job_orchestra.repositories.workers import Workers, check_holder, still_away, still_connected
from job_orchestra.storage.log_port import LogStore
from job_orchestra.version import __version__

_logger = logging.getLogger(__name__)

_HELLO_TIMEOUT = 10.0
_REPLACEMENT_TIMEOUT = 5.0


class Reception:
    def __init__(
        self,
        master: str,
        workers: Workers,
        queue: RunQueue,
        late_reports: LateReports,
        log_store: LogStore,
        links: WorkerLinks,
        parts: LinkParts,
        dispatcher: Dispatcher,
        losses: Losses,
        services: ServiceLinks,
        outage: Outage,
        clock: Clock,
    ) -> None:
        self._master = master
        self._workers = workers
        self._queue = queue
        self._late_reports = late_reports
        self._log_store = log_store
        self._links = links
        self._parts = parts
        self._dispatcher = dispatcher
        self._losses = losses
        self._services = services
        self._outage = outage
        self._clock = clock
        self._arriving: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def serve(self, connection: FrameConnection, owner: str) -> None:
        """One connection of a worker whose token belongs to `owner`, from its hello to its end."""
        try:
            hello = await self._receive_hello(connection)
            link = await self._admit(connection, hello, owner)
        except ConnectionLost as error:
            _logger.info("A worker of user %s left before it was admitted: %s", owner, error)
            return
        except OrchestraError as error:
            _logger.warning("A worker of user %s is refused: %s", owner, error)
            await self._refuse(connection, error)
            return
        try:
            await link.serve()
        finally:
            await self._say_farewell(link)

    async def _receive_hello(self, connection: FrameConnection) -> Hello:
        try:
            frame = await asyncio.wait_for(connection.receive_frame(), _HELLO_TIMEOUT)
        except TimeoutError:
            raise ProtocolViolation(f"There was no hello within {_HELLO_TIMEOUT:.0f} seconds.") from None
        messages = decode_to_master(frame)
        if len(messages) != 1 or not isinstance(messages[0], Hello):
            raise ProtocolViolation("The first frame of a worker holds its hello and nothing else.")
        check_hello(messages[0])
        return messages[0]

    async def _refuse(self, connection: FrameConnection, error: OrchestraError) -> None:
        code = "violation"
        if isinstance(error, Conflict | Unavailable):
            code = "refused" if isinstance(error, Conflict) else "unavailable"
        with contextlib.suppress(ConnectionLost):
            await connection.send_frame(encode((Goodbye(code, error.message, is_final=isinstance(error, Conflict)),)))
        await connection.close()

    async def _admit(self, connection: FrameConnection, hello: Hello, owner: str) -> WorkerLink:
        # One arrival of a name at a time: facts are loaded only when the earlier connection has stored its last.
        async with self._arriving.setdefault(hello.identifier, asyncio.Lock()):
            await self._replace(hello, owner)
            await self._give_up_unknown(connection, hello, owner)
            worker = await self._register(connection, hello, owner)
            reach(FailPoint.MASTER_WORKER_REGISTERED)
            session = MasterSession()
            link = WorkerLink(connection, session, worker, self._parts)
            try:
                await self._greet(link, session, hello)
            except BaseException:
                await self._outage.outlast(lambda: self._workers.disconnect(worker))
                raise
            self._links.add(link)
        _logger.info("Worker %s of user %s connected (%d runs).", hello.identifier, owner, len(link.runs))
        self._services.tell(WorkerChanged(hello.identifier))
        self._dispatcher.wake()
        return link

    async def _replace(self, hello: Hello, owner: str) -> None:
        """A newer connection of the same worker takes the place of the older at once; Conflict if it is another's."""
        earlier = self._links.get(hello.identifier)
        if earlier is None or earlier.worker.instance != hello.instance:
            return  # of another instance: registering it is refused
        check_holder(earlier.worker, owner, hello.instance)
        earlier.dismiss("replaced", "A newer connection of this worker took its place.")
        try:
            await asyncio.wait_for(earlier.is_closed.wait(), _REPLACEMENT_TIMEOUT)
        except TimeoutError:
            reasons = " ".join(self._outage.reasons)
            raise Unavailable(f"What came over the earlier connection is still being stored. {reasons}") from None

    async def _give_up_unknown(self, connection: FrameConnection, hello: Hello, owner: str) -> None:
        """Runs of a worker that came back with another directory: nobody can tell whether they were begun (P2).

        Before it is registered, so that a master that dies here finds them by the other instance again.
        """
        known = await self._outage.outlast(lambda: self._workers.find(hello.identifier))
        if known is None or known.instance == hello.instance:
            return
        # Not left to the registration: by then the other one's farewell may have been stored.
        check_holder(known, owner, hello.instance)
        await connection.prove_alive()
        here = {RunKey(run.run, run.attempt) for run in hello.runs}
        for run in await self._outage.outlast(lambda: self._queue.assigned_to(hello.identifier)):
            if RunKey(run.identifier, run.attempt) not in here:
                await self._losses.give_up_missing(run, still_away(known))

    async def _register(self, connection: FrameConnection, hello: Hello, owner: str) -> Worker:
        """A hello may have lain here for long, and its worker may have died and connected anew, to another master even.

        So the worker has to be there still, behind the look at its record, for what its hello says of runs to count.
        """
        name = hello.identifier
        description = WorkerDescription(hello.version, hello.display_name, hello.executor_limit, hello.properties)
        skew = hello.date - self._clock.now().timestamp()
        for _ in range(ATTEMPTS):
            known = await self._outage.outlast(lambda: self._workers.find(name))
            await connection.prove_alive()
            worker = await self._outage.outlast(
                lambda known=known: self._workers.register(  # type: ignore[misc]
                    known, name, owner, hello.instance, description, skew, self._master
                )
            )
            if worker is not None:
                return worker
        raise Contended(f"Worker {name!r}")

    async def _greet(self, link: WorkerLink, session: MasterSession, hello: Hello) -> None:
        runs = await self._outage.outlast(lambda: self._queue.assigned_to(hello.identifier))
        by_key = {RunKey(run.identifier, run.attempt): run for run in runs}
        late = await self._find_late(hello, by_key)
        stored = await self._stored([Account(run) for run in runs])
        stored_late = await self._stored([Account(account, is_late=True) for account in late.values()])
        greeting = session.greet(hello, stored, __version__, self._master, stored_late)
        link.post(greeting.welcome)
        # A newer connection, to another master perhaps, may have brought what this one's hello did not know of.
        is_this_one = still_connected(link.worker)
        for key in greeting.missing:
            await self._losses.give_up_missing(by_key[key], is_this_one)
        for key in greeting.restarted:
            await self._losses.end_restarted(by_key[key], is_this_one)
        resumed = {RunKey(one.run, one.attempt) for one in greeting.welcome.resume}
        lost = resumed.intersection((*greeting.missing, *greeting.restarted))
        late |= await self._receive_late(hello, {key: by_key[key] for key in lost})
        for resume in greeting.welcome.resume:
            key = RunKey(resume.run, resume.attempt)
            if key in late:
                link.resume_late(late[key])
            else:
                link.resume(by_key[key])
        for key in greeting.to_execute:
            link.execute(by_key[key])
        for run in list(link.runs.values()):
            if run.should_abort or run.should_cancel:
                link.abort(run)

    async def _find_late(self, hello: Hello, assigned: Mapping[RunKey, Run]) -> dict[RunKey, Run]:
        """The accounts of attempts on the worker's disk that count no more and have not told everything."""
        unknown = {RunKey(one.run, one.attempt) for one in hello.runs}.difference(assigned)
        runs = await self._outage.outlast(lambda: self._queue.load_many(sorted({key.run for key in unknown})))
        by_identifier = {run.identifier: run for run in runs}
        known = {key: by_identifier[key.run] for key in unknown if key.run in by_identifier}
        return await self._receive_late(hello, {key: run for key, run in known.items() if is_late(run, key.attempt)})

    async def _receive_late(self, hello: Hello, attempts: Mapping[RunKey, Run]) -> dict[RunKey, Run]:
        """The accounts of those attempts that are expected of this worker and not complete."""
        accounts: dict[RunKey, Run] = {}
        for key, run in sorted(attempts.items(), key=lambda item: item[0]):
            report = await self._outage.outlast(
                lambda key=key, run=run: self._late_reports.receive(run, key.attempt, hello.identifier)  # type: ignore[misc]
            )
            if report is not None and not report.account.status.is_terminal:
                accounts[key] = report.account
        return accounts

    async def _stored(self, accounts: Sequence[Account]) -> list[StoredRun]:
        keys = [account.log_key for account in accounts]
        # A master that was about to end one of them may not have come to that.
        await self._outage.outlast(lambda: self._log_store.reopen(keys))
        sizes = await self._outage.outlast(lambda: self._log_store.sizes(keys))
        return [
            StoredRun(account.key, account.run.journal_sequence, size)
            for account, size in zip(accounts, sizes, strict=True)
        ]

    async def _say_farewell(self, link: WorkerLink) -> None:
        if self._links.remove(link):
            _logger.info("Worker %s disconnected.", link.worker.identifier)
            await self._outage.outlast(lambda: self._workers.disconnect(link.worker))
            self._services.tell(WorkerChanged(link.worker.identifier))
