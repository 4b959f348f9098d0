"""The website as an application: serves pages, and needs nothing but the address of the service."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from urllib.parse import urlsplit

from job_orchestra.client.asynchronous import AsyncClient
from job_orchestra.domain.clock import Clock
from job_orchestra.protocol.http_server import serve
from job_orchestra.protocol.listening import listen
from job_orchestra.website.cookie_keys import CookieKeys
from job_orchestra.website.dispatch import website
from job_orchestra.website.errors import malformed_answer
from job_orchestra.website.external_services import ExternalServices
from job_orchestra.website.parts import WebsiteParts, website_parts
from job_orchestra.website.sessions import SessionCookies
from job_orchestra.website.visit import Site

_GRACE = 3
"""Seconds that answers under way have when the website stops."""


class WebsiteApplication:
    """Serves whether or not the service is there: its pages then say that it is not, and come back by themselves."""

    def __init__(
        self,
        *,
        address: str,
        port: int,
        service_url: str,
        cookie_keys: CookieKeys,
        clock: Clock,
        url: str = "",
        parts: WebsiteParts | None = None,
    ) -> None:
        """Without `parts`, as we ship it."""
        self.port = port
        """The real one once it serves, where 0 was given."""
        self._address = address
        self._url = url
        """Where browsers reach it; decides about secure cookies."""
        self._client = AsyncClient(service_url)
        self._clock = clock
        self._cookie_keys = cookie_keys
        self._parts = parts or website_parts()
        self._external_services = ExternalServices(self._parts.external_services, clock)

    @property
    def url(self) -> str:
        host = f"[{self._address}]" if ":" in self._address else self._address
        return self._url.rstrip("/") or f"http://{host}:{self.port}"

    async def run(self, stop: asyncio.Event, ready: Callable[[str], None]) -> None:
        """Serves until `stop` is set; pages that stream then end with a word of farewell."""
        listener = listen(self._address, self.port)
        self.port = listener.getsockname()[1]
        application = website(self._site(stop))
        watching = asyncio.create_task(self._external_services.watch(stop))
        try:
            ready(f"website: ready on {self.url}")
            await serve(application, listener, stop, malformed=malformed_answer(), grace=_GRACE)
        finally:
            watching.cancel()
            with suppress(asyncio.CancelledError):
                await watching
            await self._client.close()

    def _site(self, stopping: asyncio.Event) -> Site:
        parts = urlsplit(self.url)
        return Site(
            client=self._client,
            parts=self._parts,
            external_services=self._external_services,
            cookies=SessionCookies.of(self.url, self._cookie_keys),
            clock=self._clock,
            origins=frozenset({f"{parts.scheme}://{parts.netloc}"}),
            stopping=stopping,
        )
