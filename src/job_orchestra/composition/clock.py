from __future__ import annotations

from datetime import UTC, datetime


class SystemClock:
    """The time of the host."""

    def now(self) -> datetime:
        return datetime.now(UTC)
