"""A commit as GitHub writes it, and after it Gitea and Forgejo."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec

from job_orchestra.domain.revisions import Revision, plain_line

_UNKNOWN = datetime.fromtimestamp(0, UTC)


class Person(msgspec.Struct):
    name: str | None = None
    date: datetime | None = None


class Message(msgspec.Struct):
    message: str
    author: Person | None = None
    committer: Person | None = None


class Commit(msgspec.Struct):
    sha: str
    commit: Message


def revision_of(found: Commit, url: str | None) -> Revision:
    commit = found.commit
    author, committer = commit.author or Person(), commit.committer or Person()
    date = committer.date or author.date or _UNKNOWN
    title = commit.message.strip().partition("\n")[0]
    return Revision(found.sha, date, plain_line(author.name or ""), plain_line(title), url)
