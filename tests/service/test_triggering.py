from __future__ import annotations

import asyncio

from job_orchestra.domain.roles import Role
from job_orchestra.domain.runs import SourceKind
from job_orchestra.domain.workers import WorkerDescription
from tests.connecting import connect_worker
from tests.service.serving import Play, Served

_TRIGGER = "/projects/example/jobs/hello/trigger"


def test_a_trigger_answers_with_the_run_that_it_stored(play: Play) -> None:
    async def scenario(served: Served) -> None:
        client = await served.user(Role.OPERATOR)
        response = await client.post(_TRIGGER, json={"parameters": {"name": "you"}, "priority": 3})
        assert response.status_code == 201
        answer = response.json()
        assert answer["parameters"] == {"name": "you", "size": 1}
        assert (answer["status"], answer["attempt"], answer["worker"]) == ("pending", 1, None)
        assert answer["source"] == {"kind": "user", "identifier": "operator"}
        assert answer["created_at"] == "2026-11-23T10:00:00.123Z"
        run = await served.runs.get("example", answer["identifier"])
        assert (run.request.priority, run.source.kind) == (3, SourceKind.USER)
        assert (await client.get(response.headers["location"])).json() == answer

    play(scenario)


def test_a_body_may_be_left_out(play: Play) -> None:
    async def scenario(served: Served) -> None:
        client = await served.user(Role.WORKER)
        assert (await client.post(_TRIGGER)).json()["parameters"] == {"name": "world", "size": 1}

    play(scenario)


def test_parameters_of_any_size_are_answered(play: Play) -> None:
    async def scenario(served: Served) -> None:
        client = await served.user(Role.OPERATOR)
        response = await client.post(_TRIGGER, json={"parameters": {"name": "x" * 300_000}})
        assert response.status_code == 422
        (error,) = response.json()["errors"]
        assert error["field"] == "parameters"
        assert error["message"].startswith("have 300020 bytes as JSON, and may have 65536 together")
        assert (await client.post(_TRIGGER, json={"parameters": {"name": "x" * 60_000}})).status_code == 201

    play(scenario)


def test_a_key_makes_one_run_under_concurrency(play: Play) -> None:
    async def scenario(served: Served) -> None:
        client = await served.user(Role.OPERATOR)
        headers = {"Idempotency-Key": "nightly 2026-11-23"}
        responses = await asyncio.gather(*(client.post(_TRIGGER, headers=headers) for _ in range(20)))
        assert len({response.json()["identifier"] for response in responses}) == 1
        assert sorted(response.status_code for response in responses) == [200] * 19 + [201]
        other = await client.post("/projects/other/jobs/hello/trigger", headers=headers)
        assert other.status_code == 201
        for key in ("", "a" * 201):
            response = await client.post(_TRIGGER, headers={"Idempotency-Key": key})
            assert response.json()["errors"][0]["field"] == "Idempotency-Key"

    play(scenario)


def test_a_trigger_warns_at_once_of_what_no_worker_could_ever_take(play: Play) -> None:
    async def scenario(served: Served) -> None:
        client = await served.user(Role.OPERATOR)
        windows = WorkerDescription("1", properties={"operating_system": "windows"})
        await connect_worker(served.workers, "w", "me", "i", windows, 0.0, "m")
        response = await client.post(_TRIGGER)
        warning = response.json()["warning"]
        assert response.status_code == 201
        assert warning == ("No known worker could ever take it: w (needs operating_system = linux, has windows).")
        assert (await client.get(response.headers["location"])).json()["warning"] == warning
        (listed,) = (await client.get("/projects/example/runs")).json()["items"]
        assert listed["warning"] == warning
        job = (await client.get("/projects/example/jobs/hello")).json()
        assert job["requirements"] == ["operating_system = linux"]
        assert job["workers"] == [{"worker": "w", "sentences": ["needs operating_system = linux, has windows"]}]
        linux = WorkerDescription("1", properties={"operating_system": "linux"})
        await connect_worker(served.workers, "v", "me", "i", linux, 0.0, "m")
        async with asyncio.timeout(10):
            while (await client.post(_TRIGGER)).json()["warning"] is not None:
                await asyncio.sleep(0.05)
        assert (await client.get(response.headers["location"])).json()["warning"] is None

    play(scenario)


def test_runs_that_come_first_are_counted_and_named(play: Play) -> None:
    async def scenario(served: Served) -> None:
        client = await served.user(Role.OPERATOR)
        triggered = [(await client.post(_TRIGGER)).json()["identifier"] for _ in range(3)]
        older, run, newer = sorted(triggered)
        urgent = (await client.post(_TRIGGER, json={"priority": 5})).json()["identifier"]
        why = (await client.get(f"/projects/example/runs/{run}/why")).json()
        assert why["runs_before"] == {"number": 2, "is_exact": True}
        assert why["first_runs"] == [urgent, older]
        why = (await client.get(f"/projects/example/runs/{newer}/why")).json()
        assert why["runs_before"]["number"] == 3
        why = (await client.get(f"/projects/example/runs/{urgent}/why")).json()
        assert (why["runs_before"]["number"], why["first_runs"]) == (0, [])

    play(scenario)


def test_a_disabled_job_takes_triggers_and_an_unconfigured_one_does_not(play: Play) -> None:
    async def scenario(served: Served) -> None:
        client = await served.user(Role.OPERATOR)
        assert not (await client.post("/projects/example/jobs/hello/disable")).json()["is_enabled"]
        run = (await client.post(_TRIGGER)).json()
        why = (await client.get(f"/projects/example/runs/{run['identifier']}/why")).json()
        assert why["summary"].endswith("Job 'hello' is disabled; the run waits until it is enabled.")
        assert (await client.post("/projects/example/jobs/hello/enable")).json()["is_enabled"]
        await served.projects.apply([])
        response = await client.post(_TRIGGER)
        assert (response.status_code, response.json()["title"]) == (409, "Conflict")
        assert "no longer configured" in response.json()["detail"]

    play(scenario)


def test_retry_repeats_the_parameters_with_the_job_of_today(play: Play) -> None:
    async def scenario(served: Served) -> None:
        client = await served.user(Role.OPERATOR)
        run = (await client.post(_TRIGGER, json={"parameters": {"name": "you"}})).json()
        path = f"/projects/example/runs/{run['identifier']}"
        assert (await client.post(f"{path}/retry")).status_code == 409
        stored = await served.queue.load(run["identifier"])
        assert stored is not None
        assigned = await served.queue.assign(stored, "w")
        assert assigned is not None
        await served.ended(assigned)
        response = await client.post(f"{path}/retry")
        assert response.status_code == 201
        again = response.json()
        assert again["identifier"] != run["identifier"]
        assert (again["retry_of"], again["parameters"]) == (run["identifier"], run["parameters"])
        # A client that does not know whether it was heard asks again, and gets one run.
        key = {"Idempotency-Key": "once"}
        first, second = [await client.post(f"{path}/retry", headers=key) for _ in range(2)]
        assert (first.status_code, second.status_code) == (201, 200)
        assert first.json()["identifier"] == second.json()["identifier"]

    play(scenario)
