"""A repository at GitHub, or at a GitHub Enterprise Server, by its REST API."""

from __future__ import annotations

from urllib.parse import quote, urlsplit

import msgspec

from job_orchestra.domain.errors import NotFound
from job_orchestra.domain.repositories import RepositoryType, revision_url, web_url
from job_orchestra.domain.revisions import Branch, Branches, Position, Revision, Revisions
from job_orchestra.integrations.commits import Commit, revision_of
from job_orchestra.integrations.http_api import TIME_LIMIT, HttpApi
from job_orchestra.integrations.paging import NumberedPage, all_branches, history
from job_orchestra.integrations.revision_control import RepositoryAccess

_FRESH_FOR = 60.0
"""Without a token GitHub answers sixty questions an hour."""
_AT_ONCE = 100


class GitHubRepository(msgspec.Struct):
    default_branch: str = ""


class GitHubHead(msgspec.Struct):
    sha: str


class GitHubBranch(msgspec.Struct):
    name: str
    commit: GitHubHead


class GitHubRevisionControl:
    def __init__(self, access: RepositoryAccess, time_limit: float = TIME_LIMIT) -> None:
        self.fresh_for = _FRESH_FOR
        self._branch = access.settings.branch
        self._page = web_url(access.settings.url) or ""
        parts = urlsplit(self._page)
        host = parts.netloc
        api = "https://api.github.com" if host == "github.com" else f"{parts.scheme}://{host}/api/v3"
        owner, name = parts.path.strip("/").split("/")
        self._path = f"/repos/{quote(owner, safe='')}/{quote(name, safe='')}"
        headers = {"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28"}
        self._api = HttpApi(host, api, self._path, access.token, "Bearer", headers, time_limit)

    async def branches(self) -> Branches:
        default = self._branch or (await self._api.get(self._path, GitHubRepository)).default_branch

        async def ask(number: int) -> tuple[list[Branch], bool]:
            page, has_more = await self._api.get_page(
                f"{self._path}/branches", list[GitHubBranch], per_page=_AT_ONCE, page=number
            )
            return [Branch(one.name, one.commit.sha, one.name == default) for one in page], has_more

        return await all_branches(ask, _AT_ONCE)

    async def revisions(self, branch: str, limit: int, position: Position | None = None) -> Revisions:
        async def ask(page: NumberedPage) -> tuple[list[Revision], bool]:
            found, has_more = await self._api.get_page(
                f"{self._path}/commits", list[Commit], page.missing,
                sha=page.start, per_page=page.size, page=page.number,
            )  # fmt: skip
            return [self._revision(one) for one in found], has_more

        return await history(ask, branch, limit, position)

    async def revision(self, identifier: str) -> Revision:
        missing = NotFound("revision", identifier)
        path = f"{self._path}/commits/{quote(identifier, safe='')}"
        return self._revision(await self._api.get(path, Commit, missing))

    async def close(self) -> None:
        await self._api.close()

    def _revision(self, found: Commit) -> Revision:
        return revision_of(found, revision_url(self._page, found.sha, RepositoryType.GITHUB))
