"""Asks the HTTP API of a host of repositories, within bounds of time and size."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import httpx2
import msgspec

from job_orchestra.domain.errors import NotFound
from job_orchestra.domain.revisions import plain_line
from job_orchestra.integrations.revision_control import RevisionControlFailure, Token
from job_orchestra.protocol.causes import cause_of
from job_orchestra.version import __version__

Answer = TypeVar("Answer")

_CONNECT = 5.0
_SILENCE = 10.0
TIME_LIMIT = 20.0
"""Seconds for one answer, to its last byte."""
_MOST_BYTES = 8 << 20
_LONGEST_WAIT = 3600.0
_DEFAULT_WAIT = 60.0


@dataclass(frozen=True, slots=True)
class Found:
    content: bytes
    has_more: bool
    """Whether the answer says that there is a next page."""


class HttpApi:
    """`host` is what people call it; `repository` is the path that answers to everybody who may see the repository."""

    def __init__(
        self,
        host: str,
        url: str,
        repository: str,
        token: Token,
        scheme: str,
        headers: Mapping[str, str],
        time_limit: float = TIME_LIMIT,
    ) -> None:
        self._host = host
        self._url = url
        self._repository = repository
        self._token = token
        self._scheme = scheme
        self._time_limit = time_limit
        self._pool = httpx2.AsyncClient(
            headers={"User-Agent": f"job-orchestra/{__version__}", "Accept": "application/json", **headers},
            timeout=httpx2.Timeout(_SILENCE, connect=_CONNECT),
            limits=httpx2.Limits(max_connections=2),
            follow_redirects=False,
            verify=url.startswith("https:"),
        )

    async def get(self, path: str, kind: type[Answer], missing: NotFound | None = None, **query: str | int) -> Answer:
        """The answer, of that type; `missing` is raised where there is no such thing."""
        return self._decode((await self._found(path, missing, query)).content, kind)

    async def get_page(
        self, path: str, kind: type[Answer], missing: NotFound | None = None, **query: str | int
    ) -> tuple[Answer, bool]:
        """Likewise, and whether there is a next page."""
        found = await self._found(path, missing, query)
        return self._decode(found.content, kind), found.has_more

    async def close(self) -> None:
        await self._pool.aclose()

    async def _found(self, path: str, missing: NotFound | None, query: Mapping[str, str | int]) -> Found:
        token = await self._token()
        headers = {} if token is None else {"Authorization": f"{self._scheme} {token}"}
        try:
            async with (
                asyncio.timeout(self._time_limit),
                self._pool.stream("GET", self._url + path, params=dict(query), headers=headers) as response,
            ):
                content = await self._read(response)
        except (TimeoutError, httpx2.TimeoutException):
            raise RevisionControlFailure(f"{self._host} does not answer in time.") from None
        except (httpx2.HTTPError, httpx2.InvalidURL, ValueError) as error:
            raise RevisionControlFailure(f"{self._host} cannot be asked: {plain_line(cause_of(error))}.") from None
        if response.status_code == 200:
            return Found(content, 'rel="next"' in response.headers.get("link", ""))
        if response.status_code in {404, 422} and missing is not None:
            # Hosts say the same of all that is in a repository that nobody may see without a token.
            await self._found(self._repository, None, {})
            raise missing
        raise self._failure(response, content, has_token=token is not None)

    async def _read(self, response: httpx2.Response) -> bytes:
        content = bytearray()
        async for chunk in response.aiter_bytes():
            content += chunk
            if len(content) > _MOST_BYTES:
                raise RevisionControlFailure(f"{self._host} answers with more than {_MOST_BYTES >> 20} MiB.")
        return bytes(content)

    def _failure(self, response: httpx2.Response, content: bytes, has_token: bool) -> RevisionControlFailure:
        status = response.status_code
        wait = _wait_of(response)
        if status == 429 or (status == 403 and wait is not None):
            hint = "" if has_token else " With a token it allows more."
            return RevisionControlFailure(
                f"{self._host} allows no more questions for now.{hint}", wait or _DEFAULT_WAIT
            )
        if status in {401, 403}:
            what = "The token is not allowed to read the repository" if has_token else "The repository needs a token"
            return RevisionControlFailure(f"{what}, says {self._host}: {_words(content) or status}.")
        if status == 404:
            hint = "or the token may not see it" if has_token else "or it needs a token"
            return RevisionControlFailure(f"{self._host} has no such repository, {hint}.")
        if 300 <= status < 400:
            return RevisionControlFailure(
                f"{self._host} says that the repository has moved; its URL is another one now."
            )
        return RevisionControlFailure(f"{self._host} answers with status {status}: {_words(content) or 'no reason'}.")

    def _decode(self, content: bytes, kind: type[Answer]) -> Answer:
        try:
            return msgspec.json.decode(content, type=kind)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise RevisionControlFailure(f"{self._host} answers with what is none of its answers: {error}.") from None


def _wait_of(response: httpx2.Response) -> float | None:
    """Seconds until questions are allowed again, where the answer says that there have been too many."""
    headers = response.headers
    if (after := headers.get("retry-after", "")).isdigit():
        return min(float(after[:6]), _LONGEST_WAIT)
    for remaining, reset in (
        ("x-ratelimit-remaining", "x-ratelimit-reset"),
        ("ratelimit-remaining", "ratelimit-reset"),
    ):
        if headers.get(remaining) == "0" and (moment := headers.get(reset, "")).isdigit():
            return min(max(float(moment[:12]) - time.time(), 1.0), _LONGEST_WAIT)
    return None


class _Message(msgspec.Struct):
    message: Any = ""


def _words(content: bytes) -> str:
    """The host's own."""
    try:
        message = msgspec.json.decode(content, type=_Message).message
    except (msgspec.DecodeError, UnicodeDecodeError):
        return ""
    return plain_line(message).rstrip(".") if isinstance(message, str) else ""
