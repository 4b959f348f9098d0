from __future__ import annotations

import resource
from pathlib import Path

from job_orchestra.domain.definitions import Workspace
from job_orchestra.domain.jobs import RunLimits
from job_orchestra.execution.process_identity import boot_identifier
from job_orchestra.execution.request import Request
from job_orchestra.execution.run_directory import RunDirectory, write_requests
from job_orchestra.protocol.run_key import RunKey
from job_orchestra.worker.followed_runs import FollowedRun
from tests.executor.hosting import commands


def test_a_request_that_cannot_be_read_for_want_of_descriptors_is_read_later(tmp_path: Path) -> None:
    """Else a run of another boot would pass for one of this, and its log for one without a limit."""
    limits = RunLimits(log_size=1000)
    request = Request(
        "run", 1, "project", "job", commands("true"), {}, Workspace.RUN, limits, "http://localhost", "another"
    )
    write_requests(tmp_path, [request])
    directory = RunDirectory.of(tmp_path, RunKey("run", 1))
    directory.log.write_bytes(b"x" * 5000)
    run = FollowedRun(directory)
    this_boot = boot_identifier()
    most = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (0, most[1]))
        assert run.boot == this_boot
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, most)
    run.look()
    assert (run.boot, run.log_size) == ("another", 1000)
