from __future__ import annotations

import random
from collections.abc import Iterable
from datetime import UTC, datetime

import pytest

from job_orchestra.domain.concurrency import ConcurrencyGroup
from job_orchestra.domain.definitions import CommandsDefinition, Workspace
from job_orchestra.domain.json import JsonObject
from job_orchestra.domain.placement import Candidate, Obstacle, WorkerSelector
from job_orchestra.domain.runs import Run, RunRequest, Source, SourceKind, queue_key
from job_orchestra.master.pending import PendingQueue
from job_orchestra.master.run_group import GROUP_WINDOW
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
    first = planned(queue, worker("w", GROUP_WINDOW - 10))
    assert first == [f"{number:05} on w" for number in range(GROUP_WINDOW - 10)]
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


def test_no_run_overtakes_those_of_its_group_that_are_not_in_memory() -> None:
    queue = PendingQueue()
    queue.add_head([run("a"), run("b")], has_more=True)
    queue.add(run("z"))
    assert planned(queue, worker("w", 5)) == ["a on w", "b on w"]
    assert queue.groups_to_refill() == [queue_key(run("x").request)]
    queue.add_head([run("c"), run("z")], has_more=False)
    assert planned(queue, worker("w", 5)) == ["c on w", "z on w"]
    assert queue.groups_to_refill() == []


def test_of_runs_that_nobody_here_could_take_one_is_kept() -> None:
    queue = PendingQueue()
    windows: JsonObject = {"operating_system": "windows"}
    first = run("a", properties=windows)
    queue.add(first)
    assert planned(queue, worker("w")) == []
    queue.add(run("c", properties=windows))
    queue.add(run("b", properties=windows))
    assert len(queue) == 1
    assert not queue.is_in_reach(queue_key(first.request))
    assert planned(queue, worker("w", properties=windows), worker("v", properties=windows)) == ["a on v"]
    assert queue.groups_to_refill() == [queue_key(first.request)]


class Counting(WorkerSelector):
    """Says how often it was asked."""

    def __init__(self) -> None:
        self.asked = 0

    def obstacles(self, request: RunRequest, candidate: Candidate) -> list[Obstacle]:
        self.asked += 1
        return super().obstacles(request, candidate)


def test_groups_that_nobody_here_could_take_are_looked_at_once_for_each_worker() -> None:
    queue, selector = PendingQueue(), Counting()
    for number in range(100):
        queue.add(run(f"{number:03}", f"job-{number}", properties={"operating_system": "windows"}))
    assert queue.plan([worker("w", 4)], selector, (), Slots()) == []
    assert selector.asked == 100
    for active in range(4):
        queue.add(run("z", "free"))
        assert len(queue.plan([worker("w", 4, active)], selector, (), Slots())) == 1
    assert selector.asked == 100 + 4 * 2
    assert queue.plan([worker("w", 4), worker("v")], selector, (), Slots()) == []
    assert selector.asked == 208
    able = worker("v", properties={"operating_system": "windows"})
    assert [one.run.identifier for one in queue.plan([worker("w", 4), able], selector, (), Slots())] == ["000"]


def by_the_rule(
    waiting: list[Run], workers: list[Candidate], selector: WorkerSelector, held: set[tuple[str, str]]
) -> list[tuple[str, str]]:
    """What the plan has to be, found by looking at every run and every worker."""
    free = {one.identifier: one for one in workers}
    found: list[tuple[str, str]] = []
    for one in sorted(waiting, key=place_of):
        if (one.request.project, one.request.job) in held:
            continue
        chosen = selector.select(one, list(free.values()))
        if chosen is not None:
            found.append((one.identifier, chosen.identifier))
            free[chosen.identifier] = chosen.with_run(one)
    return found


def refill(queue: PendingQueue, waiting: Iterable[Run]) -> None:
    """As from the database, a few at a time."""
    for key in queue.groups_to_refill():
        group = sorted((one for one in waiting if queue_key(one.request) == key), key=place_of)
        if group:
            queue.add_head(group[:3], has_more=len(group) > 3)


def place_of(run: Run) -> tuple[int, str]:
    return (-run.request.priority, run.identifier)


@pytest.mark.parametrize("seed", range(20))
def test_whatever_came_and_went_before_the_plan_is_what_the_rule_says(seed: int) -> None:
    chance = random.Random(seed)
    queue = PendingQueue()
    waiting: dict[str, Run] = {}
    workers: dict[str, Candidate] = {}
    kinds = ["x", "y", "z"]
    for step in range(300):
        match chance.randrange(6):
            case 0 | 1 | 2:
                one = run(
                    f"{step:03}", chance.choice("abc"), chance.randrange(-1, 2), {"kind": chance.choice(kinds)},
                    chance.choice(list(Workspace)),
                )  # fmt: skip
                waiting[one.identifier] = one
                queue.add(one)
            case 3 if waiting:
                gone = chance.choice(list(waiting))
                del waiting[gone]
                queue.discard(gone)
            case 4:
                name = chance.choice("uvw")
                workers[name] = worker(name, chance.randrange(4), 0, {"kind": chance.choice(kinds)})
            case _:
                workers.pop(chance.choice("uvw"), None)
        if chance.random() < 0.3:
            held = {("p", "a")} if chance.random() < 0.3 else set[tuple[str, str]]()
            expected = by_the_rule(list(waiting.values()), list(workers.values()), SELECTOR, held)
            found: list[tuple[str, str]] = []
            refill(queue, waiting.values())
            while assignments := queue.plan(list(workers.values()), SELECTOR, held, Slots()):
                for assignment in assignments:
                    found.append((assignment.run.identifier, assignment.worker))
                    workers[assignment.worker] = workers[assignment.worker].with_run(assignment.run)
                    del waiting[assignment.run.identifier]
                refill(queue, waiting.values())
            assert found == expected, f"seed {seed}, step {step}"


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
