"""What is known of a master, by its own word."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

SILENCE = timedelta(seconds=45)
"""Without a word, after which a master is taken for gone; it says one every fifteen seconds."""


@dataclass(frozen=True, slots=True)
class Master:
    identifier: str
    version: str
    url: str
    """Where others reach it, as its settings say."""
    started_at: datetime
    seen_at: datetime
    """When it last said that it is there."""
    stopped_at: datetime | None = None
    """None unless it stopped in order."""
    configured_at: datetime | None = None
    """When it last applied its configuration."""
    configuration_trouble: str = ""
    """Why what it has in its files does not count."""

    def is_at_work(self, now: datetime) -> bool:
        return self.stopped_at is None and now - self.seen_at < SILENCE
