"""A real HTTP server on the loopback that answers what a test tells it to, broken answers included."""

from __future__ import annotations

import socket
import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass(frozen=True)
class Scripted:
    """One answer. `breaks` closes the connection before what was announced is sent, `stalls` keeps it open without."""

    status: int = 200
    content: bytes = b""
    breaks: bool = False
    stalls: bool = False


@dataclass(frozen=True)
class Received:
    method: str
    path: str
    headers: dict[str, str]
    content: bytes


@dataclass
class ScriptedService:
    url: str
    answers: list[Scripted]
    received: list[Received] = field(default_factory=list[Received])


@contextmanager
def scripted_service(*answers: Scripted) -> Generator[ScriptedService]:
    """Answers in order; the last one for ever."""
    script: ScriptedService
    is_over = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_one_request(self) -> None:
            self.raw_requestline = self.rfile.readline(65537)
            if not self.raw_requestline or not self.parse_request():
                self.close_connection = True
                return
            content = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            script.received.append(Received(self.command, self.path, dict(self.headers.items()), content))
            self._answer(script.answers.pop(0) if len(script.answers) > 1 else script.answers[0])

        def _answer(self, answer: Scripted) -> None:
            self.send_response(answer.status)
            self.send_header("Content-Length", str(len(answer.content) + (answer.breaks or answer.stalls)))
            self.end_headers()
            self.wfile.write(answer.content)
            self.wfile.flush()
            if answer.stalls:
                is_over.wait()
            if answer.breaks:
                self.connection.shutdown(socket.SHUT_RDWR)
                self.close_connection = True

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is that of the base
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    script = ScriptedService(f"http://127.0.0.1:{server.server_port}", list(answers))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield script
    finally:
        is_over.set()
        server.shutdown()
        thread.join()
        server.server_close()


def closed_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
