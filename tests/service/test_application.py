from __future__ import annotations

import asyncio
from pathlib import Path

import httpx2
import pytest

from job_orchestra.composition.databases import open_administration, open_storage
from job_orchestra.domain.errors import Unavailable
from job_orchestra.domain.roles import Role
from job_orchestra.protocol.listening import listen
from tests.service.serving import DEADLINE, Served, serving


def test_the_service_waits_for_its_database(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    url = f"sqlite:///{tmp_path}/later.db"

    async def scenario() -> None:
        storage = open_storage(url)
        served = Served(storage, tmp_path, ())
        stop, said = asyncio.Event(), list[str]()
        is_ready = asyncio.Event()

        def ready(sentence: str) -> None:
            said.append(sentence)
            is_ready.set()

        task = asyncio.create_task(served.application.run(stop, ready))
        async with asyncio.timeout(DEADLINE):
            while not served.application.port or "Waiting for the database" not in caplog.text:
                await asyncio.sleep(0.01)
        async with served.client() as client:
            response = await client.get("/ready")
            assert (response.status_code, response.json()["status"]) == (503, "unavailable")
            assert response.headers["retry-after"] == "1"
            assert "database: " in response.json()["waiting_for"][0]
            response = await client.get("/projects", headers={"Authorization": "Bearer x"})
            assert (response.status_code, response.headers["content-type"]) == (503, "application/problem+json")
            assert (await client.get("/health")).status_code == 200
            assert not said
            await asyncio.to_thread(open_administration(url).create)
            await asyncio.wait_for(is_ready.wait(), DEADLINE)
            assert said == [f"service: ready on 127.0.0.1:{served.application.port}"]
            assert (await client.get("/ready")).status_code == 200
        stop.set()
        await asyncio.wait_for(task, DEADLINE)
        await served.close()
        await storage.close()

    asyncio.run(scenario())


def test_stopping_cuts_followers_off_at_once(sqlite_url: str, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with httpx2.AsyncClient(trust_env=False, verify=False, timeout=DEADLINE) as client:
            async with serving(sqlite_url, tmp_path) as served:
                await served.accounts.create_user("viewer", (Role.VIEWER,))
                secret = (await served.accounts.create_token("viewer")).secret
                run = await served.wrote(await served.started(), b"so far")
                path = f"{served.url}/projects/example/runs/{run.identifier}/log?follow=true"
                request = client.build_request("GET", path, headers={"Authorization": f"Bearer {secret}"})
                response = await client.send(request, stream=True)
                chunks = response.aiter_raw()
                assert await anext(chunks) == b"so far"
            # Not a proper end: who reads must not take the log for complete.
            with pytest.raises(httpx2.RemoteProtocolError):
                await anext(chunks)

    asyncio.run(scenario())


def test_an_address_that_is_taken_is_named() -> None:
    with listen("127.0.0.1", 0) as first, pytest.raises(Unavailable, match=r"Cannot listen on 127\.0\.0\.1:.*in use"):
        listen("127.0.0.1", first.getsockname()[1])
