"""Branches and revisions of a repository, and a project's status by them."""

from __future__ import annotations

from job_orchestra.protocol.resources.answers import Answer, Page
from job_orchestra.protocol.resources.runs import CountAnswer, RunSummaryAnswer


class KnowledgeAnswer(Answer, frozen=True):
    """How good it is what the service knows of a repository, which it asks in the background."""

    fetched_at: str | None
    """When the repository was last asked for this with success; None: nothing is known yet."""
    age: float | None
    """Seconds since then."""
    is_fetching: bool
    """It is being asked now."""
    failure: str | None = None
    """Why the last attempt gave nothing, if it did not."""
    failed_at: str | None = None


class RepositoryAnswer(Answer, frozen=True):
    type: str
    url: str
    page: str | None
    """Where people look at it, if it is on the web."""
    branch: str | None
    """The one that is shown first; None while it is not known."""
    knowledge: KnowledgeAnswer


class BranchAnswer(Answer, frozen=True):
    name: str
    revision: str
    is_default: bool


class BranchesAnswer(Page[BranchAnswer], frozen=True, kw_only=True):
    """A page of BranchAnswer, by name, in `items` and `next`."""

    is_complete: bool
    """False: the repository has more branches than the service looks at."""
    knowledge: KnowledgeAnswer


class RevisionAnswer(Answer, frozen=True):
    identifier: str
    date: str
    author: str
    title: str
    """The first line of its message."""
    url: str | None


class RevisionsAnswer(Page[RevisionAnswer], frozen=True, kw_only=True):
    """A page of RevisionAnswer, newest first, in `items` and `next`."""

    branch: str | None
    """None while it is not known which one is the default."""
    knowledge: KnowledgeAnswer


class JobStatusAnswer(Answer, frozen=True):
    """The runs of a job for a revision."""

    last: RunSummaryAnswer
    count: CountAnswer
    """How many there are, that one included."""


class RevisionStatusAnswer(Answer, frozen=True):
    revision: RevisionAnswer
    jobs: dict[str, JobStatusAnswer]
    """Of each job of the project that has runs for it."""
    is_complete: bool
    """False: it has more runs than were looked at, the newest ones."""


class ProjectStatusAnswer(Page[RevisionStatusAnswer], frozen=True, kw_only=True):
    """A page of RevisionStatusAnswer, newest revision first, in `items` and `next`."""

    branch: str | None
    """None while it is not known which one is the default."""
    jobs: list[str]
    """Those that have runs for revisions of this page."""
    knowledge: KnowledgeAnswer
