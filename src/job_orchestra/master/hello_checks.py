"""What a worker may say of itself in its hello."""

from __future__ import annotations

import json
import math

from job_orchestra.domain.checking import is_json
from job_orchestra.domain.identifiers import NAME, NAME_RULE
from job_orchestra.domain.json import JsonObject
from job_orchestra.domain.workers import MOST_EXECUTORS
from job_orchestra.protocol.messages import Hello, RunOnDisk
from job_orchestra.protocol.violations import ProtocolViolation

_LONGEST_TEXT = 200
_LARGEST_NUMBER = (1 << 63) - 1
_LARGEST_PROPERTIES = 64 << 10
_LARGEST_DATE = 4e9
"""Unix time; about the year 2096."""


def check_hello(hello: Hello) -> None:
    """ProtocolViolation, naming the field, for what could not be stored or makes no sense."""
    if not NAME.fullmatch(hello.identifier):
        raise ProtocolViolation(f"A worker cannot be called {hello.identifier[:_LONGEST_TEXT]!r}: {NAME_RULE}")
    for field in ("version", "instance", "boot", "display_name"):
        text: str = getattr(hello, field)
        if len(text) > _LONGEST_TEXT or not text.isprintable():
            raise ProtocolViolation(f"The hello's {field} has more than {_LONGEST_TEXT} or unprintable characters.")
    if not hello.instance:
        raise ProtocolViolation("The hello's instance is empty.")
    if not 1 <= hello.executor_limit <= MOST_EXECUTORS:
        raise ProtocolViolation(f"The hello's executor_limit is {hello.executor_limit}, not 1 to {MOST_EXECUTORS}.")
    _check_properties(hello.properties)
    if not math.isfinite(hello.date) or not 0 <= hello.date <= _LARGEST_DATE:
        raise ProtocolViolation(f"The hello's date is {hello.date}, which is no time of our age.")
    for run in hello.runs:
        _check_run(run)


def _check_properties(properties: JsonObject) -> None:
    for name, value in properties.items():
        if not is_json({name: value}):
            raise ProtocolViolation(
                f"The hello's properties have in {name[:_LONGEST_TEXT]!r} what cannot be stored: no JSON, a NUL "
                "character, a number that is none or too large, or what is nested too deeply."
            )
    if (size := len(json.dumps(properties))) > _LARGEST_PROPERTIES:
        raise ProtocolViolation(
            f"The hello's properties have {size} bytes as JSON; a worker may have {_LARGEST_PROPERTIES}."
        )


def _check_run(run: RunOnDisk) -> None:
    if not NAME.fullmatch(run.run):
        raise ProtocolViolation(f"The hello names a run {run.run[:_LONGEST_TEXT]!r}, which no run can be called.")
    if not all(0 <= number <= _LARGEST_NUMBER for number in (run.attempt, run.sequence, run.log_size)):
        raise ProtocolViolation(f"The hello's numbers of run {run.run!r} are out of range.")
