"""Applications as processes that are killed, stopped and started again; one that ends by itself is a finding."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Mapping, Sequence
from pathlib import Path

from job_orchestra.cli.notification import ENDS_WITH
from tests.faults.findings import Findings
from tests.faults.plan import Act

_PATIENCE = 30.0
_INTERVAL = 0.01
_RESPITE = 1.0
"""Before one is started again that has ended by itself."""


class Application:
    def __init__(
        self,
        name: str,
        command: Sequence[str],
        directory: Path,
        environment: Mapping[str, str],
        findings: Findings,
    ) -> None:
        self.name = name
        self.output = directory / f"{name}.output"
        self._command = command
        self._directory = directory
        # They end with this process, should that be killed.
        self._environment = {**environment, "PYTHONUNBUFFERED": "1", ENDS_WITH: str(os.getpid())}
        self._findings = findings
        self._process: asyncio.subprocess.Process | None = None
        self._watching: asyncio.Task[None] | None = None

    async def start(self) -> None:
        with self.output.open("ab") as output:
            self._process = await asyncio.create_subprocess_exec(
                *self._command,
                cwd=self._directory,
                env=self._environment,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                process_group=0,
            )
        self._watching = asyncio.create_task(self._watch(self._process))

    async def wait_until_ready(self) -> None:
        """Of its first start."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + _PATIENCE
        while ": ready" not in (said := self.output.read_text(errors="replace")):
            assert loop.time() < deadline, f"{self.name} is not ready: {said}"
            await asyncio.sleep(_INTERVAL)

    async def suffer(self, act: Act, pause: float) -> None:
        """Returns when it is at work again, or at least on its way."""
        process = self._process
        assert process is not None
        if act is Act.STOP:
            process.send_signal(signal.SIGSTOP)
            try:
                await asyncio.sleep(pause)
            finally:
                process.send_signal(signal.SIGCONT)
            return
        await self.end(signal.SIGKILL if act is Act.KILL else signal.SIGTERM)
        await asyncio.sleep(pause)
        await self.start()

    async def end(self, number: signal.Signals = signal.SIGTERM) -> None:
        """By that signal; it is a finding if SIGTERM does not end it in order."""
        if self._process is None:
            return
        process, self._process = self._process, None
        assert self._watching is not None
        self._watching.cancel()
        if process.returncode is not None:
            self._findings.add(self._ended_by_itself(process.returncode))
            return
        process.send_signal(number)
        try:
            code = await asyncio.wait_for(process.wait(), _PATIENCE)
        except TimeoutError:
            self._findings.add(f"{self.name} did not end within {_PATIENCE:g} s after {number.name}.")
            process.kill()
            code = await process.wait()
        # Told to stop before it could listen to signals, it ends by the signal.
        if number is signal.SIGTERM and code not in {0, -signal.SIGTERM}:
            self._findings.add(f"{self.name} ended with code {code} after SIGTERM.")

    async def _watch(self, process: asyncio.subprocess.Process) -> None:
        code = await process.wait()
        self._findings.add(self._ended_by_itself(code))
        await asyncio.sleep(_RESPITE)
        await self.start()

    def _ended_by_itself(self, code: int) -> str:
        return f"{self.name} ended by itself with code {code}; see {self.output}."
