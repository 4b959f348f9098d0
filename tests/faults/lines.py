"""Pipelines of a storm: each of their parts does a deed, whatever becomes of those before it."""

from __future__ import annotations

from dataclasses import dataclass

from job_orchestra.domain.json import JsonObject
from tests.faults.deeds import Deed, Wish

JOB = "line"
_BURSTS = 3
_PAUSE = 0.01
_JOBS = {"first": "plain", "each[0]": "retried", "each[1]": "retried", "last": "full"}
SKIPPED = "never"
"""The element that has no run."""

PROJECTS = f"""
def part(identifier, job, name, *after, **more):
    settled = [{{"element": one, "statuses": "always"}} for one in after]
    parameters = {{"name": "{{parameters[name]}}-" + name, "bursts": "{_BURSTS}", "pause": "{_PAUSE:.4f}",
        "leaves": "nothing", "setup_code": "0", "code": "0", "teardown_code": "0"}}
    return Element(identifier, job=job, parameters=parameters, after=settled, **more)

projects[0].jobs.append(
    Pipeline("{JOB}", parameters=[Parameter("name")], elements=[
        part("first", "plain", "first"),
        part("each", "retried", "each[{{index}}]", "first", for_each=["x", "y"]),
        part("{SKIPPED}", "plain", "{SKIPPED}", "each", when='parameters.name = "nobody"'),
        part("last", "full", "last", "{SKIPPED}", "each"),
    ])
)
"""


@dataclass(frozen=True, slots=True)
class Line:
    name: str

    @property
    def parameters(self) -> JsonObject:
        return {"name": self.name}

    @property
    def deeds(self) -> dict[str, Deed]:
        """By the label of the part whose run does it."""
        return {label: self._deed(label, job) for label, job in _JOBS.items()}

    def _deed(self, label: str, job: str) -> Deed:
        return Deed(f"{self.name}-{label}", job, _BURSTS, _PAUSE, "nothing", 0, 0, 0, Wish.NOTHING)


def choose_lines(seed: int, count: int) -> list[Line]:
    return [Line(f"{seed}.line-{number}") for number in range(1, count + 1)]
