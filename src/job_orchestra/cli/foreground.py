"""One application in the foreground: built by its composition, stopped in order by SIGTERM or SIGINT."""

from __future__ import annotations

import asyncio
import importlib
import logging
import os
import resource
import signal
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import click

from job_orchestra.cli.log_output import configure_logging
from job_orchestra.cli.notification import Notifier, stop_with_parent
from job_orchestra.cli.options import read_settings
from job_orchestra.composition.base import ApplicationComposition
from job_orchestra.composition.loading import load_composition
from job_orchestra.domain.errors import Invalid, OrchestraError
from job_orchestra.fail_points import VARIABLE, arm
from job_orchestra.settings.sections import Settings

_logger = logging.getLogger(__name__)

_COMPOSITIONS: Mapping[str, str] = {
    "master": "MasterComposition",
    "service": "ServiceComposition",
    "website": "WebsiteComposition",
    "worker": "WorkerComposition",
}
_ON_ITS_OWN = "worker"
"""Nobody connects to it, and what it starts is to have the limits that it was given."""


def run_application(
    name: str, settings_file: Path, adjust: Callable[[Settings], Settings] = lambda settings: settings
) -> None:
    """Imports no composition but that of the application. `adjust` is what options say beside the settings."""
    module = importlib.import_module(f"job_orchestra.composition.{name}")
    base: type[ApplicationComposition] = getattr(module, _COMPOSITIONS[name])
    serve(name, load_composition(name, base, adjust(read_settings(settings_file))))


def serve(name: str, composition: ApplicationComposition) -> None:
    """Until it is told to stop. A second signal does not wait for the end of the first."""
    notifier = Notifier.from_environment(os.environ)
    stop_with_parent(os.environ)
    configure_logging(name, composition.settings.logging)
    _arm_fail_point()
    if name != _ON_ITS_OWN:
        _take_descriptors()
    try:
        asyncio.run(_serve(name, composition, notifier))
    except* Exception as group:
        # A task group hands on what one of its tasks raised; the edge wants to know the error itself.
        error = _first(group)
        if not isinstance(error, OrchestraError):
            _logger.error("the %s stops because of a fault", name, exc_info=error)
        raise error from None


def _arm_fail_point() -> None:
    try:
        point = arm(os.environ.get(VARIABLE, ""))
    except ValueError as error:
        raise Invalid.at(VARIABLE, str(error)) from None
    if point is not None:
        _logger.warning("This process, if it comes there, kills itself at the fail point %s.", point)


def _take_descriptors() -> None:
    """As many as the system lets this process have: each connection takes one, and some take two."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


async def _serve(name: str, composition: ApplicationComposition, notifier: Notifier) -> None:
    stop = asyncio.Event()

    def on_signal() -> None:
        if stop.is_set():
            os._exit(128 + signal.SIGINT)
        notifier.stopping()
        stop.set()

    def on_special_signal(prepare: Callable[[], None]) -> None:
        prepare()
        notifier.stopping()
        stop.set()

    def on_ready(sentence: str) -> None:
        if notifier.has_listener:
            notifier.ready(sentence)
        else:
            click.echo(sentence)
            sys.stdout.flush()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, on_signal)
    for number, prepare in composition.signals.items():
        loop.add_signal_handler(number, on_special_signal, prepare)
    for number, request in composition.requests.items():
        loop.add_signal_handler(number, request)
    async with composition:
        application = composition.application
        notifier.started(f"{name}: started, not ready yet")
        await application.run(stop, on_ready)


def _first(group: BaseExceptionGroup[Exception]) -> Exception:
    error = group.exceptions[0]
    return _first(error) if isinstance(error, BaseExceptionGroup) else error
