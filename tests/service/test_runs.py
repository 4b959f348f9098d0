from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from job_orchestra.domain.event_records import EventRecord
from job_orchestra.domain.roles import Role
from job_orchestra.domain.statuses import RunStatus
from job_orchestra.domain.workers import REFUSAL_PAUSE, WorkerDescription, refusal_of
from job_orchestra.storage.log_port import LogKey, LogPiece
from tests.connecting import connect_worker
from tests.repositories.history import past_run, store
from tests.service.serving import Play, Served


def test_runs_are_listed_newest_first_in_pages(play: Play) -> None:
    async def scenario(served: Served) -> None:
        client = await served.user(Role.VIEWER)
        runs = [(await served.trigger("hello", "example")).identifier for _ in range(5)]
        elsewhere = (await served.trigger("hello", "other")).identifier
        first = (await client.get("/projects/example/runs", params={"limit": 3})).json()
        rest = (await client.get("/projects/example/runs", params={"limit": 3, "cursor": first["next"]})).json()
        assert [run["identifier"] for run in first["items"] + rest["items"]] == runs[::-1]
        assert rest["next"] is None
        everywhere = (await client.get("/runs", params={"order_by": "created_at"})).json()
        assert [run["identifier"] for run in everywhere["items"]] == [*runs, elsewhere]
        assert (await client.get("/projects/nope/runs")).status_code == 404

    play(scenario)


def test_filters(play: Play) -> None:
    async def scenario(served: Served) -> None:
        client = await served.user(Role.VIEWER)
        failed = await served.ended(await served.started(), RunStatus.FAILED)
        waiting = await served.trigger("strict", "example")

        async def found(**params: str) -> list[str]:
            response = await client.get("/runs", params=params)
            return [run["identifier"] for run in response.json()["items"]]

        assert await found(status="failed,aborted") == [failed.identifier]
        assert await found(project="example", job="strict") == [waiting.identifier]
        assert await found(worker="w") == [failed.identifier]
        assert await found(source="schedule") == []
        created = waiting.created_at.isoformat()
        assert await found(created_after=created) == [waiting.identifier]
        assert await found(created_before=created) == [failed.identifier]
        assert await found(created_before="2026-11-24T01:00:00+01:00") == [waiting.identifier, failed.identifier]

    play(scenario)


def test_counts_are_exact_up_to_a_number_and_say_when_there_are_more(play: Play) -> None:
    async def scenario(served: Served) -> None:
        client = await served.user(Role.VIEWER)
        begin = served.clock.now()
        dates = [begin + timedelta(milliseconds=number) for number in range(1001)]
        await store(served.storage, [past_run(date, project="example", job="hello") for date in dates])

        async def count(**params: str) -> object:
            response = await client.get("/runs", params={"count": "true", "limit": "1", **params})
            return response.json()["count"]

        assert await count() == {"number": 1000, "is_exact": False}
        assert await count(created_before=dates[1000].isoformat()) == {"number": 1000, "is_exact": True}
        assert await count(project="example", status="failed,succeeded") == {"number": 1000, "is_exact": False}
        assert await count(project="other") == {"number": 0, "is_exact": True}
        assert await count(project="example", worker="w") is None
        assert await count(where="results.a exists") is None
        assert (await client.get("/runs")).json()["count"] is None

    play(scenario)


def test_a_run_shows_its_worker_and_its_end(play: Play) -> None:
    async def scenario(served: Served) -> None:
        client = await served.user(Role.VIEWER)
        await connect_worker(served.workers, "w", "me", "i", WorkerDescription("1"), 0.0, "m")
        run = await served.started()
        path = f"/projects/example/runs/{run.identifier}"
        answer = (await client.get(path)).json()
        assert (answer["status"], answer["worker"], answer["is_worker_connected"]) == ("running", "w", True)
        await served.workers.disconnect_all("m")
        assert (await client.get(path)).json()["is_worker_connected"] is False
        ended = await served.ended(replace(await served.wrote(run, b"hi\n"), results={"a": [1]}))
        answer = (await client.get(path)).json()
        assert answer["reason"] == {"code": "completed", "sentence": "All commands succeeded."}
        assert answer["log"] == {"size": 3, "sha256": ended.log.sha256}
        assert answer["duration"] == 1.5
        assert (await client.get("/projects/other/runs/" + run.identifier)).status_code == 404

    play(scenario)


def test_a_run_at_work_shows_how_far_its_log_is_stored(play: Play) -> None:
    async def scenario(served: Served) -> None:
        client = await served.user(Role.VIEWER)
        run = await served.started()
        # The master writes the size into the record at the end only.
        await served.log_store.append([LogPiece(LogKey("example", run.identifier, 1), 0, b"so far")])
        shown = (await client.get(f"/projects/example/runs/{run.identifier}")).json()
        assert shown["log"] == {"size": 6, "sha256": None}

    play(scenario)


def test_results_and_events(play: Play) -> None:
    async def scenario(served: Served) -> None:
        client = await served.user(Role.VIEWER)
        run = await served.started()
        records = [EventRecord(1, "started", 1_000, {"host": {}}), EventRecord(2, "results_changed", 2_000, {})]
        after = replace(run, results={"text": "2026-11-23T10:00:00Z", "deep": {"list": [None, 1.5]}})
        assert await served.progress.save(run, after, records)
        path = f"/projects/example/runs/{run.identifier}"
        assert (await client.get(f"{path}/results")).json() == after.results
        page = (await client.get(f"{path}/events", params={"limit": 1})).json()
        event: dict[str, Any] = {
            "attempt": 1,
            "sequence": 1,
            "kind": "started",
            "date": "1970-01-01T00:00:00.001Z",
            "data": {"host": {}},
        }
        assert page["items"] == [event]
        page = (await client.get(f"{path}/events", params={"cursor": page["next"]})).json()
        assert ([event["kind"] for event in page["items"]], page["next"]) == (["results_changed"], None)

    play(scenario)


def test_cancel_and_abort(play: Play) -> None:
    async def scenario(served: Served) -> None:
        client = await served.user(Role.OPERATOR)
        pending, running = await served.trigger("hello", "example"), await served.started()
        cancelled = await client.post(f"/projects/example/runs/{pending.identifier}/cancel")
        assert cancelled.status_code == 200
        assert (cancelled.json()["should_cancel"], cancelled.json()["wished_by"]) == (True, "operator")
        path = f"/projects/example/runs/{running.identifier}"
        refused = await client.post(f"{path}/cancel")
        assert (refused.status_code, "abort it instead" in refused.json()["detail"]) == (409, True)
        assert (await client.post(f"{path}/abort")).json()["should_abort"]
        await served.ended(running, RunStatus.ABORTED)
        refused = await client.post(f"{path}/abort")
        assert (refused.status_code, "has ended already: it is aborted" in refused.json()["detail"]) == (409, True)

    play(scenario)


def test_why_a_run_waits(play: Play) -> None:
    async def scenario(served: Served) -> None:
        client = await served.user(Role.VIEWER)
        run = await served.trigger("hello", "example", properties={"gpu": True})

        async def why() -> dict[str, Any]:
            answer: dict[str, Any] = (await client.get(f"/projects/example/runs/{run.identifier}/why")).json()
            return answer

        answer = await why()
        assert answer["is_impossible"]
        assert answer["summary"] == "No known worker could ever take it: none has ever connected."
        await connect_worker(served.workers, "plain", "me", "i", WorkerDescription("1"), 0.0, "m")
        answer = await why()
        assert answer["is_impossible"]
        assert answer["workers"] == [{"worker": "plain", "sentences": ["needs gpu = true, has no gpu"]}]
        description = WorkerDescription("1", executor_limit=1, properties={"gpu": True})
        await connect_worker(served.workers, "big", "me", "i", description, 0.0, "m")
        await served.assigned(worker="big")
        answer = await why()
        assert not answer["is_impossible"]
        assert answer["summary"] == "It waits for the one worker that fits."
        holder = (await client.get("/projects/example/runs?worker=big")).json()["items"][0]["identifier"]
        assert answer["workers"][0] == {
            "worker": "big",
            "sentences": ["its executor is busy", f"run {holder} is using the workspace of job example/hello"],
        }

    play(scenario)


def test_a_full_concurrency_group_is_told_with_those_who_hold_its_slots(play_on_sqlite: Play) -> None:
    async def scenario(served: Served) -> None:
        client = await served.user(Role.VIEWER)
        holder, waiting = [await served.trigger("hello", "example", concurrency="deploy") for _ in range(2)]
        path = f"/projects/example/runs/{waiting.identifier}/why"
        description = WorkerDescription("1", executor_limit=2, properties={"operating_system": "linux"})
        await connect_worker(served.workers, "w", "me", "i", description, 0.0, "m")
        assert "deploy" not in (await client.get(path)).json()["summary"]
        assert await served.queue.assign(holder, "w", "example/deploy/1") is not None
        answer = (await client.get(path)).json()
        assert answer["summary"] == (
            f"Concurrency group 'deploy' takes one run at a time, and run {holder.identifier} has its slot."
        )
        assert answer["holders"] == [holder.identifier]
        assert not (await client.get(f"/projects/example/runs/{holder.identifier}/why")).json()["holders"]

    play_on_sqlite(scenario)


def test_a_refusal_is_told_to_those_who_wait_and_of_the_worker(play: Play) -> None:
    async def scenario(served: Served) -> None:
        client = await served.user(Role.VIEWER)
        run = await served.trigger("hello", "example")
        now = served.clock.now()
        refusal = refusal_of("7", "Its request cannot be written.", now)
        description = WorkerDescription("1", properties={"operating_system": "linux"}, refusal=refusal)
        await connect_worker(served.workers, "w", "me", "i", description, 0.0, "m")
        why = (await client.get(f"/projects/example/runs/{run.identifier}/why")).json()
        assert why["summary"] == "It waits for the one worker that fits."
        (sentence,) = why["workers"][0]["sentences"]
        assert sentence.startswith("gets no run before ")
        assert sentence.endswith(" UTC, because it refused run 7: Its request cannot be written.")
        told = (await client.get("/workers/w")).json()["refusal"]
        assert (told["run"], told["reason"]) == ("7", "Its request cannot be written.")
        assert datetime.fromisoformat(told["until"]) - datetime.fromisoformat(told["date"]) == REFUSAL_PAUSE
        await served.workers.disconnect_all("m")
        assert (await client.get("/workers/w")).json()["refusal"] is None

    play(scenario)
