"""The page with the status of a project by revision: of a repository that is there, slow, failing, or gone."""

from __future__ import annotations

import gzip
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from job_orchestra.domain.configuration import parse_projects
from job_orchestra.domain.json import JsonObject
from job_orchestra.domain.reasons import Reason, ReasonCode
from job_orchestra.domain.runs import Run, Source, SourceKind
from job_orchestra.domain.statuses import RunStatus
from job_orchestra.domain.triggering import request_of
from job_orchestra.repositories.result_index import ResultIndex
from job_orchestra.repositories.revision_runs import REVISION_KEY
from job_orchestra.repositories.run_progress import RunProgress
from tests.git_source import GitSource
from tests.integrations.repository_host import RepositoryHost, hosting
from tests.website.examples import PROJECTS, Examples
from tests.website.installation import Installation
from tests.website.visitor import Visitor

_JOBS = [{"identifier": name, "commands": [["true"]]} for name in ("build", "check")]
_PATIENCE = 30.0


@pytest.fixture
def source(tmp_path: Path) -> GitSource:
    return GitSource(tmp_path / "source")


@pytest.fixture
def host(source: GitSource) -> Iterator[RepositoryHost]:
    with hosting(source) as host:
        yield host


@pytest.fixture
def viewer(examples: Examples, visitors: Callable[[str | None], Visitor]) -> Visitor:
    return visitors("viewer")


def configure(installation: Installation, identifier: str, repository: object) -> str:
    """The address of its page."""
    project: Any = {"identifier": identifier, "jobs": _JOBS, "repository": repository}
    installation.call(installation.projects.apply(parse_projects([*PROJECTS, project])))
    return f"/projects/{identifier}/status"


async def _ended(installation: Installation, project: str, job: str, status: RunStatus, results: JsonObject) -> Run:
    found = await installation.jobs.get(project, job)
    source = Source(SourceKind.USER, "operator")
    run = (await installation.runs.trigger(request_of(found, {}), source)).run
    index = ResultIndex(installation.storage, installation.clock, (REVISION_KEY,))
    reason = Reason(ReasonCode.COMPLETED, "It ended.")
    after = replace(run, status=status, reason=reason, ended_at=installation.clock.now(), results=results)
    assert await RunProgress(installation.storage, installation.clock, index).save(run, after, [])
    return after


def test_the_page_is_revisions_by_jobs(installation: Installation, viewer: Visitor, source: GitSource) -> None:
    first = source.commit("<b>First</b>")
    second = source.commit("Second")
    source.branch("a&b/topic")
    source.commit("Topic")
    source.switch("main")
    path = configure(installation, "engine", str(source.path))

    def run(job: str, status: RunStatus, control: JsonObject) -> Run:
        return installation.call(_ended(installation, "engine", job, status, {"revision_control": control}))

    run("build", RunStatus.FAILED, {"revision": first})
    build = run("build", RunStatus.SUCCEEDED, {"revision": first, "branch": "main", "url": "https://host.test/1"})
    check = run("check", RunStatus.FAILED, {"revision": second, "branch": "main", "url": "javascript:alert(1)"})
    page = viewer.get(path).text
    assert '<h2 id="revisions">Revisions of main</h2>' in page
    rows = re.findall(r'<tr>\s*<th scope="row".*?</tr>', page, re.DOTALL)
    assert [re.search(r"Second|First", row) is not None for row in rows] == [True, True]
    assert (
        f'<a href="/projects/engine/runs/{check.identifier}"><span class="status failed">failed</span></a>' in rows[0]
    )
    assert f'<a href="/projects/engine/runs/{build.identifier}">' in rows[1]
    assert ">2 runs<" in rows[1]
    [others] = re.findall(r'class="quiet" href="([^"]*where[^"]*)"', rows[1])
    assert build.identifier in viewer.get(others.replace("&amp;", "&")).text
    assert "&lt;b&gt;First&lt;/b&gt;" in page
    assert "<b>First" not in page
    assert '<option value="a&amp;b/topic">' in page
    assert '<option selected value="main">' in page
    topic = viewer.get(path, params={"branch": "a&b/topic"}).text
    assert "Revisions of a&amp;b/topic" in topic
    assert "Topic" in topic
    assert f'href="{path}"' in viewer.get("/projects/engine").text
    told = viewer.get(f"/projects/engine/runs/{build.identifier}").text
    assert f'<a href="https://host.test/1" rel="nofollow noopener noreferrer">{first[:10]}</a>' in told
    assert f'of <a href="{path}?branch=main">main</a>' in told
    assert 'href="javascript' not in viewer.get(f"/projects/engine/runs/{check.identifier}").text


def test_older_revisions_are_on_other_pages(installation: Installation, viewer: Visitor, source: GitSource) -> None:
    for number in range(45):
        source.commit(f"Number {number:03}")
    path = configure(installation, "long", {"url": str(source.path), "branch": "main"})
    seen: list[str] = []
    address: str | None = path
    while address is not None:
        page = viewer.get(address).text
        seen += re.findall(r"Number (\d+)", page)
        older = re.search(r'href="([^"]+)" rel="next"', page)
        address = None if older is None else older[1].replace("&amp;", "&")
    assert seen == [f"{number:03}" for number in range(44, -1, -1)]


def test_a_page_with_many_jobs_and_branches_is_small(
    installation: Installation, viewer: Visitor, source: GitSource
) -> None:
    revision = ""
    for number in range(20):
        revision = source.commit(f"A change of the {number}th kind, with a title of usual length")
    lines = "".join(f"create refs/heads/feature/topic-{number:04} {revision}\n" for number in range(300))
    source.git("update-ref", "--stdin", given=lines.encode())
    path = configure(installation, "wide", {"url": str(source.path)})
    page = viewer.get(path)
    sheet = re.findall(r'<link rel="stylesheet" href="([^"]+)">', page.text)[0]
    assert "<datalist" in page.text
    assert len(gzip.compress(page.content)) + len(gzip.compress(viewer.get(sheet).content)) < 14 * 1024


def test_a_host_that_never_answers_delays_no_page(
    installation: Installation, viewer: Visitor, host: RepositoryHost
) -> None:
    host.source.commit("First")
    host.manners.is_silent = True
    path = configure(installation, "silent", {"type": "github", "url": host.page})
    started_at = time.monotonic()
    response = viewer.get(path)
    assert time.monotonic() - started_at < 6  # of which the service waits two seconds
    assert response.status_code == 200
    assert "is being asked" in response.text
    assert response.headers["Refresh"] == "2"


def test_a_failure_is_told_and_heals(installation: Installation, viewer: Visitor, host: RepositoryHost) -> None:
    host.source.commit("First")
    host.manners.status, host.manners.headers = 429, {"Retry-After": "1"}
    path = configure(installation, "failing", {"type": "gitlab", "url": host.page})
    response = viewer.get(path)
    page = response.text
    assert response.headers["Refresh"] == "10"
    assert "could not be asked" in page
    assert "allows no more questions for now" in page
    assert "Nothing of it is known yet" in page
    host.manners.status = 200
    deadline = time.monotonic() + _PATIENCE
    while "Revisions of main" not in page:
        assert time.monotonic() < deadline
        page = viewer.get(path).text
    assert "could not be asked" not in page
    assert f'<a href="{host.page}/-/commit/' in page


def test_what_there_is_not(installation: Installation, viewer: Visitor, source: GitSource) -> None:
    empty = configure(installation, "empty", str(source.path))
    assert "The repository has no branches." in viewer.get(empty).text
    source.commit("First")
    path = configure(installation, "engine2", str(source.path))
    assert viewer.get(path, params={"branch": "nothing"}).status_code == 404
    assert viewer.get(path, params={"branch": "-x"}).status_code == 422
    assert viewer.get("/projects/example/status").status_code == 404
    assert "Status by revision" not in viewer.get("/projects/example").text
