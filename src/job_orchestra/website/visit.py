"""One request to one page, as its handler sees it: who asks, through which client, and how to answer."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from starlette.requests import Request
from starlette.responses import Response

from job_orchestra.client.asynchronous import AsyncClient
from job_orchestra.client.call import Call
from job_orchestra.domain.clock import Clock
from job_orchestra.domain.errors import Invalid
from job_orchestra.domain.roles import Permission
from job_orchestra.protocol.addresses import query_items
from job_orchestra.protocol.resources.accounts import MeAnswer
from job_orchestra.website import forgery
from job_orchestra.website.external_services import ExternalServices
from job_orchestra.website.forms import Form
from job_orchestra.website.page import Frame, NavigationEntry, Page
from job_orchestra.website.parts import WebsiteParts
from job_orchestra.website.responses import html_response
from job_orchestra.website.sessions import SessionCookies
from job_orchestra.website.zones import Zone, zone_of_cookie

Answered = TypeVar("Answered")


@dataclass(frozen=True)
class Site:
    """What all visits share."""

    client: AsyncClient
    """Without credentials; each visit acts as its visitor."""
    parts: WebsiteParts
    external_services: ExternalServices
    cookies: SessionCookies
    clock: Clock
    origins: frozenset[str]
    """`scheme://host:port` under which the website knows that it is reached."""
    stopping: asyncio.Event
    """Set when the application ends: streaming pages then say so and end, too."""


@dataclass(frozen=True)
class Visit:
    site: Site
    request: Request
    client: AsyncClient
    form_secret: str
    """What the tokens of this visitor's forms are derived from: the session's secret, or that of the login form."""
    me: MeAnswer | None = None
    form: Form = Form()
    announcement: str = ""

    def may(self, permission: str) -> bool:
        """Whether the service said that the visitor may."""
        return self.me is not None and permission in self.me.permissions

    @property
    def zone(self) -> Zone:
        return zone_of_cookie(self.site.cookies.zone(self.request))

    @property
    def now(self) -> datetime:
        """In the visitor's time zone."""
        return self.site.clock.now().astimezone(self.zone.rules)

    @property
    def own_origins(self) -> frozenset[str]:
        """`scheme://host:port` of this website, as far as it can be known."""
        return self.site.origins | {f"{self.request.url.scheme}://{self.request.url.netloc}"}

    @property
    def is_of_own_origin(self) -> bool:
        """Whether the browser says that what it sends is from a page of this website."""
        headers = self.request.headers
        return forgery.is_own_origin(headers.get("Origin"), headers.get("Sec-Fetch-Site"), self.own_origins)

    def value(self, name: str) -> str:
        """A part of the path."""
        return str(self.request.path_params[name])

    def query(self, name: str) -> str:
        """A value of the query; empty where there is none."""
        try:
            return dict(query_items(self.request.scope["query_string"])).get(name, "").strip()
        except Invalid:
            return ""  # `check_address` says so, on a page that comes here, too

    async def send(self, call: Call[Answered]) -> Answered:
        return await self.client.send(call)

    def page(self, page: Page, status: int = 200) -> Response:
        headers: Mapping[str, str] = {}
        if page.refresh is not None and not self.is_refresh_paused:
            headers = {"Refresh": str(page.refresh)}
        return html_response(self.request, self.html(page), status, headers)

    def html(self, page: Page) -> str:
        return self.site.parts.templates.render(page, self._frame())

    def _frame(self) -> Frame:
        parts = self.site.parts
        return Frame(
            site_title=parts.title,
            logo=parts.static_files.address(parts.logo) if parts.logo else None,
            announcement=self.announcement,
            user=self.me.user.identifier if self.me else None,
            may=self.may,
            navigation=tuple(entry for entry in parts.navigation if self._sees(entry)),
            form_token=forgery.form_token(self.form_secret),
            now=self.now,
            zone=self.zone,
            is_refresh_paused=self.is_refresh_paused,
            address=self.request.url.path,
        )

    def _sees(self, entry: NavigationEntry) -> bool:
        return entry.permission is Permission.ANYONE or self.may(entry.permission)

    @property
    def is_refresh_paused(self) -> bool:
        return self.query("refresh") == "off"
