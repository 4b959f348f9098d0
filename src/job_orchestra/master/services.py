"""The control connections of services: their hints come in, what changed goes out."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from job_orchestra.domain.errors import OrchestraError
from job_orchestra.protocol.codec import decode_hints_to_master
from job_orchestra.protocol.connection import ConnectionLost, FrameConnection
from job_orchestra.protocol.control import HintToMaster, HintToService
from job_orchestra.protocol.outbox import Outbox

_logger = logging.getLogger(__name__)


class ServiceLinks:
    def __init__(self) -> None:
        self._outboxes: set[Outbox[HintToService]] = set()
        self._on_hint: Callable[[HintToMaster], None] = lambda _: None
        self._lasting: HintToService | None = None

    def listen(self, on_hint: Callable[[HintToMaster], None]) -> None:
        """Who is told of the services' hints; called once, before the first connection."""
        self._on_hint = on_hint

    def tell(self, hint: HintToService) -> None:
        """To every service that is connected; one that is not finds out by itself within a second."""
        for outbox in self._outboxes:
            outbox.post(hint)

    def tell_also_later(self, hint: HintToService) -> None:
        """To those as well that connect from now on, until another one takes its place."""
        self._lasting = hint
        self.tell(hint)

    async def serve(self, connection: FrameConnection) -> None:
        """One connection of a service, until it ends."""
        outbox: Outbox[HintToService] = Outbox(connection)
        self._outboxes.add(outbox)
        if self._lasting is not None:
            outbox.post(self._lasting)
        sending = asyncio.create_task(outbox.flush(), name="send to a service")
        try:
            while True:
                for hint in decode_hints_to_master(await connection.receive_frame()):
                    self._on_hint(hint)
        except ConnectionLost:
            pass
        except OrchestraError as error:
            _logger.warning("A service's connection is closed: %s", error)
        finally:
            self._outboxes.discard(outbox)
            outbox.close()
            await asyncio.wait([sending], timeout=5.0)
            sending.cancel()
            await connection.close()
