from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from cronsim import CronSim, CronSimError

_SOME_DAY = datetime(2026, 1, 1)  # noqa: DTZ001 - a local time
_FIELDS = {
    "minute": "numbers from 0 to 59",
    "hour": "numbers from 0 to 23",
    "day-of-month": "numbers from 1 to 31, or L for the last day, LW for the last from Monday to Friday",
    "month": "numbers from 1 to 12, or names from JAN to DEC",
    "day-of-week": "numbers from 0 (Sunday) to 7, or names from SUN to SAT, #1 to #5 behind them, L behind a number",
}
"""In their order and by the names that the library has for them."""
_NEVER = "names a time that never comes"


def check_expression(expression: str) -> None:
    """ValueError for five fields that name no time."""
    try:
        next(local_times(expression, _SOME_DAY))
    except StopIteration:
        raise ValueError(_NEVER) from None


def local_times(expression: str, behind: datetime) -> Iterator[datetime]:
    """See `LocalTimes`. ValueError if that are no five fields."""
    try:
        # Without a zone, the library leaves the days on which clocks change to us.
        return CronSim(expression, behind)
    except CronSimError as error:
        raise ValueError(_flaw(expression, str(error))) from None


def _flaw(expression: str, told: str) -> str:
    name = told.removeprefix("Bad ")
    if name not in _FIELDS:
        return f"is no cron expression: {told.lower()}"
    field = expression.split()[list(_FIELDS).index(name)]
    if name == "day-of-month" and _is_day(field):
        return _NEVER  # not in the months that are named
    return (
        f"is no cron expression: {field!r} is no {name.replace('-', ' ')}, which is made of {_FIELDS[name]}, "
        "with * for all, lists (1,15), ranges from the lower to the higher (1-5) and steps (*/10)"
    )


def _is_day(field: str) -> bool:
    try:
        CronSim(f"* * {field} * *", _SOME_DAY)
    except CronSimError:
        return False
    return True
