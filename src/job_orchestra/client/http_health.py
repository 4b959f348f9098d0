"""Whether an address answers over HTTP, for services that are none of ours."""

from __future__ import annotations

import http
import ssl
from dataclasses import dataclass, field
from functools import lru_cache

import httpx2

from job_orchestra.client.transport import HEADERS, needs_tls
from job_orchestra.protocol.causes import cause_of


@dataclass(frozen=True)
class HttpHealth:
    """An external service that is well as long as a GET of `url` is answered with a status below 400."""

    name: str
    url: str = field(repr=False)

    async def flaw(self) -> str:
        """What is wrong with it, in a few words; empty if it is well. Waits as long as its caller does."""
        try:
            async with (
                httpx2.AsyncClient(
                    headers=HEADERS, timeout=None, trust_env=False, verify=_tls() if needs_tls(self.url) else False
                ) as client,
                client.stream("GET", self.url) as response,
            ):
                status = response.status_code
        except httpx2.TransportError as error:
            return f"cannot be reached: {cause_of(error)}"
        return f"answers with status {status}" if status >= http.HTTPStatus.BAD_REQUEST else ""


@lru_cache(maxsize=1)
def _tls() -> ssl.SSLContext:
    """Certificates are read once."""
    return ssl.create_default_context()
