"""Sends calls from an event loop; the website's client."""

from __future__ import annotations

import asyncio
import http
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Self

import httpx2

from job_orchestra.client.call import Answered, Call, query
from job_orchestra.client.calls import runs
from job_orchestra.client.credentials import Credentials
from job_orchestra.client.following import Following
from job_orchestra.client.problems import decode, error_of
from job_orchestra.client.transport import (
    ANSWER_TIMEOUT,
    CONNECT_TIMEOUT,
    FOLLOW_TIMEOUT,
    HEADERS,
    PATIENCE,
    broken,
    checked_url,
    log_range,
    needs_tls,
    too_slow,
    unreachable,
)
from job_orchestra.domain.errors import Unavailable


class AsyncClient:
    """Every method raises the errors of `domain.errors`; Unavailable names the service's URL."""

    def __init__(
        self, url: str, credentials: Credentials | None = None, pool: httpx2.AsyncClient | None = None
    ) -> None:
        self.url = checked_url(url)
        self._credentials = credentials
        self._pool = pool or httpx2.AsyncClient(
            headers=HEADERS,
            timeout=httpx2.Timeout(ANSWER_TIMEOUT, connect=CONNECT_TIMEOUT),
            trust_env=False,
            verify=needs_tls(self.url),
            limits=httpx2.Limits(max_connections=None, max_keepalive_connections=50),
        )

    def acting_as(self, credentials: Credentials | None) -> AsyncClient:
        """The same connections, used for somebody else; close only the first client."""
        return AsyncClient(self.url, credentials, self._pool)

    async def send(self, call: Call[Answered]) -> Answered:
        try:
            response = await self._pool.request(
                call.method,
                self.url + call.path,
                params=dict(call.query) or None,
                content=call.content,
                headers={**call.all_headers, **self._authorization()},
            )
        except httpx2.TransportError as error:
            raise _unavailable(self.url, error) from None
        if response.status_code >= http.HTTPStatus.BAD_REQUEST:
            raise error_of(self.url, response.status_code, response.content)
        return decode(self.url, call, response.content)

    async def log(
        self, project: str, run: str, attempt: int | None = None, start: int | None = None, end: int | None = None
    ) -> bytes:
        """The stored bytes from `start` up to but without `end`; none where the log does not reach."""
        return await self._bytes(runs.log_path(project, run), start, end, query(attempt=attempt))

    async def late_log(
        self, project: str, run: str, attempt: int, start: int | None = None, end: int | None = None
    ) -> bytes:
        """Likewise, of what the worker sent of the log of an attempt that had been given up."""
        return await self._bytes(runs.late_log_path(project, run, attempt), start, end)

    async def _bytes(
        self, path: str, start: int | None, end: int | None, values: Mapping[str, str] | None = None
    ) -> bytes:
        if start is not None and end is not None and end <= start:
            return b""
        try:
            response = await self._pool.get(
                self.url + path,
                params=dict(values or {}) or None,
                headers={**log_range(start, end), **self._authorization()},
            )
        except httpx2.TransportError as error:
            raise _unavailable(self.url, error) from None
        if response.status_code == http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            return b""
        if response.status_code >= http.HTTPStatus.BAD_REQUEST:
            raise error_of(self.url, response.status_code, response.content)
        return response.content

    async def archive(self, project: str, run: str) -> AsyncGenerator[bytes]:
        """The run's record and log as a ZIP archive, in pieces."""
        try:
            async with self._pool.stream(
                "GET", self.url + runs.archive_path(project, run), headers=self._authorization()
            ) as response:
                if response.status_code >= http.HTTPStatus.BAD_REQUEST:
                    raise error_of(self.url, response.status_code, await response.aread())
                async for chunk in response.aiter_bytes():
                    yield chunk
        except httpx2.TransportError as error:
            raise _unavailable(self.url, error) from None

    async def follow_log(
        self, project: str, run: str, offset: int = 0, patience: float = PATIENCE, attempt: int | None = None
    ) -> AsyncGenerator[bytes]:
        """The log's bytes from `offset` as they come, until the run has ended; goes on where a connection broke.

        With an `attempt`, until that is over; else, behind them, those of the attempts that follow.
        """
        following = Following(offset, patience, attempt)
        while True:
            try:
                if not following.look(await self.send(runs.get(project, run))):
                    return
                async with self._follow(project, run, following) as chunks:
                    async for chunk in chunks:
                        following.received(len(chunk))
                        yield chunk
                delay = following.delay_after_end()
            except Unavailable as error:
                delay = following.delay_after(error)
            await asyncio.sleep(delay)

    @asynccontextmanager
    async def _follow(self, project: str, run: str, following: Following) -> AsyncGenerator[AsyncIterator[bytes]]:
        try:
            async with self._pool.stream(
                "GET",
                self.url + runs.log_path(project, run),
                params=following.query,
                headers={**following.headers, **self._authorization()},
                timeout=httpx2.Timeout(FOLLOW_TIMEOUT, connect=CONNECT_TIMEOUT),
            ) as response:
                if response.status_code >= http.HTTPStatus.BAD_REQUEST:
                    raise error_of(self.url, response.status_code, await response.aread())
                following.connected()
                yield response.aiter_bytes()
        except httpx2.TransportError as error:
            raise _unavailable(self.url, error) from None

    def _authorization(self) -> dict[str, str]:
        return {} if self._credentials is None else {"Authorization": self._credentials.authorization}

    async def close(self) -> None:
        await self._pool.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()


def _unavailable(url: str, error: httpx2.TransportError) -> Unavailable:
    match error:
        case httpx2.ConnectError():
            return unreachable(url, error)
        case httpx2.TimeoutException():
            return too_slow(url)
        case _:
            return broken(url, error)
