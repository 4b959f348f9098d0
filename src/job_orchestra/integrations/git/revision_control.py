"""A repository that git itself is asked for, wherever it is."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator, Mapping

from job_orchestra.domain.errors import NotFound
from job_orchestra.domain.git_names import FULL_REVISION, flaw_of_name, git_environment, is_path
from job_orchestra.domain.repositories import revision_url
from job_orchestra.domain.revisions import Branch, Branches, Position, Revision, Revisions, moment_of, plain_line
from job_orchestra.integrations.git.mirror import Mirror
from job_orchestra.integrations.revision_control import MOST_BRANCHES, RepositoryAccess

TIME_LIMIT = 300.0
"""Seconds to fetch in: the first time may be long, afterwards little is left to do."""
_FRESH_FOR = 15.0
_FETCHED_FOR = 3.0
"""Seconds in which several questions are answered from what was fetched for the first."""
_DEFAULT_KEPT = 600.0
"""Seconds for which the default branch is taken to be the same."""
_FIELDS = "--format=%H%x00%ct%x00%an%x00%s"
_HEAD = "ref: refs/heads/"


class GitRevisionControl:
    """Looks into a copy of its own, which it brings up to date before it answers, though not more often than needed."""

    def __init__(
        self, access: RepositoryAccess, environment: Mapping[str, str] = os.environ, time_limit: float = TIME_LIMIT
    ) -> None:
        settings = access.settings
        self.fresh_for = _FRESH_FOR
        self._url = str(access.installation / settings.url) if is_path(settings.url) else settings.url
        self._page = settings.url
        self._branch = settings.branch
        self._token = access.token
        self._given = environment
        self._mirror = Mirror(self._url, access.directory, time_limit)
        self._fetching = asyncio.Lock()
        self._fetched_at: float | None = None
        self._default = ""
        self._default_known_at: float | None = None

    async def branches(self) -> Branches:
        environment = await self._up_to_date()
        default = self._branch or await self._ask_default(environment)
        listed = await self._mirror.read(
            "for-each-ref", "--sort=-committerdate", f"--count={MOST_BRANCHES + 1}",
            "--format=%(refname:lstrip=2)%00%(objectname)", "refs/heads", environment=environment,
        )  # fmt: skip
        pairs = [parts for line in _lines(listed) if len(parts := line.split("\0")) == 2]
        items = [Branch(name, revision, name == default) for name, revision in pairs[:MOST_BRANCHES]]
        return Branches(tuple(items), len(pairs) <= MOST_BRANCHES)

    async def revisions(self, branch: str, limit: int, position: Position | None = None) -> Revisions:
        environment = await self._up_to_date()
        head = await self._find(f"refs/heads/{_checked(branch)}" if position is None else position.head, environment)
        if head is None:
            raise NotFound("branch" if position is None else "revision", branch if position is None else position.head)
        offset = 0 if position is None else position.offset
        listed = await self._log(environment, f"--skip={offset}", f"--max-count={limit + 1}", head)
        following = Position(head, offset + limit) if len(listed) > limit else None
        return Revisions(tuple(listed[:limit]), following)

    async def revision(self, identifier: str) -> Revision:
        if not FULL_REVISION.fullmatch(identifier):
            raise NotFound("revision", identifier)
        environment = await self._up_to_date()
        found = await self._find(identifier, environment)
        if found is None:
            raise NotFound("revision", identifier)
        [revision] = await self._log(environment, "--max-count=1", found)
        return revision

    async def close(self) -> None:
        """What it has fetched stays for the next time."""

    async def _up_to_date(self) -> Mapping[str, str]:
        """The environment for what is asked next."""
        environment = git_environment(self._given, self._url, await self._token())
        async with self._fetching:
            now = asyncio.get_running_loop().time
            if self._fetched_at is None or now() - self._fetched_at >= _FETCHED_FOR:
                await self._mirror.fetch(environment)
                self._fetched_at = now()
        return environment

    async def _ask_default(self, environment: Mapping[str, str]) -> str:
        """Empty for a repository without one."""
        now = asyncio.get_running_loop().time()
        if self._default_known_at is None or now - self._default_known_at >= _DEFAULT_KEPT:
            told = await self._mirror.ask("ls-remote", "--symref", "--", self._url, "HEAD", environment=environment)
            first = next(iter(_lines(told)), "").partition("\t")[0]
            self._default = first.removeprefix(_HEAD) if first.startswith(_HEAD) else ""
            self._default_known_at = now
        return self._default

    async def _find(self, name: str, environment: Mapping[str, str]) -> str | None:
        """The revision that is meant. A git that fails is a failure: it says nothing about what is there."""
        # Not rev-parse, which fails also at files that were left where they are, of which --missing knows.
        words = ("rev-list", "--no-walk", "--ignore-missing", "--missing=allow-any", "--end-of-options")
        told = await self._mirror.read(*words, f"{name}^{{commit}}", "--", environment=environment)
        return told.decode().strip() or None

    async def _log(self, environment: Mapping[str, str], *arguments: str) -> list[Revision]:
        words = ("-c", "i18n.logOutputEncoding=UTF-8", "log", "-z", "--no-show-signature", _FIELDS, *arguments, "--")
        return list(self._read(await self._mirror.read(*words, environment=environment)))

    def _read(self, output: bytes) -> Iterator[Revision]:
        fields = output.decode(errors="replace").removesuffix("\0").split("\0")
        for place in range(0, len(fields) - 3, 4):
            identifier, date, author, title = fields[place : place + 4]
            yield Revision(
                identifier,
                moment_of(date),
                plain_line(author),
                plain_line(title),
                revision_url(self._page, identifier),
            )


def _checked(branch: str) -> str:
    if flaw_of_name(branch):
        raise NotFound("branch", branch)
    return branch


def _lines(output: bytes) -> list[str]:
    """Of git's: names may hold all that Python takes for the end of a line, too."""
    return output.decode(errors="replace").split("\n")
