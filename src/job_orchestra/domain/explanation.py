"""Why a run is in the state it is in: what a pending one waits for, where a running one is, how an ended one ended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from job_orchestra.domain.absences import absence_of
from job_orchestra.domain.definitions import PipelineDefinition
from job_orchestra.domain.jobs import Job
from job_orchestra.domain.pipelines.states import ElementState
from job_orchestra.domain.placement import Candidate, Obstacle, WorkerSelector, candidate_of, why_impossible
from job_orchestra.domain.runs import Run
from job_orchestra.domain.statuses import RunStatus
from job_orchestra.domain.workers import Worker

_MOST_PARTS = 10
"""Of a pipeline, that are named."""


@dataclass(frozen=True, slots=True)
class QueueAhead:
    """The runs of its job with the same needs that come before a run: more urgent, or as urgent and older."""

    count: int = 0
    is_exact: bool = True
    """False: there are more than `count`, and nobody counted how many."""
    first: tuple[str, ...] = ()
    """Those that come first of all."""


@dataclass(frozen=True, slots=True)
class Situation:
    """A snapshot of everything that decides about a run."""

    run: Run
    job: Job | None
    """None: there is no record of it."""
    workers: Sequence[Worker]
    active: Sequence[Sequence[Run]]
    """The runs that have not ended, for each of the workers."""
    now: datetime
    is_master_there: bool = True
    """Whether whoever asks knows of a master that would assign it."""
    outages: Sequence[str] = ()
    """What keeps reports of workers from being stored at present, as far as whoever asks knows; in sentences."""
    elements: Sequence[ElementState] = ()
    """Of a pipeline."""
    holds: Sequence[str] = ()
    """What keeps the run waiting beside its job's switch and the workers; in sentences."""
    queue: QueueAhead = QueueAhead()


@dataclass(frozen=True, slots=True)
class Hindrance:
    """What keeps one worker from taking the run."""

    worker: str
    sentences: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    summary: str
    is_impossible: bool = False
    """No known worker could ever take the run, however long it waits."""
    workers: tuple[Hindrance, ...] = ()
    queue: QueueAhead = QueueAhead()


def explain(situation: Situation, selector: WorkerSelector) -> Explanation:
    """By the selector that also decides."""
    run = situation.run
    if run.status.is_terminal:
        sentence = run.reason.sentence if run.reason else "No reason was recorded."
        return Explanation(f"It {_ENDINGS[run.status]} {_date(run.ended_at)}: {sentence}")
    if run.worker is not None:
        return Explanation(" ".join(_at_worker(situation)))
    if run.status is RunStatus.RUNNING:
        return Explanation(" ".join(_pipeline(situation)))
    if run.should_cancel:
        return Explanation(f"{run.wished_by} asked to cancel it; a master is about to do so.")
    return _waiting(situation, selector)


def _holds(situation: Situation) -> list[str]:
    """Everything but workers that keeps the run waiting."""
    job, name = situation.job, situation.run.request.job
    holds = [*_delay(situation.run), *situation.holds]
    if job is None or not job.is_active:
        return [f"Job {name!r} is no longer configured; the run waits until it is again.", *holds]
    if not job.is_enabled:
        return [f"Job {name!r} is disabled; the run waits until it is enabled.", *holds]
    return holds


def _delay(run: Run) -> list[str]:
    if run.waits_until is None:
        return []
    last = run.past_attempts[-1]
    return [
        f"Attempt {last.attempt} {_ENDINGS[last.status]} {_date(last.ended_at)}: {last.reason.sentence} "
        f"Attempt {run.attempt} begins {_date(run.waits_until)} or later."
    ]


def _pipeline(situation: Situation) -> list[str]:
    run = situation.run
    ended = sum(state.status.is_final for state in situation.elements)
    sentences = [f"{ended} of its {len(situation.elements)} elements have ended."]
    unended = [part for state in situation.elements for part in state.parts if not part.status.is_final]
    sentences += [f"{part.key.label} is {part.status}." for part in unended[:_MOST_PARTS]]
    if len(unended) > _MOST_PARTS:
        sentences.append(f"So are {len(unended) - _MOST_PARTS} more.")
    if run.should_abort:
        sentences.append(f"{run.wished_by} asked to abort it.")
    return sentences


def _waiting(situation: Situation, selector: WorkerSelector) -> Explanation:
    request, holds = situation.run.request, _holds(situation)
    if isinstance(request.definition, PipelineDefinition):
        begins = ["It begins as soon as a master sees it: pipelines need no worker."]
        return Explanation(" ".join(holds or begins))
    candidates = [
        candidate_of(worker, active, situation.now)
        for worker, active in zip(situation.workers, situation.active, strict=True)
    ]
    found = [(candidate, selector.obstacles(request, candidate)) for candidate in candidates]
    hindrances = tuple(
        Hindrance(candidate.identifier, tuple(obstacle.sentence for obstacle in obstacles))
        for candidate, obstacles in found
        if obstacles
    )
    impossible = why_impossible(request, candidates, selector)
    sentences = holds if impossible is None else [impossible, *holds]
    if not sentences:
        free = selector.select(situation.run, candidates)
        sentences = _in_the_queue(situation, free) if free else [_waits_for(found)]
    if impossible is None:
        sentences += _behind(situation.queue)
    return Explanation(" ".join(sentences), impossible is not None, hindrances, situation.queue)


def _in_the_queue(situation: Situation, free: Candidate) -> list[str]:
    """A worker is free for it."""
    if not situation.is_master_there:
        return [f"Worker {free.identifier} can take it, but no master is there to assign it."]
    sentences = [
        f"Worker {free.identifier} can take it; it waits for a master, for more urgent runs that come first, "
        "or for an attempt there that was given up and is ending."
    ]
    refusal = next(one for one in situation.workers if one.identifier == free.identifier).description.refusal
    if refusal is not None:
        sentences.append(
            f"The last run that it was given, {refusal.run}, it refused {_date(refusal.date)}: {refusal.reason}"
        )
    return sentences


def _waits_for(found: Sequence[tuple[Candidate, Sequence[Obstacle]]]) -> str:
    able = sum(not any(obstacle.is_lasting for obstacle in obstacles) for _, obstacles in found)
    return f"It waits for {'the one worker that fits' if able == 1 else f'one of the {able} workers that fit'}."


def _behind(queue: QueueAhead) -> list[str]:
    if not queue.count:
        return []
    number = f"{queue.count:,}" if queue.is_exact else f"More than {queue.count:,}"
    runs, come = ("run", "comes") if queue.count == 1 and queue.is_exact else ("runs", "come")
    names = ", ".join(queue.first)
    what = f"of its job {come} first"
    return [f"{number} {runs} {what}{':' if queue.count == len(queue.first) else ', among them'} {names}."]


def _at_worker(situation: Situation) -> list[str]:
    run, holder = situation.run, _holder(situation)
    if run.status is RunStatus.PENDING:
        sentences = [f"It was assigned to worker {run.worker} {_date(run.assigned_at)}, which has not started it yet."]
    else:
        sentences = [f"It is running on worker {run.worker} {_date(run.started_at, 'since')}."]
    if (absence := absence_of(run, holder)) is not None:
        sentences.append(absence.sentence)
    elif holder is not None and holder.description.hindrance:
        sentences.append(f"That worker {holder.description.hindrance}.")
    if situation.outages:
        sentences.append(f"What the worker reports of it is not stored at present: {' '.join(situation.outages)}")
    if run.should_abort or run.should_cancel:
        sentences.append(f"{run.wished_by} asked to stop it.")
    return sentences


def _holder(situation: Situation) -> Worker | None:
    return next((worker for worker in situation.workers if worker.identifier == situation.run.worker), None)


_ENDINGS = {
    RunStatus.SUCCEEDED: "succeeded",
    RunStatus.FAILED: "failed",
    RunStatus.ABORTED: "was aborted",
    RunStatus.EXCEPTION: "ended by an exception",
    RunStatus.CANCELLED: "was cancelled",
}


def _date(date: datetime | None, preposition: str = "at") -> str:
    return f"{preposition} an unknown time" if date is None else f"{preposition} {date:%Y-%m-%d %H:%M:%S} UTC"
