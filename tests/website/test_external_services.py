"""Services elsewhere on the home page: looked at in the background, whatever they do."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest

from job_orchestra.client.http_health import HttpHealth
from job_orchestra.composition.clock import SystemClock
from job_orchestra.domain.errors import Invalid
from job_orchestra.website.external_services import ExternalServices, ServiceStatus, found
from job_orchestra.website.parts import website_parts
from tests.website.examples import Examples
from tests.website.installation import Installation
from tests.website.starting import StartWebsite, unused_url, websites

NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)
Look = Callable[[], Iterator[str]]


class Scripted:
    """Says one thing after the other; None is an answer that never comes."""

    def __init__(self, name: str, *flaws: str | Exception | None) -> None:
        self.name = name
        self._flaws = list(flaws)
        self.looks = 0

    async def flaw(self) -> str:
        self.looks += 1
        flaw = self._flaws.pop(0)
        if flaw is None:
            await asyncio.Event().wait()
        if isinstance(flaw, Exception):
            raise flaw
        return flaw or ""


@pytest.fixture
def start_website() -> Iterator[StartWebsite]:
    with websites() as start:
        yield start


def test_since_is_when_it_changed() -> None:
    status = found(ServiceStatus("a"), "", NOW)
    assert status == ServiceStatus("a", True, "", "2026-11-23T10:00:00.000+00:00")
    assert found(status, "", NOW + timedelta(hours=1)) == status
    down = found(status, "is tired", NOW + timedelta(hours=1))
    assert down == ServiceStatus("a", False, "is tired", "2026-11-23T11:00:00.000+00:00")
    assert found(down, "sleeps", NOW + timedelta(hours=2)) == ServiceStatus("a", False, "sleeps", down.since)


def test_whatever_a_look_does_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("job_orchestra.website.external_services._PATIENCE", 0.01)
    services = [
        Scripted("well", ""),
        Scripted("slow", None),
        Scripted("odd", ValueError("a secret")),
        Scripted("ill", "x" * 999),
    ]

    async def look() -> tuple[ServiceStatus, ...]:
        stop = asyncio.Event()
        external = ExternalServices(services, SystemClock())
        assert [status.is_well for status in external.statuses] == [None] * 4
        watching = asyncio.create_task(external.watch(stop))
        while None in (status.is_well for status in external.statuses):
            await asyncio.sleep(0.001)
        stop.set()
        await watching
        return external.statuses

    statuses = {status.name: status.flaw for status in asyncio.run(look())}
    assert statuses == {
        "well": "",
        "slow": "does not answer within 0 seconds",
        "odd": "cannot be looked at: ValueError",
        "ill": "x" * 200,
    }
    assert [service.looks for service in services] == [1, 1, 1, 1]


def test_addresses_are_asked(installation: Installation) -> None:
    service = f"http://127.0.0.1:{installation.service.port}"
    assert asyncio.run(HttpHealth("a", f"{service}/health").flaw()) == ""
    assert asyncio.run(HttpHealth("a", f"{service}/nothing").flaw()) == "answers with status 404"
    assert asyncio.run(HttpHealth("a", unused_url()).flaw()) == "cannot be reached: connection refused"
    assert "secret" not in repr(HttpHealth("a", "http://secret@example.org"))


def test_the_home_page_says_which_are_up(
    start_website: StartWebsite, installation: Installation, examples: Examples
) -> None:
    service = f"http://127.0.0.1:{installation.service.port}"
    services = [HttpHealth("<API>", f"{service}/health"), HttpHealth("Tracker", unused_url()), Scripted("Slow", None)]
    visitor = start_website(service, external_services=services)
    visitor.client.cookies.clear()
    visitor.log_in("viewer")
    deadline = datetime.now(UTC) + timedelta(seconds=20)
    page = visitor.get("/").text
    while page.count("since <time") < 2 and datetime.now(UTC) < deadline:
        page = visitor.get("/").text
    rows = re.findall(r'<li><span class="status \w+">(\w+)</span> (.*?)(?: <small>(.*?)since .*)?</li>', page)
    assert rows == [
        ("up", "&lt;API&gt;", ""),
        ("down", "Tracker", "cannot be reached: connection refused, "),
        ("unknown", "Slow", ""),
    ]
    assert "External services" not in visitor.get("/runs").text


def test_names_are_told_apart() -> None:
    with pytest.raises(Invalid, match="there is more than one service 'a'"):
        website_parts(external_services=[Scripted("a"), Scripted("a")])
