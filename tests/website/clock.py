from __future__ import annotations

from datetime import UTC, datetime, timedelta


class ShiftedClock:
    """The host's time and a shift that tests set."""

    def __init__(self) -> None:
        self.shift = timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) + self.shift
