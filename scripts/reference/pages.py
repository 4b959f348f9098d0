"""Which page is made by what."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from scripts.reference.commands import commands_page
from scripts.reference.http_api import http_api_page
from scripts.reference.messages import protocol_page
from scripts.reference.settings import settings_page
from scripts.reference.templates import templates_page

DIRECTORY = Path(__file__).resolve().parents[2] / "docs" / "reference"


@dataclass(frozen=True, slots=True)
class ReferencePage:
    path: Path
    make: Callable[[], str]

    def is_current(self) -> bool:
        return self.path.exists() and self.path.read_text() == self.make()

    def write(self) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.write_text(self.make())


PAGES = (
    ReferencePage(DIRECTORY / "commands.md", commands_page),
    ReferencePage(DIRECTORY / "settings.md", settings_page),
    ReferencePage(DIRECTORY / "http-api.md", http_api_page),
    ReferencePage(DIRECTORY / "protocol.md", protocol_page),
    ReferencePage(DIRECTORY / "templates.md", templates_page),
)
