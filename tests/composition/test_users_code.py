"""What users wrote is imported from beside the settings file; faults are told with file and line."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from job_orchestra.composition.base import ApplicationComposition
from job_orchestra.composition.loading import load_composition
from job_orchestra.composition.master import MasterComposition
from job_orchestra.composition.projects import load_projects
from job_orchestra.domain.errors import Invalid
from job_orchestra.settings.reading import load_settings


@pytest.fixture
def directory(tmp_path: Path) -> Iterator[Path]:
    """Beside the settings file; what was imported from it is forgotten afterwards."""
    path, modules = list(sys.path), set(sys.modules)
    yield tmp_path
    sys.path[:] = path
    for name in set(sys.modules) - modules:
        if str(getattr(sys.modules[name], "__file__", "")).startswith(str(tmp_path)):
            del sys.modules[name]


def mistake_of(directory: Path, text: str, module: str = "users_projects:projects") -> str:
    (directory / "users_projects.py").write_text(text)
    with pytest.raises(Invalid) as caught:
        load_projects(module, directory)
    return str(caught.value)


def test_projects_are_read(directory: Path) -> None:
    (directory / "helping.py").write_text("from job_orchestra import Job\njob = Job('a', commands=[['true']])\n")
    text = "from helping import job\nfrom job_orchestra import Project\nprojects = [Project('p', jobs=[job])]\n"
    (directory / "users_projects.py").write_text(text)
    (project,) = load_projects("users_projects:projects", directory)
    assert [job.identifier for job in project.jobs] == ["a"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("projects = [\n", "users_projects.py:1: SyntaxError: '[' was never closed"),
        ("import os\nprojects = nothing\n", "users_projects.py:2: NameError: name 'nothing' is not defined"),
        ("import sys\nsys.exit('bye')\n", "users_projects.py:2: SystemExit: bye"),
        ("import nothing_there\n", "users_projects.py:1: ModuleNotFoundError: No module named 'nothing_there'"),
        ("import json\n\njson.loads('x')\n", "users_projects.py:3: JSONDecodeError: Expecting value"),
        (
            "x = 1\n",
            "[projects] module: 'users_projects:projects' cannot be found: module users_projects has no projects",
        ),
        (
            "from job_orchestra import Project\n\nprojects = [Project('p', jbs=[])]\n",
            "users_projects.py:3: project p, jbs: is unknown; did you mean jobs?",
        ),
        ("projects = [{'identifier': 'p', 'jbs': []}]\n", "project p, jbs: is unknown; did you mean jobs?"),
    ],
)
def test_a_fault_names_file_and_line(text: str, expected: str, directory: Path) -> None:
    assert mistake_of(directory, text).startswith(expected)


def test_a_module_that_is_missing(directory: Path) -> None:
    mistake = mistake_of(directory, "", "nothing_there.at_all:projects")
    assert mistake.startswith("[projects] module: there is no module 'nothing_there'")
    assert str(directory) in mistake


def test_users_replace_parts_of_a_composition(directory: Path) -> None:
    (directory / "our_master.py").write_text(
        "from functools import cached_property\n"
        "from job_orchestra.composition.master import MasterComposition\n"
        "from job_orchestra.domain.placement import WorkerSelector\n"
        "class OurSelector(WorkerSelector): pass\n"
        "class OurMaster(MasterComposition):\n"
        "    @cached_property\n"
        "    def worker_selector(self): return OurSelector()\n"
        "Other = dict\n"
    )
    file = directory / "orchestra.toml"
    file.write_text('[master]\ncomposition = "our_master:OurMaster"\n[worker]\ncomposition = "our_master:Other"\n')
    settings = load_settings(file, {})
    composition = load_composition("master", MasterComposition, settings)
    assert type(composition.worker_selector).__name__ == "OurSelector"
    assert composition.worker_selector is composition.worker_selector
    with pytest.raises(Invalid, match=r"\[worker\] composition: 'our_master:Other' is no subclass of .*Composition"):
        load_composition("worker", ApplicationComposition, settings)


def test_parts_that_were_built_are_closed_in_the_end(directory: Path) -> None:
    closed: list[str] = []

    async def use() -> None:
        async with ApplicationComposition(load_settings(directory / "orchestra.toml", {})) as composition:
            for name in ("first", "second"):

                async def close(name: str = name) -> None:
                    closed.append(name)

                composition.close_with(close)

    asyncio.run(use())
    assert closed == ["second", "first"]
