"""The connection to one executor host."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from contextlib import suppress
from typing import Self

from job_orchestra.domain.errors import Unavailable
from job_orchestra.execution.host_directory import HostDirectory
from job_orchestra.execution.host_messages import (
    AreYouThere,
    HereIAm,
    HostHello,
    NoHostMessage,
    RunFinished,
    ToHost,
    decode_to_worker,
    encode_host_message,
)
from job_orchestra.execution.process_identity import ProcessIdentity, is_alive

_LONGEST_LINE = 16 << 20
"""A greeting names all runs of the host, more than the 64 KiB that asyncio takes by itself."""

_PAUSE = 0.5
"""Seconds before a connection to a host that lives is opened again."""


class HostLink:
    """One connection; a host that lives may be connected to again."""

    def __init__(
        self, directory: HostDirectory, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, hello: HostHello
    ) -> None:
        self.directory = directory
        self.hello = hello
        self._reader = reader
        self._writer = writer
        self._asked_at: float | None = None

    @classmethod
    async def open(cls, directory: HostDirectory) -> Self:
        """Unavailable if there is no host that answers."""
        try:
            reader, writer = await asyncio.open_unix_connection(sock=directory.connect(), limit=_LONGEST_LINE)
        except OSError as error:
            raise Unavailable(f"No executor host listens in {directory.path}: {error}.") from None
        try:
            hello = decode_to_worker(await reader.readline())
            if isinstance(hello, HostHello):
                return cls(directory, reader, writer, hello)
            raise Unavailable(f"The executor host in {directory.path} does not greet.")
        except (OSError, ValueError, NoHostMessage) as error:
            await _close(writer)
            raise Unavailable(f"The executor host in {directory.path} does not answer: {error}") from None
        except BaseException:
            await _close(writer)
            raise

    def tell(self, message: ToHost) -> None:
        """Of no effect if the host is gone."""
        if not self._writer.is_closing():
            self._writer.write(encode_host_message(message))

    def ask(self) -> None:
        """Whether the host is there: `silence` tells for how long it has owed the answer."""
        if self._asked_at is None:
            self._asked_at = asyncio.get_running_loop().time()
            self.tell(AreYouThere())

    @property
    def silence(self) -> float:
        """Seconds; 0 if it has answered."""
        return 0.0 if self._asked_at is None else asyncio.get_running_loop().time() - self._asked_at

    async def follow(self, on_finished: Callable[[str], None]) -> None:
        """Until the connection ends, which says nothing of the host's process yet."""
        try:
            while line := await self._reader.readline():
                match decode_to_worker(line):
                    case RunFinished(name):
                        on_finished(name)
                    case HereIAm():
                        self._asked_at = None
                    case HostHello():
                        pass
        except (OSError, ValueError, NoHostMessage):
            pass  # As good as an end of the connection.
        await self.close()

    async def close(self) -> None:
        """May be called twice."""
        await _close(self._writer)


async def _close(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()


async def open_again(directory: HostDirectory, identity: ProcessIdentity) -> HostLink | None:
    """A connection to that host, as soon as it takes one; None when its process has ended."""
    ending = asyncio.create_task(wait_for_end(identity), name="end of an executor host")
    try:
        while not ending.done():
            # A host that ends closes its connections first: mostly this is all.
            await asyncio.wait([ending], timeout=_PAUSE)
            if ending.done():
                break
            with suppress(Unavailable):
                link = await HostLink.open(directory)
                if link.hello.identity == identity:
                    return link
                await link.close()
        return None
    finally:
        ending.cancel()


async def wait_for_end(identity: ProcessIdentity) -> None:
    """Returns when that process executes no more."""
    try:
        descriptor = os.pidfd_open(identity.pid)
    except OSError:
        return
    loop = asyncio.get_running_loop()
    ended = loop.create_future()
    try:
        if not is_alive(identity):
            return
        loop.add_reader(descriptor, ended.set_result, None)
        ended.add_done_callback(lambda _: loop.remove_reader(descriptor))
        await ended
    finally:
        loop.remove_reader(descriptor)
        os.close(descriptor)
