"""What the service tells of the repositories of projects, whatever state these are in."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from job_orchestra.domain.configuration import parse_projects
from job_orchestra.domain.json import JsonObject
from job_orchestra.domain.reasons import Reason, ReasonCode
from job_orchestra.domain.revisions import Revision
from job_orchestra.domain.roles import Role
from job_orchestra.domain.runs import Run
from job_orchestra.domain.statuses import RunStatus
from job_orchestra.repositories.result_index import ResultIndex
from job_orchestra.repositories.revision_runs import REVISION_KEY, RevisionRuns
from job_orchestra.repositories.run_progress import RunProgress
from job_orchestra.service.answers.repositories import revision_answer
from job_orchestra.storage.port import Find, Row
from job_orchestra.storage.schema import RUNS
from tests.git_source import GitSource
from tests.integrations.bodies import SECRET, content_of, github_headers, github_push
from tests.integrations.repository_host import RepositoryHost, hosting
from tests.repositories.records import USER, request_of
from tests.service.serving import DEADLINE, Play, Served

_DONE = Reason(ReasonCode.COMPLETED, "All commands succeeded.")
_LONGEST_ANSWER = 6.0
"""Seconds: the service waits for at most two, the rest is for a busy machine."""


@pytest.fixture
def source(tmp_path: Path) -> GitSource:
    return GitSource(tmp_path / "source")


@pytest.fixture
def host(source: GitSource) -> Iterator[RepositoryHost]:
    with hosting(source) as host:
        yield host


async def configure(served: Served, repository: object, **more: object) -> None:
    jobs = [{"identifier": name, "commands": [["true"]]} for name in ("build", "check")]
    project = {"identifier": "engine", "jobs": jobs, "repository": repository, **more}
    await served.projects.apply(parse_projects([project, {"identifier": "other", "jobs": jobs}]))


async def made(served: Served, job: str, results: JsonObject, project: str = "engine") -> Run:
    """A run with results, as a master saves it."""
    run = await served.trigger(job, project)
    after = replace(
        run, results=results, journal_sequence=1, status=RunStatus.SUCCEEDED, reason=_DONE, ended_at=served.clock.now()
    )
    await progress(served, run, after)
    return after


async def progress(served: Served, run: Run, after: Run) -> None:
    index = ResultIndex(served.storage, served.clock, (REVISION_KEY,))
    assert await RunProgress(served.storage, served.clock, index).save(run, after, [])


def of(revision: object) -> JsonObject:
    return {"revision_control": {"revision": revision, "branch": "main"}}  # type: ignore[dict-item]


async def until(served: Served, client: Any, path: str, condition: Callable[[Any], bool]) -> Any:
    async with asyncio.timeout(DEADLINE):
        while not condition(answer := (await client.get(path)).json()):
            pass
    return answer


def test_status_is_revisions_by_jobs(play: Play, source: GitSource) -> None:
    first, second = source.commit("First"), source.commit("Second")

    async def scenario(served: Served) -> None:
        client = await served.user(Role.VIEWER)
        await configure(served, str(source.path))
        old = await made(served, "build", of(first))
        new = await made(served, "build", of(first))
        check = await made(served, "check", of(first))
        await made(served, "build", of(second), project="other")
        nonsense: tuple[JsonObject, ...] = (of(None), of(3), of({"a": 1}), {"revision_control": second}, {})
        for results in nonsense:
            await made(served, "check", results)
        waiting = replace(request_of("engine", "check"), parameters={"revision": second})
        served.clock.advance(1)
        pending = (await served.runs.trigger(waiting, USER)).run
        answer = (await client.get("/projects/engine/status")).json()
        assert answer["branch"] == "main"
        assert answer["jobs"] == ["build", "check"]
        assert answer["next"] is None
        assert answer["knowledge"]["failure"] is None
        newest, oldest = answer["items"]
        assert [newest["revision"]["identifier"], oldest["revision"]["identifier"]] == [second, first]
        assert newest["revision"]["title"] == "Second"
        assert newest["revision"]["date"] == "2023-11-14T22:15:20.000Z"
        assert {job: one["last"]["identifier"] for job, one in newest["jobs"].items()} == {"check": pending.identifier}
        assert {job: one["last"]["identifier"] for job, one in oldest["jobs"].items()} == {
            "build": new.identifier,
            "check": check.identifier,
        }
        assert oldest["jobs"]["build"]["count"] == {"number": 2, "is_exact": True}
        assert oldest["is_complete"] is True
        assert old.identifier < new.identifier

    play(scenario)


def test_revisions_may_have_any_date(play_on_sqlite: Play, host: RepositoryHost) -> None:
    host.source.commit("First")
    host.source.commit_dated("Second", "99999999999999999 +0000")
    commit = {"id": "a" * 40, "title": "Third", "author_name": "Example", "committed_date": "0001-01-01T00:00:00+02:00"}
    host.manners.content = json.dumps([commit]).encode()

    async def scenario(served: Served) -> None:
        client = await served.user(Role.VIEWER)
        await configure(served, str(host.source.path))
        answer = (await client.get("/projects/engine/status")).json()
        assert answer["knowledge"]["failure"] is None
        assert answer["items"][0]["revision"]["date"] == "9998-12-31T23:59:59.000Z"
        await configure(served, {"type": "gitlab", "url": host.page, "branch": "main"})
        answer = (await client.get("/projects/engine/status")).json()
        assert [one["revision"]["date"] for one in answer["items"]] == ["1970-01-01T00:00:00.000Z"]

    play_on_sqlite(scenario)


def test_dates_of_a_client_of_ones_own_are_bounded() -> None:
    odd = datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=2)))
    assert revision_answer(Revision("a" * 40, odd, "Example", "Odd")).date == "1970-01-01T00:00:00.000Z"


def test_what_is_looked_at_is_bounded(play: Play, source: GitSource) -> None:
    first, second = source.commit("First"), source.commit("Second")

    async def scenario(served: Served) -> None:
        await configure(served, str(source.path))
        runs = [await made(served, "build", of(first)) for _ in range(5)]
        await made(served, "check", of(second))
        found = await RevisionRuns(served.storage, most_of_one=3).find("engine", [first, second, "0" * 40])
        assert [run.identifier for run in found[first].runs] == [run.identifier for run in reversed(runs[2:])]
        assert [one.is_complete for one in found.values()] == [False, True, True]
        few = await RevisionRuns(served.storage, most=2).find("engine", [first, second])
        assert [(len(one.runs), one.is_complete) for one in few.values()] == [(1, False), (1, True)]

    play(scenario)


def test_large_results_are_read_few_at_a_time_and_not_kept(
    play_on_sqlite: Play, source: GitSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = source.commit("First"), source.commit("Second")
    large: JsonObject = {"text": "x" * 600_000}

    async def scenario(served: Served) -> None:
        await configure(served, str(source.path))
        for number in range(40):
            await made(served, "build", of((first, second)[number % 2]) | large)
        real, sizes = served.storage.find, list[int]()

        async def find(query: Find) -> list[Row]:
            rows = await real(query)
            if query.collection == RUNS.name:
                sizes.append(sum(len(str(row["results"])) for row in rows))
            return rows

        monkeypatch.setattr(served.storage, "find", find)
        whole = await RevisionRuns(served.storage).find("engine", [first, second])
        assert [(len(one.runs), one.is_complete) for one in whole.values()] == [(20, True), (20, True)]
        assert all(run.results == {} for one in whole.values() for run in one.runs)
        assert max(sizes) < 3_000_000
        part = await RevisionRuns(served.storage, most_bytes=6_000_000).find("engine", [first, second])
        assert {one.is_complete for one in part.values()} == {False}
        # As much of each, and the newest.
        for revision in (first, second):
            assert 4 <= len(part[revision].runs) <= 8
            assert part[revision].runs == whole[revision].runs[: len(part[revision].runs)]

    play_on_sqlite(scenario)


def test_large_results_of_runs_that_have_not_ended(play_on_sqlite: Play, source: GitSource) -> None:
    first = source.commit("First")

    async def scenario(served: Served) -> None:
        await configure(served, str(source.path))
        for _ in range(30):
            run = await served.trigger("check", "engine")
            await progress(served, run, replace(run, results=of(first) | {"text": "x" * 10_000}, journal_sequence=1))
        whole = await RevisionRuns(served.storage).find("engine", [first])
        assert (len(whole[first].runs), whole[first].is_complete) == (30, True)
        part = await RevisionRuns(served.storage, most_bytes=50_000).find("engine", [first])
        assert part[first].is_complete is False
        assert 10 <= len(part[first].runs) < 30  # of those that the index names as many again

    play_on_sqlite(scenario)


def test_branches_revisions_and_pages(play_on_sqlite: Play, source: GitSource) -> None:
    for number in range(5):
        source.commit(f"Number {number}")
    source.branch("a/topic")
    source.commit("Topic")
    source.switch("main")

    async def scenario(served: Served) -> None:
        client = await served.user(Role.VIEWER)
        await configure(served, {"url": str(source.path)})
        repository = (await client.get("/projects/engine/repository")).json()
        assert (repository["type"], repository["branch"], repository["page"]) == ("git", "main", None)
        branches = (await client.get("/projects/engine/branches?limit=1")).json()
        assert ([one["name"] for one in branches["items"]], branches["next"]) == (["a/topic"], "/a/topic")
        rest = (await client.get("/projects/engine/branches", params={"cursor": branches["next"]})).json()
        assert [(one["name"], one["is_default"]) for one in rest["items"]] == [("main", True)]
        assert rest["next"] is None
        topic = (await client.get("/projects/engine/revisions?branch=a/topic&limit=1")).json()
        assert [one["title"] for one in topic["items"]] == ["Topic"]
        page = (await client.get("/projects/engine/status?limit=2")).json()
        titles = [one["revision"]["title"] for one in page["items"]]
        while page["next"]:
            page = (await client.get("/projects/engine/status", params={"limit": 2, "cursor": page["next"]})).json()
            titles += [one["revision"]["title"] for one in page["items"]]
        assert titles == [f"Number {number}" for number in range(4, -1, -1)]

    play_on_sqlite(scenario)


def test_what_cannot_be_asked_for(play_on_sqlite: Play, host: RepositoryHost) -> None:
    host.source.commit("First")

    async def scenario(served: Served) -> None:
        client = await served.user(Role.VIEWER)
        await configure(served, {"type": "github", "url": host.page})
        for path in ("repository", "branches", "revisions", "status"):
            for project in ("other", "nothing"):
                response = await client.get(f"/projects/{project}/{path}")
                assert response.status_code == 404, path
        assert "names no repository" in (await client.get("/projects/other/status")).json()["detail"]
        assert (await client.get("/projects/engine/status")).status_code == 200
        asked = len(host.questions)
        response = await client.get("/projects/engine/status?branch=nothing")
        assert (response.status_code, len(host.questions)) == (404, asked)
        response = await client.get("/projects/engine/status?branch=-x&limit=51&cursor=x")
        assert (response.status_code, len(response.json()["errors"])) == (422, 3)
        gone = (await client.get(f"/projects/engine/revisions?cursor={'0' * 40}:20")).json()
        assert gone["status"] == 404

    play_on_sqlite(scenario)


def test_a_host_that_never_answers_keeps_nobody_waiting(play_on_sqlite: Play, host: RepositoryHost) -> None:
    host.source.commit("First")
    host.manners.is_silent = True

    async def scenario(served: Served) -> None:
        client = await served.user(Role.VIEWER)
        for kind in ("github", "gitlab", "forgejo", "git"):
            await configure(served, {"type": kind, "url": host.page})
            for path in ("repository", "branches", "revisions", "status"):
                started_at = time.monotonic()
                answer = (await client.get(f"/projects/engine/{path}")).json()
                assert time.monotonic() - started_at < _LONGEST_ANSWER, (kind, path)
                assert answer["knowledge"]["is_fetching"] is True
                assert answer["knowledge"]["fetched_at"] is None
                assert answer.get("items", []) == []

    play_on_sqlite(scenario)


def test_a_host_that_fails_is_told_of_and_left_alone(play_on_sqlite: Play, host: RepositoryHost) -> None:
    host.source.commit("First")
    host.manners.status = 500

    async def scenario(served: Served) -> None:
        client = await served.user(Role.VIEWER)
        await configure(served, {"type": "github", "url": host.page, "branch": "main"})
        for _ in range(3):
            answer = (await client.get("/projects/engine/status")).json()
            assert "status 500" in answer["knowledge"]["failure"]
            assert answer["knowledge"]["failed_at"] == "2026-11-23T10:00:00.123Z"
            assert (answer["branch"], answer["items"]) == ("main", [])
        assert len(host.questions) == 1

    play_on_sqlite(scenario)


def test_a_repository_that_needs_a_token_is_told_of(play_on_sqlite: Play, host: RepositoryHost) -> None:
    host.source.commit("First")
    host.manners.token, host.manners.is_discreet = "s3cret", True

    async def scenario(served: Served) -> None:
        client = await served.user(Role.VIEWER)
        for kind in ("github", "gitlab", "forgejo"):
            await configure(served, {"type": kind, "url": host.page, "branch": "main"})
            answer = (await client.get("/projects/engine/status")).json()
            assert "needs a token" in answer["knowledge"]["failure"], kind
            assert (answer["branch"], answer["items"]) == ("main", [])
        await configure(served, {"type": "github", "url": host.page, "branch": "main", "token_environment": "TOKEN"})
        served.environment["TOKEN"] = "s3cret"
        assert len((await client.get("/projects/engine/status")).json()["items"]) == 1
        await configure(served, {"type": "github", "url": host.page, "branch": "no", "token_environment": "TOKEN"})
        missing = await client.get("/projects/engine/status")
        assert (missing.status_code, missing.json()["detail"]) == (404, "There is no branch 'no'.")

    play_on_sqlite(scenario)


def test_what_was_known_stays_known(play_on_sqlite: Play, host: RepositoryHost) -> None:
    host.source.commit("First")
    webhook = {
        "identifier": "push",
        "provider": "github",
        "secret_environment": "ENGINE_SECRET",
        "triggers": [{"job": "build", "branches": ["nothing"]}],
    }

    async def scenario(served: Served) -> None:
        client = await served.user(Role.VIEWER)
        served.environment["ENGINE_SECRET"] = SECRET
        await configure(served, {"type": "github", "url": host.page}, webhooks=[webhook])
        path = "/projects/engine/status"
        titles = [one["revision"]["title"] for one in (await client.get(path)).json()["items"]]
        assert titles == ["First"]
        asked = len(host.questions)
        assert len((await client.get(path)).json()["items"]) == 1
        assert len(host.questions) == asked  # it is fresh enough
        host.source.commit("Second")
        await pushed(served)  # so that it is not any more
        answer = await until(served, client, path, lambda answer: len(answer["items"]) == 2)
        assert answer["knowledge"]["failure"] is None
        host.manners.status = 503
        served.clock.advance(100)
        await pushed(served)
        answer = await until(served, client, path, lambda answer: answer["knowledge"]["failure"] is not None)
        assert len(answer["items"]) == 2
        assert answer["knowledge"]["age"] == 100
        assert answer["knowledge"]["fetched_at"] < answer["knowledge"]["failed_at"]

    async def pushed(served: Served) -> None:
        content = content_of(github_push())
        path = "/projects/engine/webhooks/push"
        assert (await served.anonymous.post(path, content=content, headers=github_headers(content))).status_code == 202

    play_on_sqlite(scenario)


def test_tokens_are_where_the_project_says(play_on_sqlite: Play, host: RepositoryHost) -> None:
    host.source.commit("First")
    host.manners.token = "s3cret"

    async def scenario(served: Served) -> None:
        client = await served.user(Role.VIEWER)

        async def failure(**where: str) -> str | None:
            # Each of them is another repository to the service, which leaves alone one that failed.
            await configure(served, {"type": "gitlab", "url": host.page, **where})
            answer = (await client.get("/projects/engine/repository")).json()
            assert "s3cret" not in str(answer)
            told: str | None = answer["knowledge"]["failure"]
            return told

        assert "needs a token" in str(await failure())
        assert "UNSET is not in the environment" in str(await failure(token_environment="UNSET"))
        assert "missing.txt: No such file" in str(await failure(token_file="missing.txt"))
        served.environment |= {"WRONG": "other", "ODD": "a b", "RIGHT": "s3cret"}
        assert "is not allowed" in str(await failure(token_environment="WRONG"))
        assert "characters that no token has" in str(await failure(token_environment="ODD"))
        assert await failure(token_environment="RIGHT") is None
        (served.directory / "token.txt").write_text("s3cret\n")
        assert await failure(token_file="token.txt") is None
        project = (await client.get("/projects/engine")).json()
        assert project["repository"] == {"type": "gitlab", "url": host.page, "branch": None}

    play_on_sqlite(scenario)


def test_a_type_without_a_client_is_told(play_on_sqlite: Play) -> None:
    async def scenario(served: Served) -> None:
        client = await served.user(Role.VIEWER)
        await configure(served, {"type": "fossil", "place": "/srv/engine"})
        answer = (await client.get("/projects/engine/status")).json()
        assert "no repositories of the type 'fossil'" in answer["knowledge"]["failure"]

    play_on_sqlite(scenario)
