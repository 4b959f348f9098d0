"""The command `git`, within bounds of time and output."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Mapping
from pathlib import Path

from job_orchestra.domain.revisions import plain_line
from job_orchestra.integrations.revision_control import RevisionControlFailure

_MOST_OUTPUT = 16 << 20
_MOST_MESSAGE = 16 << 10
_CHUNK = 1 << 16


class GitFailed(RevisionControlFailure):
    """It ended with another exit code than 0."""


async def git(
    *arguments: str, environment: Mapping[str, str], time_limit: float, directory: Path | None = None
) -> bytes:
    """Its standard output; GitFailed with its own words, RevisionControlFailure where it takes too long."""
    place = () if directory is None else ("--git-dir", str(directory))
    try:
        process = await asyncio.create_subprocess_exec(
            "git",
            *place,
            *arguments,
            env=dict(environment),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
        )
    except FileNotFoundError:
        raise RevisionControlFailure("The program git is not installed on the host of the service.") from None
    except OSError as error:
        raise RevisionControlFailure(f"The program git cannot be started: {error.strerror}.") from None
    try:
        async with asyncio.timeout(time_limit):
            output, message = await _outcome(process)
    except TimeoutError:
        raise RevisionControlFailure(f"git {arguments[0]} took longer than {time_limit:g} seconds.") from None
    finally:
        # Also when nobody wants to know any more: with what it has started itself.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
    if process.returncode != 0:
        raise GitFailed(f"git {arguments[0]} failed: {_words(message) or f'exit code {process.returncode}'}.")
    return output


async def _outcome(process: asyncio.subprocess.Process) -> tuple[bytes, bytes]:
    assert process.stdout is not None
    assert process.stderr is not None
    output, message = await asyncio.gather(_read(process.stdout, _MOST_OUTPUT), _read(process.stderr, _MOST_MESSAGE))
    await process.wait()
    if len(output) > _MOST_OUTPUT:
        raise RevisionControlFailure(f"git wrote more than {_MOST_OUTPUT >> 20} MiB.")
    return output, message


async def _read(stream: asyncio.StreamReader, most: int) -> bytes:
    """All of it, of which a little more than `most` is kept."""
    kept = bytearray()
    while chunk := await stream.read(_CHUNK):
        if len(kept) <= most:
            kept += chunk
    return bytes(kept)


def _words(message: bytes) -> str:
    """What git says last of what is wrong."""
    lines = message.decode(errors="replace").splitlines()
    told = [line for line in lines if line.startswith(("fatal:", "error:", "ssh:"))] or [
        one for one in lines if one.strip()
    ]
    return plain_line("; ".join(line.removeprefix("fatal: ").removeprefix("error: ") for line in told[:3])).rstrip(".")
