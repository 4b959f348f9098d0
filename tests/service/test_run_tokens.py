"""What a run may do with its token, as long as it is carried out, and not a moment longer."""

from __future__ import annotations

from dataclasses import replace

from job_orchestra.domain.reasons import Reason, ReasonCode
from job_orchestra.domain.roles import Permission, Role
from job_orchestra.domain.runs import Run
from job_orchestra.domain.statuses import RunStatus
from job_orchestra.repositories.run_tokens import RunTokens
from job_orchestra.service.routes import ROUTES
from job_orchestra.storage.port import Find
from job_orchestra.storage.schema import TOKENS
from tests.service.serving import Play, Served

_TRIGGER = "/projects/example/jobs/hello/trigger"
_ALLOWED = {Permission.READ, Permission.TRIGGER, Permission.STOP_RUN}


async def running(served: Served) -> tuple[Run, str]:
    run = await served.started()
    return run, await RunTokens(served.storage, served.clock).create(run)


async def hashes(served: Served) -> list[object]:
    return [row["sha256"] for row in await served.storage.find(Find(TOKENS.name)) if row["kind"] == "run"]


def test_a_run_triggers_reads_and_stops_runs_of_its_project(play: Play) -> None:
    async def scenario(served: Served) -> None:
        run, secret = await running(served)
        client = served.client(secret)
        response = await client.post(_TRIGGER, json={"parameters": {"name": "child"}})
        assert response.status_code == 201
        child = response.json()
        assert child["source"] == {"kind": "run", "identifier": run.identifier}
        found = await client.get(
            "/projects/example/runs", params={"source": "run", "source_identifier": run.identifier}
        )
        assert [one["identifier"] for one in found.json()["items"]] == [child["identifier"]]
        stopped = await client.post(f"/projects/example/runs/{child['identifier']}/abort")
        assert stopped.json()["wished_by"] == f"run {run.identifier}"
        assert secret not in str(await served.storage.find(Find(TOKENS.name)))

    play(scenario)


def test_what_it_triggers_may_be_aborted_with_it(play: Play) -> None:
    async def scenario(served: Served) -> None:
        run, secret = await running(served)
        client, body = served.client(secret), {"abort_with_run": True}
        response = await client.post(_TRIGGER, json=body, headers={"Idempotency-Key": "one"})
        assert (response.status_code, response.json()["abort_with_run"]) == (201, True)
        path = response.headers["location"]
        assert (await client.get(path)).json()["abort_with_run"]
        assert not (await client.post(_TRIGGER)).json()["abort_with_run"]
        # Retried by a user, it is bound to nothing.
        child = await served.runs.get("example", response.json()["identifier"])
        operator = await served.user(Role.OPERATOR)
        await operator.post(f"{path}/abort")
        assert await served.queue.cancel(child, Reason(ReasonCode.CANCEL_REQUESTED, "Nobody needs it.")) is not None
        assert not (await operator.post(f"{path}/retry")).json()["abort_with_run"]
        await operator.post(f"/projects/example/runs/{run.identifier}/abort")
        refused = await client.post(_TRIGGER, json=body)
        assert refused.status_code == 409
        assert refused.json()["detail"] == (
            f"Run {run.identifier!r} has ended or is to be aborted: it triggers nothing that is aborted with it."
        )
        again = await client.post(_TRIGGER, json=body, headers={"Idempotency-Key": "one"})
        assert (again.status_code, again.json()["identifier"]) == (200, child.identifier)
        assert (await client.post(_TRIGGER)).status_code == 201

    play(scenario)


def test_what_a_user_triggers_has_no_run_to_be_aborted_with(play_on_sqlite: Play) -> None:
    async def scenario(served: Served) -> None:
        client = await served.user(Role.OPERATOR)
        response = await client.post(_TRIGGER, json={"abort_with_run": True})
        assert response.status_code == 422
        (error,) = response.json()["errors"]
        assert error["field"] == "abort_with_run"
        assert error["message"].startswith("needs the token of a run")
        assert "not that of user 'operator'" in error["message"]
        assert not (await served.runs.list()).items

    play_on_sqlite(scenario)


def test_every_other_route_is_closed_to_it(play_on_sqlite: Play) -> None:
    async def scenario(served: Served) -> None:
        _, secret = await running(served)
        client = served.client(secret)
        told = {(one["method"], one["path"]): one["is_allowed"] for one in (await client.get("/routes")).json()}
        for route in ROUTES:
            path = route.path.replace("{project}", "example")
            for name in route.path_parameters:
                path = path.replace(f"{{{name}}}", "nope")
            status = (await client.request(route.method, path)).status_code
            is_open = route.permission is Permission.ANYONE
            is_its_own = route.permission in _ALLOWED and "{project}" in route.path
            assert (status not in {401, 403}) == (is_open or is_its_own), (route.path, status)
            assert told[route.method, route.path] == (is_open or is_its_own), route.path
        assert (await client.post("/projects/other/jobs/hello/trigger")).status_code == 403
        assert (await client.get("/runs")).status_code == 403

    play_on_sqlite(scenario)


def test_it_is_valid_for_its_attempt_until_that_has_ended(play_on_sqlite: Play) -> None:
    async def scenario(served: Served) -> None:
        tokens = RunTokens(served.storage, served.clock)
        waiting = await served.trigger("hello", "example")
        early = await tokens.create(waiting)
        assert (await served.client(early).post(_TRIGGER)).status_code == 401
        # Its commands may be faster than what the worker says of them.
        assigned = await served.queue.assign(waiting, "w")
        assert assigned is not None
        assert (await served.client(early).post(_TRIGGER)).status_code == 201
        again = await served.queue.unassign(assigned)
        assert again is not None
        assert (await served.queue.assign(again, "w")) is not None
        assert (await served.client(early).post(_TRIGGER)).status_code == 401
        run, secret = await running(served)
        await served.ended(run)
        response = await served.client(secret).post(_TRIGGER)
        assert response.status_code == 401
        assert response.json()["detail"] == "The token was that of a run's attempt, which does not run any more."

    play_on_sqlite(scenario)


def test_tokens_go_with_their_runs(play: Play) -> None:
    async def scenario(served: Served) -> None:
        tokens = RunTokens(served.storage, served.clock)
        kept, _ = await running(served)
        ended, _ = await running(served)
        await tokens.create(replace(ended, attempt=2))
        await served.accounts.create_user("ada")
        personal = await served.accounts.create_token("ada")
        assert len(await hashes(served)) == 3
        await tokens.delete(replace(ended, attempt=2))
        assert len(await hashes(served)) == 1
        # What a master that died has left is found by looking.
        await tokens.create(ended)
        await served.ended(ended, RunStatus.FAILED)
        await tokens.delete_those_of_ended_runs()
        assert len(await hashes(served)) == 1
        await served.ended(kept)
        await tokens.delete_those_of_ended_runs()
        assert await hashes(served) == []
        assert (await served.accounts.authenticate(personal.secret)).run is None

    play(scenario)
