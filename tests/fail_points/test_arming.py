"""How a process is told of its fail point."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from job_orchestra.cli.exit_codes import ExitCode
from job_orchestra.fail_points import VARIABLE
from job_orchestra.worker.host_environment import host_environment
from tests.end_to_end.installation import Installation

_PROGRAM = """
import sys
from job_orchestra.fail_points import FailPoint, arm, reach
arm(sys.argv[1])
for number in (1, 2, 3):
    reach(FailPoint.HOST_STARTED)
    print(number, flush=True)
    reach(FailPoint.HOST_LOG_COMPLETE)
"""


@pytest.mark.parametrize(
    ("setting", "printed", "code"),
    [
        ("", "1 2 3", 0),
        ("master.end_committed", "1 2 3", 0),
        ("host.started", "", -9),
        ("host.log_complete", "1", -9),
        ("host.started:3", "1 2", -9),
        ("host.started:4", "1 2 3", 0),
    ],
)
def test_the_process_dies_at_its_point_the_time_that_was_asked_for(setting: str, printed: str, code: int) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM, setting], capture_output=True, text=True, timeout=30, check=False
    )
    assert (done.stdout.split(), done.returncode) == (printed.split(), code)
    assert ("is reached: this process kills itself." in done.stderr) == (code != 0)


@pytest.mark.parametrize(
    ("application", "setting", "words"),
    [
        ("master", "master.end_comitted", "there is no fail point 'master.end_comitted'; did you mean master.end_c"),
        ("worker", "xyz", "there is no fail point 'xyz'; there are service.trigger_committed, "),
        ("service", "host.started:0", "'host.started:0' is no fail point: behind the colon there is a number from 1"),
    ],
)
def test_an_application_refuses_what_is_no_fail_point(
    application: str, setting: str, words: str, tmp_path: Path
) -> None:
    installation = Installation(tmp_path / "installation", "sqlite:///orchestra.db")
    done = installation.orchestra(application, environment={VARIABLE: setting})
    assert done.returncode == ExitCode.INVALID
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"Error: {VARIABLE}: {words}")


def test_the_executor_host_is_given_its_own_fail_points_only() -> None:
    for setting, expected in (("host.started", {VARIABLE: "host.started"}), ("worker.end_seen", {})):
        assert host_environment({VARIABLE: setting, "ORCHESTRA_WORKER_TOKEN": "secret"}) == expected
