"""What leaves the website: headers that hold for every answer, compression, downloads, redirects."""

from __future__ import annotations

import gzip
import re
import zlib
from collections.abc import AsyncIterator, Mapping

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response, StreamingResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

SECURITY_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; frame-ancestors 'none';"
        " base-uri 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    # Not `no-referrer`: browsers would then hide the origin of our own forms from us, too.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class SecurityHeaders:
    """Adds the headers to each answer, and forbids keeping it unless the answer says otherwise."""

    def __init__(self, application: ASGIApp) -> None:
        self._application = application

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.setdefault("Cache-Control", "no-store")
                for name, value in SECURITY_HEADERS.items():
                    headers[name] = value
            await send(message)

        await self._application(scope, receive, send_with_headers)


def html_response(request: Request, html: str, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    content = html.encode()
    all_headers = {"Vary": "Accept-Encoding", **(headers or {})}
    if _takes_gzip(request):
        content = gzip.compress(content, 6, mtime=0)
        all_headers["Content-Encoding"] = "gzip"
    return Response(content, status, all_headers, media_type="text/html")


def html_stream(request: Request, parts: AsyncIterator[str]) -> Response:
    """Each part is on its way to the browser before the next is asked for."""
    # A proxy in between shall not gather what is meant to be seen at once.
    headers = {"Vary": "Accept-Encoding", "X-Accel-Buffering": "no"}
    if not _takes_gzip(request):
        return StreamingResponse(parts, headers=headers, media_type="text/html")
    headers["Content-Encoding"] = "gzip"
    return StreamingResponse(_flushed_gzip(parts), headers=headers, media_type="text/html")


def download(content: bytes | AsyncIterator[bytes], media_type: str, name: str | None = None) -> Response:
    """Bytes that are no page of ours: saved under that name, or shown as they are where there is none."""
    headers = {} if name is None else {"Content-Disposition": f'attachment; filename="{_file_name(name)}"'}
    if isinstance(content, bytes):
        return Response(content, headers=headers, media_type=media_type)
    return StreamingResponse(content, headers=headers, media_type=media_type)


def redirect(address: str) -> Response:
    """After a form: the browser asks for the page anew, so that reloading it sends nothing twice."""
    return RedirectResponse(address, 303)


def _takes_gzip(request: Request) -> bool:
    return "gzip" in request.headers.get("Accept-Encoding", "")


async def _flushed_gzip(parts: AsyncIterator[str]) -> AsyncIterator[bytes]:
    compressor = zlib.compressobj(5, zlib.DEFLATED, 16 + zlib.MAX_WBITS)
    async for part in parts:
        yield compressor.compress(part.encode()) + compressor.flush(zlib.Z_SYNC_FLUSH)
    yield compressor.flush()


def _file_name(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]", "_", name)
