"""What `orchestra config check` looks at, by what the settings name."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from job_orchestra.cli.installation_check import check_host, check_installation
from job_orchestra.domain.errors import Invalid

NO_PROJECTS = "orchestra.toml is in order: it has neither [master] nor [projects], so no projects are looked for."
ONE_PROJECT = "orchestra.toml is in order: 1 project, 0 jobs, 0 schedules."


@pytest.fixture
def directory(tmp_path: Path) -> Iterator[Path]:
    """Of an installation; what is imported from it is forgotten afterwards."""
    path, modules = list(sys.path), set(sys.modules)
    yield tmp_path
    sys.path[:] = path
    for name in set(sys.modules) - modules:
        if str(getattr(sys.modules[name], "__file__", "")).startswith(str(tmp_path)):
            del sys.modules[name]


def settings_of(directory: Path, text: str) -> Path:
    file = directory / "orchestra.toml"
    file.write_text(text)
    return file


@pytest.mark.parametrize("text", ["[worker]", "[website]\nport = 1", "[service]\n[logging]", "[database]\n[worker]"])
def test_a_host_without_a_master_needs_no_projects(text: str, directory: Path) -> None:
    file = settings_of(directory, text)
    assert check_host(file, {}) == NO_PROJECTS
    with pytest.raises(Invalid, match="there is no module 'projects'"):
        check_installation(file, {})


@pytest.mark.parametrize("text", ["", "[master]\n[worker]", "[projects]\n[worker]", "[logging]"])
def test_a_host_that_may_have_a_master_needs_projects(text: str, directory: Path) -> None:
    with pytest.raises(Invalid, match="there is no module 'projects'"):
        check_host(settings_of(directory, text), {})


def test_the_environment_names_applications_too(directory: Path) -> None:
    file = settings_of(directory, "")
    assert check_host(file, {"ORCHESTRA_WORKER_USER": "ada"}) == NO_PROJECTS
    with pytest.raises(Invalid):
        check_host(file, {"ORCHESTRA_WORKER_USER": "ada", "ORCHESTRA_MASTER_PORT": "1"})


def test_projects_that_are_there_are_checked_anywhere(directory: Path) -> None:
    file = settings_of(directory, "[worker]")
    (directory / "projects.py").write_text("from job_orchestra import Project\nprojects = [Project('p')]\n")
    assert check_host(file, {}) == ONE_PROJECT


def test_their_mistakes_are_told_anywhere(directory: Path) -> None:
    file = settings_of(directory, "[worker]")
    (directory / "projects.py").write_text("projects = 3\n")
    with pytest.raises(Invalid, match="expected a list of projects"):
        check_host(file, {})


def test_settings_that_cannot_be_read_hide_nothing_and_ask_for_nothing(directory: Path) -> None:
    file = settings_of(directory, "[worker]\nuser = ")
    with pytest.raises(Invalid) as raised:
        check_host(file, {})
    assert len(raised.value.mistakes) == 1
    (directory / "projects.py").write_text("projects = 3\n")
    with pytest.raises(Invalid) as raised:
        check_host(file, {})
    assert len(raised.value.mistakes) == 2


def test_what_is_wrong_with_the_website_is_told_too(directory: Path) -> None:
    (directory / "templates").mkdir()
    (directory / "templates" / "run.html").write_text('{% extends "ours/rn.html" %}')
    text = '[website]\nport = 0\nlogo = "a.svg"\ntemplate_directories = ["templates"]\nstatic_directories = ["static"]'
    with pytest.raises(Invalid) as caught:
        check_host(settings_of(directory, text), {})
    assert [str(mistake) for mistake in caught.value.mistakes] == [
        f"[website] static_directories: {directory}/static is no directory",
        f"{directory}/templates/run.html: there is no template 'ours/rn.html'; did you mean ours/run.html?",
        "[website] logo: there is no file 'a.svg' in [website] static_directories",
    ]
