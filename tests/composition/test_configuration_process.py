"""Projects that are read in a process of their own, as a running master does it."""

from __future__ import annotations

import asyncio
import os
import signal
import tracemalloc
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
        ("import os\nos._exit(8)", r"ended with exit code 8: without a word"),
        ("1 / 0", r"projects.py:1: ZeroDivisionError: division by zero"),
        (r"raise ValueError('\ud800')", r"projects.py:1: ValueError: \?"),
    ],
)
def test_what_is_wrong_is_told(tmp_path: Path, text: str, mistake: str) -> None:
    (tmp_path / "projects.py").write_text(text)
    with pytest.raises(Invalid, match=mistake):
        asyncio.run(read_projects_anew(tmp_path / "orchestra.toml"))


def test_of_what_modules_print_only_the_end_is_kept(tmp_path: Path) -> None:
    """All of it might be more than the master has memory."""
    (tmp_path / "projects.py").write_text(
        "import os\nfor _ in range(64):\n    print('x' * (1 << 20))\nprint('the end', flush=True)\nos._exit(7)"
    )
    tracemalloc.start()
    with pytest.raises(Invalid, match=r"(?s)exit code 7: x.*the end") as raised:
        asyncio.run(read_projects_anew(tmp_path / "orchestra.toml"))
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 16 << 20
    assert len(str(raised.value)) < 3000


def test_what_modules_leave_behind_is_not_waited_for(tmp_path: Path) -> None:
    (tmp_path / "projects.py").write_text(
        "import subprocess\nleft = subprocess.Popen(['sleep', '600'])\nfrom pathlib import Path\n"
        "Path(__file__).with_name('left').write_text(str(left.pid))\nprojects = []"
    )
    assert asyncio.run(read_projects_anew(tmp_path / "orchestra.toml")) == ()
    os.kill(int((tmp_path / "left").read_text()), signal.SIGKILL)
