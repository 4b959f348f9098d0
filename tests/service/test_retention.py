"""Pins, and what is said of runs that are no longer kept."""

from __future__ import annotations

from datetime import timedelta

from job_orchestra.domain.retention import Retention
from job_orchestra.domain.roles import Role
from job_orchestra.domain.runs import Run
from job_orchestra.domain.statuses import RunStatus
from job_orchestra.repositories.expired_runs import ExpiredRuns
from job_orchestra.repositories.pruning import Pruning
from job_orchestra.repositories.removals import Removal, Removals
from job_orchestra.repositories.retentions import JobRetention
from tests.repositories.history import past_run, store
from tests.service.serving import Play, Served

DAY = timedelta(days=1)


async def prune(served: Served, job: str = "hello") -> None:
    """All runs of the job that are older than a day."""
    pruning = Pruning(ExpiredRuns(served.storage, served.clock), Removals(served.storage), served.log_store)
    async for _ in pruning.prune(JobRetention("example", job, Retention(days=1))):
        pass


def test_a_run_is_pinned_and_unpinned(play: Play) -> None:
    async def scenario(served: Served) -> None:
        operator, viewer = await served.user(Role.OPERATOR), await served.user(Role.VIEWER)
        pinned, other = [await served.ended(await served.started()) for _ in range(2)]
        path = f"/projects/example/runs/{pinned.identifier}"
        assert (await viewer.get(path)).json()["is_pinned"] is False
        assert (await viewer.post(f"{path}/pin")).status_code == 403
        for _ in range(2):
            answer = await operator.post(f"{path}/pin")
            assert (answer.status_code, answer.json()["is_pinned"]) == (200, True)
        items = (await viewer.get("/runs")).json()["items"]
        assert [item["is_pinned"] for item in items] == [False, True]
        served.clock.date += 2 * DAY
        await prune(served)
        assert (await viewer.get(path)).json()["status"] == "succeeded"
        assert (await viewer.get(f"/projects/example/runs/{other.identifier}")).status_code == 404
        assert (await operator.post(f"{path}/unpin")).json()["is_pinned"] is False
        await prune(served)
        assert (await operator.post(f"{path}/pin")).status_code == 404
        assert (await operator.post("/projects/example/runs/nothing/pin")).status_code == 404

    play(scenario)


def test_a_run_can_be_pinned_before_it_starts(play_on_sqlite: Play) -> None:
    async def scenario(served: Served) -> None:
        operator = await served.user(Role.OPERATOR)
        waiting = await served.trigger("hello", "example")
        await operator.post(f"/projects/example/runs/{waiting.identifier}/pin")
        run = await served.queue.assign(waiting, "w")
        assert run is not None
        shown = (await operator.get(f"/projects/example/runs/{run.identifier}")).json()
        assert (shown["is_pinned"], shown["worker"]) == (True, "w")

    play_on_sqlite(scenario)


def test_what_names_a_run_that_is_gone_says_so(play: Play) -> None:
    async def scenario(served: Served) -> None:
        operator = await served.user(Role.OPERATOR)
        old = await served.ended(await served.started())
        path = f"/projects/example/runs/{old.identifier}"
        again = (await operator.post(f"{path}/retry")).json()["identifier"]
        triggered = past_run(
            served.clock.now(), RunStatus.SUCCEEDED, job="strict", project="example", source_run=old.identifier
        )
        await store(served.storage, [triggered])
        naming = [f"/projects/example/runs/{one}" for one in (again, triggered.identifier)]
        assert [(await operator.get(one)).json()["no_longer_kept"] for one in naming] == [[], []]
        served.clock.date += 2 * DAY
        await prune(served)
        assert [(await operator.get(one)).json()["no_longer_kept"] for one in naming] == [[old.identifier]] * 2
        gone = await operator.get(path)
        assert gone.status_code == 404
        assert "Runs are removed when their retention is over" in gone.json()["detail"]
        assert "retention" not in (await operator.get("/projects/example/runs/nothing")).json()["detail"]

    play(scenario)


async def _removal_began(served: Served, run: Run) -> None:
    removals = Removals(served.storage)
    going = [Removal(run.identifier, "example", run.attempt)]
    await removals.begin(going)
    assert await removals.settle(going) == going


def test_between_two_steps_of_its_removal_a_run_is_simply_not_there(play: Play) -> None:
    async def scenario(served: Served) -> None:
        operator = await served.user(Role.OPERATOR)
        run = await served.ended(await served.wrote(await served.started(), b"hello\n"))
        path = f"/projects/example/runs/{run.identifier}"
        await _removal_began(served, run)
        for method, rest in (
            *(("GET", rest) for rest in ("", "/why", "/log", "/log?follow=true", "/results", "/events", "/archive")),
            *(("POST", rest) for rest in ("/cancel", "/abort", "/retry", "/pin", "/unpin")),
        ):
            assert (await operator.request(method, path + rest)).status_code == 404, (method, rest)
        assert (await operator.get("/runs")).json()["items"] == []

    play(scenario)


def test_a_key_holds_for_as_long_as_its_run(play_on_sqlite: Play) -> None:
    async def scenario(served: Served) -> None:
        operator = await served.user(Role.OPERATOR)
        address, headers = "/projects/example/jobs/hello/trigger", {"Idempotency-Key": "k"}

        async def trigger() -> tuple[int, str]:
            answer = await operator.post(address, json={}, headers=headers)
            return answer.status_code, answer.json()["identifier"]

        _, first = await trigger()
        run = await served.queue.assign(await served.runs.get("example", first), "w")
        assert run is not None
        await served.ended(run)
        await prune(served)
        assert await trigger() == (200, first)
        served.clock.date += 2 * DAY
        await prune(served)
        assert (await trigger())[0] == 201

    play_on_sqlite(scenario)
