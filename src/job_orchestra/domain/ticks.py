"""What becomes of the ticks of a schedule: one run at a time, and what was missed as its settings say.

The ticks of a schedule have numbers, in the order in which they were decided on, each once: whoever decides on the next
one has seen what became of all before it. What is settled stays so, and a run that has ended stays ended; so two
masters that decide at the same time never make two runs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from job_orchestra.domain.errors import Conflict, Invalid
from job_orchestra.domain.jobs import Job
from job_orchestra.domain.runs import RunRequest
from job_orchestra.domain.schedules import CatchUp, Schedule, ScheduleSettings
from job_orchestra.domain.triggering import request_of

MOST_MISSED = 1000
"""Of the ticks of one outage, so many are recorded, the latest."""
ON_TIME = timedelta(minutes=1)
"""A tick that is seen sooner behind its moment was not missed: ticks come a minute apart, and masters are restarted."""


class TickState(StrEnum):
    WAITING = "waiting"
    """It was missed, and makes a run as soon as that of the tick before has ended."""
    DUE = "due"
    """Its run is being made: what that will be is fixed, and nothing keeps it from being made."""
    TRIGGERED = "triggered"
    BUSY = "busy"
    """It made no run, for one of an earlier tick was to come or had not ended."""
    MISSED = "missed"
    """It made no run, for no master was there when it came due."""
    REFUSED = "refused"
    """It made no run, for the job did not take it."""


_JUST_BEFORE = "The tick before was just making its run."
_CATCHING_UP = "Ticks that were missed were still being caught up with."
_WAITS = "It was missed, and makes its run as soon as that of the tick before has ended."
_UNKNOWN = "It was missed, and waits until it is known whether the run before had ended by then."
_A_LATER_ONE = "No master was there when it came due, and a later tick has come due since."
_UNRECORDED = " Earlier ones were missed, too, and have no record."

AHEAD = ON_TIME
"""By so much the clocks of masters never differ."""

OPEN = (TickState.WAITING, TickState.DUE)
SETTLED = tuple(state for state in TickState if state not in OPEN)


@dataclass(frozen=True, slots=True)
class Tick:
    project: str
    schedule: str
    due: datetime
    number: int
    state: TickState
    job: str
    """That the schedule triggered when the tick came due."""
    decided_at: datetime
    """When its state became this one."""
    request: RunRequest | None = None
    """What its run is to be, while the tick is due."""
    run: str | None = None
    detail: str = ""
    """A sentence: why there is no run, or none yet."""

    @property
    def idempotency_key(self) -> str:
        """Of its run, however often and by whomever that is triggered."""
        # A user's key is ASCII, so nobody can give this one before.
        return f"tick of {self.schedule} · {self.due:%Y-%m-%dT%H:%M:%SZ}"


@dataclass(frozen=True, slots=True)
class Ledger:
    """What the ticks of a schedule have come to, as far as it matters to the next ones."""

    last_number: int = 0
    latest_due: datetime | None = None
    """Of all ticks up to now."""
    has_some_ahead: bool = False
    """Whether there are ticks of a time that has not come: some clock was ahead."""
    waiting: Tick | None = None
    """That whose turn is next."""
    due: Tick | None = None
    triggered: Tick | None = None
    """The last one."""
    has_unended_run: bool = False
    """Whether the run of the last one is pending or running, as far as it is known."""
    run_ended_at: datetime | None = None
    """When it ended, if it has and is kept still."""
    last_waiting_number: int = 0

    @property
    def hindrance(self) -> str | None:
        """Why a tick would make no run now, in a sentence."""
        if self.has_unended_run:
            return self._had_not_ended
        if self.waiting is not None:
            return _CATCHING_UP
        return None

    def was_running_at(self, moment: datetime) -> str | None:
        """Why a tick of that moment makes no run, now that the run of the last one has ended; None if it had then."""
        is_later = self.run_ended_at is not None and self.run_ended_at > moment
        return self._had_not_ended if is_later else None

    @property
    def _had_not_ended(self) -> str:
        assert self.triggered is not None
        return f"Run {self.triggered.run} of this schedule had not ended."


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a schedule cannot trigger its job, in a sentence."""

    sentence: str


def request_for(schedule: Schedule, job: Job | None) -> RunRequest | Refusal:
    """What the schedule triggers."""
    if job is None:
        return Refusal(f"There is no job {schedule.project}/{schedule.settings.job}.")
    try:
        return request_of(job, schedule.settings.parameters)
    except Conflict as error:
        return Refusal(error.message)
    except Invalid as error:
        return Refusal(f"Job {job.project}/{job.identifier} does not take the schedule's parameters: {error}.")


def undecided_since(schedule: Schedule, ledger: Ledger, now: datetime) -> datetime:
    """Of the ticks behind this moment nothing is decided yet."""
    # A date in the future is one of a clock that was wrong: the schedule must not wait until then.
    since = min(schedule.since, now)
    return since if ledger.latest_due is None else max(since, ledger.latest_due)


def why_given_up(waiting: Tick, schedule: Schedule, ledger: Ledger, now: datetime) -> str | None:
    """Why a tick that waits for its turn does not get it any more; None if it does."""
    settings = schedule.settings
    if not schedule.is_ticking:
        switch = "disabled" if schedule.is_active else "no longer configured"
        return f"It was missed, and the schedule was {switch} when its turn came."
    if waiting.due <= schedule.since or settings.catch_up is CatchUp.NONE:
        return "It was missed, and the schedule was changed or switched before its turn came."
    if settings.catch_up is CatchUp.LATEST and waiting.number != ledger.last_waiting_number:
        return _A_LATER_ONE
    return _too_old(settings) if _is_too_old(waiting.due, now, settings) else None


def taken_up(tick: Tick, wanted: RunRequest | Refusal) -> Tick:
    """The tick, now that it is its turn."""
    if isinstance(wanted, Refusal):
        return replace(tick, state=TickState.REFUSED, detail=wanted.sentence)
    return replace(tick, state=TickState.DUE, detail="", request=wanted)


def decide(
    schedule: Schedule, ledger: Ledger, moments: Sequence[datetime], wanted: RunRequest | Refusal, now: datetime
) -> list[Tick]:
    """What becomes of moments that have come due and of which nothing was decided yet, in their order."""
    recorded = moments[-MOST_MISSED:]
    hindrance = ledger.hindrance
    ticks: list[Tick] = []
    for number, due in enumerate(recorded, ledger.last_number + 1):
        state, detail = _fate(due, due is recorded[-1], now, schedule.settings)
        if state is TickState.DUE and hindrance is not None:
            # Of what ended without a master, its worker has perhaps not told yet.
            is_known = now - due < ON_TIME or not ledger.has_unended_run or ledger.waiting is not None
            state, detail = (TickState.BUSY, hindrance) if is_known else (TickState.WAITING, _UNKNOWN)
        job = schedule.settings.job
        tick = Tick(schedule.project, schedule.identifier, due, number, state, job, decided_at=now, detail=detail)
        if state is TickState.DUE:
            tick = taken_up(tick, wanted)
        if tick.state in OPEN:
            hindrance = hindrance or (_JUST_BEFORE if tick.state is TickState.DUE else _CATCHING_UP)
        ticks.append(tick)
    if len(recorded) < len(moments):
        ticks[0] = replace(ticks[0], detail=ticks[0].detail + _UNRECORDED)
    return ticks


def _fate(due: datetime, is_last: bool, now: datetime, settings: ScheduleSettings) -> tuple[TickState, str]:
    """As if nothing were in its way."""
    if now - due < ON_TIME:
        return TickState.DUE, ""
    if settings.catch_up is CatchUp.NONE:
        return TickState.MISSED, "No master was there when it came due."
    if _is_too_old(due, now, settings):
        return TickState.MISSED, _too_old(settings)
    if settings.catch_up is CatchUp.ALL:
        return TickState.WAITING, _WAITS
    if is_last:
        return TickState.DUE, ""
    return TickState.MISSED, _A_LATER_ONE


def _is_too_old(due: datetime, now: datetime, settings: ScheduleSettings) -> bool:
    return settings.catch_up_age is not None and (now - due).total_seconds() > settings.catch_up_age


def _too_old(settings: ScheduleSettings) -> str:
    return f"It was missed, and is caught up with for {settings.catch_up_age:g} s at most."
