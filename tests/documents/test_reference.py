from __future__ import annotations

import pytest
from scripts.reference.pages import DIRECTORY, PAGES, ReferencePage
from scripts.reference.source import read_classes

from job_orchestra.service.routes import ROUTES
from job_orchestra.settings.reading import SECTIONS


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.path.name)
def test_pages_are_as_the_code_says(page: ReferencePage) -> None:
    assert page.is_current(), f"{page.path.name} is not up to date: `make docs` (python -m scripts.reference) writes it"


def test_every_route_is_documented() -> None:
    text = (DIRECTORY / "http-api.md").read_text()
    for route in ROUTES:
        assert f"### {route.method} {route.path}\n" in text


def test_every_setting_is_documented_with_its_meaning() -> None:
    lines = (DIRECTORY / "settings.md").read_text().splitlines()
    for section, settings in SECTIONS.items():
        for name in settings.__dataclass_fields__:
            variable = f"`ORCHESTRA_{section}_{name}`".upper()
            assert any(line.startswith(f"| `{name}` |") and line.endswith(f"| {variable} |") for line in lines)


def test_every_message_says_what_it_is() -> None:
    for path in ("protocol/messages.py", "protocol/control.py"):
        for one in read_classes(path):
            assert one.text or not one.keywords.get("tag"), f"{one.name} has no text"
