"""What every composition has: the settings, a clock, an application, and parts that are closed in the end."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from functools import cached_property
from types import TracebackType
from typing import Protocol, Self

from job_orchestra.composition.clock import SystemClock
from job_orchestra.domain.clock import Clock
from job_orchestra.settings.sections import Settings


class Application(Protocol):
    async def run(self, stop: asyncio.Event, ready: Callable[[str], None]) -> None:
        """Serves until `stop` is set; tells `ready` once, with a sentence for people."""
        ...


class Composition:
    """Each part is built when it is first asked for. Used as a context manager, which closes what was built."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._exit = AsyncExitStack()

    @cached_property
    def clock(self) -> Clock:
        return SystemClock()

    def close_with(self, close: Callable[[], Awaitable[None]]) -> None:
        """Has `close` called in the end; what was built last is closed first."""
        self._exit.push_async_callback(close)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._exit.aclose()


class ApplicationComposition(Composition):
    @cached_property
    def application(self) -> Application:
        raise NotImplementedError(f"{type(self).__name__} builds no application.")

    @cached_property
    def signals(self) -> Mapping[signal.Signals, Callable[[], None]]:
        """Beside SIGTERM and SIGINT, what else stops the application, and what is done first then."""
        return {}

    @cached_property
    def requests(self) -> Mapping[signal.Signals, Callable[[], None]]:
        """What the application does at other signals, and goes on."""
        return {}
