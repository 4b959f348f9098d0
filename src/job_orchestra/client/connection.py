"""One HTTP request on a connection of its own, by the standard library.

The blocking client is that of commands which ask once or twice and end: importing a library for connections that are
kept takes longer than all that they do.
"""

from __future__ import annotations

import http.client
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from urllib.parse import urlencode, urlsplit

from job_orchestra.client.transport import CONNECT_TIMEOUT, HEADERS, broken, needs_tls, too_slow, unreachable

_CHUNK = 1 << 16


class Exchange:
    """An answer whose body is read in pieces."""

    def __init__(self, url: str, response: http.client.HTTPResponse) -> None:
        self._url = url
        self._response = response
        self.status = response.status

    def chunks(self) -> Iterator[bytes]:
        """As they come; Unavailable where the connection breaks before the end."""
        try:
            while chunk := self._response.read1(_CHUNK):
                yield chunk
        except TimeoutError:
            raise too_slow(self._url) from None
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise broken(self._url, error) from None
        if self._response.length:
            raise broken(self._url, EOFError("it ended within an answer"))

    def read(self) -> bytes:
        return b"".join(self.chunks())


@contextmanager
def exchange(
    url: str,
    method: str,
    path: str,
    timeout: float,
    query: Mapping[str, str],
    headers: Mapping[str, str],
    content: bytes | None = None,
) -> Generator[Exchange]:
    """Sends the request and awaits the head of the answer; `timeout` is for each silence of the service."""
    connection = _connect(url, timeout)
    try:
        target = urlsplit(url).path + path + (f"?{urlencode(query, errors='surrogateescape')}" if query else "")
        try:
            connection.request(method, target, content, {**HEADERS, **headers})
            response = connection.getresponse()
        except TimeoutError:
            raise too_slow(url) from None
        except (OSError, http.client.HTTPException) as error:
            raise broken(url, error) from None
        yield Exchange(url, response)
    finally:
        connection.close()


def _connect(url: str, timeout: float) -> http.client.HTTPConnection:
    parts = urlsplit(url)
    kind = http.client.HTTPSConnection if needs_tls(url) else http.client.HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=CONNECT_TIMEOUT)
    try:
        connection.connect()
    except TimeoutError:
        raise too_slow(url) from None
    except (OSError, UnicodeError) as error:
        raise unreachable(url, error) from None
    assert connection.sock is not None
    connection.sock.settimeout(timeout)
    return connection
