"""The WebSocket shell: frames between two applications. Nothing outside this room imports the WebSocket library."""

from __future__ import annotations

import http
from base64 import b64encode
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Self

import msgspec
from websockets.asyncio.client import connect
from websockets.asyncio.connection import Connection
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus, InvalidURI
from websockets.http11 import Request, Response

from job_orchestra.domain.errors import Forbidden, OrchestraError, Unauthenticated, Unavailable
from job_orchestra.protocol.messages import MAXIMAL_FRAME_SIZE
from job_orchestra.protocol.resources import HealthAnswer

_PING_INTERVAL = 5.0
_PING_TIMEOUT = 10.0
"""A half-open connection is noticed after at most the sum of both."""


class ConnectionLost(Unavailable):
    """The other side is gone, closed, or did not take the connection."""


def basic_authorization(user: str, token: str) -> str:
    return "Basic " + b64encode(f"{user}:{token}".encode()).decode()


def bearer_authorization(token: str) -> str:
    return f"Bearer {token}"


class FrameConnection:
    """Binary frames, in order, each whole; receiving and sending from one task each."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def send_frame(self, frame: bytes) -> None:
        """Waits while the other side is slow; ConnectionLost if it is gone."""
        try:
            await self._connection.send(frame)
        except ConnectionClosed as error:
            raise ConnectionLost(_closed_sentence(error)) from None

    async def receive_frame(self) -> bytes | str:
        """Text comes back as str, for the codec to refuse; ConnectionLost if the connection is gone."""
        try:
            return await self._connection.recv()
        except ConnectionClosed as error:
            raise ConnectionLost(_closed_sentence(error)) from None

    async def close(self) -> None:
        """May be called twice."""
        await self._connection.close()


def _closed_sentence(error: ConnectionClosed) -> str:
    received = error.rcvd
    if received is None:
        return "The connection broke."
    return f"The other side closed the connection ({received.code} {received.reason})".rstrip() + "."


@asynccontextmanager
async def open_connection(url: str, authorization: str, timeout: float = 10.0) -> AsyncGenerator[FrameConnection]:
    """A connection to `url` (`ws://host:port/path`).

    Unauthenticated or Forbidden if the other side says so, ConnectionLost for whatever else keeps it from opening.
    """
    try:
        connection = await connect(
            url,
            additional_headers={"Authorization": authorization},
            compression=None,
            max_size=MAXIMAL_FRAME_SIZE,
            open_timeout=timeout,
            close_timeout=2.0,
            ping_interval=_PING_INTERVAL,
            ping_timeout=_PING_TIMEOUT,
            proxy=None,
        )
    except InvalidStatus as error:
        raise _refusal(url, error.response) from None
    except (OSError, TimeoutError, InvalidHandshake, InvalidURI) as error:
        raise ConnectionLost(f"{url} does not answer: {error}.") from None
    try:
        yield FrameConnection(connection)
    finally:
        await connection.close()


def _refusal(url: str, response: Response) -> OrchestraError:
    sentence = bytes(response.body or b"").decode(errors="replace").strip() or f"HTTP status {response.status_code}"
    match response.status_code:
        case http.HTTPStatus.UNAUTHORIZED:
            return Unauthenticated(f"{url} refused: {sentence}")
        case http.HTTPStatus.FORBIDDEN:
            return Forbidden(f"{url} refused: {sentence}")
        case _:
            return ConnectionLost(f"{url} refused: {sentence}")


def _try_again(response: Response) -> Response:
    response.headers["Retry-After"] = "1"
    return response


Admit = Callable[[str, str | None], Awaitable[object]]
"""Path and Authorization header; raises Unauthenticated, Forbidden or Unavailable, or returns who it is."""
Serve = Callable[[FrameConnection, object], Awaitable[None]]
"""Serves one admitted connection until it returns; what `admit` returned comes along."""


class FrameServer:
    """Listens for frame connections, each path with its own handler; plain requests to /health and /ready are answered.

    For /ready `admit` is asked like for a connection: whether there could be one, whoever comes.
    """

    def __init__(self, address: str, port: int, admit: Admit, handlers: Mapping[str, Serve]) -> None:
        self._address = address
        self._port = port
        self._admit = admit
        self._handlers = handlers
        self._admitted: dict[ServerConnection, object] = {}
        self._server: Server | None = None

    @property
    def port(self) -> int:
        """The real one, once it listens."""
        assert self._server is not None
        return int(next(iter(self._server.sockets)).getsockname()[1])

    async def __aenter__(self) -> Self:
        self._server = await serve(
            self._handle,
            self._address,
            self._port,
            process_request=self._process_request,
            compression=None,
            max_size=MAXIMAL_FRAME_SIZE,
            max_queue=64,
            close_timeout=2.0,
            ping_interval=_PING_INTERVAL,
            ping_timeout=_PING_TIMEOUT,
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()
        await self._server.wait_closed()

    async def _process_request(self, connection: ServerConnection, request: Request) -> Response | None:
        path = request.path.partition("?")[0]
        if path == "/health":
            return connection.respond(http.HTTPStatus.OK, "alive\n")
        if path == "/ready":
            return await self._readiness(connection)
        if path not in self._handlers:
            return connection.respond(http.HTTPStatus.NOT_FOUND, f"There is nothing at {path}.\n")
        try:
            who = await self._admit(path, request.headers.get("Authorization"))
        except Unauthenticated as error:
            return connection.respond(http.HTTPStatus.UNAUTHORIZED, error.message)
        except Forbidden as error:
            return connection.respond(http.HTTPStatus.FORBIDDEN, error.message)
        except Unavailable as error:
            return _try_again(connection.respond(http.HTTPStatus.SERVICE_UNAVAILABLE, error.message))
        self._admitted[connection] = who
        return None

    async def _readiness(self, connection: ServerConnection) -> Response:
        """As the service answers."""
        try:
            await self._admit("/ready", None)
            status, answer = http.HTTPStatus.OK, HealthAnswer("ready")
        except Unavailable as error:
            status, answer = http.HTTPStatus.SERVICE_UNAVAILABLE, HealthAnswer("unavailable", [error.message])
        response = connection.respond(status, msgspec.json.encode(answer).decode())
        del response.headers["Content-Type"]
        response.headers["Content-Type"] = "application/json"
        return response if status is http.HTTPStatus.OK else _try_again(response)

    async def _handle(self, connection: ServerConnection) -> None:
        who = self._admitted.pop(connection, None)
        assert connection.request is not None
        handler = self._handlers[connection.request.path.partition("?")[0]]
        await handler(FrameConnection(connection), who)
