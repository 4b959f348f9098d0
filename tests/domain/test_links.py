"""Links of projects: what they may lead to, and what is said of those that may not."""

from __future__ import annotations

import pytest

from job_orchestra.domain.checking import read_all
from job_orchestra.domain.configuration import parse_projects
from job_orchestra.domain.declarations import Project
from job_orchestra.domain.errors import Invalid
from job_orchestra.domain.job_data import project_settings_from_data, project_settings_to_data
from job_orchestra.domain.links import is_link, read_services

TRACKER = "https://tracker.example.org/a?b=c#d"


@pytest.mark.parametrize("text", [TRACKER, "http://localhost:8080", "https://[::1]/x"])
def test_links(text: str) -> None:
    assert is_link(text)


@pytest.mark.parametrize(
    "text",
    ["", "tracker", "javascript:alert(1)", "//example.org", "ftp://example.org", "https://", "https://a b", "http://[x",
     " https://example.org", "https://example.org\n", "HTTPS://example.org\0", "https://example.org@other.example", "https://example.org\\@other.example"],
)  # fmt: skip
def test_what_is_no_link(text: str) -> None:
    assert not is_link(text)


def test_declared_and_plain_they_are_the_same_and_stay_what_they_are() -> None:
    services = {"Tracker": TRACKER, "Über uns": "http://localhost"}
    [declared] = parse_projects([Project("p", services=services)])
    [plain] = parse_projects([{"identifier": "p", "services": services}])
    assert declared == plain
    assert declared.settings.services == services
    assert project_settings_from_data(project_settings_to_data(declared.settings)) == declared.settings
    assert project_settings_from_data({"description": "from before there were any"}).services == {}


def test_all_mistakes_are_told_with_their_places() -> None:
    services = {
        "Tracker": "javascript:alert(1)",
        "": TRACKER,
        "x" * 61: TRACKER,
        "Empty": "",
        "Number": 1,
        "a\nb": TRACKER,
    }
    with pytest.raises(Invalid) as caught:
        parse_projects([{"identifier": "p", "services": services}])
    assert [str(mistake) for mistake in caught.value.mistakes] == [
        "project p, services.Tracker: 'javascript:alert(1)' is no address that begins with http:// or https://",
        "project p, services: '' is no name of 1 to 60 characters",
        f"project p, services: '{'x' * 58}… is no name of 1 to 60 characters",
        "project p, services.Empty: '' is no address that begins with http:// or https://",
        "project p, services.Number: expected text, got 1",
        "project p, services: 'a\\nb' is no name of 1 to 60 characters",
    ]
    for wrong in (["Tracker"], "Tracker", {f"{number}": TRACKER for number in range(51)}):
        with pytest.raises(Invalid):
            read_all(wrong, read_services)
    with pytest.raises(Invalid, match="may have 2000"):
        read_all({"a": f"https://example.org/{'x' * 2000}"}, read_services)
