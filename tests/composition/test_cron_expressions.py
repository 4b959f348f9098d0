from __future__ import annotations

import re
from pathlib import Path

import pytest

from job_orchestra.composition.cron_expressions import check_expression
from job_orchestra.composition.projects import load_projects
from job_orchestra.domain.errors import Invalid


@pytest.mark.parametrize("expression", ["0 3 * * *", "*/5 8-18 * * MON-FRI", "0 0 29 2 *", "0 0 L * *", "0 0 LW * 5L"])
def test_expressions(expression: str) -> None:
    check_expression(expression)


@pytest.mark.parametrize(
    ("expression", "flaw"),
    [
        (
            "99 3 * * *",
            "is no cron expression: '99' is no minute, which is made of numbers from 0 to 59, with * for all",
        ),
        ("0 0 31 2 *", "names a time that never comes"),
        ("0 0 32 2 *", "is no cron expression: '32' is no day of month, which is made of numbers from 1 to 31, or L"),
        ("0 0 * 13 *", "is no cron expression: '13' is no month, which is made of numbers from 1 to 12, or names"),
        ("0 0 * * 8", "is no cron expression: '8' is no day of week, which is made of numbers from 0 (Sunday) to 7"),
        ("0 0 * * FRI-MON", "ranges from the lower to the higher"),
        ("0 0 * * FRIL", "#1 to #5 behind them, L behind a number"),
        ("a b c d e", "is no cron expression: 'a' is no minute"),
    ],
)
def test_no_expressions(expression: str, flaw: str) -> None:
    with pytest.raises(ValueError, match=re.escape(flaw)):
        check_expression(expression)


def test_projects_are_loaded_with_this_check(tmp_path: Path) -> None:
    (tmp_path / "projects_with_a_wrong_hour.py").write_text(
        "projects = [{'identifier': 'p', 'jobs': [{'identifier': 'j', 'commands': [['true']]}],"
        " 'schedules': [{'identifier': 's', 'job': 'j', 'expression': '0 33 * * *'}]}]"
    )
    with pytest.raises(Invalid, match="project p, schedule s, expression: '0 33 \\* \\* \\*' is no cron expression"):
        load_projects("projects_with_a_wrong_hour:projects", tmp_path)
