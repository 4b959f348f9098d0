from __future__ import annotations

import re
from collections.abc import Callable

from job_orchestra.domain.configuration import parse_projects
from tests.website.examples import PROJECTS, Examples
from tests.website.installation import Installation
from tests.website.visitor import Visitor

Visitors = Callable[[str | None], Visitor]


def test_a_project_links_to_its_services(visitors: Visitors, installation: Installation, examples: Examples) -> None:
    services = {"Tracker & more": "https://tracker.example.org/?a=1&b=2", "Wiki": "http://wiki.example.org"}
    linked = {"identifier": "linked", "services": services}
    installation.call(installation.projects.apply(parse_projects([*PROJECTS, linked])))
    viewer = visitors("viewer")
    links = re.findall(
        r'<a href="(https?://[^"]*)" rel="nofollow noopener noreferrer">([^<]*)</a>',
        viewer.get("/projects/linked").text,
    )
    assert links == [
        ("https://tracker.example.org/?a=1&amp;b=2", "Tracker &amp; more"),
        ("http://wiki.example.org", "Wiki"),
    ]
    assert 'aria-label="Services"' not in viewer.get("/projects/example").text
