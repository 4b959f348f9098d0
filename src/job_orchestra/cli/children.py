"""Applications as child processes: started, watched for readiness and death, restarted, stopped."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from job_orchestra.cli.notification import ENDS_WITH, READY, NotifySocket

_FIRST_BACKOFF = 0.5
_LONGEST_BACKOFF = 30.0
_STABLE_AFTER = 60.0
"""Seconds after which an earlier death is forgotten."""
_PATIENCE = 10.0
"""Seconds between SIGTERM and SIGKILL."""

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class ChildPlan:
    name: str
    arguments: Sequence[str]
    """Of the command `orchestra`."""
    environment: Mapping[str, str] = field(default_factory=dict[str, str])
    """Beside that of the parent."""


class Child:
    """One application, kept alive until it is stopped."""

    def __init__(self, plan: ChildPlan, sockets: Path, say: Say) -> None:
        self.name = plan.name
        self.is_ready = asyncio.Event()
        self._plan = plan
        self._say = say
        self._notifications = NotifySocket(sockets / plan.name)
        self._process: asyncio.subprocess.Process | None = None
        self._is_stopping = asyncio.Event()
        self._keeper = asyncio.create_task(self._keep(), name=f"keeper of {plan.name}")

    @property
    def pid(self) -> int | None:
        return None if self._process is None else self._process.pid

    async def stop(self) -> None:
        """In order, and by force after a while."""
        self._is_stopping.set()
        await self._keeper

    def kill(self) -> None:
        self._is_stopping.set()
        if self._process is not None and self._process.returncode is None:
            self._process.kill()

    async def _keep(self) -> None:
        loop = asyncio.get_running_loop()
        backoff = _FIRST_BACKOFF
        loop.add_reader(self._notifications.fileno(), self._on_notification)
        try:
            while not self._is_stopping.is_set():
                began = loop.time()
                code = await self._run_once()
                if self._is_stopping.is_set():
                    return
                if loop.time() - began > _STABLE_AFTER:
                    backoff = _FIRST_BACKOFF
                self._say(f"{self.name}: {_death(code)}; starts again in {backoff:g} s")
                await self._pause(backoff)
                backoff = min(2 * backoff, _LONGEST_BACKOFF)
        finally:
            loop.remove_reader(self._notifications.fileno())
            self._notifications.close()

    async def _run_once(self) -> int | None:
        """Until it ends by itself or has been stopped; its exit code, None if it could not be started."""
        try:
            process = self._process = await self._start()
        except OSError as error:
            self._say(f"{self.name}: cannot be started: {error}")
            return None
        ending = asyncio.create_task(process.wait(), name=f"end of {self.name}")
        stopping = asyncio.create_task(self._is_stopping.wait(), name=f"stop of {self.name}")
        await asyncio.wait([ending, stopping], return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        if not ending.done():
            process.terminate()
            await asyncio.wait([ending], timeout=_PATIENCE)
        if not ending.done():
            self._say(f"{self.name}: does not stop, and is killed")
            process.kill()
        code = await ending
        self.is_ready.clear()
        return code

    async def _start(self) -> asyncio.subprocess.Process:
        environment = {
            **os.environ,
            **self._plan.environment,
            "NOTIFY_SOCKET": str(self._notifications.path),
            ENDS_WITH: str(os.getpid()),
        }
        # A group of its own, so that Ctrl-C on the terminal reaches the parent alone. -P: no module of the directory
        # that we happen to be in takes the place of the library's.
        return await asyncio.create_subprocess_exec(
            sys.executable,
            "-P",
            "-m",
            "job_orchestra",
            *self._plan.arguments,
            env=environment,
            stdin=asyncio.subprocess.DEVNULL,
            process_group=0,
        )

    def _on_notification(self) -> None:
        message = self._notifications.receive()
        if message.get(READY) == "1":
            self._say(message.get("STATUS") or f"{self.name}: ready")
            self.is_ready.set()

    async def _pause(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self._is_stopping.wait(), seconds)
        except TimeoutError:
            return


def _death(code: int | None) -> str:
    if code is None:
        return "is missing"
    return f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
