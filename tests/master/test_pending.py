from __future__ import annotations

import random
from datetime import UTC, datetime

import pytest

from job_orchestra.domain.concurrency import ConcurrencyGroup
from job_orchestra.domain.definitions import CommandsDefinition, Workspace
from job_orchestra.domain.json import JsonObject
from job_orchestra.domain.placement import Candidate, WorkerSelector
from job_orchestra.domain.runs import Run, RunRequest, Source, SourceKind, queue_key
from job_orchestra.master.pending import GROUP_WINDOW, PendingQueue
from job_orchestra.master.slots import Slots

SELECTOR = WorkerSelector()


def run(
    identifier: str,
    job: str = "j",
    priority: int = 0,
    properties: JsonObject | None = None,
    workspace: Workspace = Workspace.RUN,
    concurrency: str | None = None,
) -> Run:
    request = RunRequest(
        "p",
        job,
        CommandsDefinition(()),
        properties=properties or {},
        priority=priority,
        workspace=workspace,
        concurrency=concurrency,
    )
    return Run(identifier, request, Source(SourceKind.USER, "eve"), datetime(2026, 1, 1, tzinfo=UTC))


def worker(identifier: str, limit: int = 1, active: int = 0, properties: JsonObject | None = None) -> Candidate:
    return Candidate(identifier, properties or {}, limit, active)


def planned(
    queue: PendingQueue,
    *candidates: Candidate,
    held: frozenset[tuple[str, str]] = frozenset(),
    slots: Slots | None = None,
) -> list[str]:
    assignments = queue.plan(candidates, SELECTOR, held, slots or Slots())
    return [f"{one.run.identifier} on {one.worker}" for one in assignments]


def test_urgent_runs_go_first_and_then_the_oldest() -> None:
    queue = PendingQueue()
    for one in (run("b"), run("a"), run("c", priority=1), run("d", job="other")):
        queue.add(one)
    assert planned(queue, worker("w", limit=3)) == ["c on w", "a on w", "b on w"]
    assert planned(queue, worker("w", limit=3)) == ["d on w"]


def test_the_least_loaded_worker_is_chosen() -> None:
    queue = PendingQueue()
    for name in "abc":
        queue.add(run(name))
    assert planned(queue, worker("small", 2, active=1), worker("large", 8, active=1)) == [
        "a on large",
        "b on large",
        "c on large",
    ]


def test_a_group_that_fits_nobody_does_not_hold_up_others() -> None:
    queue = PendingQueue()
    queue.add(run("a", "windows", properties={"operating_system": "windows"}))
    queue.add(run("b"))
    assert planned(queue, worker("w", properties={"operating_system": "linux"})) == ["b on w"]
    assert "a" in queue


def test_runs_that_share_a_workspace_go_to_a_worker_one_after_the_other() -> None:
    queue = PendingQueue()
    for name in "abc":
        queue.add(run(name, workspace=Workspace.JOB))
    assert planned(queue, worker("v", 4), worker("w", 4)) == ["a on v", "b on w"]
    assert "c" in queue


def test_runs_of_held_jobs_stay() -> None:
    queue = PendingQueue()
    queue.add(run("a", "held"))
    queue.add(run("b", "free"))
    assert planned(queue, worker("w", 5), held=frozenset({("p", "held")})) == ["b on w"]
    assert planned(queue, worker("w", 5)) == ["a on w"]


def test_a_full_concurrency_group_holds_its_own_runs_up_across_jobs_and_no_others() -> None:
    queue, slots = PendingQueue(), Slots()
    slots.replace({ConcurrencyGroup("p", "deploy"): 2}, {"p/deploy/1": "somewhere else"})
    for one in (run("a", "x", concurrency="deploy"), run("b", "y", concurrency="deploy"), run("c", "x"), run("d")):
        queue.add(one)
    queue.add(run("e", "y", priority=1, concurrency="deploy"))
    assert planned(queue, worker("w", 9), slots=slots) == ["e on w", "c on w", "d on w"]
    assert planned(queue, worker("w", 9), slots=slots) == []
    slots.free("somewhere else")
    slots.free("nobody")
    assert planned(queue, worker("w", 9), slots=slots) == ["a on w"]
    slots.free("e")
    assert [one.slot for one in queue.plan([worker("w", 9)], SELECTOR, (), slots)] == ["p/deploy/2"]


def test_a_run_that_no_worker_takes_keeps_no_slot_from_another() -> None:
    queue, slots = PendingQueue(), Slots()
    queue.add(run("a", "x", properties={"gpu": True}, concurrency="deploy"))
    queue.add(run("b", "y", concurrency="deploy"))
    assert planned(queue, worker("w", 9), slots=slots) == ["b on w"]


def test_a_run_that_was_discarded_is_not_planned() -> None:
    queue = PendingQueue()
    queue.add(run("a"))
    queue.discard("a")
    queue.discard("a")
    assert planned(queue, worker("w")) == []
    assert len(queue) == 0


def test_only_a_window_of_a_group_is_kept_and_it_asks_for_more_when_it_runs_low() -> None:
    queue = PendingQueue()
    identifiers = [f"{number:05}" for number in range(GROUP_WINDOW + 50)]
    random.Random(1).shuffle(identifiers)
    for identifier in identifiers:
        queue.add(run(identifier))
    assert queue.groups_to_refill() == []
    first = planned(queue, worker("w", GROUP_WINDOW - 100))
    assert first == [f"{number:05} on w" for number in range(GROUP_WINDOW - 100)]
    assert queue.groups_to_refill() == [queue_key(run("x").request)]
    assert queue.groups_to_refill() == []


def test_what_a_full_group_leaves_out_is_unknown_until_it_is_added_again() -> None:
    queue = PendingQueue()
    urgent, *others, last = [run(f"{number:05}", priority=int(number == 0)) for number in range(GROUP_WINDOW + 1)]
    for one in (*others, last, urgent):
        queue.add(one)
    assert len(queue) == GROUP_WINDOW
    assert (urgent.identifier in queue, last.identifier in queue) == (True, False)
    for one in (urgent, *others):
        queue.discard(one.identifier)
    assert queue.groups_to_refill() == [queue_key(last.request)]
    assert planned(queue, worker("w")) == []
    queue.discard(last.identifier)
    queue.add(last)
    assert planned(queue, worker("w")) == [f"{last.identifier} on w"]


@pytest.mark.parametrize("seed", range(20))
def test_no_worker_gets_more_than_it_takes_and_none_idles_beside_what_it_could_take(seed: int) -> None:
    chance = random.Random(seed)
    queue = PendingQueue()
    kinds = ["x", "y", "z"]
    runs = [run(f"{number:03}", chance.choice("ab"), properties={"kind": chance.choice(kinds)}) for number in range(60)]
    for one in runs:
        queue.add(one)
    workers = [
        worker(f"w{number}", chance.randrange(6), properties={"kind": chance.choice(kinds)}) for number in range(5)
    ]
    assigned = queue.plan(workers, SELECTOR, (), Slots())
    for some in workers:
        taken = [assignment.run for assignment in assigned if assignment.worker == some.identifier]
        assert len(taken) <= some.executor_limit, f"seed {seed}"
        assert all(run.request.properties == some.properties for run in taken), f"seed {seed}"
        if len(taken) < some.executor_limit:
            left = [run for run in runs if run.identifier in queue and run.request.properties == some.properties]
            assert left == [], f"seed {seed}"
