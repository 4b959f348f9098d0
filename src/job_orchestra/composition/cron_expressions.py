from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from cronsim import CronSim, CronSimError

_SOME_DAY = datetime(2026, 1, 1)  # noqa: DTZ001 - a local time


def check_expression(expression: str) -> None:
    """ValueError for five fields that name no time."""
    try:
        next(local_times(expression, _SOME_DAY))
    except StopIteration:
        raise ValueError("names a time that never comes") from None


def local_times(expression: str, behind: datetime) -> Iterator[datetime]:
    """See `LocalTimes`. ValueError if that are no five fields."""
    try:
        # Without a zone, the library leaves the days on which clocks change to us.
        return CronSim(expression, behind)
    except CronSimError as error:
        raise ValueError(f"is no cron expression: {str(error).lower()}") from None
