"""What administrators are told of the installation, and what is measured of it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from job_orchestra.composition.databases import open_administration
from job_orchestra.domain.roles import Role
from job_orchestra.domain.workers import WorkerDescription
from job_orchestra.repositories.log_disk_watch import LogDiskWatch
from job_orchestra.service.installation import InstallationFacts
from job_orchestra.settings.reading import load_settings
from job_orchestra.settings.shown import shown_settings
from job_orchestra.version import __version__
from tests.connecting import connect_worker
from tests.service.serving import Play, Served, serving
from tests.storage.pulses import HeldPulse


def test_the_installation_is_described(database_url: str, tmp_path: Path) -> None:
    async def scenario() -> None:
        facts = InstallationFacts(open_administration(database_url), {"master": {"port": 5901}})
        watch = LogDiskWatch(HeldPulse(), patience=0.01)
        async with serving(
            database_url, tmp_path, "ws://127.0.0.1:1", log_disk_watch=watch, installation=facts
        ) as served:
            auditor = await served.user(Role.AUDITOR)
            await served.known_masters.announce("m", __version__, "ws://127.0.0.1:1")
            await served.known_masters.announce("old", "0.0.1", "ws://elsewhere")
            await served.known_masters.retire("old")
            for name, version in (("w1", "1.0"), ("w2", "1.0"), ("w3", "0.9")):
                await connect_worker(served.workers, name, "u", "i", WorkerDescription(version), 0.0, "m")
            answer: dict[str, Any] = (await auditor.get("/administration")).json()
        assert answer["service"]["version"] == __version__
        product = {"sqlite": "SQLite", "postgresql": "PostgreSQL", "mysql": "MariaDB", "mongodb": "MongoDB"}
        assert answer["database"]["product"].startswith(product[database_url.partition(":")[0]] + " ")
        assert answer["database"]["size"] > 0
        assert answer["database"]["schema"] == "0010"
        assert answer["logs"]["directory"] == "/srv/logs"
        master, old = answer["masters"]
        assert (master["is_at_work"], master["is_connected"], master["workers"]) == (True, False, 3)
        assert (old["is_at_work"], old["is_connected"], old["version"]) == (False, None, "0.0.1")
        assert old["stopped_at"] is not None
        assert answer["unknown_masters"] == []
        assert answer["workers"] == [
            {"version": "1.0", "connected": 2, "disconnected": 0}, {"version": "0.9", "connected": 1, "disconnected": 0}
        ]  # fmt: skip
        example, other = answer["projects"]
        assert (example["identifier"], example["jobs"], example["schedules"]) == ("example", 2, 1)
        assert (other["jobs"], other["is_active"]) == (1, True)
        assert answer["settings"] == {"master": {"port": 5901}}

    asyncio.run(scenario())


def test_measures_in_steps(play_on_sqlite: Play) -> None:
    async def scenario(served: Served) -> None:
        viewer = await served.user(Role.VIEWER)
        assert (await viewer.get("/measures")).json() == {"step": 60, "items": []}
        for _ in range(3):
            await served.trigger("hello", "example")
            await served.measures.take()
            served.clock.advance(60)
        each = (await viewer.get("/measures", params={"hours": 1})).json()["items"]
        assert [one["waiting"] for one in each] == [1, 2, 3]
        coarse = (await viewer.get("/measures", params={"step": 60})).json()
        assert (coarse["step"], [one["waiting"] for one in coarse["items"]]) == (3600, [3])
        served.clock.advance(3600)
        assert (await viewer.get("/measures", params={"hours": 1})).json()["items"] == []

    play_on_sqlite(scenario)


def test_settings_are_shown_without_secrets(tmp_path: Path) -> None:
    environment = {
        "ORCHESTRA_DATABASE_URL": "postgresql://ada:hunter2@db.internal/orchestra?sslpassword=hunter2",
        "ORCHESTRA_WORKER_TOKEN": "hunter2",
        "ORCHESTRA_MASTER_PORT": "6001",
    }
    shown = shown_settings(load_settings(tmp_path / "orchestra.toml", environment))
    assert "hunter2" not in str(shown)
    assert shown["database"]["url"] == "postgresql://…@db.internal/orchestra?…"
    assert shown["master"]["port"] == 6001
    assert shown["service"]["master_urls"] == ["ws://127.0.0.1:6001"]
