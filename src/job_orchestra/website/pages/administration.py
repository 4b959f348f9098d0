from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from starlette.responses import Response

from job_orchestra.client.calls import administration
from job_orchestra.domain.json import JsonObject
from job_orchestra.protocol.resources.administration import AdministrationAnswer
from job_orchestra.version import __version__
from job_orchestra.website.page import Page
from job_orchestra.website.pages.workers import last_day
from job_orchestra.website.pictures.load import Load
from job_orchestra.website.presentation import value_words
from job_orchestra.website.visit import Visit

_MOST_PROJECTS = 50


@dataclass(frozen=True, slots=True)
class Version:
    application: str
    version: str
    is_different: bool
    """From that of the service."""


@dataclass(frozen=True, slots=True)
class Section:
    name: str
    settings: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AdministrationPage(Page):
    template: ClassVar[str] = "administration.html"
    section: ClassVar[str] = "/administration"
    answer: AdministrationAnswer
    versions: tuple[Version, ...]
    is_any_master_at_work: bool
    most_projects: int = _MOST_PROJECTS
    sections: tuple[Section, ...]
    load: Load | None


async def show(visit: Visit) -> Response:
    answer, load = await asyncio.gather(visit.send(administration.administration()), last_day(visit))
    page = AdministrationPage(
        title="Administration",
        answer=answer,
        versions=tuple(_versions(answer)),
        is_any_master_at_work=any(master.is_at_work for master in answer.masters),
        sections=tuple(_sections(answer.settings)),
        load=load,
    )
    return visit.page(page)


def _versions(answer: AdministrationAnswer) -> Iterator[Version]:
    """Those that are at work now."""
    wanted = answer.service.version
    found = [("Service", wanted), ("Website", __version__)]
    found += [(f"Master {master.identifier}", master.version) for master in answer.masters if master.is_at_work]
    for workers in answer.workers:
        if workers.connected:
            found.append((f"{workers.connected} worker{'' if workers.connected == 1 else 's'}", workers.version))
    for application, version in found:
        yield Version(application, version, version != wanted)


def _sections(settings: dict[str, JsonObject]) -> Iterator[Section]:
    for name, values in settings.items():
        yield Section(name, tuple((key, value_words(value)) for key, value in values.items()))
