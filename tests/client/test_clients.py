"""Both clients against a real server: calls, errors, logs."""

from __future__ import annotations

import asyncio
import json
from base64 import b64encode
from collections.abc import Callable

import pytest

from job_orchestra.client.asynchronous import AsyncClient
from job_orchestra.client.call import Answered, Call
from job_orchestra.client.calls import jobs, me, projects, runs, workers
from job_orchestra.client.credentials import Credentials
from job_orchestra.client.synchronous import Client
from job_orchestra.domain.errors import (
    Conflict,
    Forbidden,
    Invalid,
    Mistake,
    NotFound,
    OrchestraError,
    Unauthenticated,
    Unavailable,
)
from job_orchestra.protocol.resources.answers import Page
from job_orchestra.protocol.resources.projects import ProjectAnswer
from job_orchestra.protocol.resources.runs import EventAnswer, RunAnswer
from tests.client.runs import scripted_run
from tests.client.scripted_service import Scripted, closed_port, scripted_service

Send = Callable[[str, Call[Answered]], Answered]
CREDENTIALS = Credentials("s3cret", "ada")


def send_synchronously(url: str, call: Call[Answered]) -> Answered:
    return Client(url, CREDENTIALS).send(call)


def send_asynchronously(url: str, call: Call[Answered]) -> Answered:
    async def send() -> Answered:
        async with AsyncClient(url) as client:
            return await client.acting_as(CREDENTIALS).send(call)

    return asyncio.run(send())


def follow_synchronously(url: str, offset: int = 0, patience: float = 5.0) -> bytes:
    return b"".join(Client(url).follow_log("example", "r1", offset, patience))


def follow_asynchronously(url: str, offset: int = 0, patience: float = 5.0) -> bytes:
    async def follow() -> bytes:
        async with AsyncClient(url) as client:
            return b"".join([chunk async for chunk in client.follow_log("example", "r1", offset, patience)])

    return asyncio.run(follow())


both = pytest.mark.parametrize("send", [send_synchronously, send_asynchronously])
both_follow = pytest.mark.parametrize("follow", [follow_synchronously, follow_asynchronously])


@both
def test_a_call_is_sent_and_its_answer_typed(send: Send[Page[ProjectAnswer]]) -> None:
    item = {
        "identifier": "example",
        "display_name": "",
        "description": "",
        "repository": None,
        "is_active": True,
        "of a newer service": 1,
    }
    with scripted_service(Scripted(content=json.dumps({"items": [item], "next": "c2"}).encode())) as service:
        page = send(service.url, projects.list_all(limit=5, cursor="c1"))
    assert page == Page([ProjectAnswer("example", "", "", None, is_active=True)], "c2")
    (request,) = service.received
    assert (request.method, request.path) == ("GET", "/projects?limit=5&cursor=c1")
    assert request.headers["Authorization"] == "Basic " + b64encode(b"ada:s3cret").decode()


@both
def test_a_trigger_carries_parameters_and_key(send: Send[RunAnswer]) -> None:
    with scripted_service(scripted_run(ended=False, size=0)) as service:
        run = send(service.url, jobs.trigger("example", "a/../b", {"name": "you"}, idempotency_key="k1"))
    assert run.identifier == "r1"
    (request,) = service.received
    assert request.path == "/projects/example/jobs/a%2F..%2Fb/trigger"
    assert request.headers["Idempotency-Key"] == "k1"
    assert request.headers["Content-Type"] == "application/json"
    assert json.loads(request.content) == {"parameters": {"name": "you"}}


@both
def test_a_trigger_asks_only_for_what_it_is_told(send: Send[RunAnswer]) -> None:
    """A service that knows less takes it as long as that is enough."""
    with scripted_service(scripted_run(ended=False, size=0)) as service:
        send(service.url, jobs.trigger("example", "a"))
        send(service.url, jobs.trigger("example", "a", priority=0, abort_with_run=True))
    bodies = [json.loads(request.content) for request in service.received]
    assert bodies == [{}, {"priority": 0, "abort_with_run": True}]


@both
@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (401, Unauthenticated),
        (403, Forbidden),
        (404, NotFound),
        (409, Conflict),
        (503, Unavailable),
        (500, Unavailable),
    ],
)
def test_problems_become_errors(status: int, expected: type[OrchestraError], send: Send[None]) -> None:
    problem = {"type": "about:blank", "title": "No", "status": status, "detail": "It is as it is."}
    with (
        scripted_service(Scripted(status, json.dumps(problem).encode())) as service,
        pytest.raises(expected) as caught,
    ):
        send(service.url, workers.delete("w"))
    assert str(caught.value) == caught.value.message == "It is as it is."


@both
def test_the_fields_at_fault_come_back(send: Send[RunAnswer]) -> None:
    errors = [{"field": "parameters.name", "message": "is missing"}, {"field": "", "message": "no"}]
    problem = {"title": "Invalid", "status": 422, "detail": "Two mistakes.", "errors": errors}
    with scripted_service(Scripted(422, json.dumps(problem).encode())) as service, pytest.raises(Invalid) as caught:
        send(service.url, jobs.trigger("example", "hello"))
    assert caught.value.mistakes == (Mistake("parameters.name", "is missing"), Mistake("", "no"))


@both
def test_a_server_that_is_not_the_service_is_named(send: Send[RunAnswer]) -> None:
    with scripted_service(Scripted(502, b"<html>")) as service, pytest.raises(Unavailable, match=service.url):
        send(service.url, runs.get("example", "r1"))
    with scripted_service(Scripted(200, b"<html>")) as service, pytest.raises(Unavailable, match=service.url):
        send(service.url, runs.get("example", "r1"))


@both
def test_a_stopped_service_is_named(send: Send[None]) -> None:
    url = f"http://127.0.0.1:{closed_port()}"
    with pytest.raises(Unavailable, match=f"{url} cannot be reached: .*connection refused"):
        send(url, me.logout())


@both
@pytest.mark.parametrize(
    "url", ["", "127.0.0.1:5902", "ftp://x", "http://", "http://[", "http://x:99999", "http://é", "http://a b"]
)
def test_an_address_that_is_none(url: str, send: Send[None]) -> None:
    with pytest.raises(Invalid, match="service URL"):
        send(url, me.logout())


@both_follow
def test_a_follower_goes_on_where_the_connection_broke(follow: Callable[[str], bytes]) -> None:
    running = scripted_run(ended=False, size=0)
    with scripted_service(
        running,
        Scripted(content=b"one\n", breaks=True),
        running,
        Scripted(status=503),
        Scripted(status=503),
        running,
        Scripted(content=b"two\n"),
        running,
        Scripted(content=b"three\n"),
        scripted_run(ended=True, size=14),
    ) as service:
        assert follow(service.url) == b"one\ntwo\nthree\n"
    logs = [request for request in service.received if "log" in request.path]
    assert [request.headers.get("Range") for request in logs] == [None, "bytes=4-", "bytes=4-", "bytes=8-"]
    assert {request.path for request in logs} == {"/projects/example/runs/r1/log?follow=true&attempt=1"}


@both_follow
def test_a_follower_goes_on_where_the_service_went_behind_its_first_answer(follow: Callable[[str], bytes]) -> None:
    with scripted_service(
        scripted_run(ended=False, size=0),
        Scripted(status=503),
        scripted_run(ended=True, size=4),
        Scripted(content=b"one\n"),
        scripted_run(ended=True, size=4),
    ) as service:
        assert follow(service.url) == b"one\n"


@both_follow
def test_a_new_attempt_is_followed_from_its_beginning(follow: Callable[[str], bytes]) -> None:
    with scripted_service(
        scripted_run(ended=False, size=0),
        Scripted(content=b"lost\n"),
        scripted_run(ended=False, size=0, attempt=2),
        Scripted(content=b"again\n"),
        scripted_run(ended=True, size=6, attempt=2),
    ) as service:
        assert follow(service.url) == b"lost\nagain\n"
    logs = [request for request in service.received if "log" in request.path]
    assert [request.headers.get("Range") for request in logs] == [None, None]
    assert logs[1].path.endswith("attempt=2")


@both_follow
def test_an_attempt_is_followed_to_its_end_although_others_have_come_meanwhile(follow: Callable[[str], bytes]) -> None:
    with scripted_service(
        scripted_run(ended=False, size=0),
        Scripted(content=b"fir"),
        scripted_run(ended=True, size=5, attempt=4, past={1: 6, 3: 6}),
        Scripted(content=b"st\n", status=206),
        scripted_run(ended=True, size=5, attempt=4, past={1: 6, 3: 6}),
        Scripted(content=b"third\n"),
        scripted_run(ended=True, size=5, attempt=4, past={1: 6, 3: 6}),
        Scripted(content=b"last\n"),
        scripted_run(ended=True, size=5, attempt=4, past={1: 6, 3: 6}),
    ) as service:
        assert follow(service.url) == b"first\nthird\nlast\n"
    logs = [request for request in service.received if "log" in request.path]
    assert [request.path.partition("attempt=")[2] for request in logs] == ["1", "1", "3", "4"]
    assert logs[1].headers["Range"] == "bytes=3-"


def test_one_attempt_alone_can_be_followed() -> None:
    with scripted_service(
        scripted_run(ended=False, size=0, attempt=2, past={1: 4}),
        Scripted(content=b"one\n"),
        scripted_run(ended=False, size=0, attempt=2, past={1: 4}),
    ) as service:
        assert b"".join(Client(service.url).follow_log("example", "r1", attempt=1)) == b"one\n"


@both_follow
def test_a_follower_gives_up_at_once_without_a_first_connection(follow: Callable[[str], bytes]) -> None:
    with pytest.raises(Unavailable):
        follow(f"http://127.0.0.1:{closed_port()}")


@both_follow
@pytest.mark.parametrize("rest", [Scripted(status=503), scripted_run(ended=True, size=99)])
def test_a_follower_gives_up_when_its_patience_is_over(
    rest: Scripted, follow: Callable[[str, int, float], bytes]
) -> None:
    """The service stays away, or does not have what the run says that there is."""
    beginning = [scripted_run(ended=False, size=0), Scripted(content=b"one\n", breaks=True)]
    empty = [scripted_run(ended=True, size=99), Scripted()] * 3 if rest.status == 200 else []
    with scripted_service(*beginning, *empty, rest) as service, pytest.raises(Unavailable):
        follow(service.url, 0, 0.2)


def test_a_part_of_a_log_is_asked_for_by_range() -> None:
    with scripted_service(Scripted(206, b"234"), Scripted(416), Scripted(200, b"all")) as service:
        client = Client(service.url)
        assert b"".join(client.log("example", "r1", attempt=2, start=2, end=5)) == b"234"
        assert b"".join(client.log("example", "r1", start=99)) == b""
        assert b"".join(client.log("example", "r1")) == b"all"
        assert b"".join(client.log("example", "r1", start=3, end=3)) == b""

        async def read() -> bytes:
            async with AsyncClient(service.url) as client:
                return await client.log("example", "r1", start=1)

        assert asyncio.run(read()) == b"all"
    assert [request.headers.get("Range") for request in service.received] == [
        "bytes=2-4",
        "bytes=99-",
        None,
        "bytes=1-",
    ]
    assert service.received[0].path == "/projects/example/runs/r1/log?attempt=2"


def test_logs_of_late_reports() -> None:
    with scripted_service(Scripted(content=b"34"), Scripted(416), Scripted(content=b"all")) as service:

        async def read() -> list[bytes]:
            async with AsyncClient(service.url) as client:
                return [
                    await client.late_log("example", "r/1", 2, start=start, end=end)
                    for start, end in ((3, 5), (99, None), (3, 3))
                ]

        assert asyncio.run(read()) == [b"34", b"", b""]
        assert b"".join(Client(service.url).late_log("example", "r/1", 2)) == b"all"
    assert [request.headers.get("Range") for request in service.received] == ["bytes=3-4", "bytes=99-", None]
    assert {request.path for request in service.received} == {"/projects/example/runs/r%2F1/late-reports/2/log"}


@both
def test_events_of_late_reports(send: Send[Page[EventAnswer]]) -> None:
    with scripted_service(Scripted(content=b'{"items": []}')) as service:
        assert send(service.url, runs.late_events("example", "r1", 2, limit=5)) == Page([])
    (request,) = service.received
    assert request.path == "/projects/example/runs/r1/late-reports/2/events?limit=5"


def test_credentials_do_not_show_the_token() -> None:
    assert "s3cret" not in repr(CREDENTIALS)
    assert Credentials("s3cret").authorization == "Bearer s3cret"


@both
def test_what_is_no_text_does_no_harm(send: Send[RunAnswer]) -> None:
    """Arguments of a command line may be any bytes."""
    with scripted_service(scripted_run(ended=False, size=0)) as service:
        send(service.url, runs.get("..", "\udcff"))
        with pytest.raises(Invalid):
            send(service.url, jobs.trigger("example", "hello", {"name": "\udcff"}))
        with pytest.raises(Invalid):
            send(service.url, jobs.trigger("example", "hello", idempotency_key="a\nb"))
    assert [request.path for request in service.received] == ["/projects/%2E%2E/runs/%FF"]
    with pytest.raises(Unauthenticated):
        Credentials("a\nb").authorization  # noqa: B018 - asking for it is what raises


def test_parameters_that_are_no_json_are_refused_before_they_are_sent() -> None:
    """As JSON, what is no number would become null."""
    with pytest.raises(Invalid, match=r"parameters\.rate: expected text, a finite number"):
        jobs.trigger("p", "j", {"rate": float("nan")})
