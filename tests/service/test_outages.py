"""The service while the database cannot be used: every route says so and how to go on, and does by itself."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import httpx2
import pytest

from job_orchestra.composition.databases import open_administration
from job_orchestra.domain.roles import Role
from job_orchestra.repositories.log_disk_watch import LogDiskWatch
from job_orchestra.service.routes import ROUTES
from job_orchestra.storage.port import Storage
from job_orchestra.storage.sql.sqlite import SqliteDatabase
from job_orchestra.storage.sql.storage import SqlStorage
from job_orchestra.storage.sql.urls import parse_database_url
from tests.servers import SERVERS, Server, impatient_storage, new_server
from tests.service.serving import DEADLINE, Served, serving
from tests.storage.pulses import HeldPulse

_PATIENCE = 2.0
_NEEDS_NO_DATABASE = {"/", "/health", "/openapi.json", "/docs"}

_BODIES: dict[str, dict[str, str]] = {
    "/me/login": {"user": "administrator", "password": "correct horse"},
    "/me/password": {"current": "correct horse", "new": "battery staple"},
    "/users": {"identifier": "somebody"},
    "/users/{user}/password": {"password": "battery staple"},
}

Outage = Callable[[], AbstractContextManager[object]]


@contextmanager
def locked(path: str) -> Generator[None]:
    """Another process keeps the lock for writing; those who read never wait for it."""
    hold = f"import sqlite3, sys; c = sqlite3.connect({path!r}, isolation_level=None); "
    hold += "c.execute('BEGIN EXCLUSIVE'); print(flush=True); sys.stdin.read()"
    holder = subprocess.Popen([sys.executable, "-c", hold], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert holder.stdout is not None
        holder.stdout.readline()
        yield
    finally:
        holder.communicate()


@contextmanager
def paused(server: Server) -> Generator[None]:
    server.pause()
    try:
        yield
    finally:
        server.resume()


@contextmanager
def stopped(server: Server) -> Generator[None]:
    server.stop()
    try:
        yield
    finally:
        server.start()


@pytest.fixture(scope="module", params=SERVERS)
def mortal_server(request: pytest.FixtureRequest) -> Generator[Server]:
    with new_server(request.param) as server:
        server.start()
        yield server


@pytest.fixture(params=[paused, stopped])
def storage_and_outage(request: pytest.FixtureRequest, mortal_server: Server) -> tuple[Storage, Outage]:
    """Of a server that hangs, and of one that is stopped."""
    url = mortal_server.new_database_url()
    open_administration(url).create()
    return impatient_storage(url, 0.5, _PATIENCE), lambda: request.param(mortal_server)


def test_every_route_answers_in_an_outage_and_all_goes_on_afterwards(
    storage_and_outage: tuple[Storage, Outage], tmp_path: Path
) -> None:
    storage, outage = storage_and_outage

    async def scenario() -> None:
        async with serving(storage, tmp_path) as served, asyncio.timeout(100):
            client = await served.user(Role.ADMINISTRATOR)
            run = await served.wrote(await served.started(), b"before\n")
            log = f"/projects/example/runs/{run.identifier}/log"
            async with client.stream("GET", log, params={"follow": "true"}) as followed:
                pieces = followed.aiter_bytes()
                assert await anext(pieces) == b"before\n"
                with outage():
                    await _check_all_routes(served, client, run.identifier)
                    triggering = client.post(
                        "/projects/example/jobs/hello/trigger", json={}, headers={"Idempotency-Key": "once"}
                    )
                    assert (await triggering).status_code == 503
                await _until_ready(client)
                run = await served.ended(await served.wrote(run, b"after\n"))
                assert b"".join([piece async for piece in pieces]) == b"after\n"
            for status in (201, 200):
                answer = await client.post(
                    "/projects/example/jobs/hello/trigger", json={}, headers={"Idempotency-Key": "once"}
                )
                # What was sent to a server that hung may have been carried out there, once.
                assert answer.status_code in {status, 200}
            assert len((await served.runs.list()).items) == 2

    asyncio.run(scenario())


async def _check_all_routes(served: Served, client: httpx2.AsyncClient, run: str) -> None:
    async def ask(method: str, path: str) -> tuple[str, httpx2.Response, float]:
        target = path.replace("{run}", run).replace("{project}", "example").replace("{job}", "hello")
        for name in ("schedule", "worker", "user", "token"):
            target = target.replace(f"{{{name}}}", "some")
        began = time.monotonic()
        body = _BODIES.get(path, {}) if method in {"POST", "PATCH"} else None
        response = await client.request(method, target, json=body)
        return path, response, time.monotonic() - began

    answers = await asyncio.gather(*(ask(route.method, route.path) for route in ROUTES))
    for path, response, seconds in answers:
        assert seconds < 4 * _PATIENCE, path
        if path in _NEEDS_NO_DATABASE:
            assert response.status_code == 200, (path, response.text)
            continue
        assert response.status_code == 503, (path, response.text)
        assert int(response.headers["Retry-After"]) >= 1
        if path == "/ready":
            assert response.json()["status"] == "unavailable"
            assert response.json()["waiting_for"][0].startswith("database: ")
        else:
            assert response.headers["Content-Type"] == "application/problem+json"
            assert "database" in response.json()["detail"], path


async def _until_ready(client: httpx2.AsyncClient) -> None:
    while (await client.get("/ready")).status_code != 200:
        await asyncio.sleep(0)


def test_sqlite_that_another_process_writes_to_for_long(sqlite_url: str, tmp_path: Path) -> None:
    storage = SqlStorage(SqliteDatabase(parse_database_url(sqlite_url), lock_timeout=0.2), _PATIENCE)

    async def scenario() -> None:
        async with serving(storage, tmp_path) as served, asyncio.timeout(100):
            client = await served.user(Role.ADMINISTRATOR)
            path = "/projects/example/jobs/hello/trigger"
            with locked(sqlite_url.removeprefix("sqlite:///")):
                response = await client.post(path, json={})
                assert response.status_code == 503
                assert "is locked by another process" in response.json()["detail"]
                assert response.headers["Retry-After"] == "1"
                assert (await client.get("/projects/example/runs")).json()["items"] == []
                # Reading works; what the service is for does not.
                ready = await client.get("/ready")
                assert (ready.status_code, ready.json()["status"]) == (503, "unavailable")
                assert "is locked by another process" in ready.json()["waiting_for"][0]
            assert (await client.get("/ready")).status_code == 200
            assert (await client.post(path, json={})).status_code == 201
            assert len((await served.runs.list()).items) == 1

    asyncio.run(scenario())


def test_a_disk_of_the_logs_that_hangs_is_told_until_it_answers(sqlite_url: str, tmp_path: Path) -> None:
    async def scenario() -> None:
        pulse = HeldPulse()
        async with serving(sqlite_url, tmp_path, log_disk_watch=LogDiskWatch(pulse, patience=0.01)) as served:
            client = await served.user(Role.OPERATOR)
            async with asyncio.timeout(DEADLINE):
                while (answer := await client.get("/ready")).status_code == 200:
                    pass
                (reason,) = answer.json()["waiting_for"]
                assert reason.startswith("logs: The disk of the log files in /srv/logs has not answered for ")
                run = await served.started()
                why = (await client.get(f"/projects/example/runs/{run.identifier}/why")).json()["summary"]
                assert "is not stored at present: The disk of the log files" in why
                # Triggers need no logs.
                assert (await client.post("/projects/example/jobs/hello/trigger", json={})).status_code == 201
                pulse.is_released.set()
                await _until_ready(client)

    asyncio.run(scenario())
