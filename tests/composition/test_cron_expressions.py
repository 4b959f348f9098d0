from __future__ import annotations

from pathlib import Path

import pytest

from job_orchestra.composition.cron_expressions import check_expression
from job_orchestra.composition.projects import load_projects
from job_orchestra.domain.errors import Invalid


@pytest.mark.parametrize("expression", ["0 3 * * *", "*/5 8-18 * * MON-FRI", "0 0 29 2 *", "0 0 L * *"])
def test_expressions(expression: str) -> None:
    check_expression(expression)


@pytest.mark.parametrize("expression", ["99 3 * * *", "0 0 31 2 *", "0 0 * * 8", "a b c d e"])
def test_no_expressions(expression: str) -> None:
    with pytest.raises(ValueError, match="is no cron expression: bad"):
        check_expression(expression)


def test_projects_are_loaded_with_this_check(tmp_path: Path) -> None:
    (tmp_path / "projects_with_a_wrong_hour.py").write_text(
        "projects = [{'identifier': 'p', 'jobs': [{'identifier': 'j', 'commands': [['true']]}],"
        " 'schedules': [{'identifier': 's', 'job': 'j', 'expression': '0 33 * * *'}]}]"
    )
    with pytest.raises(Invalid, match="project p, schedule s, expression: '0 33 \\* \\* \\*' is no cron expression"):
        load_projects("projects_with_a_wrong_hour:projects", tmp_path)
