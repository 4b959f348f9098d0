from __future__ import annotations

import pytest

from job_orchestra.domain.cron import standard_expression, time_zone


@pytest.mark.parametrize(
    ("expression", "standard"),
    [("0 3 * * *", "0 3 * * *"), ("  0  3 *\t* * ", "0 3 * * *"), ("@daily", "0 0 * * *"), ("@weekly", "0 0 * * 0")],
)
def test_expressions(expression: str, standard: str) -> None:
    assert standard_expression(expression) == standard


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("", "has 0 fields"),
        ("* * * * * *", "has 6 fields; a cron expression has five"),
        ("@dayly", "did you mean @daily"),
        ("@reboot", "is no known word; known are @hourly"),
    ],
)
def test_no_expressions(expression: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        standard_expression(expression)


def test_zones() -> None:
    assert str(time_zone("Europe/Paris")) == "Europe/Paris"
    assert str(time_zone("UTC")) == "UTC"


@pytest.mark.parametrize("name", ["", "Europe", "Europe/Pari", "../etc/passwd", "/etc/passwd", "a\0b", "x" * 5000])
def test_no_zones(name: str) -> None:
    with pytest.raises(ValueError, match="is no time zone"):
        time_zone(name)
