from __future__ import annotations

from datetime import UTC, datetime

from cronsim import CronSim, CronSimError

_SOME_DAY = datetime(2026, 1, 1, tzinfo=UTC)


def check_expression(expression: str) -> None:
    """ValueError for five fields that name no time."""
    try:
        next(CronSim(expression, _SOME_DAY))
    except CronSimError as error:
        raise ValueError(f"is no cron expression: {str(error).lower()}") from None
    except StopIteration:
        raise ValueError("names a time that never comes") from None
