from __future__ import annotations

import signal
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING

from job_orchestra.client.credentials import Credentials
from job_orchestra.composition.base import ApplicationComposition
from job_orchestra.composition.installation_secrets import InstallationSecrets, read_secret
from job_orchestra.domain.errors import Invalid, Mistake
from job_orchestra.domain.stopping import OnStop

if TYPE_CHECKING:
    from job_orchestra.worker.application import WorkerApplication


class WorkerComposition(ApplicationComposition):
    @cached_property
    def credentials(self) -> Credentials:
        """Of the settings; without any, those that `orchestra up` made for the workers of this installation."""
        settings = self.settings.worker
        if not (settings.user or settings.token or settings.token_file):
            made = read_secret(InstallationSecrets.of(self.settings.directory).worker)
            if made is not None:
                return made
        token = settings.token or self._read_token_file()
        mistakes = [
            Mistake(place, "is needed for the master to let the worker in; `orchestra token create USER` makes a token")
            for place, value in (("[worker] user", settings.user), ("[worker] token or token_file", token))
            if not value
        ]
        if mistakes:
            raise Invalid(mistakes)
        return Credentials(token, settings.user)

    def _read_token_file(self) -> str:
        file = self.settings.worker.token_file
        if file is None:
            return ""
        try:
            return file.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            reason = (error.strerror if isinstance(error, OSError) else "no text") or "no text"
            raise Invalid.at("[worker] token_file", f"{file} cannot be read: {reason.lower()}") from None

    @cached_property
    def executors(self) -> Mapping[str, str]:
        """`module:Class` by type of definition, for the types that users add."""
        return {}

    @cached_property
    def application(self) -> WorkerApplication:
        from job_orchestra.worker.application import WorkerApplication

        settings = self.settings.worker
        return WorkerApplication(
            identifier=settings.identifier,
            directory=settings.directory,
            master_url=settings.master_url,
            user=self.credentials.user or "",
            token=self.credentials.token,
            display_name=settings.display_name,
            executor_limit=settings.executor_limit,
            properties=settings.properties,
            service_url=settings.service_url,
            executors=self.executors,
            on_stop=settings.on_stop,
        )

    @cached_property
    def signals(self) -> Mapping[signal.Signals, Callable[[], None]]:
        """What `orchestra worker stop` sends."""
        return {
            signal.SIGUSR1: lambda: self.application.change_on_stop(OnStop.DRAIN),
            signal.SIGUSR2: lambda: self.application.change_on_stop(OnStop.ABORT),
        }
