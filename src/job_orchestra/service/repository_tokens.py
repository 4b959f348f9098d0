"""Tokens for repositories, from where the projects file says that they are: never in it, and never in the database."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path

from job_orchestra.domain.repositories import RepositorySettings
from job_orchestra.integrations.revision_control import RevisionControlFailure
from job_orchestra.service.webhook_secrets import read_secret


class RepositoryTokens:
    def __init__(self, environment: Mapping[str, str], directory: Path) -> None:
        """Names of files are relative to `directory`."""
        self._environment = environment
        self._directory = directory

    async def find(self, repository: RepositorySettings) -> str | None:
        """Read anew each time; None where the project names none, RevisionControlFailure where it is not there."""
        if not repository.has_token:
            return None
        if repository.token_environment is not None:
            token = self._environment.get(repository.token_environment, "").strip()
            trouble = f"{repository.token_environment} is not in the environment of the service"
        else:
            secret, trouble = await asyncio.to_thread(read_secret, self._directory / (repository.token_file or ""))
            token = secret.decode("ascii", "replace")
        if not token:
            raise RevisionControlFailure(f"There is no token: {trouble}.")
        if not (token.isascii() and token.isprintable() and " " not in token):
            raise RevisionControlFailure("The token is none: it has characters that no token has.")
        return token
