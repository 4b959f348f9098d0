from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from job_orchestra.domain.definitions import CommandsDefinition
from job_orchestra.domain.errors import Invalid
from job_orchestra.domain.job_data import definition_from_data
from job_orchestra.domain.reasons import ReasonCode
from job_orchestra.execution.process_identity import ProcessIdentity
from job_orchestra.execution.request import Request
from job_orchestra.execution.run_directory import RunDirectory
from job_orchestra.executor.admission import Admission
from job_orchestra.executor.children import Children
from job_orchestra.executor.outcome import Outcome
from job_orchestra.executor.roster import Roster
from job_orchestra.executor.workspaces import Workspaces

CREDENTIALS = "ORCHESTRA_"
"""Variables whose names begin like that are the worker's own."""
TOKEN = "ORCHESTRA_TOKEN"  # noqa: S105 - the name of a variable
"""What commands with a token for the API have it in; no part of a command, for those are logged."""


def given_environment() -> dict[str, str]:
    """What this process was started with: the interpreter itself may have added a locale to `os.environ`."""
    entries = Path("/proc/self/environ").read_bytes().split(b"\0")
    return dict(os.fsdecode(entry).split("=", 1) for entry in entries if b"=" in entry)


class DefinitionFault(Exception):
    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.outcome = Outcome.exception(ReasonCode.DEFINITION_UNKNOWN, sentence)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a host lends to each run that it carries out."""

    version: str
    identity: ProcessIdentity
    host_name: str
    python: str
    environment: Mapping[str, str]
    children: Children
    workspaces: Workspaces
    mirrors: Path
    admission: Admission
    roster: Roster

    def environment_of(self, request: Request, directory: RunDirectory) -> dict[str, str]:
        """What the commands of a run find: this process's environment, without the worker's credentials."""
        environment = {name: value for name, value in self.environment.items() if not name.startswith(CREDENTIALS)}
        environment["ORCHESTRA_PROJECT"] = request.project
        environment["ORCHESTRA_JOB"] = request.job
        environment["ORCHESTRA_RUN"] = request.run
        environment["ORCHESTRA_ATTEMPT"] = str(request.attempt)
        environment["ORCHESTRA_RESULT_FILE"] = str(directory.results)
        environment["ORCHESTRA_SERVICE_URL"] = request.service_url
        environment["ORCHESTRA_PYTHON"] = self.python
        environment["ORCHESTRA_MIRRORS"] = str(self.mirrors)
        if request.token:
            environment[TOKEN] = request.token
        if request.executor is not None:
            environment["ORCHESTRA_REQUEST"] = str(directory.request)
        return environment

    def commands_of(self, request: Request) -> CommandsDefinition:
        """The commands that carry the definition out; a type of the user's is one, in a process of its own."""
        kind = request.definition.get("type")
        if kind == CommandsDefinition.type:
            try:
                definition = definition_from_data(request.definition)
            except Invalid as error:
                raise DefinitionFault(f"The definition is wrong: {error}.") from None
            assert isinstance(definition, CommandsDefinition)
            return definition
        if request.executor is None:
            raise DefinitionFault(f"This worker has no executor for definitions of the type {kind!r}.")
        program = (self.python, "-m", "job_orchestra.executor.custom", request.executor)
        return CommandsDefinition((tuple(_literally(argument) for argument in program),))


def _literally(argument: str) -> str:
    return argument.replace("{", "{{").replace("}", "}}")
