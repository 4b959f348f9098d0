"""The projects of an installation, read in a process of their own.

That is how a running master reads them anew: every module of the user's is imported afresh, nothing of the old ones
stays, and whatever they do holds up nobody. The process writes what it found, or every mistake, to standard output.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec

from job_orchestra.domain.configuration import ConfiguredProject
from job_orchestra.domain.configuration_data import configuration_from_data, configuration_to_data
from job_orchestra.domain.errors import Invalid, Mistake
from job_orchestra.domain.json import JsonValue

_PATIENCE = 60.0
_MOST_SHOWN = 2000


class _Found(msgspec.Struct):
    projects: JsonValue = None
    mistakes: list[Mistake] = []


async def read_projects_anew(settings_file: Path) -> Sequence[ConfiguredProject]:
    """As the master composition of these settings loads them; Invalid with every mistake."""
    process = await asyncio.create_subprocess_exec(
        # Without writing bytecode: what is edited twice within a second would pass for the same.
        *(sys.executable, "-B", "-m", __name__, str(settings_file)),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(_PATIENCE):
            output, errors = await process.communicate()
    except TimeoutError:
        raise Invalid.at("[projects] module", f"was not read after {_PATIENCE:g} seconds") from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    try:
        found = msgspec.json.decode(output, type=_Found)
    except msgspec.DecodeError:
        words = errors.decode(errors="replace")[-_MOST_SHOWN:].strip()
        message = f"the process that reads it ended with exit code {process.returncode}: {words}"
        raise Invalid.at("[projects] module", message) from None
    if found.mistakes:
        raise Invalid(found.mistakes)
    return configuration_from_data(found.projects)


def main(settings_file: Path) -> None:
    from job_orchestra.composition.loading import load_composition
    from job_orchestra.composition.master import MasterComposition
    from job_orchestra.settings.reading import load_settings

    # What the user's modules print must not get into the answer.
    answer = os.dup(sys.stdout.fileno())
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    try:
        settings = load_settings(settings_file, os.environ)
        projects = load_composition("master", MasterComposition, settings).load_projects()
        found = _Found(configuration_to_data(projects))
    except Invalid as error:
        found = _Found(mistakes=list(error.mistakes))
    with os.fdopen(answer, "wb") as stream:
        stream.write(msgspec.json.encode(found))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
