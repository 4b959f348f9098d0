"""Projects that are read in a process of their own, as a running master does it."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from job_orchestra.composition.configuration_process import read_projects_anew
from job_orchestra.domain.errors import Invalid

_PROJECTS = """
from helping import jobs
from job_orchestra import Project
print("not a part of the answer")
projects = [Project("p", jobs=jobs)]
"""


def test_each_time_everything_is_read_anew(tmp_path: Path) -> None:
    (tmp_path / "projects.py").write_text(_PROJECTS)
    for name in ("a", "b"):
        text = f"from job_orchestra import Job\njobs = [Job({name!r}, commands=[['true']])]"
        (tmp_path / "helping.py").write_text(text)
        [project] = asyncio.run(read_projects_anew(tmp_path / "orchestra.toml"))
        assert [job.identifier for job in project.jobs] == [name]


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        ("projects = [{'identifier': 'p', 'jobs': 3}]", "project p, jobs: expected a list of jobs, got 3"),
        ("import os\nos._exit(7)", r"\[projects\] module: the process that reads it ended with exit code 7: "),
        ("1 / 0", r"projects.py:1: ZeroDivisionError: division by zero"),
    ],
)
def test_what_is_wrong_is_told(tmp_path: Path, text: str, mistake: str) -> None:
    (tmp_path / "projects.py").write_text(text)
    with pytest.raises(Invalid, match=mistake):
        asyncio.run(read_projects_anew(tmp_path / "orchestra.toml"))
