"""Bad input: every route answers it with a problem document that names what is wrong."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest

from job_orchestra.domain.roles import Role
from job_orchestra.service.bodies import MOST_BYTES
from job_orchestra.service.routes import ROUTES
from tests.service.serving import DEADLINE, Play, Served


def _errors(response: httpx2.Response, status: int = 422) -> dict[str, str]:
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    problem: dict[str, Any] = response.json()
    assert problem["status"] == status
    assert problem["type"] == "about:blank"
    assert problem["title"]
    assert problem["detail"] or status == 422
    return {error["field"]: error["message"] for error in problem["errors"]}


def _path(path: str) -> str:
    for name in ("project", "job", "run", "schedule", "worker", "user", "token"):
        path = path.replace(f"{{{name}}}", "nope")
    return path


def test_every_body_is_refused_when_it_is_none_of_its_kind(play_on_sqlite: Play) -> None:
    async def scenario(served: Served) -> None:
        client = await served.user(Role.ADMINISTRATOR)
        for route in (route for route in ROUTES if route.body):
            for content, status in (
                (b"{", 400), (b"\xff", 400), (b"[" * 100_000, 400), (b'{"a": "\\ud800"}', 400), (b"null", 422),
                (b"[]", 422), (b'"text"', 422), (b"1", 422), (b'{"surprise": 1}', 422), (b" " * (MOST_BYTES + 1), 413),
            ):  # fmt: skip
                response = await client.request(route.method, _path(route.path), content=content)
                _errors(response, response.status_code)
                assert response.status_code == status, (route, content[:20], response.text)

    play_on_sqlite(scenario)


def test_a_body_of_unknown_length_is_bounded_too(play_on_sqlite: Play) -> None:
    async def scenario(served: Served) -> None:
        async def chunks() -> AsyncIterator[bytes]:
            for _ in range(4 * MOST_BYTES // 65536):
                yield b" " * 65536

        client = await served.user(Role.ADMINISTRATOR)
        _errors(await client.post("/users", content=chunks()), 413)
        assert (await client.get("/users")).status_code == 200

    play_on_sqlite(scenario)


def test_every_query_parameter_is_checked(play_on_sqlite: Play) -> None:
    wrong = {
        "limit": ["0", "1001", "-1", "x", "1.5", "", "9" * 30, "²"],
        "cursor": ["", "x", "é", "bnVsbA"],
        "order_by": ["sideways", ""],
        "status": ["done", "pending,", ""],
        "created_after": ["yesterday", "2026-13-01", "", "9" * 30],
        "created_before": ["now"],
        "source": ["me"],
        "where": ["", "tests", "results.a = ", "(" * 5000, "\0"],
        "follow": ["yes", "1", ""],
        "attempt": ["0", "-1", "9" * 30],
        "lose_runs": ["yes", "1", ""],
        "stored": ["yes", "1", ""],
        "keep_succeeded": ["yes", "1", ""],
        "count": ["yes", "1", ""],
        "branch": ["", "-x", "a..b", "\0"],
        "project": [""], "job": [""], "worker": ["\0"], "source_identifier": ["\x1b[0m"],
        "offset": ["-1", "x", "", "9" * 30], "line": ["0", "x", ""], "until": ["-1", "x"],
        "text": ["", "a\nb", "x" * 201], "ignore_case": ["yes", ""], "while": ["done", ""],
        "user": [""], "action": ["\0"], "outcome": ["well", ""], "hours": ["0", "49", ""], "step": ["0", "61", "1m"],
    }  # fmt: skip

    async def scenario(served: Served) -> None:
        client = await served.user(Role.ADMINISTRATOR)
        run = await served.started()
        await served.late_reports.expect(run)
        await served.queue.unassign(run)
        for route in ROUTES:
            path = route.path.replace("{run}", run.identifier).replace("{project}", "example")
            path = path.replace("{user}", "administrator").replace("{attempt}", str(run.attempt))
            path = path.replace("{schedule}", "nightly")
            for parameter in route.query:
                for value in wrong[parameter.name]:
                    response = await client.request(route.method, path, params={parameter.name: value})
                    assert parameter.name in _errors(response), (route, parameter.name, value)
            response = await client.request(route.method, path, params={"surprise": "1"})
            if not route.body:
                assert "surprise" in _errors(response), route

    play_on_sqlite(scenario)


def test_all_mistakes_are_told_at_once(play_on_sqlite: Play) -> None:
    async def scenario(served: Served) -> None:
        client = await served.user(Role.ADMINISTRATOR)
        response = await client.get("/runs", params={"limit": "x", "statsu": "failed", "created_after": "never"})
        errors = _errors(response)
        assert set(errors) == {"limit", "statsu", "created_after"}
        assert errors["statsu"].endswith("did you mean status?")
        # A name of its own, and no slip of the keyboard.
        errors = _errors(await client.get("/runs", params={"requested_at": "x", "order_by": "requested_at"}))
        assert "did you mean" not in errors["requested_at"]
        assert "created_after" in errors["requested_at"]
        assert errors["order_by"] == "'requested_at' is not one of created_at, -created_at"
        assert set(_errors(await client.get("/runs?limit=1&limit=2"))) == {"limit"}
        response = await client.post("/users", json={"roles": [1], "password": 5, "extra": None})
        assert _errors(response) == {
            "identifier": "is missing",
            "roles[0]": "expected str, got int",
            "password": "expected str | null, got int",
            "extra": "is no field of this; it takes identifier, display_name, roles, password",
        }
        response = await client.post("/users", json={"identifier": "x", "display_name": "a\0"})
        assert set(_errors(response)) == {"identifier", "display_name"}
        response = await client.post("/users", json={"identifier": "fine", "roles": ["viewer", "boss", "king"]})
        assert set(_errors(response)) == {"roles[1]", "roles[2]"}
        # Query, headers and body are one request.
        wrong = {"parameters": {"colour": 1}, "priority": 10**30}
        response = await client.post(
            "/projects/example/jobs/hello/trigger?x=1",
            json={"priority": "much"},
            headers={"Idempotency-Key": "k" * 201},
        )
        assert set(_errors(response)) == {"x", "priority", "Idempotency-Key"}
        response = await client.post("/projects/example/jobs/hello/trigger", json=wrong)
        assert set(_errors(response)) == {"parameters.colour", "priority"}

    play_on_sqlite(scenario)


@pytest.mark.parametrize(
    ("method", "path", "body", "places"),
    [
        ("POST", "/users", {"roles": [1, "boss", None], "identifier": 5, "password": [], "display_name": False},
         {"roles[0]", "roles[2]", "identifier", "password", "display_name"}),
        ("POST", "/users", {"identifier": "?", "display_name": "a\0", "roles": ["boss"], "password": "short"},
         {"identifier", "display_name", "roles[0]", "password"}),
        ("POST", "/users", {"identifier": "service", "display_name": 5, "roles": ["boss"], "extra": 1},
         {"identifier", "display_name", "roles[0]", "extra"}),
        ("PATCH", "/users/administrator", {"display_name": 1, "roles": [1, 2]},
         {"display_name", "roles[0]", "roles[1]"}),
        ("PATCH", "/users/administrator", {"display_name": "x" * 201, "roles": ["boss", "administrator", "king"]},
         {"display_name", "roles[0]", "roles[2]"}),
        ("POST", "/users/administrator/password", {"new": "short", "current": 1}, {"new", "current"}),
        ("POST", "/me/password", {"new": "short", "current": "wrong"}, {"new"}),
        ("POST", "/me/tokens", {"description": "a\n", "expires_in": 0}, {"description", "expires_in"}),
        ("POST", "/users/administrator/tokens", {"description": 1, "expires_in": -1}, {"description", "expires_in"}),
        ("POST", "/me/login", {"user": 1, "password": 2, "token": 3}, {"user", "password", "token"}),
        ("POST", "/me/login", {}, {"user", "password"}),
        ("POST", "/projects/example/jobs/hello/trigger", {"parameters": [], "priority": "x", "key": 1},
         {"parameters", "priority", "key"}),
    ],
)  # fmt: skip
def test_every_mistake_of_a_body_is_told(
    play_on_sqlite: Play, method: str, path: str, body: dict[str, Any], places: set[str]
) -> None:
    async def scenario(served: Served) -> None:
        client = await served.user(Role.ADMINISTRATOR)
        assert set(_errors(await client.request(method, path, json=body))) == places

    play_on_sqlite(scenario)


def test_no_more_mistakes_are_told_than_anybody_reads(play_on_sqlite: Play) -> None:
    async def scenario(served: Served) -> None:
        client = await served.user(Role.ADMINISTRATOR)
        for roles in (list(range(100_000)), ["x"] * 100_000):
            assert len(_errors(await client.post("/users", json={"identifier": "fine", "roles": roles}))) == 100

    play_on_sqlite(scenario)


@pytest.mark.parametrize(
    ("content", "detail"),
    [
        (rb'"\ud800"', r"The body has a text with \ud800: that is half a surrogate pair, which is no character."),
        (rb'{"identifier": "\ud83d\ude00 \\ud800 \uDE00x"}', r"The body has a text with \uDE00: that is half"),
        (b'{"identifier": "\xff"}', "The body is not UTF-8: byte 16 is 0xff."),
        (b'{"identifier": \xff}', "The body is not UTF-8: byte 15 is 0xff."),
        (rb'{"identifier": "\ud83d\ude00"', "The body is not JSON: Input data was truncated."),
        (rb'{"identifier": "\\ud800"', "The body is not JSON: Input data was truncated."),
    ],
)
def test_a_body_that_cannot_be_read(play_on_sqlite: Play, content: bytes, detail: str) -> None:
    async def scenario(served: Served) -> None:
        client = await served.user(Role.ADMINISTRATOR)
        response = await client.post("/users", content=content)
        _errors(response, 400)
        assert response.json()["detail"].startswith(detail)

    play_on_sqlite(scenario)


@pytest.mark.parametrize(
    ("parameters", "places"),
    [
        ({"name": "you", "colour": "red"}, {"parameters.colour"}),
        ({"size": 3, "other": 1}, {"parameters.size", "parameters.other"}),
    ],
)
def test_parameters_of_a_trigger(play: Play, parameters: dict[str, Any], places: set[str]) -> None:
    async def scenario(served: Served) -> None:
        client = await served.user(Role.OPERATOR)
        response = await client.post("/projects/example/jobs/hello/trigger", json={"parameters": parameters})
        assert set(_errors(response)) == places
        response = await client.post("/projects/example/jobs/strict/trigger", json={})
        assert set(_errors(response)) == {"parameters.needed"}
        response = await client.post("/projects/example/jobs/hello/trigger", json={"priority": 10**30})
        assert set(_errors(response)) == {"priority"}
        assert (await served.runs.list()).items == []

    play(scenario)


def test_what_is_not_there(play: Play) -> None:
    async def scenario(served: Served) -> None:
        client = await served.user(Role.ADMINISTRATOR)
        for path in ("/nope", "/projects/", "/projects/example/jobs/", "/nope//", "/projects/a/b/c", "/PROJECTS"):
            _errors(await client.get(path), 404)
        for route in ROUTES:
            if "{" in route.path and not route.body:
                response = await client.request(route.method, _path(route.path))
                _errors(response, 404)
                assert "nope" in response.json()["detail"], route

    play(scenario)


def test_names_that_nothing_can_have(play: Play) -> None:
    async def scenario(served: Served) -> None:
        client = await served.user(Role.ADMINISTRATOR)
        for name in ("%00", "a" * 5000, "%ef%bf%bd", "%0a", "..%2f..", "%F0%9F%98%80"):
            for path in (f"/projects/{name}", f"/projects/{name}/runs/x", f"/workers/{name}", f"/users/{name}/tokens"):
                _errors(await client.get(path), 404)

    play(scenario)


@pytest.mark.parametrize(
    "sent", [b"nonsense\r\n\r\n", b"GET \xff HTTP/1.1\r\n\r\n", b"GET / HTTP/1.1\r\nno header\r\n\r\n"]
)
def test_what_is_no_http_request(play_on_sqlite: Play, sent: bytes) -> None:
    async def scenario(served: Served) -> None:
        async with asyncio.timeout(DEADLINE):
            reader, writer = await asyncio.open_connection("127.0.0.1", served.application.port)
            writer.write(sent)
            head, _, content = (await reader.read()).partition(b"\r\n\r\n")
            writer.close()
            await writer.wait_closed()
        status, *lines = head.decode().split("\r\n")
        headers = dict(line.split(": ", 1) for line in lines)
        assert status == "HTTP/1.1 400 Bad Request"
        assert headers["content-type"] == "application/problem+json"
        assert headers["connection"] == "close"
        assert int(headers["content-length"]) == len(content)
        problem = json.loads(content)
        assert (problem["status"], problem["detail"]) == (400, "This is not a well-formed HTTP request.")

    play_on_sqlite(scenario)


def test_addresses_that_are_not_utf_8(play_on_sqlite: Play) -> None:
    async def scenario(served: Served) -> None:
        client = await served.user(Role.ADMINISTRATOR)
        await served.trigger("hello", "example")
        for name in ("%ff", "%C3", "a%80b", "%ED%A0%80"):
            for route in ROUTES:
                for parameter in route.path_parameters:
                    path = _path(route.path.replace(f"{{{parameter}}}", name))
                    response = await client.request(route.method, path, content=b"{}" if route.body else b"")
                    assert "is not UTF-8" in _errors(response)[parameter], (route, parameter)
                for query in route.query:
                    response = await client.request(route.method, f"{_path(route.path)}?{query.name}={name}")
                    assert "is not UTF-8" in _errors(response)[query.name], (route, query)
        errors = _errors(await client.get("/runs?job=%ff&limit=x&%fe=1&status=%80"))
        assert set(errors) == {"job", "limit", "%FE", "status"}
        assert errors["job"] == "'%FF' is not UTF-8"
        assert _errors(await client.get("/runs?" + "a&" * 1000)) == {"query": "has more than 200 parameters"}
        assert (await client.get("/runs?job=h%C3%A9&worker=a+b%20")).json()["items"] == []
        _errors(await client.get("/nope%ff"), 404)

    play_on_sqlite(scenario)


def test_a_method_that_a_path_does_not_take(play_on_sqlite: Play) -> None:
    async def scenario(served: Served) -> None:
        response = await served.anonymous.put("/users")
        _errors(response, 405)
        assert response.headers["allow"] == "GET, HEAD, POST"

    play_on_sqlite(scenario)


def test_an_unexpected_error_tells_a_reference_and_nothing_else(
    play_on_sqlite: Play, caplog: pytest.LogCaptureFixture
) -> None:
    async def scenario(served: Served) -> None:
        client = await served.user(Role.VIEWER)
        await served.trigger("hello", "example")
        # A record that no version of this program wrote.
        served.application._parts.projects.list = None  # type: ignore[method-assign,assignment]  # pyright: ignore
        response = await client.get("/projects")
        _errors(response, 500)
        detail = response.json()["detail"]
        assert "NoneType" not in response.text
        assert detail.split()[-1].rstrip(".") in caplog.text
        assert "TypeError" in caplog.text

    play_on_sqlite(scenario)
