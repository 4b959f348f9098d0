"""Which part of a log a page shows. A page costs the same however long the log is.

Logs are cut every `STEP` bytes, and from there moved to the next beginning of a line, if one is near. Both neighbours
of a cut compute it from the same bytes, so pages join without a gap.
"""

from __future__ import annotations

from dataclasses import dataclass

STEP = 256 * 1024
WHOLE = 1024 * 1024
"""A log up to this size is one page."""
LOOK_BEHIND = 1
"""The newline that may stand right before a page."""
LOOK_AHEAD = 4 * 1024


@dataclass(frozen=True, slots=True)
class LogWindow:
    """Bytes between two cuts; `end` is None for a page that goes on to the end of the log, and grows with it."""

    start: int
    end: int | None

    @property
    def read_from(self) -> int:
        return max(0, self.start - LOOK_BEHIND)

    @property
    def read_until(self) -> int | None:
        return None if self.end is None else self.end + LOOK_AHEAD


def last_window(size: int) -> LogWindow:
    """The end of a log that has that size now; all of it where that is one page."""
    if size <= WHOLE:
        return LogWindow(0, None)
    step, rest = divmod(size, STEP)
    # A page that has just begun would show next to nothing.
    return LogWindow((step if rest >= STEP // 4 else step - 1) * STEP, None)


def window_at(offset: int, size: int) -> LogWindow:
    """The page that contains the offset."""
    last = last_window(size)
    start = offset // STEP * STEP
    return last if start >= last.start else LogWindow(start, start + STEP)


def window_before(window: LogWindow) -> LogWindow:
    """The page that ends where this one begins."""
    return LogWindow(window.start - STEP, window.start)


def cut(data: bytes, data_start: int, nominal: int) -> int:
    """Where a page really begins: the first line that begins at or after `nominal`, if it is near enough."""
    if nominal <= 0:
        return 0
    position = nominal - 1 - data_start
    newline = data.find(b"\n", position, position + LOOK_AHEAD)
    return nominal if newline < 0 else data_start + newline + 1


@dataclass(frozen=True, slots=True)
class WindowBytes:
    """The bytes of a window: those before it, which tell in what style it begins, and its own."""

    before: bytes
    shown: bytes
    start: int
    end: int


def split_window(window: LogWindow, data: bytes, data_start: int) -> WindowBytes:
    """`data` is what was read up to `window.read_until` or the end of the log, from `window.read_from` or before."""
    data_end = data_start + len(data)
    start = min(cut(data, data_start, window.start), data_end)
    end = data_end if window.end is None else min(cut(data, data_start, window.end), data_end)
    return WindowBytes(data[: start - data_start], data[start - data_start : end - data_start], start, end)
