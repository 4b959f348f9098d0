"""Style sheet and other files that never change under their address: the address contains a hash of the content."""

from __future__ import annotations

import gzip
import hashlib
import mimetypes
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

_OWN = Path(__file__).parent / "static"
_FOREVER = "public, max-age=31536000, immutable"
_TEXT = ("text/", "image/svg+xml", "application/javascript")


@dataclass(frozen=True, slots=True)
class StaticFile:
    content: bytes
    compressed: bytes | None
    media_type: str
    digest: str


class StaticFiles:
    """Files of the given directories, the first of which wins, and below them our own; read once at the start."""

    def __init__(self, directories: Sequence[Path] = ()) -> None:
        self._files: dict[str, StaticFile] = {}
        for directory in (_OWN, *reversed(directories)):
            for file in sorted(directory.rglob("*")):
                if file.is_file():
                    self._files[file.relative_to(directory).as_posix()] = _read(file)

    def address(self, name: str) -> str:
        """For templates; LookupError where there is no such file, so that a wrong name is noticed at once."""
        return f"/static/{self._files[name].digest}/{name}"

    async def serve(self, request: Request) -> Response:
        file = self._files.get(request.path_params["name"])
        if file is None:
            return PlainTextResponse("There is no such file.", 404)
        # A page from before an upgrade asks for the old content: it gets the new, which must not be kept as the old.
        is_current = request.path_params["digest"] == file.digest
        headers = {"Cache-Control": _FOREVER if is_current else "no-cache", "Vary": "Accept-Encoding"}
        if file.compressed is not None and "gzip" in request.headers.get("Accept-Encoding", ""):
            return Response(
                file.compressed, headers={**headers, "Content-Encoding": "gzip"}, media_type=file.media_type
            )
        return Response(file.content, headers=headers, media_type=file.media_type)


def _read(file: Path) -> StaticFile:
    content = file.read_bytes()
    media_type = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
    compressed = gzip.compress(content, 9, mtime=0) if media_type.startswith(_TEXT) else None
    return StaticFile(content, compressed, media_type, hashlib.sha256(content).hexdigest()[:12])
