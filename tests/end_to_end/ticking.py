"""An installation whose schedule ticks each second, as masters with a composition of a user's have it."""

from __future__ import annotations

from pathlib import Path

_COMPOSITION = """
from datetime import timedelta
from functools import cached_property

from job_orchestra.composition.master import MasterComposition


def every_second(expression, behind):
    moment = behind.replace(microsecond=0)
    while True:
        moment += timedelta(seconds=1)
        yield moment


class EverySecond(MasterComposition):
    @cached_property
    def local_times(self):
        return every_second
"""
_PROJECTS = """
from job_orchestra import Job, Project, Schedule

projects = [
    Project("example", jobs=[Job("work", commands=[["true"]], workspace="run")], schedules=[
        Schedule("each-second", job="work", expression="* * * * *", catch_up="all", is_enabled_at_first=True),
    ]),
]
"""


def let_it_tick(directory: Path) -> None:
    """The installation in that directory, from its next start on."""
    (directory / "ticking.py").write_text(_COMPOSITION)
    (directory / "projects.py").write_text(_PROJECTS)
    settings = directory / "orchestra.toml"
    section = '[master]\ncomposition = "ticking:EverySecond"\n'
    settings.write_text(settings.read_text().replace("[master]\n", section))
