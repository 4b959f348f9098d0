from __future__ import annotations

from datetime import datetime

from job_orchestra.domain.roles import Role
from job_orchestra.domain.workers import WorkerDescription
from tests.connecting import connect_worker
from tests.service.serving import Play, Served

_LOGIN = {"user": "viewer", "password": "correct horse"}


def test_login_refresh_and_logout(play: Play) -> None:
    async def scenario(served: Served) -> None:
        await served.user(Role.VIEWER)
        new = (await served.anonymous.post("/me/login", json=_LOGIN)).json()
        assert new["expires_at"] == "2026-11-30T10:00:00.123Z"
        client = served.client(new["secret"])
        me = (await client.get("/me")).json()
        assert me["permissions"] == ["anyone", "own_account", "read"]
        assert (me["token"]["kind"], me["user"]["has_password"]) == ("session", True)
        assert (await client.post("/me/refresh")).json()["expires_at"] == new["expires_at"]
        served.clock.advance(25 * 3600)
        assert (await client.post("/me/refresh")).json()["expires_at"] == "2026-12-01T11:00:00.123Z"
        assert (await client.post("/me/logout")).status_code == 204
        assert (await client.get("/me")).status_code == 401

    play(scenario)


def test_a_wrong_login(play: Play) -> None:
    async def scenario(served: Served) -> None:
        await served.user(Role.VIEWER)
        for body in ({**_LOGIN, "password": "wrong"}, {**_LOGIN, "user": "nobody"}):
            response = await served.anonymous.post("/me/login", json=body)
            assert (response.status_code, response.json()["detail"]) == (401, "User or password is wrong.")

    play(scenario)


def test_own_tokens(play: Play) -> None:
    async def scenario(served: Served) -> None:
        client = await served.user(Role.VIEWER)
        response = await client.post("/me/tokens", json={"description": "scripts", "expires_in": 60})
        assert response.status_code == 201
        new = response.json()
        listed = (await client.get("/me/tokens")).json()["items"]
        assert {token["description"] for token in listed} == {"", "scripts"}
        assert all("secret" not in token and "sha256" not in token for token in listed)
        assert (await served.client(new["secret"]).get("/me")).status_code == 200
        assert (await client.delete(f"/me/tokens/{new['identifier']}")).status_code == 204
        assert (await served.client(new["secret"]).get("/me")).status_code == 401
        assert (await client.delete(f"/me/tokens/{new['identifier']}")).status_code == 404
        response = await client.post("/me/tokens", json={"expires_in": -5})
        assert response.json()["errors"][0]["field"] == "expires_in"

    play(scenario)


def test_changing_the_password_ends_the_sessions(play: Play) -> None:
    async def scenario(served: Served) -> None:
        client = await served.user(Role.VIEWER)
        session = served.client((await served.anonymous.post("/me/login", json=_LOGIN)).json()["secret"])
        response = await client.post("/me/password", json={"current": "wrong", "new": "battery staple"})
        assert (response.status_code, response.json()["errors"][0]["field"]) == (422, "current")
        response = await client.post("/me/password", json={"current": "correct horse", "new": "battery staple"})
        assert response.status_code == 204
        assert (await session.get("/me")).status_code == 401
        assert (await client.get("/me")).status_code == 200
        login = await served.anonymous.post("/me/login", json={**_LOGIN, "password": "battery staple"})
        assert login.status_code == 200

    play(scenario)


def test_the_life_of_a_user(play: Play) -> None:
    async def scenario(served: Served) -> None:
        client = await served.user(Role.ADMINISTRATOR)
        body = {"identifier": "build-robot", "roles": ["worker"], "display_name": "Robot"}
        response = await client.post("/users", json=body)
        assert (response.status_code, response.headers["location"]) == (201, "/users/build-robot")
        assert (await client.post("/users", json=body)).status_code == 409
        assert [user["identifier"] for user in (await client.get("/users")).json()["items"]] == [
            "administrator", "build-robot",
        ]  # fmt: skip
        changed = (await client.patch("/users/build-robot", json={"roles": ["viewer"]})).json()
        assert (changed["roles"], changed["display_name"], changed["has_password"]) == (["viewer"], "Robot", False)
        token = (await client.post("/users/build-robot/tokens", json={})).json()
        robot = served.client(token["secret"])
        assert (await robot.get("/projects")).status_code == 200
        assert (await client.post("/users/build-robot/password", json={"new": "battery staple"})).status_code == 204
        assert (await client.get("/users/build-robot")).json()["has_password"]
        assert (await client.delete("/users/build-robot")).status_code == 409
        assert not (await client.post("/users/build-robot/disable")).json()["is_enabled"]
        assert (await robot.get("/projects")).status_code == 403
        assert (await robot.get("/me")).status_code == 200
        assert (await client.post("/users/build-robot/enable")).json()["is_enabled"]
        assert (await robot.get("/projects")).status_code == 200
        assert len((await client.get("/users/build-robot/tokens")).json()["items"]) == 1
        assert (await client.delete(f"/users/build-robot/tokens/{token['identifier']}")).status_code == 204
        await client.post("/users/build-robot/disable")
        assert (await client.delete("/users/build-robot")).status_code == 204
        assert (await client.get("/users/build-robot")).status_code == 404

    play(scenario)


def test_the_only_administrator_stays_one(play: Play) -> None:
    async def scenario(served: Served) -> None:
        client = await served.user(Role.ADMINISTRATOR)
        for response in (
            await client.post("/users/administrator/disable"),
            await client.patch("/users/administrator", json={"roles": ["auditor"]}),
            await client.delete("/users/administrator"),
        ):
            assert response.status_code == 409, response.text
            assert "only enabled administrator" in response.json()["detail"]
            assert "Give the role administrator to another" in response.json()["detail"]
        await served.user(Role.ADMINISTRATOR, name="another")
        assert not (await client.post("/users/administrator/disable")).json()["is_enabled"]

    play(scenario)


def test_the_life_of_a_worker(play: Play) -> None:
    async def scenario(served: Served) -> None:
        client = await served.user(Role.ADMINISTRATOR)
        await connect_worker(served.workers, "w", "me", "i", WorkerDescription("1.2", "W", 3, {"a": [1]}), 0.5, "m")
        await served.assigned()
        (worker,) = (await client.get("/workers")).json()["items"]
        assert worker == (await client.get("/workers/w")).json()
        assert (worker["active_runs"], worker["executor_limit"], worker["skew"]) == (1, 3, 0.5)
        assert (await client.post("/workers/w/drain")).json()["is_draining"]
        assert not (await client.post("/workers/w/enable")).json()["is_draining"]
        assert (await client.post("/workers/w/disconnect")).status_code == 200
        assert (await served.workers.get("w")).should_disconnect
        assert not (await client.post("/workers/w/disable")).json()["is_enabled"]
        response = await client.delete("/workers/w", params={"lose_runs": "true"})
        assert (response.status_code, "is connected" in response.json()["detail"]) == (409, True)
        await served.workers.disconnect_all("m")
        response = await client.delete("/workers/w")
        assert (response.status_code, "has 1 run that has not ended" in response.json()["detail"]) == (409, True)
        # The refusal names the way out, for programs and for people.
        assert "lose_runs=true" in response.json()["detail"]
        assert "orchestra worker delete w --lose-runs" in response.json()["detail"]
        response = await client.delete("/workers/w", params={"lose_runs": "maybe"})
        assert (response.status_code, response.json()["errors"][0]["field"]) == (422, "lose_runs")
        assert (await client.delete("/workers/w", params={"lose_runs": "true"})).status_code == 204
        assert (await client.get("/workers/w")).status_code == 404

    play(scenario)


def test_projects_jobs_and_schedules(play: Play) -> None:
    async def scenario(served: Served) -> None:
        client = await served.user(Role.OPERATOR)
        projects = (await client.get("/projects")).json()["items"]
        assert [project["identifier"] for project in projects] == ["example", "other"]
        assert (await client.get("/projects/example")).json()["display_name"] == "An example"
        jobs = (await client.get("/projects/example/jobs", params={"order_by": "-identifier"})).json()["items"]
        assert [job["identifier"] for job in jobs] == ["strict", "hello"]
        job = (await client.get("/projects/example/jobs/hello")).json()
        assert job == jobs[1]
        assert job["definition"]["commands"] == [["echo", "{parameters[name]}"]]
        assert [one["identifier"] for one in job["parameters"]] == ["name", "size"]
        assert job["parameters"][1]["choices"] == [1, 2]
        assert not (await client.get("/projects/example/schedules/nightly")).json()["is_enabled"]
        assert (await client.post("/projects/example/schedules/nightly/enable")).json()["is_enabled"]
        (schedule,) = (await client.get("/projects/example/schedules")).json()["items"]
        assert (schedule["expression"], schedule["is_enabled"]) == ("0 3 * * *", True)
        assert not (await client.post("/projects/example/schedules/nightly/disable")).json()["is_enabled"]
        preview = await client.get("/projects/example/schedules/nightly/preview?limit=3")
        ticks = [datetime.fromisoformat(tick) for tick in preview.json()["ticks"]]
        assert [(tick.hour, tick.minute) for tick in ticks] == [(3, 0)] * 3
        assert ticks == sorted(ticks)
        assert ticks[0] > served.clock.now()
        assert (await client.get("/projects/example/schedules/nightly/preview?limit=101")).status_code == 422

    play(scenario)
