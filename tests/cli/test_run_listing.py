"""`orchestra run list --where`: as many parts of history as it takes."""

from __future__ import annotations

import msgspec
import pytest
from click.testing import CliRunner, Result

from job_orchestra.cli.main import orchestra
from job_orchestra.protocol.resources.runs import RunPageAnswer, RunSummaryAnswer, SourceAnswer
from tests.client.scripted_service import Scripted, ScriptedService, scripted_service


def _page(*runs: str, following: str | None, looked_through: int | None = 1000) -> Scripted:
    date = "2026-11-23T10:00:00.000Z"
    items = [
        RunSummaryAnswer(
            "p", "j", run, "failed", None, 1, SourceAnswer("user", "eve"), {}, None, date, None, None, None
        )
        for run in runs
    ]
    return Scripted(content=msgspec.json.encode(RunPageAnswer(items, following, looked_through, date)))


def _list(service: ScriptedService, *arguments: str) -> Result:
    environment = {"ORCHESTRA_SERVICE_URL": service.url, "ORCHESTRA_TOKEN": "t"}
    return CliRunner().invoke(orchestra, ["run", "list", *arguments], env=environment, catch_exceptions=False)


@pytest.fixture(autouse=True)
def elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))


def test_it_goes_on_until_all_is_seen() -> None:
    with scripted_service(
        _page(following="one"), _page("a", following="two"), _page("b", following=None, looked_through=5)
    ) as service:
        done = _list(service, "--where", "results.n > 0", "--output", "json")
        paths = [received.path for received in service.received]
    answer = msgspec.json.decode(done.stdout, type=RunPageAnswer)
    assert [run.identifier for run in answer.items] == ["a", "b"]
    assert (answer.next, answer.looked_through) == (None, 2005)
    assert all("where=results.n" in path for path in paths)
    assert ["cursor=one" in path for path in paths] == [False, True, False]
    assert "limit=99" in paths[2]
    assert done.stderr == ""  # progress is for terminals


def test_it_stops_when_it_has_what_was_asked_for() -> None:
    with scripted_service(_page("a", following="one"), _page("b", following="two"), _page(following=None)) as service:
        done = _list(service, "p", "--where", "results.n > 0", "--limit", "2")
        assert len(service.received) == 2
    assert [line.split()[0] for line in done.stdout.splitlines()] == ["run", "a", "b"]
    assert done.stderr == "There is more: --cursor two\n"


def test_without_an_expression_a_page_is_a_page() -> None:
    with scripted_service(_page("a", following="one", looked_through=None)) as service:
        done = _list(service)
        assert len(service.received) == 1
    assert done.stderr == "There is more: --cursor one\n"
