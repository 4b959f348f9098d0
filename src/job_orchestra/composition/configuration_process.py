"""The projects of an installation, read in a process of their own.

That is how a running master reads them anew: every module of the user's is imported afresh, nothing of the old ones
stays, and whatever they do holds up nobody. The process writes what it found, or every mistake, to standard output.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from io import FileIO
from pathlib import Path

import msgspec

from job_orchestra.domain.configuration import ConfiguredProject
from job_orchestra.domain.configuration_data import configuration_from_data, configuration_to_data
from job_orchestra.domain.errors import Invalid, Mistake
from job_orchestra.domain.json import JsonValue

_PATIENCE = 60.0
_LINGERING = 1.0
"""Seconds for what a process printed before it ended."""
_MOST_SHOWN = 2000


class _Found(msgspec.Struct):
    projects: JsonValue = None
    mistakes: list[Mistake] = []


async def read_projects_anew(settings_file: Path) -> Sequence[ConfiguredProject]:
    """As the master composition of these settings loads them; Invalid with every mistake."""
    async with _last_words() as (words, sink):
        process = await asyncio.create_subprocess_exec(
            # Without writing bytecode: what is edited twice within a second would pass for the same.
            *(sys.executable, "-B", "-m", __name__, str(settings_file)),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=sink,
        )
        sink.close()
        try:
            async with asyncio.timeout(_PATIENCE):
                answer, _ = await process.communicate()
        except TimeoutError:
            raise Invalid.at("[projects] module", f"was not read after {_PATIENCE:g} seconds") from None
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        found = _found_in(answer) or _Found(mistakes=[await _death(process.returncode, words)])
    if found.mistakes:
        raise Invalid(found.mistakes)
    return configuration_from_data(found.projects)


def _found_in(answer: bytes) -> _Found | None:
    try:
        return msgspec.json.decode(answer, type=_Found)
    except msgspec.DecodeError:
        return None


async def _death(code: int | None, words: _LastWords) -> Mistake:
    """Of a process that ended without an answer."""
    await asyncio.wait([words.ended], timeout=_LINGERING)
    last = words.text or "without a word"
    return Mistake("[projects] module", f"the process that reads it ended with exit code {code}: {last}")


class _LastWords(asyncio.Protocol):
    """The end of what the user's modules print: all of it might be more than there is memory."""

    def __init__(self) -> None:
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._kept = b""

    @property
    def text(self) -> str:
        return self._kept.decode(errors="replace").strip()

    def data_received(self, data: bytes) -> None:
        self._kept = (self._kept + data)[-_MOST_SHOWN:]

    def connection_lost(self, exc: Exception | None) -> None:
        self.ended.set_result(None)


@asynccontextmanager
async def _last_words() -> AsyncGenerator[tuple[_LastWords, FileIO]]:
    """With what to write to.

    A pipe of our own: what the user's modules started and left behind may hold it open, and nobody waits for that.
    """
    read_end, write_end = os.pipe()
    with FileIO(write_end, "w") as sink:
        transport, words = await asyncio.get_running_loop().connect_read_pipe(_LastWords, FileIO(read_end))
        try:
            yield words, sink
        finally:
            transport.close()


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
