from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from job_orchestra.domain.definitions import CommandsDefinition
from job_orchestra.domain.explanation import Explanation, QueueAhead, Situation, explain
from job_orchestra.domain.jobs import Job, JobSettings
from job_orchestra.domain.json import JsonObject
from job_orchestra.domain.placement import WorkerSelector
from job_orchestra.domain.reasons import Reason, ReasonCode
from job_orchestra.domain.runs import Run, RunRequest, Source, SourceKind
from job_orchestra.domain.statuses import TERMINAL, RunStatus
from job_orchestra.domain.workers import REFUSAL_PAUSE, Refusal, Worker, WorkerDescription

NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)
DEFINITION = CommandsDefinition((("true",),))
LINUX: JsonObject = {"operating_system": "linux"}
JOB = Job("example", "hello", JobSettings(DEFINITION), is_active=True, is_enabled=True, changed_at=NOW)
RUN = Run(
    "0" * 18, RunRequest("example", "hello", DEFINITION, properties=LINUX), Source(SourceKind.USER, "someone"), NOW
)
OTHER = replace(RUN, identifier="1" * 18, request=replace(RUN.request, job="other"))


def worker(identifier: str, properties: JsonObject = LINUX, *, is_connected: bool = True) -> Worker:
    description = WorkerDescription("1.0", executor_limit=1, properties=properties)
    return Worker(
        identifier, "someone", "i", description, NOW, is_connected=is_connected, disconnected_at=NOW, connected_at=NOW
    )


def explained(run: Run = RUN, job: Job | None = JOB, *workers: tuple[Worker, int]) -> Explanation:
    situation = Situation(run, job, [one for one, _ in workers], [[OTHER] * active for _, active in workers], NOW)
    return explain(situation, WorkerSelector())


def test_a_run_that_could_start_waits_for_a_master() -> None:
    found = explained(RUN, JOB, (worker("busy"), 1), (worker("free"), 0))
    assert found.summary.startswith("Worker free can take it; it waits for a master")
    assert [hindrance.sentences for hindrance in found.workers] == [("its executor is busy",)]
    assert not found.is_impossible


def test_without_a_master_nobody_takes_it_and_that_is_said() -> None:
    situation = Situation(RUN, JOB, [worker("free")], [[]], NOW, is_master_there=False)
    found = explain(situation, WorkerSelector())
    assert found == Explanation("Worker free can take it, but no master is there to assign it.")


def test_a_running_run_names_what_its_worker_suffers_from() -> None:
    hindered = replace(worker("one"), description=replace(worker("one").description, hindrance="has a full disk"))
    running = replace(RUN, status=RunStatus.RUNNING, worker="one", started_at=NOW)
    found = explain(Situation(running, JOB, [hindered], [[running]], NOW), WorkerSelector())
    assert found.summary == "It is running on worker one since 2026-11-23 10:00:00 UTC. That worker has a full disk."


def test_a_worker_that_refused_a_run_says_why_while_it_is_left_alone_and_until_it_takes_one() -> None:
    refusal = Refusal("7", "Its request cannot be written.", NOW)
    refusing = replace(worker("one"), description=replace(worker("one").description, refusal=refusal))

    def at(now: datetime) -> Explanation:
        return explain(Situation(RUN, JOB, [refusing], [[]], now), WorkerSelector())

    last = REFUSAL_PAUSE - timedelta(microseconds=1)
    for now in (NOW, NOW + last, NOW - last):  # whoever explains may have a clock that is behind
        (hindrance,) = at(now).workers
        assert hindrance.sentences == (
            "gets no run before 10:00:10 UTC, because it refused run 7: Its request cannot be written.",
        )
    for now in (NOW + REFUSAL_PAUSE, NOW - timedelta(days=1)):
        assert at(now).summary.startswith("Worker one can take it; it waits for a master")
        assert at(now).summary.endswith(
            "The last run that it was given, 7, it refused at 2026-11-23 10:00:00 UTC: Its request cannot be written."
        )


def test_a_run_of_which_nothing_can_be_stored_is_not_taken_for_one_that_does_not_start() -> None:
    assigned = replace(RUN, worker="one", assigned_at=NOW)
    situation = Situation(assigned, JOB, [worker("one")], [[assigned]], NOW, outages=["The disk is full."])
    assert explain(situation, WorkerSelector()).summary == (
        "It was assigned to worker one at 2026-11-23 10:00:00 UTC, which has not started it yet. "
        "What the worker reports of it is not stored at present: The disk is full."
    )


def test_a_workspace_in_use_is_named_with_its_run() -> None:
    description = WorkerDescription("1.0", executor_limit=4, properties=LINUX)
    earlier = replace(RUN, identifier="2" * 18, worker="one", assigned_at=NOW)
    situation = Situation(RUN, JOB, [replace(worker("one"), description=description)], [[earlier]], NOW)
    found = explain(situation, WorkerSelector())
    assert found.workers[0].sentences == (f"run {earlier.identifier} is using the workspace of job example/hello",)
    assert not found.is_impossible


def test_each_worker_says_what_keeps_it() -> None:
    found = explained(RUN, JOB, (worker("one", {}), 0), (worker("two", is_connected=False), 0), (worker("three"), 1))
    assert found.summary == "It waits for one of the 2 workers that fit."
    assert {hindrance.worker: hindrance.sentences for hindrance in found.workers} == {
        "one": ("needs operating_system = linux, has no operating_system",),
        "two": ("is disconnected",),
        "three": ("its executor is busy",),
    }


def test_what_no_worker_could_ever_take_says_so_at_once() -> None:
    assert explained(RUN, JOB).is_impossible
    found = explained(RUN, JOB, (worker("one", {}), 0), (worker("two", {"operating_system": "plan9"}), 0))
    assert found.is_impossible
    assert found.summary == (
        "No known worker could ever take it: one (needs operating_system = linux, has no operating_system), "
        "two (needs operating_system = linux, has plan9)."
    )
    assert explained(RUN, JOB).summary == "No known worker could ever take it: none has ever connected."
    disabled = explained(RUN, replace(JOB, is_enabled=False), (worker("one", {}), 0))
    assert disabled.is_impossible
    assert disabled.summary.endswith("Job 'hello' is disabled; the run waits until it is enabled.")
    many = explained(RUN, JOB, *((worker(f"w{number}", {}), 0) for number in range(5)))
    assert many.summary.endswith("), and 2 more.")


def test_its_place_in_the_queue_is_told() -> None:
    def behind(queue: QueueAhead) -> str:
        situation = Situation(RUN, JOB, [worker("one")], [[OTHER]], NOW, queue=queue)
        return explain(situation, WorkerSelector()).summary.removeprefix("It waits for the one worker that fits.")

    assert behind(QueueAhead()) == ""
    assert behind(QueueAhead(1, True, ("a",))) == " 1 run of its job comes first: a."
    assert behind(QueueAhead(9, True, ("a", "b"))) == " 9 runs of its job come first, among them a, b."
    assert behind(QueueAhead(1000, False, ("a",))) == " More than 1,000 runs of its job come first, among them a."


def test_switches_and_the_configuration_hold_runs_up() -> None:
    free = (worker("free"), 0)
    assert "is disabled" in explained(RUN, replace(JOB, is_enabled=False), free).summary
    assert "no longer configured" in explained(RUN, replace(JOB, is_active=False), free).summary
    assert "no longer configured" in explained(RUN, None, free).summary


def test_what_else_holds_a_run_back_is_told_with_the_jobs_switch() -> None:
    sentence = "Concurrency group 'deploy' has as many runs as it takes."
    situation = Situation(RUN, JOB, [worker("free")], [[]], NOW, holds=[sentence])
    assert explain(situation, WorkerSelector()).summary == sentence
    disabled = replace(situation, job=replace(JOB, is_enabled=False))
    assert explain(disabled, WorkerSelector()).summary == (
        f"Job 'hello' is disabled; the run waits until it is enabled. {sentence}"
    )


def test_a_wish_is_told_with_who_wished() -> None:
    assert explained(replace(RUN, should_cancel=True, wished_by="maria")).summary.startswith("maria asked to cancel")
    running = replace(RUN, status=RunStatus.RUNNING, worker="one", started_at=NOW, should_abort=True, wished_by="maria")
    assert "maria asked to stop it." in explained(running, JOB, (worker("one"), 1)).summary


def test_an_assigned_or_running_run_says_where_it_is() -> None:
    assigned = replace(RUN, worker="one", assigned_at=NOW)
    assert "was assigned to worker one" in explained(assigned, JOB, (worker("one"), 1)).summary
    running = replace(assigned, status=RunStatus.RUNNING, started_at=NOW)
    assert explained(running, JOB, (worker("one"), 1)).summary == (
        "It is running on worker one since 2026-11-23 10:00:00 UTC."
    )
    away = explained(running, JOB, (worker("one", is_connected=False), 1)).summary
    assert "The worker is disconnected since 2026-11-23 10:00:00 UTC" in away
    assert "There is no record of worker one any more" in explained(running).summary


def test_an_ended_run_gives_its_reason() -> None:
    reason = Reason(ReasonCode.COMMAND_FAILED, "commands[0] (false) returned 1.")
    for status in TERMINAL:
        summary = explained(replace(RUN, status=status, reason=reason, ended_at=NOW)).summary
        assert summary.endswith("at 2026-11-23 10:00:00 UTC: commands[0] (false) returned 1.")
