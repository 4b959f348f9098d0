"""`orchestra audit list`: what is asked for, and how an entry is told."""

from __future__ import annotations

import msgspec
import pytest
from click.testing import CliRunner

from job_orchestra.cli.main import orchestra
from job_orchestra.protocol.resources.administration import AuditEntryAnswer
from job_orchestra.protocol.resources.answers import Page
from tests.client.scripted_service import Scripted, scripted_service

_ENTRY = AuditEntryAnswer(
    identifier="01m85kb309z79grqvh00000000",
    date="2026-11-23T10:00:00.000Z",
    origin="host",
    user="root",
    token=None,
    action="user.update",
    project=None,
    target={"user": "ada"},
    outcome="done",
    status=None,
    details={"roles": ["viewer"]},
)


def test_entries_are_listed_by_what_is_asked_for(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    page = Page([_ENTRY, msgspec.structs.replace(_ENTRY, origin="service", user="", outcome="refused")], None)
    with scripted_service(Scripted(content=msgspec.json.encode(page))) as service:
        environment = {"ORCHESTRA_SERVICE_URL": service.url, "ORCHESTRA_TOKEN": "t"}
        arguments = ["audit", "list", "--user", "root", "--outcome", "refused", "--created-after", "2026-11-23"]
        done = CliRunner().invoke(orchestra, arguments, env=environment, catch_exceptions=False)
        assert service.received[0].path == "/audit?user=root&outcome=refused&created_after=2026-11-23&limit=100"
    _, first, second = done.stdout.splitlines()
    for part in ("2026-11-23 10:00:00", "root on the host", "user.update", "done", "user=ada", 'roles=["viewer"]'):
        assert part in first
    assert "?  " in second
