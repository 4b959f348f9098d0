"""One command of a run: formatted, shown, started, waited for, its results taken."""

from __future__ import annotations

import asyncio
import errno
import shlex
import signal
import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from job_orchestra.domain.definitions import Command
from job_orchestra.domain.events import CommandEnded, CommandStarted, Phase, ResultsChanged
from job_orchestra.domain.formatting import FormatError, format_command
from job_orchestra.domain.json import JsonObject, JsonValue
from job_orchestra.domain.reasons import ReasonCode
from job_orchestra.execution.request import Request
from job_orchestra.execution.room import when_there_is_room
from job_orchestra.executor.argument_sizes import excess_of
from job_orchestra.executor.journal_writer import JournalWriter
from job_orchestra.executor.log_watch import GRACE, LogWatch
from job_orchestra.executor.outcome import Outcome
from job_orchestra.executor.results import Results, ResultsFault
from job_orchestra.executor.run_log import RunLog
from job_orchestra.executor.run_processes import RunProcesses
from job_orchestra.executor.stop_signal import StopSignal
from job_orchestra.executor.surroundings import TOKEN

_SHOWN = 120
_LAST_EXIT = 1.0
_FAILURES = {
    Phase.SETUP: ReasonCode.SETUP_FAILED,
    Phase.TEARDOWN: ReasonCode.TEARDOWN_FAILED,
}
"""Of `commands`, a failure is no exception."""


@dataclass(frozen=True, slots=True)
class Step:
    """A command at its place in the definition."""

    phase: Phase
    index: int
    command: Command

    def __str__(self) -> str:
        return f"{self.phase}[{self.index}]"


@dataclass(frozen=True, slots=True)
class CommandExecution:
    """Executes the commands of one run, one after the other."""

    request: Request
    environment: Mapping[str, str]
    directory: Path
    journal: JournalWriter
    log: RunLog
    results: Results
    results_path: Path
    processes: RunProcesses
    watch: LogWatch

    async def execute(self, step: Step, stop: StopSignal) -> Outcome | None:
        """None if the command returned 0 and its results are in order: the run goes on."""
        try:
            return await self._carry_out(step, stop)
        except Exception as error:  # a fault of ours is the outcome of this step: teardown is executed nevertheless
            traceback.print_exc()
            await self.processes.end(self.request.limits.grace)
            return Outcome.fault(error, f" at {step}")

    async def _carry_out(self, step: Step, stop: StopSignal) -> Outcome | None:
        try:
            arguments = format_command(step.command, self._values())
        except FormatError as error:
            outcome = Outcome.exception(ReasonCode.FORMAT_ERROR, f"{step} cannot be formatted: {error}.")
            await self.log.say(outcome.reason.sentence)
            return outcome
        await self.log.show(arguments)
        failure = await self._execute(step, arguments, stop)
        flaw = await self._take_results()
        return failure or flaw

    async def _execute(self, step: Step, arguments: tuple[str, ...], stop: StopSignal) -> Outcome | None:
        loop = asyncio.get_running_loop()
        offset = self.log.size
        began = loop.time()
        try:
            started = await stop.when_there_is_room(lambda: self._start(arguments))
        except (OSError, ValueError) as error:
            outcome = self._not_started(step, arguments, error)
            await self.log.say(outcome.reason.sentence)
            return outcome
        if started is None:
            return stop.outcome()
        pid, exit_code = started
        shown = tuple(map(_printable, arguments))
        noting = self.journal.append(
            lambda sequence, date: CommandStarted(sequence, date, step.phase, step.index, shown, offset, pid)
        )
        # At the same time: a command can be stopped also while its start waits to be written to a full disk.
        _, code = await asyncio.gather(noting, self._wait(exit_code, stop))
        duration = loop.time() - began
        await self.watch.enforce()
        end = self.log.size
        await self.journal.append(
            lambda sequence, date: CommandEnded(sequence, date, step.phase, step.index, code, duration, end)
        )
        await self.log.say(f"{_ending(code)} after {duration:.3f} s.")
        return stop.outcome() or (_failure(step, arguments, code) if code else None)

    def _start(self, arguments: tuple[str, ...]) -> tuple[int, asyncio.Future[int]]:
        with self.log.output() as output:
            return self.processes.start(arguments, self.environment, self.directory, output)

    def _not_started(self, step: Step, arguments: tuple[str, ...], error: OSError | ValueError) -> Outcome:
        begin = f"{step}: {_shortened(arguments[0])} cannot be executed"
        if isinstance(error, OSError) and error.errno == errno.E2BIG:
            excess = excess_of(arguments, self.environment)
            sentence = f"{begin}: {excess}. Hand large data to a program in a file, not as an argument."
            return Outcome.exception(ReasonCode.ARGUMENTS_TOO_LONG, sentence)
        problem = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        return Outcome.exception(ReasonCode.PROGRAM_MISSING, f"{begin} in {self.directory}: {problem}.")

    async def _wait(self, exit_code: asyncio.Future[int], stop: StopSignal) -> int:
        if not await stop.wait_for(exit_code):
            # Nothing is said here: between its two offsets the log has the command's own bytes and no others.
            await self.processes.end(self._grace(stop))
            # The exit of what is gone is heard of by now; for what the kernel does not let go nobody waits.
            await asyncio.wait((exit_code,), timeout=_LAST_EXIT)
            if not exit_code.done():
                return -signal.SIGKILL
        return exit_code.result()

    def _grace(self, stop: StopSignal) -> float:
        outcome, grace = stop.outcome(), self.request.limits.grace
        is_too_much = outcome is not None and outcome.reason.code is ReasonCode.LOG_LIMIT
        return min(grace, GRACE) if is_too_much else grace

    async def _take_results(self) -> Outcome | None:
        try:
            has_changed = await when_there_is_room(self.results.read)
        except ResultsFault as fault:
            await self.log.say(fault.outcome.reason.sentence)
            return fault.outcome
        if has_changed:
            values = dict(self.results.values)
            await self.journal.append(lambda sequence, date: ResultsChanged(sequence, date, values))
        return None

    def _values(self) -> Mapping[str, JsonValue]:
        environment: JsonObject = {name: value for name, value in self.environment.items() if name != TOKEN}
        return {
            "project": self.request.project,
            "job": self.request.job,
            "run": self.request.run,
            "attempt": self.request.attempt,
            "parameters": self.request.parameters,
            "environment": environment,
            "results": self.results.values,
            "result_file_path": str(self.results_path),
        }


def _failure(step: Step, arguments: tuple[str, ...], code: int) -> Outcome:
    ending = f"returned {code}" if code > 0 else f"was ended by {signal_name(-code)}"
    sentence = f"{step} ({_shortened(shlex.join(map(_printable, arguments)))}) {ending}."
    reason = _FAILURES.get(step.phase)
    return Outcome.failed(sentence) if reason is None else Outcome.exception(reason, sentence)


def _ending(code: int) -> str:
    return f"Exit code {code}" if code >= 0 else f"Ended by {signal_name(-code)}"


def signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _printable(text: str) -> str:
    """Without the half characters that stand for bytes of the environment that are no UTF-8."""
    return text.encode(errors="surrogateescape").decode(errors="replace")


def _shortened(text: str) -> str:
    text = " ".join(_printable(text).split())
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
