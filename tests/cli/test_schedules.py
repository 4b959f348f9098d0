"""`orchestra schedule`: past and next ticks, the latter as clocks show them where the schedule belongs."""

from __future__ import annotations

import msgspec
import pytest
from click.testing import CliRunner, Result

from job_orchestra.cli.main import orchestra
from job_orchestra.domain.errors import Conflict
from job_orchestra.protocol.resources.answers import Page, Problem
from job_orchestra.protocol.resources.projects import ScheduleAnswer, SchedulePreviewAnswer, TickAnswer
from tests.client.scripted_service import Scripted, ScriptedService, scripted_service

_SCHEDULE = ScheduleAnswer(
    project="p",
    identifier="nightly",
    job="j",
    expression="30 2 * * *",
    time_zone="Europe/Berlin",
    missing_time=None,
    repeated_time=None,
    parameters={},
    description="",
    is_active=True,
    is_enabled=False,
)
_TICKS = SchedulePreviewAnswer(["2026-10-25T00:30:00.000Z", "2026-10-26T01:30:00.000Z"])


@pytest.fixture(autouse=True)
def elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))


def _preview(service: ScriptedService, *arguments: str) -> Result:
    return _schedule(service, "preview", "p", "nightly", *arguments)


def _schedule(service: ScriptedService, *arguments: str) -> Result:
    environment = {"ORCHESTRA_SERVICE_URL": service.url, "ORCHESTRA_TOKEN": "t"}
    return CliRunner().invoke(orchestra, ["schedule", *arguments], env=environment, catch_exceptions=False)


def test_ticks_are_told_in_the_zone_of_the_schedule() -> None:
    answers = [Scripted(content=msgspec.json.encode(each)) for each in (_TICKS, _SCHEDULE)]
    with scripted_service(*answers) as service:
        done = _preview(service, "--count", "2")
        assert "limit=2" in service.received[0].path
    assert [line.split("  ")[0] for line in done.stdout.splitlines()[1:]] == [
        "Sun 2026-10-25 02:30 CEST",
        "Mon 2026-10-26 02:30 CET",
    ]


def test_what_cannot_tick_says_why() -> None:
    problem = Problem("Conflict", 409, "Schedule p/nightly cannot tick: is no time zone.")
    with scripted_service(Scripted(409, content=msgspec.json.encode(problem))) as service:
        with pytest.raises(Conflict, match="cannot tick"):
            _preview(service)
        assert len(service.received) == 1


def test_past_ticks_and_what_is_broken_are_told() -> None:
    refused = TickAnswer(
        "2026-10-25T00:30:00.000Z", "refused", "j", None, "There is no job p/j.", "2026-10-25T00:30:00Z"
    )
    triggered = TickAnswer("2026-10-24T00:30:00.000Z", "triggered", "j", "01m85kb309z79grqvh", "", refused.decided_at)
    broken = msgspec.structs.replace(_SCHEDULE, is_enabled=True, flaw="There is no job p/j.", last_tick=refused)
    answers = (Page([refused, triggered], "there"), Page([broken]), broken)
    with scripted_service(*(Scripted(content=msgspec.json.encode(each)) for each in answers)) as service:
        ticks = _schedule(service, "ticks", "p", "nightly", "--limit", "2")
        assert service.received[0].path == "/projects/p/schedules/nightly/ticks?limit=2"
        listed = _schedule(service, "list", "p")
        shown = _schedule(service, "show", "p", "nightly")
    assert [line.split() for line in ticks.stdout.splitlines()[1:]] == [
        ["2026-10-25", "00:30:00", "refused", "There", "is", "no", "job", "p/j."],
        ["2026-10-24", "00:30:00", "triggered", "01m85kb309z79grqvh"],
    ]
    assert "--cursor there" in ticks.stderr
    assert "broken  2026-10-25 00:30:00 refused: There is no job p/j." in listed.stdout
    assert "broken         There is no job p/j." in shown.stdout
