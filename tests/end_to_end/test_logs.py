"""Logs are what the commands wrote, to the byte, and are seen as they are written."""

from __future__ import annotations

import hashlib
import re
import subprocess
import time
from typing import Any

import pytest

from job_orchestra.cli.connection import find_access
from job_orchestra.client.calls import runs
from job_orchestra.client.synchronous import Client
from tests.end_to_end.installation import PATIENCE, Installation


@pytest.mark.parametrize("kind", ["50 MB", "no UTF-8", "10 MB line"])
def test_the_stored_log_is_what_the_command_wrote(kind: str, running: Installation) -> None:
    done = running.orchestra("trigger", "example", "pour", "-p", f"kind={kind}", "--follow")
    assert done.returncode == 0, done.stderr
    run = done.stdout[:18]
    command = running.command("run", "log", "example", run)
    log = subprocess.run(
        command, cwd=running.directory, env=running.environment(), check=True, capture_output=True, timeout=PATIENCE
    ).stdout
    stored = running.json("run", "show", "example", run)["log"]
    assert stored == {"size": len(log), "sha256": hashlib.sha256(log).hexdigest()}
    begin, end = _offsets(running, run)
    written = running.json("run", "results", "example", run)
    assert (end - begin, hashlib.sha256(log[begin:end]).hexdigest()) == (written["size"], written["sha256"])


def _offsets(running: Installation, run: str) -> tuple[int, int]:
    """Where in the log the output of the only command begins and ends."""
    access = find_access(running.directory / "orchestra.toml", {"HOME": str(running.home)})
    events = Client(access.url, access.credentials).send(runs.events("example", run)).items
    data: dict[str, Any] = {event.kind: event.data["log_offset"] for event in events if "log_offset" in event.data}
    return data["command_started"], data["command_ended"]


def test_each_line_is_seen_within_a_second(running: Installation) -> None:
    with running.started("trigger", "example", "pour", "-p", "kind=lines", "--follow") as follower:
        for number in range(1, 6):
            follower.wait_for(">\n", times=number)
            printed = float(re.findall(r"<([0-9.]+)>\n", follower.output)[number - 1])
            assert time.time() - printed < 1.0
