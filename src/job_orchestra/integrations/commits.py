"""A commit as GitHub writes it, and after it Gitea and Forgejo."""

from __future__ import annotations

import msgspec

from job_orchestra.domain.revisions import Revision, moment_of, plain_line


class Person(msgspec.Struct):
    name: str | None = None
    date: str | None = None


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
    date = moment_of(committer.date or author.date or "")
    title = commit.message.strip().partition("\n")[0]
    return Revision(found.sha, date, plain_line(author.name or ""), plain_line(title), url)
