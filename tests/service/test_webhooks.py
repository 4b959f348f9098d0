from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import httpx2

from job_orchestra.domain.configuration import parse_projects
from job_orchestra.domain.roles import Role
from tests.integrations.bodies import NOTHING, REVISION, SECRET, content_of, github_headers, github_push
from tests.service.serving import Play, Served

_PATH = "/projects/engine/webhooks/push"
_PARAMETERS = {"revision": "{revision}", "branch": "{branch}", "url": "{payload[repository][clone_url]}"}
PROJECTS: list[dict[str, Any]] = [
    {
        "identifier": "engine",
        "jobs": [
            {
                "identifier": "build",
                "commands": [["true"]],
                "parameters": [
                    {"identifier": "revision", "pattern": "[0-9a-f]{40}"},
                    {"identifier": "branch", "default": ""},
                    {"identifier": "url", "default": ""},
                    {"identifier": "count", "type": "integer", "default": 1},
                ],
            },
            {"identifier": "publish", "commands": [["true"]], "parameters": [{"identifier": "tag"}]},
        ],
        "webhooks": [
            {
                "identifier": "push",
                "provider": "github",
                "secret_environment": "ENGINE_SECRET",
                "triggers": [
                    {"job": "build", "branches": ["main"], "parameters": {**_PARAMETERS, "count": "3"}},
                    {"job": "build", "branches": ["*"], "tags": ["v*"], "parameters": _PARAMETERS},
                    {"job": "publish", "tags": ["v*"], "parameters": {"tag": "{tag}"}},
                ],
            },
            {
                "identifier": "filed",
                "provider": "github",
                "secret_file": "secret.txt",
                "triggers": [{"job": "publish", "branches": ["*"], "parameters": {"tag": "{payload[nothing]}"}}],
            },
        ],
    }
]


async def configure(served: Served) -> None:
    await served.projects.apply(parse_projects(PROJECTS))
    served.environment["ENGINE_SECRET"] = SECRET


async def deliver(
    served: Served, body: object, path: str = _PATH, headers: Mapping[str, str] | None = None
) -> httpx2.Response:
    content = content_of(body)
    return await served.anonymous.post(path, content=content, headers=dict(headers or github_headers(content)))


def test_a_push_triggers_what_the_project_says(play_on_sqlite: Play) -> None:
    async def scenario(served: Served) -> None:
        await configure(served)
        response = await deliver(served, github_push())
        assert response.status_code == 201, response.text
        [delivered] = response.json()["runs"]
        assert (delivered["job"], delivered["is_new"]) == ("build", True)
        run = await served.runs.get("engine", delivered["identifier"])
        assert run.request.parameters == {
            "revision": REVISION,
            "branch": "main",
            "url": "https://github.test/ada/engine.git",
            "count": 3,
        }
        assert (run.source.kind, run.source.identifier) == ("webhook", "push/72d3162e-cc78-11e3-81ab-4c9367dc0958")
        # Of several triggers of a job the first that fits counts; a tag is no branch.
        other = (await deliver(served, github_push("refs/heads/feature/x"))).json()["runs"]
        assert (await served.runs.get("engine", other[0]["identifier"])).request.parameters["count"] == 1
        tag = await deliver(served, github_push("refs/tags/v1.0"))
        assert [one["job"] for one in tag.json()["runs"]] == ["build", "publish"]
        assert tag.json()["message"].startswith("Triggered 2 of 2 runs: ")

    play_on_sqlite(scenario)


def test_a_delivery_that_comes_again_makes_no_second_run(play_on_sqlite: Play) -> None:
    async def scenario(served: Served) -> None:
        await configure(served)
        content = content_of(github_push("refs/tags/v1.0"))
        responses = await asyncio.gather(
            *(
                served.anonymous.post(_PATH, content=content, headers=github_headers(content, delivery=f"d{number}"))
                for number in range(8)
            )
        )
        runs = [[one["identifier"] for one in response.json()["runs"]] for response in responses]
        assert runs == [runs[0]] * 8
        assert {response.status_code for response in responses} <= {200, 201}
        again = await served.anonymous.post(_PATH, content=content, headers=github_headers(content))
        assert again.status_code == 200
        assert again.json()["message"].startswith("This delivery has come before; its runs: ")

    play_on_sqlite(scenario)


def test_what_triggers_nothing_says_why(play_on_sqlite: Play) -> None:
    async def scenario(served: Served) -> None:
        await configure(served)
        for body, event, reason in (
            (github_push("refs/tags/1.0"), "push", "No trigger of webhook engine/push is for refs/tags/1.0."),
            (github_push(after=NOTHING), "push", "refs/heads/main was deleted, which triggers nothing."),
            ({"zen": ""}, "ping", "The webhook works: the signature of GitHub's ping is right."),
            ({}, "issues", "Events of the kind 'issues' trigger nothing; send only pushes."),
        ):
            response = await deliver(served, body, headers=github_headers(content_of(body), event))
            assert (response.status_code, response.json()["message"]) == (202, reason)
        assert not (await served.runs.list()).items

    play_on_sqlite(scenario)


def test_who_does_not_know_the_secret_learns_nothing(play_on_sqlite: Play) -> None:
    async def scenario(served: Served) -> None:
        await configure(served)
        body = github_push()
        unsigned = {**github_headers(content_of(body)), "X-Hub-Signature-256": "sha256=" + "0" * 64}
        answers = [
            await deliver(served, body, headers=unsigned),
            await deliver(served, body, "/projects/engine/webhooks/none"),
            await deliver(served, body, "/projects/none/webhooks/push"),
            # Its secret is nowhere yet, and then an empty file.
            await deliver(served, body, "/projects/engine/webhooks/filed"),
        ]
        (served.directory / "secret.txt").write_text("\n")
        answers.append(await deliver(served, body, "/projects/engine/webhooks/filed"))
        for answer in answers:
            path = "/".join(answer.request.url.path.split("/")[2::2])
            assert answer.status_code == 404
            assert answer.json()["detail"] == f"There is no webhook {path} with the secret that this was sent with."
        await served.projects.apply([])
        assert (await deliver(served, body)).status_code == 404

    play_on_sqlite(scenario)


def test_mistakes_are_told_and_make_no_run(play_on_sqlite: Play) -> None:
    async def scenario(served: Served) -> None:
        await configure(served)
        (served.directory / "secret.txt").write_text(f"{SECRET}\n")
        lacking = await deliver(served, github_push(), "/projects/engine/webhooks/filed")
        assert lacking.status_code == 422
        assert "payload has no 'nothing'" in lacking.json()["detail"]
        short = await deliver(served, github_push("refs/tags/v1", after="abc"))
        assert short.json()["errors"] == [
            {"field": "parameters.revision", "message": "'abc' does not match the pattern [0-9a-f]{40}"}
        ]
        for content in (b"{", b'{"ref": "refs/notes/\\ud800", "after": "1"}', b'{"\\ud800": 1}'):
            nothing = await served.anonymous.post(_PATH, content=content, headers=github_headers(content))
            assert nothing.status_code == 422
            assert nothing.json()["detail"].startswith("the body is not JSON: ")
        large = b"x" * ((8 << 20) + 1)
        assert (await served.anonymous.post(_PATH, content=large, headers={})).status_code == 413
        assert not (await served.runs.list()).items

    play_on_sqlite(scenario)


def test_a_project_shows_its_webhooks_and_no_secret(play_on_sqlite: Play) -> None:
    async def scenario(served: Served) -> None:
        await configure(served)
        viewer = await served.user(Role.VIEWER)
        [first, _] = (await viewer.get("/projects/engine")).json()["webhooks"]
        assert first["url"] == "http://service.test/projects/engine/webhooks/push"
        assert "secret" not in " ".join(first)

    play_on_sqlite(scenario)
