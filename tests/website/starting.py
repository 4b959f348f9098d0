"""Websites of a test that are started as their parts say, before a service that is there or not."""

from __future__ import annotations

import socket
from collections.abc import Callable, Generator
from contextlib import contextmanager

from job_orchestra.composition.clock import SystemClock
from job_orchestra.website.application import WebsiteApplication
from job_orchestra.website.parts import website_parts
from tests.website.cookies import KEYS
from tests.website.installation import Loop
from tests.website.visitor import Visitor

StartWebsite = Callable[..., Visitor]


@contextmanager
def websites() -> Generator[StartWebsite]:
    """Starts a website and answers a visitor of it, with a cookie of some session."""
    loop = Loop()
    stops: list[Callable[[], None]] = []

    def start(service_url: str, session: str = "0" * 64, **parts: object) -> Visitor:
        website = WebsiteApplication(
            address="127.0.0.1",
            port=0,
            service_url=service_url,
            cookie_keys=KEYS,
            clock=SystemClock(),
            parts=website_parts(**parts),  # type: ignore[arg-type]
        )
        running = loop.start(website)
        visitor = Visitor(website.url)
        visitor.client.cookies.set(f"orchestra_{website.port}_session", KEYS.encrypt(session), domain="127.0.0.1")
        stops.extend((visitor.close, lambda: loop.call(running.stop())))
        return visitor

    try:
        yield start
    finally:
        for stop in stops:
            stop()
        loop.close()


def unused_url() -> str:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return f"http://127.0.0.1:{listener.getsockname()[1]}"
