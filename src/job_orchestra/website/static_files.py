"""Style sheet and other files that never change under their address: the address contains a hash of the content."""

from __future__ import annotations

import gzip
import hashlib
import mimetypes
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from job_orchestra.domain.errors import Mistake
from job_orchestra.domain.similarity import most_similar

PLACE = "[website] static_directories"

_OWN = Path(__file__).parent / "static"
_MOST_BYTES = 64 << 20
"""Of all files together: they are kept in memory."""
_FOREVER = "public, max-age=31536000, immutable"
_TEXT = ("text/", "image/svg+xml", "application/javascript")


@dataclass(frozen=True, slots=True)
class StaticFile:
    content: bytes
    compressed: bytes | None
    media_type: str
    digest: str


class StaticFiles:
    """Files of the given directories, the first of which wins, and below them our own; read once at the start.

    Those whose names, or whose directories' names, begin with a dot are left out: nobody means them to be public.
    """

    def __init__(self, directories: Sequence[Path] = ()) -> None:
        self.mistakes: list[Mistake] = []
        """What of the directories cannot be served."""
        self._files: dict[str, StaticFile] = {}
        self._size = 0
        for directory in (_OWN, *reversed(directories)):
            self._take(directory)

    def address(self, name: str) -> str:
        """For templates; LookupError where there is no such file, so that a wrong name is noticed at once."""
        return f"/static/{self._files[name].digest}/{name}"

    def flaw_of_picture(self, name: str) -> str:
        """What keeps the file from being shown as a picture; empty if nothing does."""
        if name not in self._files:
            close = most_similar(name, self._files)
            return f"there is no file {name!r} in {PLACE}" + (f"; did you mean {close}?" if close else "")
        media_type = self._files[name].media_type
        return "" if media_type.startswith("image/") else f"{name!r} is no picture, but {media_type}"

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

    def _take(self, directory: Path) -> None:
        if not directory.is_dir():
            self.mistakes.append(Mistake(PLACE, f"{directory} is no directory"))
            return
        for name, file in _files_in(directory):
            try:
                self._size += file.stat().st_size
                if self._size > _MOST_BYTES:
                    most = f"has files of more than {_MOST_BYTES >> 20} MiB, with those before it"
                    self.mistakes.append(Mistake(PLACE, f"{directory} {most}; they would all be kept in memory"))
                    return
                self._files[name] = _read(file)
            except OSError as error:
                self.mistakes.append(Mistake(PLACE, f"{file} cannot be read: {error.strerror}"))


def _files_in(directory: Path) -> Iterator[tuple[str, Path]]:
    """With their names in addresses."""
    for file in sorted(directory.rglob("*")):
        name = file.relative_to(directory)
        if file.is_file() and not any(part.startswith(".") for part in name.parts):
            yield name.as_posix(), file


def _read(file: Path) -> StaticFile:
    content = file.read_bytes()
    media_type = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
    compressed = gzip.compress(content, 9, mtime=0) if media_type.startswith(_TEXT) else None
    return StaticFile(content, compressed, media_type, hashlib.sha256(content).hexdigest()[:12])
