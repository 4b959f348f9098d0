"""What users may change of the website, put together and checked at the start: all that is wrong is told at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from job_orchestra.domain.errors import Invalid, Mistake
from job_orchestra.website.announcement import Announcement
from job_orchestra.website.external_services import ExternalService
from job_orchestra.website.page import NAVIGATION, NavigationEntry
from job_orchestra.website.paths import is_local
from job_orchestra.website.rendering import Templates
from job_orchestra.website.static_files import StaticFiles

if TYPE_CHECKING:
    from job_orchestra.website.dispatch import PageRoute

TITLE = "Job Orchestra"
_MOST_SERVICES = 50


@dataclass(frozen=True, kw_only=True)
class WebsiteParts:
    title: str
    logo: str
    """Name of a static file; empty: none."""
    announcement: Announcement
    navigation: tuple[NavigationEntry, ...]
    routes: tuple[PageRoute, ...]
    static_files: StaticFiles
    templates: Templates
    external_services: tuple[ExternalService, ...]


def website_parts(
    *,
    title: str = TITLE,
    logo: str = "",
    announcement_file: Path | None = None,
    navigation: Sequence[NavigationEntry] = NAVIGATION,
    routes: Sequence[PageRoute] | None = None,
    template_directories: Sequence[Path] = (),
    template_names: Mapping[str, object] | None = None,
    static_directories: Sequence[Path] = (),
    external_services: Sequence[ExternalService] = (),
) -> WebsiteParts:
    """Invalid with every mistake; `routes` are ours where none are given."""
    from job_orchestra.website.route_checks import route_mistakes
    from job_orchestra.website.routes import ROUTES

    static_files = StaticFiles(static_directories)
    parts = WebsiteParts(
        title=title,
        logo=logo,
        announcement=Announcement(announcement_file),
        navigation=tuple(navigation),
        routes=tuple(ROUTES if routes is None else routes),
        static_files=static_files,
        templates=Templates(template_directories, static_files, template_names),
        external_services=tuple(external_services),
    )
    mistakes = [
        *static_files.mistakes,
        *parts.templates.mistakes(),
        *_mistakes_of_logo(parts),
        *parts.announcement.mistakes(),
        *_mistakes_of_navigation(parts.navigation),
        *route_mistakes(parts.routes),
        *_mistakes_of_services(parts.external_services),
    ]
    if mistakes:
        raise Invalid(mistakes)
    return parts


def _mistakes_of_logo(parts: WebsiteParts) -> Iterator[Mistake]:
    flaw = parts.static_files.flaw_of_picture(parts.logo) if parts.logo else ""
    if flaw:
        yield Mistake("[website] logo", flaw)


def _mistakes_of_navigation(entries: Sequence[NavigationEntry]) -> Iterator[Mistake]:
    for number, entry in enumerate(entries):
        if not is_local(entry.address):
            message = f"{entry.address!r} is no address on this website, such as /releases"
            yield Mistake(f"navigation: {entry.label}", message)
        if any(entry.address == one.address for one in entries[:number]):
            yield Mistake(f"navigation: {entry.label}", f"there is an entry for {entry.address} already")


def _mistakes_of_services(services: Sequence[ExternalService]) -> Iterator[Mistake]:
    names = [service.name for service in services]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield Mistake("external_services", f"there is more than one service {name!r}")
    if len(names) > _MOST_SERVICES:
        yield Mistake("external_services", f"are {len(names)}, and may be {_MOST_SERVICES}")
