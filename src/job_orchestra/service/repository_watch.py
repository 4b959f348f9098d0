"""What is known of the repositories of projects, however slow or far away they are."""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from job_orchestra.domain.clock import Clock
from job_orchestra.domain.errors import NotFound
from job_orchestra.domain.projects import Project
from job_orchestra.domain.repositories import RepositorySettings
from job_orchestra.domain.repository_data import repository_to_data
from job_orchestra.domain.revisions import Branches, Position, Revisions
from job_orchestra.integrations.revision_control import (
    RepositoryAccess,
    RevisionControl,
    RevisionControlFactory,
    RevisionControlFailure,
)
from job_orchestra.service.background_answers import AskingFailed, BackgroundAnswers, Key, Known, Patience, Place
from job_orchestra.service.repository_tokens import RepositoryTokens

Value = TypeVar("Value")

_logger = logging.getLogger(__name__)

_FIRST_PATIENCE = 2.0
"""Seconds that a request waits where nothing is known yet."""
_PATIENCE = 0.25
"""And where something is, that may just be about to be known better."""
_MOST_REPOSITORIES = 200


@dataclass(eq=False, slots=True)
class _Repository:
    project: str
    settings: RepositorySettings
    key: str
    place: Place = field(default_factory=Place)
    client: RevisionControl | None = None


class RepositoryWatch:
    """`clients` make what asks a repository, by its type; they may keep files below `directory`."""

    def __init__(
        self,
        clients: Mapping[str, RevisionControlFactory],
        tokens: RepositoryTokens,
        clock: Clock,
        directory: Path,
        installation: Path,
    ) -> None:
        self._clients = clients
        self._tokens = tokens
        self._directory = directory
        self._installation = installation
        self._answers = BackgroundAnswers(clock)
        self._repositories: OrderedDict[str, _Repository] = OrderedDict()
        self._closing: set[asyncio.Task[None]] = set()

    def patience(self) -> Patience:
        """For all that one request asks for, together."""
        return Patience(asyncio.get_running_loop().time(), _FIRST_PATIENCE, _PATIENCE)

    async def branches(self, project: Project, patience: Patience) -> Known[Branches]:
        """NotFound for a project that names no repository."""
        return await self._ask(project, patience, ("branches",), lambda client: client.branches())

    async def revisions(
        self, project: Project, patience: Patience, branch: str, limit: int, position: Position | None
    ) -> Known[Revisions]:
        """Of a branch; NotFound without such a branch or place."""
        question = ("revisions", branch, limit, str(position))
        return await self._ask(project, patience, question, lambda client: client.revisions(branch, limit, position))

    def expect_news(self, project: str) -> None:
        """Somebody pushed to it."""
        self._answers.forget_freshness(project)

    async def close(self) -> None:
        await self._answers.close()
        await asyncio.gather(*self._closing)
        for repository in self._repositories.values():
            await _close(repository)

    async def _ask(
        self,
        project: Project,
        patience: Patience,
        question: tuple[object, ...],
        put: Callable[[RevisionControl], Awaitable[Value]],
    ) -> Known[Value]:
        repository = self._repository(project)

        async def ask() -> Value:
            try:
                return await put(await self._client(repository))
            except RevisionControlFailure as error:
                _logger.warning("Repository of project %s: %s", repository.project, error)
                raise AskingFailed(str(error), error.retry_after) from None

        fresh_for = 0.0 if repository.client is None else repository.client.fresh_for
        key = Key(project.identifier, (repository.key, *question))
        return await self._answers.ask(key, repository.place, ask, fresh_for, patience)

    def _repository(self, project: Project) -> _Repository:
        settings = project.settings.repository
        if settings is None:
            raise NotFound.saying(f"Project {project.identifier!r} names no repository in the configuration.")
        data = json.dumps(repository_to_data(settings), sort_keys=True)
        key = _short_hash(f"{project.identifier} {data}")
        repository = self._repositories.setdefault(key, _Repository(project.identifier, settings, key))
        self._repositories.move_to_end(key)
        if len(self._repositories) > _MOST_REPOSITORIES:
            _, dropped = self._repositories.popitem(last=False)
            closing = asyncio.create_task(_close(dropped))
            self._closing.add(closing)
            closing.add_done_callback(self._closing.discard)
        return repository

    async def _client(self, repository: _Repository) -> RevisionControl:
        if repository.client is None:
            settings = repository.settings
            factory = self._clients.get(settings.type)
            if factory is None:
                known = ", ".join(sorted(self._clients))
                raise RevisionControlFailure(
                    f"The service knows no repositories of the type {settings.type!r}, only {known}."
                )
            access = RepositoryAccess(
                settings,
                lambda: self._tokens.find(settings),
                self._directory / f"{repository.project}.{_short_hash(settings.url)}",
                self._installation,
            )
            # In a thread: what asks by HTTPS reads certificates first.
            repository.client = await asyncio.to_thread(factory, access)
        return repository.client


def _short_hash(words: str) -> str:
    return hashlib.sha256(words.encode()).hexdigest()[:16]


async def _close(repository: _Repository) -> None:
    if repository.client is not None:
        await repository.client.close()
