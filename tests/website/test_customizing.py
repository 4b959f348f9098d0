"""What users make of the website: templates, blocks, files, pages, announcements; and what is wrong with it."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.responses import Response

from job_orchestra.domain.errors import Invalid
from job_orchestra.domain.roles import Permission
from job_orchestra.website import announcement
from job_orchestra.website.dispatch import PageRoute
from job_orchestra.website.page import NAVIGATION, NavigationEntry
from job_orchestra.website.parts import website_parts
from job_orchestra.website.responses import download
from job_orchestra.website.route_checks import replacing
from job_orchestra.website.routes import ROUTES
from job_orchestra.website.visit import Visit
from tests.website.examples import Examples
from tests.website.installation import Installation
from tests.website.starting import StartWebsite, unused_url, websites
from tests.website.visitor import Visitor


@pytest.fixture
def start_website() -> Iterator[StartWebsite]:
    with websites() as start:
        yield start


@pytest.fixture
def templates(tmp_path: Path) -> Path:
    directory = tmp_path / "templates"
    directory.mkdir()
    return directory


async def _say_hello(visit: Visit) -> Response:
    return download(b"hello", "text/plain")


def _page(path: str, method: str = "GET") -> PageRoute:
    return PageRoute(method, path, _say_hello, Permission.ANYONE)


def _mistakes(**parts: object) -> list[str]:
    with pytest.raises(Invalid) as caught:
        website_parts(**parts)  # type: ignore[arg-type]
    return [str(mistake) for mistake in caught.value.mistakes]


def test_a_template_extends_the_one_that_it_overrides(start_website: StartWebsite, templates: Path) -> None:
    (templates / "base.html").write_text(
        '{% extends "ours/base.html" %}{% block title %}{{ super() }}!{% endblock %}'
        "{% block announcement %}<p>{{ wiki(3) }}</p>{% endblock %}"
    )
    (templates / "login.html").write_text(
        '{% extends "ours/login.html" %}'
        "{% block login_form %}{{ super() }}<p>Ask <i>us</i> for a password.</p>{% endblock %}"
    )
    names = {"wiki": "<page {}>".format}
    visitor = start_website(unused_url(), template_directories=[templates], template_names=names, title="<Ours>")
    page = visitor.get("/login").text
    assert "<title>Log in · &lt;Ours&gt;!</title>" in page
    assert "<p>&lt;page 3&gt;</p>" in page
    assert '<input id="user"' in page
    assert "<p>Ask <i>us</i> for a password.</p>" in page
    assert page.count("<form") == 1


def test_what_our_templates_set_is_there_in_blocks_that_override_them(
    start_website: StartWebsite, templates: Path, installation: Installation, examples: Examples
) -> None:
    (templates / "run.html").write_text(
        '{% extends "ours/run.html" %}{% import "parts.html" as parts with context %}'
        "{% block run_facts %}<p>{{ parts.source(page.run.source) }}</p>{{ super() }}{% endblock %}"
    )
    visitor = start_website(f"http://127.0.0.1:{installation.service.port}", template_directories=[templates])
    visitor.client.cookies.clear()
    visitor.log_in("viewer")
    page = visitor.get(f"/projects/example/runs/{examples.succeeded.identifier}").text
    assert "<p>user operator</p>" in page
    assert "<dt>Created</dt>" in page


def test_of_two_directories_the_first_wins(start_website: StartWebsite, tmp_path: Path) -> None:
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "word.txt").write_text(name)
    (tmp_path / "second" / "other.txt").write_text("only here")
    (tmp_path / "second" / ".hidden").write_text("a secret")
    parts = website_parts(static_directories=[tmp_path / "first", tmp_path / "second"])
    visitor = start_website(unused_url(), static_directories=[tmp_path / "first", tmp_path / "second"])
    assert visitor.get(parts.static_files.address("word.txt")).text == "first"
    assert visitor.get(parts.static_files.address("other.txt")).text == "only here"
    assert visitor.get("/static/0/.hidden").status_code == 404


def test_everything_that_is_wrong_is_told_at_once(tmp_path: Path, templates: Path) -> None:
    (templates / "run.html").write_text('{% extends "ours/run.html" %}\n{% block run_fact %}{% endblock %}')
    (templates / "graph.html").write_text('{% extends "graph.html" %}')
    (templates / "home.html").write_text("{% if %}")
    (templates / "log.html").write_text('{% extends "ours/log.html" %}{% import "prats.html" as parts %}')
    (templates / "runs.html").write_text("{{ page.title|bolder }}")
    (templates / "workers.html").write_bytes(b"\xff")
    (tmp_path / "logo.svg").write_text("<svg/>")
    assert _mistakes(
        template_directories=[templates, tmp_path / "nowhere"],
        static_directories=[tmp_path / "missing"],
        logo="logo.svg",
        announcement_file=tmp_path / "nowhere" / "announcement.txt",
        template_names={"run_path": 1, "page": 2, "fine": 3},
        navigation=[*NAVIGATION, NavigationEntry("Out", "https://example.org"), NavigationEntry("Again", "/runs")],
        routes=[*ROUTES, _page("/runs")],
    ) == [
        f"[website] static_directories: {tmp_path}/missing is no directory",
        "template_names: 'run_path' is a name that all templates have already",
        "template_names: 'page' is a name that all templates have already",
        f"{templates}/graph.html: extends itself; our template of this name is 'ours/graph.html'",
        f"{templates}/home.html:1: Expected an expression, got 'end of statement block'",
        f"{templates}/log.html: there is no template 'prats.html'; did you mean parts.html?",
        f"{templates}/run.html:2: the block 'run_fact' is in no template that this one extends;"
        " did you mean run_facts?",
        f"{templates}/runs.html:1: No filter named 'bolder'.",
        f"{templates}/workers.html: is not text in UTF-8",
        f"[website] template_directories: {tmp_path}/nowhere is no directory",
        "[website] logo: there is no file 'logo.svg' in [website] static_directories",
        f"[website] announcement_file: {tmp_path}/nowhere is no directory",
        "navigation: Out: 'https://example.org' is no address on this website, such as /releases",
        "navigation: Again: there is an entry for /runs already",
        "routes: GET /runs: is never reached: GET /runs comes before it;"
        " `replacing` puts one route in the place of another",
    ]


def test_blocks_of_ones_own_are_no_mistakes(templates: Path) -> None:
    (templates / "latest.html").write_text(
        '{% extends "run.html" %}{% block content %}{% block inner %}{% endblock %}{% endblock %}'
    )
    (templates / "newest.html").write_text('{% extends "latest.html" %}{% block inner %}{% endblock %}')
    (templates / "piece.html").write_text("{% block whatever %}{% endblock %}")
    (templates / "either.html").write_text("{% extends page.base %}{% block whatever %}{% endblock %}")
    (templates / "README.md").write_text("{% not a template")
    assert website_parts(template_directories=[templates]).title == "Job Orchestra"


def test_a_logo_is_a_picture(tmp_path: Path) -> None:
    (tmp_path / "logo.svg").write_text("<svg/>")
    (tmp_path / "logo.txt").write_text("logo")
    assert website_parts(static_directories=[tmp_path], logo="logo.svg").logo == "logo.svg"
    assert _mistakes(static_directories=[tmp_path], logo="logo.txt") == [
        "[website] logo: 'logo.txt' is no picture, but text/plain"
    ]
    [mistake] = _mistakes(static_directories=[tmp_path], logo="lgo.svg")
    assert mistake.endswith("did you mean logo.svg?")


@pytest.mark.parametrize(
    ("first", "second", "message"),
    [
        ("/projects/{project}", "/projects/new", "is never reached: GET /projects/{project} comes before it"),
        ("/{rest:path}", "/runs", "is never reached: GET /{rest:path} comes before it; put it first"),
        ("/a/{one}", "/a/{two}", "`replacing` puts one route in the place of another"),
        ("/a", "static/x", "a path is like /releases"),
        ("/a", "/static/{a}/{b}", "files are served there"),
        ("/a", "/b/", "a path is like /releases"),
    ],
)
def test_routes_that_could_never_be_reached(first: str, second: str, message: str) -> None:
    [mistake] = _mistakes(routes=[_page(first), _page(second)])
    assert message in mistake


def test_routes_that_are_fine(start_website: StartWebsite) -> None:
    own = [_page("/projects/new"), _page("/a/{number:int}"), _page("/a/{name}"), _page("/a/{name}/b")]
    visitor = start_website(unused_url(), routes=[*own, *ROUTES, _page("/{rest:path}")])
    for path in ("/projects/new", "/a/1", "/a/x", "/a/x/b", "/anything/else"):
        assert visitor.get(path).text == "hello"
    assert visitor.get("/projects/other").status_code == 503
    assert _mistakes(routes=[_page("/a", "PUT")]) == ["routes: PUT /a: a page has the method GET or POST"]


def test_a_page_in_the_place_of_ours(start_website: StartWebsite) -> None:
    routes = replacing(ROUTES, _page("/"), _page("/projects/{name}"))
    assert len(routes) == len(ROUTES)
    visitor = start_website(unused_url(), routes=routes)
    assert visitor.get("/").text == "hello"
    assert visitor.get("/projects/x").text == "hello"
    with pytest.raises(Invalid, match="replaces nothing"):
        replacing(ROUTES, _page("/nowhere"))


def test_an_entry_of_the_navigation_is_for_those_who_have_its_permission(
    start_website: StartWebsite, installation: Installation, examples: Examples
) -> None:
    entries = [*NAVIGATION, NavigationEntry("Switches", "/switches", Permission.SWITCH)]
    url = start_website(f"http://127.0.0.1:{installation.service.port}", navigation=entries).url
    for user, is_shown in (("viewer", False), ("operator", True)):
        visitor = Visitor(url)
        visitor.log_in(user)
        assert ('<a href="/switches">Switches</a>' in visitor.get("/").text) is is_shown
        visitor.close()


def test_an_announcement_comes_changes_and_goes(
    start_website: StartWebsite, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(announcement, "_BETWEEN_LOOKS", 0.0)
    file = tmp_path / "announcement.txt"
    visitor = start_website(unused_url(), announcement_file=file)

    def shown() -> str | None:
        page = visitor.get("/login").text
        return page.partition('aria-label="Announcement">')[2].partition("</aside>")[0] or None

    assert shown() is None
    file.write_text("New <disks>\non Friday \n")
    assert shown() == "New &lt;disks&gt; on Friday"
    assert "New &lt;disks&gt;" in visitor.get("/nowhere").text
    with caplog.at_level(logging.WARNING):
        for content, flaw in (
            (b"\xff", "is not text in UTF-8"), (b"x" * 501, "has 501 characters"), (b"a\0b", "control characters"),
            (b"\xc3\xa4" * 5000, "has more than 4096 bytes"),
        ):  # fmt: skip
            file.write_bytes(content)
            assert shown() is None
            assert shown() is None
            assert caplog.text.count(flaw) == 1
    file.write_text("Done.")
    assert shown() == "Done."
    file.unlink()
    assert shown() is None


def test_a_disk_that_hangs_stops_no_page(start_website: StartWebsite, tmp_path: Path) -> None:
    """A pipe that nobody writes to keeps its reader waiting."""
    file = tmp_path / "announcement.txt"
    os.mkfifo(file)
    visitor = start_website(unused_url(), announcement_file=file)
    try:
        for _ in range(3):
            assert visitor.get("/login").status_code == 200
    finally:
        with file.open("w") as pipe:
            pipe.write("late")
