"""What visitors see when something is down, broken or overridden."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.responses import Response

from job_orchestra.composition.clock import SystemClock
from job_orchestra.domain.errors import Unavailable
from job_orchestra.domain.roles import Permission
from job_orchestra.website.application import WebsiteApplication
from job_orchestra.website.dispatch import PageRoute
from job_orchestra.website.routes import ROUTES
from job_orchestra.website.visit import Visit
from tests.website.cookies import KEYS
from tests.website.examples import Examples
from tests.website.installation import Installation
from tests.website.starting import StartWebsite, unused_url, websites
from tests.website.visitor import Visitor, form


@pytest.fixture
def start_website() -> Iterator[StartWebsite]:
    with websites() as start:
        yield start


def test_without_the_service_pages_say_so_and_come_back_by_themselves(start_website: StartWebsite) -> None:
    service_url = unused_url()
    visitor = start_website(service_url)
    for path in ("/", "/runs", "/projects/example/runs/x/log", "/projects/example/runs/x/archive"):
        response = visitor.get(path)
        assert response.status_code == 503
        assert f"The service at {service_url} cannot be reached" in response.text
        assert int(response.headers["Refresh"]) < 10
        assert response.headers["Retry-After"] == response.headers["Refresh"]
    assert visitor.get("/login").status_code == 200
    assert "Refresh" not in visitor.get("/?refresh=off").headers
    assert "tries again" not in visitor.get("/?refresh=off").text
    response = visitor.send("/login?next=/runs", "/login", user="viewer", password="correct horse battery")
    assert response.status_code == 503
    assert "Refresh" not in response.headers
    assert "cannot be reached" in response.text
    assert form(response.text, "/login").fields["user"] == "viewer"
    assert form(response.text, "/login").fields["next"] == "/runs"


def test_something_else_in_the_place_of_the_service(start_website: StartWebsite, installation: Installation) -> None:
    visitor = start_website(installation.url)  # the website itself is no service
    assert visitor.get("/").status_code == 503


async def _broken(visit: Visit) -> Response:
    raise RuntimeError("a secret of the inside")


_BROKEN = PageRoute("GET", "/broken", _broken, Permission.ANYONE)


def test_a_mistake_in_a_page_has_a_reference_and_no_inside(
    start_website: StartWebsite, caplog: pytest.LogCaptureFixture
) -> None:
    visitor = start_website(unused_url(), routes=(*ROUTES, _BROKEN))
    with caplog.at_level(logging.ERROR):
        response = visitor.get("/broken")
    assert response.status_code == 500
    assert "secret" not in response.text
    assert "Traceback" not in response.text
    named = "Mistake {} in GET '/broken'"
    [reference] = {word for word in response.text.split() if named.format(word.strip(".")) in caplog.text}
    assert reference
    assert "a secret of the inside" in caplog.text


def test_an_address_brings_no_control_characters_into_the_log(
    start_website: StartWebsite, caplog: pytest.LogCaptureFixture
) -> None:
    broken = PageRoute("GET", "/broken/{name}", _broken, Permission.ANYONE)
    visitor = start_website(unused_url(), routes=(*ROUTES, broken))
    with caplog.at_level(logging.ERROR):
        assert visitor.get("/broken/a%1B%5B2Jb%0Ac").status_code == 500
    [told] = [record.getMessage() for record in caplog.records if "Mistake" in record.getMessage()]
    assert "/broken/a" in told
    assert told.isprintable()


def test_a_page_of_ones_own_and_templates_and_files_of_ones_own(start_website: StartWebsite, tmp_path: Path) -> None:
    templates, files = tmp_path / "templates", tmp_path / "files"
    templates.mkdir()
    (files / "pictures").mkdir(parents=True)
    (templates / "login.html").write_text(
        '{% extends "base.html" %}{% block content %}<h1>Welcome</h1>'
        '<img alt="" src="{{ static("pictures/logo.svg") }}">{% endblock %}'
    )
    (files / "pictures" / "logo.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    visitor = start_website(unused_url(), template_directories=[templates], static_directories=[files])
    page = visitor.get("/login").text
    assert "<h1>Welcome</h1>" in page
    picture = visitor.get(page.partition('src="')[2].partition('"')[0])
    assert picture.headers["Content-Type"] == "image/svg+xml"
    assert "immutable" in picture.headers["Cache-Control"]
    style = page.partition('rel="stylesheet" href="')[2].partition('"')[0]
    assert visitor.get(style).status_code == 200


def test_a_broken_template_of_ones_own_is_no_traceback(start_website: StartWebsite, tmp_path: Path) -> None:
    (tmp_path / "base.html").write_text("{{ page.nothing_of_this_name }}")
    visitor = start_website(unused_url(), template_directories=[tmp_path])
    response = visitor.get("/login")
    assert response.status_code == 500
    assert "Reference" in response.text
    assert "nothing_of_this_name" not in response.text


def test_a_broken_template_harms_no_other_answer(
    start_website: StartWebsite, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Errors have pages, too, and so has what is nowhere."""
    (tmp_path / "error.html").write_text("{{ page.nothing_of_this_name }}")
    visitor = start_website(unused_url(), template_directories=[tmp_path])
    for response in (visitor.get("/"), visitor.get("/nowhere"), visitor.client.put("/login")):
        assert response.status_code == 500
        assert response.headers["Content-Type"].startswith("text/plain")
        assert response.headers["Content-Security-Policy"].startswith("default-src 'none'")
        reference = response.text.split()[-1]
        assert f"Mistake {reference} in" in caplog.text
        assert "nothing_of_this_name" not in response.text
    assert visitor.get("/login").status_code == 200


def test_methods_that_an_address_does_not_take(start_website: StartWebsite) -> None:
    visitor = start_website(unused_url())
    response = visitor.client.request("PROPFIND", "/login")
    assert response.status_code == 405
    assert response.headers["Allow"] == "GET, HEAD, POST"
    assert "/login does not take PROPFIND; it takes GET, HEAD, POST." in response.text
    # The reload of what a form was sent to.
    response = visitor.get("/projects/example/jobs/hello/trigger")
    assert response.status_code == 405
    assert response.headers["Allow"] == "POST"
    assert '<a href="/projects/example/jobs/hello">Back</a>' in response.text
    response = visitor.client.options("/login")
    assert (response.status_code, response.headers["Allow"], response.content) == (204, "GET, HEAD, POST, OPTIONS", b"")
    assert visitor.client.options("/nowhere").status_code == 404
    response = visitor.client.head("/login")
    assert (response.status_code, response.content) == (200, b"")


def test_addresses_that_are_too_long(start_website: StartWebsite) -> None:
    visitor = start_website(unused_url())
    response = visitor.get("/login?next=" + "a" * 20_000)
    assert response.status_code == 414
    assert "may have 16384" in response.text
    assert "aaaa" not in response.text
    response = visitor.get("/" + "a" * 20_000)
    assert response.status_code == 404
    assert len(response.content) < 5000
    stranger = Visitor(visitor.url)
    location = stranger.get("/runs?where=" + "a" * 5000).headers["Location"]
    stranger.close()
    assert location == "/login"


def test_a_slash_too_many_leads_nowhere(installation: Installation, examples: Examples) -> None:
    visitor = Visitor(installation.url)
    for path in ("/runs/", "/login/", "/projects/example/"):
        response = visitor.get(path, headers={"Host": "evil.example"})
        assert response.status_code == 404
        assert "Location" not in response.headers
    visitor.close()


def test_an_address_that_is_taken_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        website = WebsiteApplication(
            address="127.0.0.1",
            port=port,
            service_url="http://127.0.0.1:1",
            cookie_keys=KEYS,
            clock=SystemClock(),
        )
        with pytest.raises(Unavailable, match=f"127.0.0.1:{port}"):
            asyncio.run(website.run(asyncio.Event(), print))


def test_open_log_pages_end_with_a_word_when_the_website_stops(installation: Installation, examples: Examples) -> None:
    website = WebsiteApplication(
        address="127.0.0.1",
        port=0,
        service_url=f"http://127.0.0.1:{installation.service.port}",
        cookie_keys=KEYS,
        clock=SystemClock(),
    )
    running = installation.loop.start(website)
    visitor = Visitor(website.url)
    visitor.log_in("viewer")
    path = f"/projects/example/runs/{examples.running.identifier}/log"
    with visitor.client.stream("GET", path) as response:
        parts = response.iter_text()
        text = next(parts)
        installation.call(running.stop())
        text += "".join(parts)
    visitor.close()
    assert "The website is being restarted." in text
    assert text.rstrip().endswith("</html>")


def test_what_is_no_http_request(start_website: StartWebsite) -> None:
    url = start_website(unused_url()).url
    with socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2])), timeout=30) as connection:
        connection.sendall(b"GET \xff HTTP/1.1\r\n\r\n")
        with connection.makefile("rb") as answer:
            head, _, content = answer.read().partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert b"content-security-policy: default-src 'none'" in head
    assert content == b"This is not a well-formed HTTP request.\n"
