"""What every page has; each page adds its own fields and is rendered by its own template."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from job_orchestra.domain.roles import Permission
from job_orchestra.website.zones import Zone


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """`template` and `section` belong to the class: the file, and the entry of the navigation that is marked."""

    template: ClassVar[str]
    section: ClassVar[str] = ""
    title: str
    refresh: int | None = None
    """Seconds until the browser asks again; only for pages on which nothing is typed."""


@dataclass(frozen=True, slots=True)
class NavigationEntry:
    label: str
    address: str
    permission: Permission = Permission.READ


NAVIGATION = (
    NavigationEntry("Home", "/"),
    NavigationEntry("Projects", "/projects"),
    NavigationEntry("Runs", "/runs"),
    NavigationEntry("Workers", "/workers"),
    NavigationEntry("Users", "/users", Permission.READ_ADMINISTRATION),
    NavigationEntry("Audit", "/audit", Permission.READ_ADMINISTRATION),
    NavigationEntry("Administration", "/administration", Permission.READ_ADMINISTRATION),
)


@dataclass(frozen=True, slots=True)
class Frame:
    """What is around every page: who looks at it, what they may do, and the token of its forms."""

    site_title: str
    user: str | None
    may: Callable[[str], bool]
    """Whether the visitor has that permission: for links and buttons."""
    navigation: tuple[NavigationEntry, ...]
    form_token: str
    now: datetime
    """In the visitor's time zone."""
    zone: Zone
    is_refresh_paused: bool
    address: str
    """Path of this page, without its query."""
    logo: str | None = None
    """Address of the picture before the title."""
    announcement: str = ""
    """Empty where nothing is announced."""
