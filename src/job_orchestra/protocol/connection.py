"""The WebSocket shell: frames between two applications. Nothing outside this room imports the WebSocket library.

Each frame begins with its number, four bytes, counted from 1 over the connection and in each direction; in silence an
empty one is sent now and then. So what is lost, repeated or moved on the way is noticed at the next frame, and costs
a reconnection, from which both sides go on where everything is durable.
"""

from __future__ import annotations

import asyncio
import http
from base64 import b64encode
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from types import TracebackType
from typing import Self
from weakref import WeakKeyDictionary

import msgspec
from websockets.asyncio.client import connect
from websockets.asyncio.connection import Connection
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus, InvalidURI
from websockets.http11 import Request, Response
from websockets.protocol import Event

from job_orchestra.domain.errors import Forbidden, OrchestraError, Unauthenticated, Unavailable
from job_orchestra.protocol.listening import BACKLOG, Listener, listen
from job_orchestra.protocol.messages import MAXIMAL_FRAME_SIZE
from job_orchestra.protocol.resources.answers import HealthAnswer

PING_INTERVAL = 4.0
PING_TIMEOUT = 6.0
"""A half-open connection is noticed after at most the sum of both."""
SILENCE = 4.0
"""Seconds after which an empty frame is sent, if no other was."""

_NUMBER_SIZE = 4
_MOST_FRAMES = 1 << (8 * _NUMBER_SIZE)
_NORMAL, _PROTOCOL_ERROR = 1000, 1002
_GONE = (ConnectionClosed, AttributeError)
"""A transport that was lost while it had something to write raises the latter when the library aborts it once more."""


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
        self._sent = 0
        self._received = 0
        self._sending = asyncio.Lock()

    async def send_frame(self, frame: bytes) -> None:
        """Waits while the other side is slow; ConnectionLost if it is gone."""
        try:
            async with self._sending:
                self._sent = (self._sent + 1) % _MOST_FRAMES
                await self._connection.send(self._sent.to_bytes(_NUMBER_SIZE, "big") + frame)
        except _GONE as error:
            raise ConnectionLost(_closed_sentence(error)) from None

    async def receive_frame(self) -> bytes | str:
        """Text comes back as str, for the codec to refuse; ConnectionLost if the connection is gone."""
        while True:
            try:
                frame = await self._connection.recv()
            except _GONE as error:
                raise ConnectionLost(_closed_sentence(error)) from None
            if isinstance(frame, str):
                return frame
            await self._check_number(frame)
            if len(frame) > _NUMBER_SIZE:
                return frame[_NUMBER_SIZE:]

    async def _check_number(self, frame: bytes) -> None:
        self._received = (self._received + 1) % _MOST_FRAMES
        number = int.from_bytes(frame[:_NUMBER_SIZE], "big")
        if len(frame) < _NUMBER_SIZE or number != self._received:
            sentence = f"frame {number} came where {self._received} was next"
            await self.close(_PROTOCOL_ERROR, sentence)
            raise ConnectionLost(f"Something on the way loses, repeats or moves frames: {sentence}.")

    async def prove_alive(self) -> None:
        """Returns when the other side has answered just now; ConnectionLost if it does not in PING_TIMEOUT."""
        try:
            async with asyncio.timeout(PING_TIMEOUT):
                await (await self._connection.ping())
        except TimeoutError:
            raise ConnectionLost(f"The other side has not answered for {PING_TIMEOUT:g} seconds.") from None
        except _GONE as error:
            raise ConnectionLost(_closed_sentence(error)) from None

    async def break_silence(self) -> None:
        """Until the connection is gone."""
        try:
            while True:
                before = self._sent
                await asyncio.sleep(SILENCE)
                if self._sent == before:
                    await self.send_frame(b"")
        except ConnectionLost:
            return

    async def close(self, code: int = _NORMAL, reason: str = "") -> None:
        """May be called twice."""
        with suppress(*_GONE):
            await self._connection.close(code, reason)


@asynccontextmanager
async def _speaking(connection: Connection) -> AsyncGenerator[FrameConnection]:
    frames = FrameConnection(connection)
    task = asyncio.create_task(frames.break_silence(), name="break the silence")
    try:
        yield frames
    finally:
        task.cancel()
        await frames.close()


def _closed_sentence(error: Exception) -> str:
    received = error.rcvd if isinstance(error, ConnectionClosed) else None
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
            max_size=MAXIMAL_FRAME_SIZE + _NUMBER_SIZE,
            open_timeout=timeout,
            close_timeout=2.0,
            ping_interval=PING_INTERVAL,
            ping_timeout=PING_TIMEOUT,
            proxy=None,
        )
    except InvalidStatus as error:
        raise _refusal(url, error.response) from None
    except (OSError, TimeoutError, InvalidHandshake, InvalidURI) as error:
        raise ConnectionLost(f"{url} does not answer: {error}.") from None
    async with _speaking(connection) as frames:
        yield frames


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

    def __init__(
        self, address: str, port: int, admit: Admit, handlers: Mapping[str, Serve], most: int | None = None
    ) -> None:
        """At most so many connections; None for as many as descriptors allow."""
        self._address = address
        self._port = port
        self._admit = admit
        self._handlers = handlers
        self._most = most
        self._admitted: WeakKeyDictionary[ServerConnection, object] = WeakKeyDictionary()
        """By connection; one that was admitted and does not speak WebSocket after all takes its entry with it."""
        self._server: Server | None = None

    @property
    def port(self) -> int:
        """The real one, once it listens."""
        assert self._server is not None
        return int(next(iter(self._server.sockets)).getsockname()[1])

    async def __aenter__(self) -> Self:
        listener = listen(self._address, self._port, self._most)
        self._server = await serve(
            self._handle,
            sock=listener,
            backlog=BACKLOG,
            create_connection=_connection_on(listener),
            process_request=self._process_request,
            compression=None,
            max_size=MAXIMAL_FRAME_SIZE + _NUMBER_SIZE,
            max_queue=4,
            close_timeout=2.0,
            ping_interval=PING_INTERVAL,
            ping_timeout=PING_TIMEOUT,
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
        async with _speaking(connection) as frames:
            await handler(frames, who)


def _connection_on(listener: Listener) -> type[ServerConnection]:
    class Incoming(ServerConnection):
        """May be closed for others until its request has come; the library itself bounds the time for that."""

        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            super().connection_made(transport)
            listener.note_waiting(transport)

        def process_event(self, event: Event) -> None:
            listener.note_busy(self.transport)
            super().process_event(event)

        def connection_lost(self, exc: Exception | None) -> None:
            listener.note_busy(self.transport)
            super().connection_lost(exc)

    return Incoming
