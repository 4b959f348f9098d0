from __future__ import annotations

import random

from job_orchestra.website.log_window import LOOK_AHEAD, STEP, WHOLE, LogWindow, last_window, split_window, window_at


def _read(log: bytes, window: LogWindow) -> bytes:
    return log[window.read_from : window.read_until]


def _log(chance: random.Random, size: int) -> bytes:
    lines: list[bytes] = []
    left = size
    while left > 0:
        length = min(left, chance.choice((1, 20, 80, 500, 3 * LOOK_AHEAD)))
        lines.append(b"x" * (length - 1) + b"\n")
        left -= length
    return b"".join(lines)


def test_a_moderate_log_is_one_page() -> None:
    assert last_window(0) == last_window(WHOLE) == LogWindow(0, None)
    assert window_at(123, WHOLE) == LogWindow(0, None)


def test_the_end_of_a_long_log_is_a_page_of_bounded_size() -> None:
    for size in (WHOLE + 1, WHOLE + STEP // 2, 10 * STEP, 1 << 30, (1 << 30) + STEP // 3):
        window = last_window(size)
        assert window.end is None
        assert STEP // 4 <= size - window.start <= STEP + STEP // 4


def test_pages_join_without_gap_or_overlap() -> None:
    seed = random.randrange(1 << 32)
    print(f"seed {seed}")
    chance = random.Random(seed)
    log = _log(chance, 3 * WHOLE + chance.randrange(STEP))
    offset, pages = 0, list[bytes]()
    while True:
        window = window_at(offset, len(log))
        part = split_window(window, _read(log, window), window.read_from)
        assert part.start == sum(map(len, pages))
        assert part.shown == log[part.start : part.end]
        assert log[: part.start].endswith(part.before)
        pages.append(part.shown)
        if window.end is None:
            break
        offset = window.end
    assert b"".join(pages) == log


def test_a_page_begins_with_a_line_unless_lines_are_very_long() -> None:
    log = (b"x" * 99 + b"\n") * (WHOLE // 50)
    window = window_at(STEP, len(log))
    part = split_window(window, _read(log, window), window.read_from)
    assert log[part.start - 1 : part.start] == b"\n"
    assert part.shown.endswith(b"\n")
    endless = b"x" * (2 * WHOLE)
    window = window_at(STEP, len(endless))
    assert split_window(window, _read(endless, window), window.read_from).start == STEP
