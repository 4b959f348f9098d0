"""A master that is killed between the steps of a pipeline: each part runs once all the same, and the log is whole."""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
from collections import Counter
from collections.abc import Generator, Sequence
from pathlib import Path

import pytest

from job_orchestra.client.calls import jobs, runs
from job_orchestra.composition.clock import SystemClock
from job_orchestra.composition.databases import open_storage
from job_orchestra.domain.pipelines.narration import lines_of
from job_orchestra.domain.runs import Run
from job_orchestra.domain.statuses import RunStatus
from job_orchestra.fail_points import FailPoint
from job_orchestra.repositories.pipeline_runs import PipelineRuns
from job_orchestra.storage.files import open_log_store
from job_orchestra.storage.log_port import LogKey
from tests.fail_points.applications import DATABASE, Applications, until
from tests.fail_points.scenarios import PROJECT

_PROJECTS = """
from job_orchestra import Element, Job, Parameter, Pipeline, Project

TALLY = Parameter("tally")
def step(identifier, name, **more):
    parameters = {"tally": "{parameters[tally]}", "name": name}
    return Element(identifier, job="step", parameters=parameters, **more)

projects = [
    Project("example", jobs=[
        Job("step", commands=[["sh", "-c", "echo {parameters[name]} >> {parameters[tally]}"]],
            parameters=[TALLY, Parameter("name")], workspace="run"),
        Pipeline("inner", parameters=[TALLY], elements=[
            step("first", "first"),
            step("second", "second", after=["first"]),
        ]),
        Pipeline("all", parameters=[TALLY], elements=[
            step("build", "build"),
            step("each", "each-{item}", after=["build"], for_each=["x", "y"]),
            step("repair", "repair", after=[{"element": "each", "statuses": ["failed"]}]),
            Element("inner", job="inner", after=["each"], parameters={"tally": "{parameters[tally]}"}),
            step("report", "report", after=["inner", {"element": "repair", "statuses": "always"}]),
        ]),
    ]),
]
"""
_PARTS = {"build", "each-x", "each-y", "first", "second", "report"}
_SUCCEEDED = "succeeded: All commands returned 0."
_LINES = {
    "all": [
        "Pipeline example/all, run R",
        *(f"{part}: run R of example/step is triggered" for part in ("build", "each[0]", "each[1]", "report")),
        *(f"{part}: {_SUCCEEDED}" for part in ("build", "each[0]", "each[1]", "report")),
        "repair: skipped: It needs each to end as failed, and that is succeeded.",
        "inner: run R of example/inner is triggered",
        "inner: succeeded: All elements have ended as they should.",
        "succeeded: All elements have ended as they should.",
    ],
    "inner": [
        "Pipeline example/inner, run R",
        *(f"{part}: run R of example/step is triggered" for part in ("first", "second")),
        *(f"{part}: {_SUCCEEDED}" for part in ("first", "second")),
        "succeeded: All elements have ended as they should.",
    ],
}
_CASES = [
    *((FailPoint.MASTER_PIPELINE_STARTED, times) for times in (1, 2)),
    *((FailPoint.MASTER_PART_TRIGGERED, times) for times in (1, 2, 3)),
    *((FailPoint.MASTER_PART_TOLD, times) for times in (1, 2, 3)),
    *((FailPoint.MASTER_PIPELINE_CONCLUDED, times) for times in (1, 2)),
]


@pytest.fixture(scope="module")
def applications(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Generator[Applications]:
    """All but the master are there all the time."""
    applications = Applications(tmp_path_factory.mktemp("pipelines") / "installation", template)
    (applications.installation.directory / "projects.py").write_text(_PROJECTS)
    try:
        applications.start("service")
        applications.start("worker")
        applications.wait_until_ready("service")
        yield applications
        _check_database(applications)
    finally:
        applications.end_all()


@pytest.mark.parametrize(("point", "times"), _CASES, ids=str)
def test_what_a_death_in_a_pipeline_comes_to(
    point: FailPoint, times: int, applications: Applications, tmp_path: Path
) -> None:
    tally = tmp_path / "tally"
    applications.start("master", f"{point}:{times}")
    try:
        applications.wait_until_ready("master")
        client = applications.client
        run = client.send(jobs.trigger(PROJECT, "all", {"tally": str(tally)})).identifier
        until(lambda: applications.has_reached("master", point), "the master dies")
        applications.restart("master")
        until(lambda: RunStatus(client.send(runs.get(PROJECT, run)).status).is_terminal, "the pipeline ends")
        assert Counter(tally.read_text().split()) == Counter(_PARTS)
        asyncio.run(_check_pipelines(applications, run))
    finally:
        applications.end("master")


async def _check_pipelines(applications: Applications, name: str) -> None:
    """The pipeline, and the one that is an element of it, against their journals and what is expected of them."""
    storage = open_storage(f"sqlite:///{applications.installation.directory / DATABASE}")
    log_store = open_log_store(applications.logs)
    try:
        pipeline_runs = PipelineRuns(storage, SystemClock())
        [pipeline] = await pipeline_runs.load([name])
        parts = await pipeline_runs.parts_of(pipeline)
        labels = ["build", "each[0]", "each[1]", "inner", "report"]
        assert sorted(key.label for key in parts) == labels
        [inner] = [run for key, run in parts.items() if key.element == "inner"]
        for run in (pipeline, inner):
            assert run.status is RunStatus.SUCCEEDED
            log = await log_store.read(LogKey(PROJECT, run.identifier, 1), 0, 1 << 20)
            events = await pipeline_runs.events_of(run)
            assert [event.sequence for event in events] == list(range(1, run.journal_sequence + 1))
            assert log == b"".join(lines_of(event, run) for event in events)
            _check_log(run, log.decode().splitlines())
            assert (run.log.size, run.log.sha256) == (len(log), hashlib.sha256(log).hexdigest())
    finally:
        await storage.close()
        await log_store.close()


def _check_log(run: Run, lines: Sequence[str]) -> None:
    """Each event once, whoever told it."""
    texts = [re.sub(r"\brun \w{18}", "run R", line.split(" ", 2)[2]) for line in lines]
    expected = _LINES[run.request.job]
    assert (texts[0], texts[-1]) == (expected[0], expected[-1])
    assert sorted(texts) == sorted(expected)


def _check_database(applications: Applications) -> None:
    done = applications.installation.orchestra("database", "check", "--thorough", "--output", "json")
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(done.stdout)
