"""A repository at Forgejo or Gitea, by their API."""

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

_FRESH_FOR = 30.0
_AT_ONCE = 50
"""More are not given at once, unless the host is set up so."""


class ForgejoRepository(msgspec.Struct):
    default_branch: str = ""


class ForgejoHead(msgspec.Struct):
    id: str


class ForgejoBranch(msgspec.Struct):
    name: str
    commit: ForgejoHead


class ForgejoRevisionControl:
    def __init__(self, access: RepositoryAccess, time_limit: float = TIME_LIMIT) -> None:
        self.fresh_for = _FRESH_FOR
        self._branch = access.settings.branch
        self._page = web_url(access.settings.url) or ""
        parts = urlsplit(self._page)
        owner, name = parts.path.strip("/").split("/")
        self._path = f"/repos/{quote(owner, safe='')}/{quote(name, safe='')}"
        api = f"{parts.scheme}://{parts.netloc}/api/v1"
        self._api = HttpApi(parts.netloc, api, self._path, access.token, "token", {}, time_limit)

    async def branches(self) -> Branches:
        default = self._branch or (await self._api.get(self._path, ForgejoRepository)).default_branch

        async def ask(number: int) -> tuple[list[Branch], bool]:
            page, has_more = await self._api.get_page(
                f"{self._path}/branches", list[ForgejoBranch], limit=_AT_ONCE, page=number
            )
            return [Branch(one.name, one.commit.id, one.name == default) for one in page], has_more

        return await all_branches(ask, _AT_ONCE)

    async def revisions(self, branch: str, limit: int, position: Position | None = None) -> Revisions:
        async def ask(page: NumberedPage) -> tuple[list[Revision], bool]:
            found, has_more = await self._api.get_page(
                f"{self._path}/commits", list[Commit], page.missing,
                sha=page.start, limit=page.size, page=page.number, stat="false", verification="false", files="false",
            )  # fmt: skip
            return [self._revision(one) for one in found], has_more

        return await history(ask, branch, limit, position)

    async def revision(self, identifier: str) -> Revision:
        path = f"{self._path}/git/commits/{quote(identifier, safe='')}"
        found = await self._api.get(
            path, Commit, NotFound("revision", identifier), stat="false", verification="false", files="false"
        )
        return self._revision(found)

    async def close(self) -> None:
        await self._api.close()

    def _revision(self, found: Commit) -> Revision:
        return revision_of(found, revision_url(self._page, found.sha, RepositoryType.FORGEJO))
