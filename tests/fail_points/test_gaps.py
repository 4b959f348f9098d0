"""Killed between "done" and "said", at every such gap: nothing is lost, nothing happens twice, nothing is left."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from job_orchestra.client.calls import runs
from job_orchestra.execution.run_directory import RUNS, run_name
from job_orchestra.execution.workspace_layout import WORKSPACES, run_workspace
from job_orchestra.fail_points import FailPoint
from tests.fail_points.applications import NAMES, Applications, until
from tests.fail_points.scenarios import CASES, PROJECT, Case, Play

_FIRST_COMMIT_OF_A_RUN = 4
"""Of a master that has started: behind those for projects, its earlier connections, and the worker."""
_PHASES = ("setup", "commands", "teardown")
_IN_TESTS_OF_THEIR_OWN = {
    FailPoint.STORAGE_GATHERED,
    FailPoint.STORAGE_LOG_COMPRESSED,
    FailPoint.STORAGE_LOG_DOUBLED,
    FailPoint.MASTER_DOOR_CLOSED,
    FailPoint.MASTER_ABORT_PASSED_ON,
    FailPoint.MASTER_PIPELINE_STARTED,
    FailPoint.MASTER_PART_TRIGGERED,
    FailPoint.MASTER_PART_TOLD,
    FailPoint.MASTER_PIPELINE_CONCLUDED,
    FailPoint.MASTER_TICK_COMMITTED,
    FailPoint.MASTER_TICK_TRIGGERED,
    FailPoint.MASTER_ROWS_REMOVED,
    FailPoint.MASTER_LOGS_REMOVED,
}


def test_no_fail_point_is_left_out() -> None:
    assert {case.point for case in CASES} | _IN_TESTS_OF_THEIR_OWN == set(FailPoint)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_what_a_death_in_the_gap_comes_to(case: Case, template: Path, tmp_path: Path) -> None:
    with _started(case, template, tmp_path) as play:
        _go_through(play, case, lambda: play.has_died(case))


def test_the_master_dies_before_each_of_its_commits(template: Path, tmp_path: Path) -> None:
    """From the assignment of the run to its end: what is not committed has been said to nobody."""
    times = _FIRST_COMMIT_OF_A_RUN
    while _dies_before_commit(times, template, tmp_path / str(times)):
        times += 1
    assert times > _FIRST_COMMIT_OF_A_RUN + 1


def _dies_before_commit(times: int, template: Path, directory: Path) -> bool:
    case = Case("master", FailPoint.STORAGE_GATHERED, times)
    directory.mkdir()
    with _started(case, template, directory) as play:
        return _go_through(play, case, lambda: play.has_died(case) or play.is_ended)


@contextmanager
def _started(case: Case, template: Path, directory: Path) -> Generator[Play]:
    applications = Applications(directory / "installation", template)
    try:
        for name in NAMES:
            applications.start(name, f"{case.point}:{case.times}" if name == case.application else "")
        for name in NAMES:
            applications.wait_until_ready(name)
        yield Play(applications, directory)
    finally:
        applications.end_all()


def _go_through(play: Play, case: Case, is_over: Callable[[], bool]) -> bool:
    """The death, the next start, the end of the run, and what has to hold then; False if nothing has died."""
    kept: Path | None = None
    with case.scenario(play):
        until(is_over, f"{case.application} dies at {case.point}")
        has_died = play.has_died(case)
        if has_died:
            kept = _keep_logs(play)
            case.meanwhile(play)
            play.applications.restart(case.application)
        identifier = play.trigger_again()
        assert play.identifier in {identifier, ""}
        play.identifier = identifier
    until(lambda: play.is_ended, "the run ends")
    _check_run(play, case)
    _check_log(play, kept, case.outcome[1])
    _check_past_attempts(play)
    _check_remains(play)
    assert play.trigger_again() == play.identifier
    return has_died


def _keep_logs(play: Play) -> Path:
    """Where the worker's logs have other names, which stay when it deletes its own."""
    kept = play.tally.with_name("kept")
    kept.mkdir()
    for log in (play.applications.worker_directory / RUNS).glob("*/log"):
        with suppress(FileNotFoundError):
            os.link(log, kept / log.parent.name)
    return kept


def _check_run(play: Play, case: Case) -> None:
    run = play.run
    assert run.reason is not None
    assert (run.status, run.reason.code) == case.outcome
    started = play.tally.read_text().splitlines()
    attempts = range(1, run.attempt + 1)
    by_attempt = {each: [line for line in started if line.startswith(f"{run.identifier}.{each} ")] for each in attempts}
    assert sum(map(len, by_attempt.values())) == len(started)
    for attempt, lines in by_attempt.items():
        # Each command at most once, in their order.
        assert lines == [f"{run.identifier}.{attempt} {phase}" for phase in _PHASES[: len(lines)]]
    if not case.is_lost:
        assert len(by_attempt[run.attempt]) == (0 if run.status == "cancelled" else len(_PHASES))
    assert run.results in ([{"answer": 42}] if run.status == "succeeded" else [{}, {"answer": 42}])


def _check_log(play: Play, kept: Path | None, code: str) -> None:
    facts = play.run.log
    log = b"".join(play.applications.client.log(PROJECT, play.identifier))
    assert facts.size == len(log)
    if code not in {"worker_lost", "cancel_requested"}:
        assert facts.sha256 == hashlib.sha256(log).hexdigest()
        assert log.count(f"[orchestra] Run {play.run.status} ({code}): ".encode()) == 1
    if kept is not None and (written := kept / run_name(play.key)).exists():
        assert log == written.read_bytes()
    events = play.applications.client.send(runs.events(PROJECT, play.identifier)).items
    events = [event for event in events if event.attempt == play.run.attempt]
    begin = 0
    for event in events:
        if event.kind == "command_started":
            begin = int(str(event.data["log_offset"]))
        elif event.kind == "command_ended":
            output = log[begin : int(str(event.data["log_offset"]))]
            assert output == f"{event.data['phase']}:".encode() + b"\xff\0\r no newline"
    assert [event.sequence for event in events] == list(range(1, len(events) + 1))


def _check_past_attempts(play: Play) -> None:
    """The log of each is as its worker wrote it; of one that was lost, as much as came."""
    past_attempts = play.run.past_attempts
    numbers = [past.attempt for past in past_attempts]
    assert len(set(numbers)) == len(numbers)
    for past in past_attempts:
        log = b"".join(play.applications.client.log(PROJECT, play.identifier, past.attempt))
        assert past.log.size == len(log)
        if past.reason.code != "worker_lost":
            assert past.log.sha256 == hashlib.sha256(log).hexdigest()
            assert log.count(f"[orchestra] Run {past.status} ({past.reason.code}): ".encode()) == 1


def _check_remains(play: Play) -> None:
    """Nothing of the run is left on the worker's host."""
    directory = play.applications.worker_directory
    until(lambda: not any((directory / RUNS).iterdir()), "the worker deletes the run directory")
    assert not run_workspace(directory / WORKSPACES, play.key).exists()
    assert play.processes() == []
