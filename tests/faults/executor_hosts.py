"""The executor hosts of a worker, found by what they leave in its directory; the worker itself starts them."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

from job_orchestra.execution.host_directory import HOSTS, HostDirectory
from job_orchestra.execution.process_identity import ProcessIdentity, is_alive
from tests.faults.plan import Act

_INTERVAL = 0.02
_PATIENCE = 40.0
_SIGNALS = {Act.KILL: signal.SIGKILL, Act.TERMINATE: signal.SIGTERM, Act.STOP: signal.SIGSTOP}


class ExecutorHosts:
    def __init__(self, worker_directory: Path) -> None:
        self._directory = worker_directory / HOSTS
        self.ended: dict[ProcessIdentity, Act] = {}
        """Those that were killed or told to end."""

    @property
    def outputs(self) -> list[Path]:
        return list(self._directory.glob("*/output"))

    async def suffer(self, act: Act, pause: float) -> None:
        """The host that there is, or that will be in a moment."""
        async with asyncio.timeout(_PATIENCE):
            while (identity := self._living()) is None:
                await asyncio.sleep(_INTERVAL)
        if act is not Act.STOP:
            self.ended[identity] = act
        os.kill(identity.pid, _SIGNALS[act])
        try:
            await asyncio.sleep(pause)
        finally:
            if act is Act.STOP and is_alive(identity):
                os.kill(identity.pid, signal.SIGCONT)

    def _living(self) -> ProcessIdentity | None:
        for path in self._directory.glob("*"):
            identity = HostDirectory(path).read_identity()
            if identity is not None and identity not in self.ended and is_alive(identity):
                return identity
        return None
