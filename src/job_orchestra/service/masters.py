"""The control channel to each master: tells of what was committed, hears of what has changed.

Hints only: what is lost here, both sides find by looking, about a second later.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections import deque
from collections.abc import Sequence
from contextlib import suppress

from job_orchestra.domain.errors import OrchestraError, Unavailable
from job_orchestra.protocol.codec import decode_hints_to_service, encode_frames
from job_orchestra.protocol.connection import FrameConnection, bearer_authorization, open_connection
from job_orchestra.protocol.control import ConfigurationTrouble, HintToMaster, LogGrew, RunChanged
from job_orchestra.repositories.accounts import Accounts
from job_orchestra.service.followers import Followers

_logger = logging.getLogger(__name__)

_MOST_HINTS = 10_000
"""Kept for a master that is slow; the oldest go first."""
_FIRST_DELAY = 0.1
_LONGEST_DELAY = 2.0


class MasterLink:
    """The connection to one master, again and again."""

    def __init__(self, url: str, accounts: Accounts, followers: Followers) -> None:
        self.url = url
        self._accounts = accounts
        self._followers = followers
        self._hints: deque[HintToMaster] = deque(maxlen=_MOST_HINTS)
        self._has_hints = asyncio.Event()
        self.is_connected = False
        self.configuration_trouble = ""
        """What the master says of its configuration."""

    def tell(self, hint: HintToMaster) -> None:
        if self.is_connected:
            self._hints.append(hint)
            self._has_hints.set()

    async def run(self) -> None:
        """Until it is cancelled."""
        delay = _FIRST_DELAY
        said = ""
        while True:
            try:
                secret = await self._accounts.create_control_token()
                async with open_connection(f"{self.url}/control", bearer_authorization(secret)) as connection:
                    _logger.info("Connected to the master at %s.", self.url)
                    delay, said = _FIRST_DELAY, ""
                    await self._converse(connection)
            except OrchestraError as error:
                if error.message != said:
                    said = error.message
                    _logger.warning("Waiting for the master at %s: %s", self.url, said)
            except Exception:
                # Whatever is wrong with one conversation must not end the service: hints are a comfort.
                _logger.exception("The conversation with the master at %s ended unexpectedly.", self.url)
            await asyncio.sleep(delay * random.uniform(0.5, 1.0))  # noqa: S311 - spreads reconnections, no secret
            delay = min(2 * delay, _LONGEST_DELAY)

    async def _converse(self, connection: FrameConnection) -> None:
        self._hints.clear()
        self.configuration_trouble = ""
        self.is_connected = True
        sending = asyncio.create_task(self._send(connection))
        try:
            await self._receive(connection)
        finally:
            self.is_connected = False
            sending.cancel()
            with suppress(asyncio.CancelledError, Unavailable):
                await sending

    async def _send(self, connection: FrameConnection) -> None:
        while True:
            await self._has_hints.wait()
            self._has_hints.clear()
            hints = list(self._hints)
            self._hints.clear()
            for frame in encode_frames(hints):
                await connection.send_frame(frame)

    async def _receive(self, connection: FrameConnection) -> None:
        while True:
            for hint in decode_hints_to_service(await connection.receive_frame()):
                match hint:
                    case LogGrew():
                        self._followers.log_grew(hint.run)
                    case RunChanged():
                        self._followers.run_changed(hint.run)
                    case ConfigurationTrouble():
                        self.configuration_trouble = hint.sentence
                    case _:
                        pass


class Masters:
    """All masters that the service tells of changes."""

    def __init__(self, urls: Sequence[str], accounts: Accounts, followers: Followers) -> None:
        self._links = [MasterLink(url, accounts, followers) for url in urls]

    def tell(self, hint: HintToMaster) -> None:
        """After the commit; never waits and never fails."""
        for link in self._links:
            link.tell(hint)

    @property
    def troubles(self) -> list[str]:
        """Which are not reached now, and what the others say of their configurations."""
        return [
            f"master: {link.url}{f': {link.configuration_trouble}' if link.is_connected else ' is not connected'}"
            for link in self._links
            if link.configuration_trouble or not link.is_connected
        ]

    @property
    def connections(self) -> dict[str, bool]:
        """By URL, whether the channel is open."""
        return {link.url: link.is_connected for link in self._links}

    @property
    def is_any_there(self) -> bool:
        """True also where the service is told of none: then they find everything by themselves."""
        return not self._links or any(link.is_connected for link in self._links)

    async def run(self) -> None:
        """Keeps the connections until it is cancelled."""
        async with asyncio.TaskGroup() as tasks:
            for link in self._links:
                tasks.create_task(link.run())
