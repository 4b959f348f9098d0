"""Dates as the visitor's clocks show them."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from tests.website.examples import Examples
from tests.website.installation import Installation
from tests.website.visitor import Visitor, form

_PAGE = "/projects/example/runs"


@pytest.fixture
def viewer(visitors: Callable[[str | None], Visitor], examples: Examples) -> Visitor:
    return visitors("viewer")


def _times(page: str) -> list[tuple[str, str]]:
    return re.findall(r'<time datetime="([^"]*)">([^<]*)</time>', page)


def test_dates_are_utc_until_a_zone_is_known(viewer: Visitor) -> None:
    page = viewer.get(_PAGE).text
    assert "Created (UTC)" in page and "Times are UTC." in page
    assert all(moment[:19].replace("T", " ") == words for moment, words in _times(page))
    assert form(viewer.get("/profile").text, "/profile/zone").fields["zone"] == "UTC"


def test_dates_are_shown_in_the_zone_of_the_profile(viewer: Visitor, installation: Installation) -> None:
    response = viewer.send("/profile", "/profile/zone", zone=" America/New_York ")
    assert response.headers["Location"] == "/profile"
    cookie = response.headers["Set-Cookie"]
    assert cookie.startswith(f"orchestra_{installation.website.port}_zone=")
    assert "HttpOnly" in cookie
    page = viewer.get(_PAGE).text
    assert "Created (New York)" in page and "Times are America/New_York." in page
    found = _times(page)
    assert found
    for moment, words in found:
        expected = datetime.fromisoformat(moment).astimezone(ZoneInfo("America/New_York"))
        assert words == f"{expected:%Y-%m-%d %H:%M:%S}"
        assert datetime.fromisoformat(moment).utcoffset() == UTC.utcoffset(None)
    assert form(viewer.get("/profile").text, "/profile/zone").fields["zone"] == "America/New_York"


@pytest.mark.parametrize(
    ("zone", "mistake"),
    [
        ("Europe/Pari", "is no time zone; names are those of the IANA database"),
        ("", "&#39;Nothing&#39; is no time zone"),
        ("../../etc/passwd", "is no time zone"),
        ("localtime", "is no time zone"),
        ("posix/Europe/Paris", "is no time zone"),
        ("america/new_york", "did you mean America/New_York?"),
        ("<b>", "&#39;&lt;b&gt;&#39; is no time zone"),
        ("x" * 1000, "is longer than 64 characters"),
    ],
)
def test_a_zone_that_there_is_not(viewer: Visitor, zone: str, mistake: str) -> None:
    response = viewer.send("/profile", "/profile/zone", zone=zone)
    assert response.status_code == 422
    assert mistake in response.text
    assert form(response.text, "/profile/zone").fields["zone"] == zone
    assert "Set-Cookie" not in response.headers
    if zone == "Europe/Pari":
        assert "did you mean Europe/Paris?" in response.text


@pytest.mark.parametrize("name", ["Mars/Olympus", "../../etc/passwd", '"', "x" * 3000])
def test_a_browser_that_tells_nonsense_reads_utc(viewer: Visitor, installation: Installation, name: str) -> None:
    viewer.client.cookies.set(f"orchestra_{installation.website.port}_zone", name, domain="127.0.0.1")
    assert "Times are UTC." in viewer.get(_PAGE).text
