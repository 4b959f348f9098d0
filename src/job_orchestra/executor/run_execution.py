"""The order of a run: claim, workspace, setup, commands, teardown, end. Nothing in here makes the host exit."""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import Sequence
from datetime import datetime

from job_orchestra.domain.definitions import Command, CommandsDefinition
from job_orchestra.domain.errors import Invalid
from job_orchestra.domain.events import Ended, Event, Phase, Started
from job_orchestra.domain.reasons import Reason, ReasonCode
from job_orchestra.domain.statuses import RunStatus
from job_orchestra.execution.process_identity import identity_to_data
from job_orchestra.execution.request import Request
from job_orchestra.execution.room import when_there_is_room
from job_orchestra.execution.run_directory import AbortWish, RunDirectory, read_abort
from job_orchestra.executor.command_execution import CommandExecution, Step
from job_orchestra.executor.journal_writer import JournalWriter
from job_orchestra.executor.log_watch import LogWatch
from job_orchestra.executor.outcome import Outcome
from job_orchestra.executor.results import Results
from job_orchestra.executor.run_log import RunLog
from job_orchestra.executor.run_processes import RunProcesses
from job_orchestra.executor.stop_signal import StopSignal
from job_orchestra.executor.surroundings import DefinitionFault, Surroundings
from job_orchestra.executor.workspaces import HeldWorkspace, WorkspaceFault
from job_orchestra.fail_points import FailPoint, reach

_LOOK_AGAIN = 1.0
_FINAL_GRACE = 2.0
"""For what commands have left behind: they had their time."""


class RunExecution:
    """Carries one run out, from its directory."""

    def __init__(self, directory: RunDirectory, surroundings: Surroundings) -> None:
        self._directory = directory
        self._surroundings = surroundings
        self._loop = asyncio.get_running_loop()
        self._began = self._loop.time()
        self._stop = StopSignal()
        self._teardown_stop = StopSignal()
        self._held: HeldWorkspace | None = None

    def stop(self, outcome: Outcome) -> None:
        """Ends what is being executed, which then has this outcome; teardown is executed nevertheless."""
        if self._stop.outcome() is None:
            self._stop.give(outcome)
            # Teardown of a run that goes well ends likewise; that of a stopped one only by its own limit.
            self._teardown_stop.give(outcome)

    def heed_abort(self, by: str | None = None) -> None:
        """Stops if someone wishes so, who may be named in the run directory."""
        try:
            wish = read_abort(self._directory) if by is None else AbortWish(by)
        except OSError:
            self._loop.call_later(_LOOK_AGAIN, self.heed_abort)
            return
        if wish is not None and wish.is_shutdown:
            self.stop(Outcome.aborted(ReasonCode.SHUTDOWN, "The worker was told to stop, and to end its runs."))
        elif wish is not None:
            self.stop(Outcome.aborted(ReasonCode.ABORT_REQUESTED, f"Abort was requested by {wish.by}."))

    async def carry_out(self) -> None:
        """Of no effect if the run was ever begun before, or its directory is gone."""
        await self._surroundings.admission.enter(self._stop)
        try:
            await self._carry_out_once()
        finally:
            self._surroundings.admission.leave()

    async def _carry_out_once(self) -> None:
        try:
            request = await when_there_is_room(self._directory.read_request)
        except FileNotFoundError:
            return
        except (OSError, Invalid) as error:
            outcome = Outcome.exception(ReasonCode.INTERNAL_ERROR, f"The request cannot be read: {error}.")
            await self._end_at_once(outcome)
            return
        obstacle = await when_there_is_room(lambda: self._obstacle(request))
        if obstacle is not None:
            await self._end_at_once(obstacle)
            return
        journal = await JournalWriter.claim(
            self._directory, lambda sequence, date: self._started(request, sequence, date)
        )
        if journal is None:
            return
        try:
            await self._carry_out(request, journal)
        finally:
            journal.close()
            if self._held is not None:
                self._held.release()

    def _obstacle(self, request: Request) -> Outcome | None:
        """Why the run ends without being executed."""
        if request.boot != self._surroundings.identity.boot:
            sentence = "The worker's host was restarted before the run began."
            return Outcome.exception(ReasonCode.HOST_RESTARTED, sentence)
        wish = read_abort(self._directory)
        if wish is not None:
            code = ReasonCode.SHUTDOWN if wish.is_shutdown else ReasonCode.CANCEL_REQUESTED
            reason = Reason(code, f"It was cancelled by {wish.by} before it began.")
            return Outcome(RunStatus.CANCELLED, reason)
        return None

    def _started(self, request: Request, sequence: int, date: datetime) -> Event:
        surroundings = self._surroundings
        try:
            workspace = str(surroundings.workspaces.path(request))
        except WorkspaceFault:
            workspace = ""
        return Started(sequence, date, identity_to_data(surroundings.identity), workspace)

    async def _end_at_once(self, outcome: Outcome) -> None:
        log = await RunLog.open(self._directory.log)
        end = await log.end()
        journal = await JournalWriter.claim(
            self._directory,
            lambda sequence, date: Ended(sequence, date, outcome.status, outcome.reason, 0.0, end.size, end.sha256),
        )
        if journal is not None:
            journal.close()

    async def _carry_out(self, request: Request, journal: JournalWriter) -> None:
        log = await RunLog.open(self._directory.log)
        processes = RunProcesses(request.key, log.file, self._surroundings.children, self._surroundings.roster)
        watch = LogWatch(log, request.limits.log_size, self.stop)
        try:
            outcome = await self._execute(request, journal, log, processes, watch)
        except Exception as error:  # a fault of ours ends this run; the others go on
            traceback.print_exc()
            outcome = Outcome.fault(error)
        watch.close()
        left = await processes.end_finally(min(_FINAL_GRACE, request.limits.grace))
        await watch.enforce()
        if left:
            await log.say(f"These processes could not be ended: {', '.join(str(one.pid) for one in left)}.")
        outcome = await self._remove_workspace(outcome)
        await log.say(f"Run {outcome.status} ({outcome.reason.code}): {outcome.reason.sentence}")
        end = await log.end()
        reach(FailPoint.HOST_LOG_COMPLETE)
        duration = self._loop.time() - self._began
        await journal.append(
            lambda sequence, date: Ended(sequence, date, outcome.status, outcome.reason, duration, end.size, end.sha256)
        )
        reach(FailPoint.HOST_END_JOURNALLED)

    async def _remove_workspace(self, outcome: Outcome) -> Outcome:
        if self._held is None:
            return outcome
        try:
            await self._held.remove()
        except WorkspaceFault as fault:
            flaw = Outcome.exception(ReasonCode.WORKSPACE_FAILED, str(fault))
        except Exception as error:  # a fault of ours takes nobody's outcome away
            traceback.print_exc()
            flaw = Outcome.fault(error, " at the removal of the workspace")
        else:
            return outcome
        return flaw if outcome.status is RunStatus.SUCCEEDED else outcome

    async def _execute(
        self, request: Request, journal: JournalWriter, log: RunLog, processes: RunProcesses, watch: LogWatch
    ) -> Outcome:
        surroundings = self._surroundings
        try:
            definition = surroundings.commands_of(request)
            workspace = surroundings.workspaces.path(request)
            await log.say(
                f"Job Orchestra {surroundings.version}, run {request.run}, attempt {request.attempt} of "
                f"{request.project}/{request.job} on {surroundings.host_name}, workspace {workspace}"
            )
            self._held = await surroundings.workspaces.take(request, self._stop, log.say)
        except DefinitionFault as fault:
            return fault.outcome
        except WorkspaceFault as fault:
            return Outcome.exception(ReasonCode.WORKSPACE_FAILED, str(fault))
        reach(FailPoint.HOST_WORKSPACE_TAKEN)
        if self._held is None:
            outcome = self._stop.outcome()
            assert outcome is not None
            return outcome
        execution = CommandExecution(
            request=request,
            environment=surroundings.environment_of(request, self._directory),
            directory=self._held.directory,
            journal=journal,
            log=log,
            results=Results(self._directory.results, request.limits.results_size),
            results_path=self._directory.results,
            processes=processes,
            watch=watch,
        )
        return await self._execute_phases(request, definition, execution, watch)

    # ---------- setup, commands, teardown

    async def _execute_phases(
        self, request: Request, definition: CommandsDefinition, execution: CommandExecution, watch: LogWatch
    ) -> Outcome:
        # A wish that came while the run waited for its workspace counts.
        self.heed_abort()
        if (outcome := self._stop.outcome()) is not None:
            return outcome
        limits = request.limits
        timer = None
        if limits.timeout is not None:
            sentence = f"It did not end within its time limit of {limits.timeout:g} s."
            timer = self._loop.call_later(limits.timeout, self.stop, Outcome.aborted(ReasonCode.TIME_LIMIT, sentence))
        outcome = await self._execute_until_failure(Phase.SETUP, definition.setup, execution)
        if outcome is None:
            outcome = await self._execute_until_failure(Phase.COMMANDS, definition.commands, execution)
        if timer is not None:
            timer.cancel()
        if not definition.teardown:
            return outcome or Outcome.succeeded()
        if self._stop.outcome() is not None:
            # What the stop has made of a teardown that had not begun is nothing.
            self._teardown_stop = StopSignal()
            watch.allow_more(lambda outcome: self._teardown_stop.give(outcome))
            await execution.processes.end(limits.grace)
        flaw = await self._execute_teardown(limits.teardown_timeout, definition.teardown, execution)
        return outcome or self._stop.outcome() or flaw or Outcome.succeeded()

    async def _execute_until_failure(
        self, phase: Phase, commands: Sequence[Command], execution: CommandExecution
    ) -> Outcome | None:
        for index, command in enumerate(commands):
            outcome = self._stop.outcome() or await execution.execute(Step(phase, index, command), self._stop)
            if outcome is not None:
                return outcome
        return None

    async def _execute_teardown(
        self, timeout: float, commands: Sequence[Command], execution: CommandExecution
    ) -> Outcome | None:
        """The first flaw; a command that fails does not keep the next ones from cleaning up what they can."""
        sentence = f"Teardown did not end within {timeout:g} s."
        too_long = Outcome.exception(ReasonCode.TEARDOWN_FAILED, sentence)
        timer = self._loop.call_later(timeout, lambda: self._teardown_stop.give(too_long))
        flaw: Outcome | None = None
        for index, command in enumerate(commands):
            outcome = await execution.execute(Step(Phase.TEARDOWN, index, command), self._teardown_stop)
            flaw = flaw or outcome
            stopped = self._teardown_stop.outcome()
            if stopped is too_long or (stopped is not None and stopped.reason.code is ReasonCode.LOG_LIMIT):
                break
            if stopped is not None:
                # An abort ends the command that it meets; the others clean up what they can.
                self._teardown_stop = StopSignal()
        timer.cancel()
        return flaw
