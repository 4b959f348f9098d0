"""A line above every page, from a file that may change at any time, without a restart of the website."""

from __future__ import annotations

import asyncio
import logging
import time
from pathlib import Path

from job_orchestra.domain.errors import Mistake

PLACE = "[website] announcement_file"

_logger = logging.getLogger(__name__)

_BETWEEN_LOOKS = 1.0
_PATIENCE = 0.5
"""Seconds for which a page waits for a disk that does not answer; then it shows what was known before."""
_MOST_BYTES = 4096
_LONGEST = 500


class Announcement:
    """Empty while there is no file, or none that can be shown; that is told once to the log."""

    def __init__(self, file: Path | None = None) -> None:
        self._file = file
        self._text = ""
        self._flaw = ""
        self._looking: asyncio.Task[None] | None = None
        self._due = 0.0
        self._waited_until = 0.0

    def mistakes(self) -> list[Mistake]:
        """That the file is not there is none: that is how it is when nothing is to be announced."""
        if self._file is None:
            return []
        if self._file.is_dir():
            return [Mistake(PLACE, f"{self._file} is a directory")]
        if not self._file.parent.is_dir():
            return [Mistake(PLACE, f"{self._file.parent} is no directory")]
        return []

    async def text(self) -> str:
        """As the file was at most a second ago."""
        if self._file is None:
            return ""
        now = time.monotonic()
        if self._looking is None and now >= self._due:
            self._looking = asyncio.create_task(self._look(self._file))
            self._waited_until = now + _PATIENCE
        if self._looking is not None and now < self._waited_until:
            await asyncio.wait({self._looking}, timeout=self._waited_until - now)
        return self._text

    async def _look(self, file: Path) -> None:
        before = self._flaw
        try:
            self._text, self._flaw = await asyncio.to_thread(_read, file)
        finally:
            self._due = time.monotonic() + _BETWEEN_LOOKS
            self._looking = None
        if self._flaw not in {"", before}:
            _logger.warning("Nothing is announced: %s %s", file, self._flaw)


def _read(file: Path) -> tuple[str, str]:
    """What it says, in one line, and what is wrong with it."""
    try:
        with file.open("rb") as opened:
            content = opened.read(_MOST_BYTES + 1)
    except FileNotFoundError:
        return "", ""
    except OSError as error:
        return "", f"cannot be read: {error.strerror}"
    flaw = _flaw_of(content)
    return ("", flaw) if flaw else (" ".join(content.decode().split()), "")


def _flaw_of(content: bytes) -> str:
    if len(content) > _MOST_BYTES:
        return f"has more than {_MOST_BYTES} bytes"
    try:
        text = " ".join(content.decode().split())
    except UnicodeDecodeError:
        return "is not text in UTF-8"
    if len(text) > _LONGEST:
        return f"has {len(text)} characters, and may have {_LONGEST}"
    return "" if text.isprintable() else "contains control characters"
