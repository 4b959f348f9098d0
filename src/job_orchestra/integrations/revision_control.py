"""The port to whatever keeps a project's revisions. Its adapters are beside it, one folder for each."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeAlias

from job_orchestra.domain.repositories import RepositorySettings
from job_orchestra.domain.revisions import Branches, Position, Revision, Revisions

MOST_REVISIONS = 50
"""Of one page: what every host gives at once."""
MOST_BRANCHES = 1000


class RevisionControlFailure(Exception):
    """The repository could not be asked; str() is a sentence for people."""

    def __init__(self, sentence: str, retry_after: float | None = None) -> None:
        """`retry_after`: seconds before which asking again is of no use, where its host says so."""
        super().__init__(sentence)
        self.retry_after = retry_after


class RevisionControl(Protocol):
    """One repository. Each question ends within a bounded time: with the answer, NotFound or RevisionControlFailure."""

    @property
    def fresh_for(self) -> float:
        """Seconds for which an answer is as good as a new one."""
        ...

    async def branches(self) -> Branches:
        """One is marked as the default."""
        ...

    async def revisions(self, branch: str, limit: int, position: Position | None = None) -> Revisions:
        """At most `limit` (up to MOST_REVISIONS) of a branch, newest first; NotFound without such a branch or place."""
        ...

    async def revision(self, identifier: str) -> Revision:
        """NotFound if there is none of this hash."""
        ...

    async def close(self) -> None: ...


Token: TypeAlias = Callable[[], Awaitable[str | None]]
"""Read anew each time; RevisionControlFailure if it is not where the project says."""


@dataclass(frozen=True, slots=True)
class RepositoryAccess:
    """What a client is made of."""

    settings: RepositorySettings
    token: Token
    directory: Path
    """In which it may keep what it has fetched; of this repository alone, and perhaps not there yet."""
    installation: Path
    """Where relative paths start."""


RevisionControlFactory: TypeAlias = Callable[[RepositoryAccess], RevisionControl]
