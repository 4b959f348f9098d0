"""Secrets of webhooks, from where the projects file says that they are: never in it, and never in the database."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from pathlib import Path

from job_orchestra.domain.webhooks import WebhookSettings

_logger = logging.getLogger(__name__)

_MOST_BYTES = 4096


class WebhookSecrets:
    def __init__(self, environment: Mapping[str, str], directory: Path) -> None:
        """Names of files are relative to `directory`."""
        self._environment = environment
        self._directory = directory

    async def find(self, project: str, webhook: WebhookSettings) -> bytes | None:
        """Read anew each time, so that a file may be replaced; None, and a line in the log, if there is none."""
        if webhook.secret_environment is not None:
            secret = self._environment.get(webhook.secret_environment, "").encode(errors="surrogateescape")
            trouble = f"{webhook.secret_environment} is not in the environment of the service"
        else:
            file = self._directory / (webhook.secret_file or "")
            secret, trouble = await asyncio.to_thread(read_secret, file)
        if secret:
            return secret
        _logger.error("Webhook %s/%s cannot be used: %s.", project, webhook.identifier, trouble)
        return None


def read_secret(file: Path) -> tuple[bytes, str]:
    """What it holds, without the line's end; or what is wrong with it."""
    try:
        with file.open("rb") as stream:
            content = stream.read(_MOST_BYTES + 1)
    except OSError as error:
        return b"", f"{file}: {error.strerror}"
    if len(content) > _MOST_BYTES:
        return b"", f"{file} has more than {_MOST_BYTES} bytes"
    return content.strip(), f"{file} is empty"
