"""Sends calls and waits; the client of the command line and of scripts."""

from __future__ import annotations

import http
import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager

from job_orchestra.client.call import Answered, Call, query
from job_orchestra.client.calls import runs
from job_orchestra.client.connection import Exchange, exchange
from job_orchestra.client.credentials import Credentials
from job_orchestra.client.following import Following
from job_orchestra.client.problems import decode, error_of
from job_orchestra.client.transport import ANSWER_TIMEOUT, FOLLOW_TIMEOUT, PATIENCE, checked_url, log_range
from job_orchestra.domain.errors import Unavailable

_FIRST_DELAY = 0.1
_LONGEST_DELAY = 2.0


class Client:
    """Every method raises the errors of `domain.errors`; Unavailable names the service's URL.

    Nothing stays open between two calls, and threads may share a client.
    """

    def __init__(self, url: str, credentials: Credentials | None = None) -> None:
        self.url = checked_url(url)
        self._authorization = {} if credentials is None else {"Authorization": credentials.authorization}

    def send(self, call: Call[Answered]) -> Answered:
        headers = {**call.all_headers, **self._authorization}
        with exchange(self.url, call.method, call.path, ANSWER_TIMEOUT, call.query, headers, call.content) as answer:
            content = self._checked(answer).read()
        return decode(self.url, call, content)

    def send_patiently(self, call: Call[Answered], patience: float = PATIENCE) -> Answered:
        """Of a call that may be repeated: again and again, until it is answered or `patience` seconds are over."""
        deadline = time.monotonic() + patience
        delay = _FIRST_DELAY
        while True:
            try:
                return self.send(call)
            except Unavailable:
                if time.monotonic() + delay > deadline:
                    raise
            time.sleep(delay)
            delay = min(2 * delay, _LONGEST_DELAY)

    def log(
        self, project: str, run: str, attempt: int | None = None, start: int | None = None, end: int | None = None
    ) -> Iterator[bytes]:
        """The stored bytes from `start` up to but without `end`, in pieces; none where the log does not reach."""
        if start is not None and end is not None and end <= start:
            return
        path = runs.log_path(project, run)
        with self._get(path, ANSWER_TIMEOUT, query(attempt=attempt), log_range(start, end)) as answer:
            if answer.status != http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
                yield from self._checked(answer).chunks()

    def late_log(self, project: str, run: str, attempt: int) -> Iterator[bytes]:
        """What the worker sent of the log of an attempt that had been given up, in pieces."""
        with self._get(runs.late_log_path(project, run, attempt), ANSWER_TIMEOUT) as answer:
            yield from self._checked(answer).chunks()

    def archive(self, project: str, run: str) -> Iterator[bytes]:
        """The run's record and log as a ZIP archive, in pieces."""
        with self._get(runs.archive_path(project, run), ANSWER_TIMEOUT) as answer:
            yield from self._checked(answer).chunks()

    def follow_log(
        self, project: str, run: str, offset: int = 0, patience: float = PATIENCE, attempt: int | None = None
    ) -> Iterator[bytes]:
        """The log's bytes from `offset` as they come, until the run has ended; goes on where a connection broke.

        With an `attempt`, until that is over; else, behind them, those of the attempts that follow.
        """
        following = Following(offset, patience, attempt)
        path = runs.log_path(project, run)
        while True:
            try:
                if not following.look(self.send(runs.get(project, run))):
                    return
                with self._get(path, FOLLOW_TIMEOUT, following.query, following.headers) as answer:
                    chunks = self._checked(answer).chunks()
                    following.connected()
                    for chunk in chunks:
                        following.received(len(chunk))
                        yield chunk
                delay = following.delay_after_end()
            except Unavailable as error:
                delay = following.delay_after(error)
            time.sleep(delay)

    def _get(
        self,
        path: str,
        timeout: float,
        values: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> AbstractContextManager[Exchange]:
        return exchange(self.url, "GET", path, timeout, values or {}, {**(headers or {}), **self._authorization})

    def _checked(self, answer: Exchange) -> Exchange:
        if answer.status >= http.HTTPStatus.BAD_REQUEST:
            raise error_of(self.url, answer.status, answer.read())
        return answer
