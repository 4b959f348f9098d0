"""A worker that never comes back is deleted with its runs, and then comes back: a service and a master, both real."""

from __future__ import annotations

import asyncio
from pathlib import Path

from job_orchestra.domain.roles import Role
from job_orchestra.domain.runs import Run
from job_orchestra.domain.statuses import RunStatus
from job_orchestra.domain.workers import WorkerDescription
from job_orchestra.protocol.messages import Abort, Release, RunOnDisk
from tests.connecting import connect_worker
from tests.master.peers import Surroundings, ended, events, log, started, surroundings
from tests.repositories.records import ManualClock
from tests.service.serving import DEADLINE, Served, serving


async def _abandoned(served: Served) -> Run:
    """By a worker that is disabled and disconnected."""
    await connect_worker(served.workers, "w", "workers", "one", WorkerDescription("1"), 0.0, "another master")
    run = await served.wrote(await served.started(), b"abc")
    await served.workers.set_enabled("w", False)
    await served.workers.disconnect_all("another master")
    return run


async def _until_connected(served: Served) -> None:
    """To the master, so that the test does not wait for its slow look."""
    async with asyncio.timeout(DEADLINE):
        while (await served.anonymous.get("/ready")).json()["waiting_for"]:
            pass


async def _until_ended(served: Served, path: str) -> None:
    client = await served.user(Role.VIEWER)
    await asyncio.wait_for(client.get(f"{path}/log", params={"follow": "true"}), DEADLINE)


def test_deleting_a_worker_with_its_runs_ends_them(sqlite_url: str, tmp_path: Path) -> None:
    async def scenario(parts: Surroundings, served: Served) -> None:
        client = await served.user(Role.ADMINISTRATOR)
        await _until_connected(served)
        run = await _abandoned(served)
        path = f"/projects/example/runs/{run.identifier}"
        refused = await client.delete("/workers/w")
        assert (refused.status_code, "lose_runs=true" in refused.json()["detail"]) == (409, True)
        assert (await client.get(path)).json()["status"] == "running"
        assert (await client.delete("/workers/w", params={"lose_runs": "true"})).status_code == 204
        await _until_ended(served, path)
        answer = (await client.get(path)).json()
        assert (answer["status"], answer["reason"]) == (
            "exception",
            {"code": "worker_lost", "sentence": "Worker w was deleted before it reported the end."},
        )
        assert (answer["log"], answer["duration"]) == ({"size": 3, "sha256": None}, None)
        assert [report["received_at"] for report in answer["late_reports"]] == [None]
        async with parts.worker(RunOnDisk(run.identifier, 1, 1, 3)) as (worker, _):
            assert (await worker.hear(Abort)).run == run.identifier
            await worker.say(log(run, 0, b"abcd"), events(run, started(), ended(2, b"abcd", RunStatus.ABORTED)))
            await worker.hear(Release)
        after = (await client.get(path)).json()
        (report,) = after["late_reports"]
        assert (report["status"], report["worker"], report["log"]["size"]) == ("aborted", "w", 4)
        assert (await client.get(f"{path}/late-reports/1/log")).content == b"abcd"
        assert {**after, "late_reports": []} == {**answer, "late_reports": []}
        assert (await client.get("/workers/w")).json()["active_runs"] == 0

    async def play() -> None:
        async with surroundings(sqlite_url, tmp_path) as parts:
            # Both go by the same time, or the master takes the service's token for expired.
            parts.clock.shift = ManualClock().now() - parts.clock.now()
            async with parts.serving(), serving(sqlite_url, tmp_path, f"ws://127.0.0.1:{parts.port}") as served:
                await scenario(parts, served)

    asyncio.run(play())
