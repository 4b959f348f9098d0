"""Sends calls and waits; the client of the command line and of scripts."""

from __future__ import annotations

import http
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Self

import httpx2

from job_orchestra.client.call import Answered, Call, query
from job_orchestra.client.calls import runs
from job_orchestra.client.credentials import Credentials
from job_orchestra.client.following import Following
from job_orchestra.client.problems import decode, error_of
from job_orchestra.client.transport import (
    FOLLOW_TIMEOUT,
    HEADERS,
    PATIENCE,
    TIMEOUT,
    checked_url,
    log_range,
    needs_tls,
    unavailable,
)
from job_orchestra.domain.errors import Unavailable


class Client:
    """Every method raises the errors of `domain.errors`; Unavailable names the service's URL."""

    def __init__(self, url: str, credentials: Credentials | None = None) -> None:
        self.url = checked_url(url)
        self._pool = httpx2.Client(
            headers=HEADERS if credentials is None else {**HEADERS, "Authorization": credentials.authorization},
            timeout=TIMEOUT,
            trust_env=False,
            verify=needs_tls(self.url),
        )

    def send(self, call: Call[Answered]) -> Answered:
        try:
            response = self._pool.request(
                call.method,
                self.url + call.path,
                params=dict(call.query) or None,
                content=call.content,
                headers=dict(call.all_headers),
            )
        except httpx2.TransportError as error:
            raise unavailable(self.url, error) from None
        if response.status_code >= http.HTTPStatus.BAD_REQUEST:
            raise error_of(self.url, response.status_code, response.content)
        return decode(self.url, call, response.content)

    def log(
        self, project: str, run: str, attempt: int | None = None, start: int | None = None, end: int | None = None
    ) -> Iterator[bytes]:
        """The stored bytes from `start` up to but without `end`, in pieces; none where the log does not reach."""
        if start is not None and end is not None and end <= start:
            return
        path = runs.log_path(project, run)
        with self._stream(path, query(attempt=attempt), log_range(start, end), TIMEOUT) as response:
            if response.status_code != http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
                yield from self._body(response)

    def archive(self, project: str, run: str) -> Iterator[bytes]:
        """The run's record and log as a ZIP archive, in pieces."""
        with self._stream(runs.archive_path(project, run), {}, {}, TIMEOUT) as response:
            yield from self._body(response)

    def follow_log(self, project: str, run: str, offset: int = 0, patience: float = PATIENCE) -> Iterator[bytes]:
        """The log's bytes from `offset` as they come, until the run has ended; goes on where a connection broke."""
        following = Following(offset, patience)
        path = runs.log_path(project, run)
        while True:
            try:
                if not following.look(self.send(runs.get(project, run))):
                    return
                with self._stream(path, following.query, following.headers, FOLLOW_TIMEOUT) as response:
                    for chunk in self._body(response, following):
                        following.received(len(chunk))
                        yield chunk
                delay = following.delay_after_end()
            except Unavailable as error:
                delay = following.delay_after(error)
            time.sleep(delay)

    @contextmanager
    def _stream(
        self, path: str, values: dict[str, str], headers: dict[str, str], timeout: httpx2.Timeout
    ) -> Generator[httpx2.Response]:
        try:
            with self._pool.stream(
                "GET", self.url + path, params=values or None, headers=headers, timeout=timeout
            ) as response:
                yield response
        except httpx2.TransportError as error:
            raise unavailable(self.url, error) from None

    def _body(self, response: httpx2.Response, following: Following | None = None) -> Iterator[bytes]:
        if response.status_code >= http.HTTPStatus.BAD_REQUEST:
            raise error_of(self.url, response.status_code, response.read())
        if following is not None:
            following.connected()
        yield from response.iter_bytes()

    def close(self) -> None:
        self._pool.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
