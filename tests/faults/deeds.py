"""What each run of a storm is to do, decided by the seed, and how it has to end if nobody ends it."""

from __future__ import annotations

import random
import sys
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from job_orchestra.domain.json import JsonObject
from job_orchestra.domain.reasons import ReasonCode
from job_orchestra.domain.statuses import RunStatus
from tests.faults.deed import bursts

PROJECT = "storm"
LIMIT = 2
"""Of the concurrency group that some of its jobs are in."""
SETUP, COMMAND, TEARDOWN = "setup[0]", "commands[0]", "teardown[0]"
_SMALL = 2
"""Bursts of setup and teardown."""
_STEPS = {
    "plain": (COMMAND,),
    "full": (SETUP, COMMAND, TEARDOWN),
    "shared": (COMMAND, TEARDOWN),
    "retried": (COMMAND, TEARDOWN),
    "repeated": (COMMAND, TEARDOWN),
}
RETRIES = 2
"""Of the job `repeated`."""

_PROJECTS = """
from job_orchestra import Element, Job, Parameter, Pipeline, Project

def deed(step, bursts, code, leaves="nothing", results=""):
    name = "{parameters[name]} " + step
    return [PYTHON, "-I", "-S", DEED, TALLY, name, bursts, "{parameters[pause]}", code, leaves, results]

setup = [deed("setup[0]", SMALL, "{parameters[setup_code]}")]
commands = [
    deed("commands[0]", "{parameters[bursts]}", "{parameters[code]}", "{parameters[leaves]}", "{result_file_path}"),
]
teardown = [deed("teardown[0]", SMALL, "{parameters[teardown_code]}")]
parameters = [
    Parameter(name)
    for name in ("name", "bursts", "pause", "leaves", "setup_code", "code", "teardown_code")
]
projects = [
    Project("storm", concurrency={"few": LIMIT}, jobs=[
        Job("plain", commands=commands, parameters=parameters, workspace="run", grace=2),
        Job("full", setup=setup, commands=commands, teardown=teardown, parameters=parameters, workspace="run", grace=2,
            concurrency="few"),
        Job("shared", commands=commands, teardown=teardown, parameters=parameters, workspace="job", grace=2,
            concurrency="few"),
        Job("retried", commands=commands, teardown=teardown, parameters=parameters, workspace="run", grace=2,
            on_lost="retry", lost_after=1),
        Job("repeated", commands=commands, teardown=teardown, parameters=parameters, workspace="run", grace=2,
            retries=RETRIES, retry_delay=0.1),
    ]),
]
"""


class Wish(Enum):
    """What a user asks of a run meanwhile."""

    NOTHING = "nothing"
    CANCEL = "cancel"
    """Right behind the trigger."""
    ABORT = "abort"
    """Once it has started."""


@dataclass(frozen=True, slots=True)
class Deed:
    """What one run does. Its name is unique, and decides all bytes that it writes."""

    name: str
    job: str
    bursts: int
    pause: float
    """Seconds between two bursts."""
    leaves: str
    """`nothing`, or a `process` that nobody waits for, or a `stubborn` one that SIGTERM does not end."""
    setup_code: int
    code: int
    teardown_code: int
    wish: Wish

    @property
    def may_be_retried(self) -> bool:
        """Whether its job wants another attempt if the worker is gone for a second, or for how one ended."""
        return self.job in ("retried", "repeated")

    @property
    def steps(self) -> tuple[str, ...]:
        """The commands that it executes, in order, if nobody ends it."""
        steps = _STEPS[self.job]
        return tuple(step for step in steps if step != COMMAND) if self.is_setup_bad else steps

    @property
    def is_setup_bad(self) -> bool:
        return SETUP in _STEPS[self.job] and self.setup_code != 0

    @property
    def end(self) -> tuple[str, str]:
        """Status and reason of a run that nobody ends."""
        if self.is_setup_bad:
            return RunStatus.EXCEPTION, ReasonCode.SETUP_FAILED
        if self.code:
            return RunStatus.FAILED, ReasonCode.COMMAND_FAILED
        if TEARDOWN in self.steps and self.teardown_code:
            return RunStatus.EXCEPTION, ReasonCode.TEARDOWN_FAILED
        return RunStatus.SUCCEEDED, ReasonCode.COMPLETED

    @property
    def results(self) -> JsonObject:
        """Of a run that nobody ends."""
        return {} if self.is_setup_bad else {"name": f"{self.name} {COMMAND}", "total": len(self.output(COMMAND))}

    @property
    def parameters(self) -> JsonObject:
        return {
            "name": self.name,
            "bursts": str(self.bursts),
            "pause": f"{self.pause:.4f}",
            "leaves": self.leaves,
            "setup_code": str(self.setup_code),
            "code": str(self.code),
            "teardown_code": str(self.teardown_code),
        }

    def output(self, step: str) -> bytes:
        """All that the command writes."""
        return b"".join(bursts(f"{self.name} {step}", self.bursts if step == COMMAND else _SMALL))


def choose_deeds(chance: random.Random, seed: int, count: int) -> list[Deed]:
    return [_choose(chance, f"{seed}.{number}") for number in range(1, count + 1)]


def _choose(chance: random.Random, name: str) -> Deed:
    def code(likelihood: float) -> int:
        return chance.randint(1, 255) if chance.random() < likelihood else 0

    job = chance.choices(list(_STEPS), [4, 3, 2, 4, 3])[0]
    return Deed(
        name=name,
        job=job,
        bursts=chance.randint(1, 20),
        pause=chance.uniform(0.0, 0.05),
        leaves=chance.choices(["nothing", "process", "stubborn"], [85, 13, 2])[0],
        setup_code=code(0.15),
        code=code(0.3 if job == "repeated" else 0.1),
        teardown_code=code(0.1),
        # One that users want stopped is not retried.
        wish=Wish.NOTHING if job == "retried" else chance.choices(list(Wish), [92, 4, 4])[0],
    )


def write_projects(path: Path, tally: Path, more: str) -> None:
    """The projects file with the jobs that do deeds, and more behind them."""
    facts = {"PYTHON": sys.executable, "DEED": str(Path(__file__).with_name("deed.py")), "TALLY": str(tally)}
    heading = [f"{name} = {text!r}.replace('{{', '{{{{').replace('}}', '}}}}')" for name, text in facts.items()]
    path.write_text(
        "\n".join([*heading, f"SMALL = {str(_SMALL)!r}", f"LIMIT = {LIMIT}", f"RETRIES = {RETRIES}", _PROJECTS, more])
    )
