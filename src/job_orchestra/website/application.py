"""The website as an application: serves pages, and needs nothing but the address of the service."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import uvicorn
from starlette.types import ASGIApp

from job_orchestra.client.asynchronous import AsyncClient
from job_orchestra.domain.clock import Clock
from job_orchestra.website.dispatch import PageRoute, website
from job_orchestra.website.rendering import Templates
from job_orchestra.website.routes import ROUTES
from job_orchestra.website.sessions import SessionCookies
from job_orchestra.website.static_files import StaticFiles
from job_orchestra.website.visit import Site

_GRACE = 3
"""Seconds that requests have to come to their end when the website stops."""


class WebsiteApplication:
    """Serves whether or not the service is there: its pages then say that it is not, and come back by themselves."""

    def __init__(
        self,
        *,
        address: str,
        port: int,
        service_url: str,
        clock: Clock,
        url: str = "",
        template_directories: Sequence[Path] = (),
        static_directories: Sequence[Path] = (),
        routes: Sequence[PageRoute] = ROUTES,
    ) -> None:
        self.port = port
        """The real one once it serves, where 0 was given."""
        self._address = address
        self._url = url
        """Where browsers reach it; decides about secure cookies."""
        self._client = AsyncClient(service_url)
        self._clock = clock
        self._routes = routes
        self._static_files = StaticFiles(static_directories)
        self._templates = Templates(template_directories, self._static_files)

    @property
    def url(self) -> str:
        host = f"[{self._address}]" if ":" in self._address else self._address
        return self._url.rstrip("/") or f"http://{host}:{self.port}"

    async def run(self, stop: asyncio.Event, ready: Callable[[str], None]) -> None:
        """Serves until `stop` is set; pages that stream then end with a word of farewell."""
        listener = _listen(self._address, self.port)
        self.port = listener.getsockname()[1]
        site = self._site()
        server = _Server(_server_config(website(site, self._routes, self._static_files)))
        serving = asyncio.create_task(server.serve([listener]))
        stopping = asyncio.create_task(stop.wait())
        try:
            ready(f"website: ready on {self.url}")
            await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            site.stopping.set()
            server.should_exit = True
            stopping.cancel()
            await serving
            await self._client.close()

    def _site(self) -> Site:
        parts = urlsplit(self.url)
        return Site(
            client=self._client,
            templates=self._templates,
            cookies=SessionCookies.of(self.url),
            clock=self._clock,
            origins=frozenset({f"{parts.scheme}://{parts.netloc}"}),
        )


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Generator[None]:
        """Signals are the command line's business: it sets `stop`."""
        yield


def _listen(address: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    return socket.create_server((address, port), family=family, backlog=1024)


def _server_config(application: ASGIApp) -> uvicorn.Config:
    return uvicorn.Config(
        application,
        loop="asyncio",
        http="httptools",
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=_GRACE,
    )
