"""A repository at GitLab, by its REST API."""

from __future__ import annotations

from urllib.parse import quote, urlsplit

import msgspec

from job_orchestra.domain.errors import NotFound
from job_orchestra.domain.repositories import RepositoryType, revision_url, web_url
from job_orchestra.domain.revisions import Branch, Branches, Position, Revision, Revisions, moment_of, plain_line
from job_orchestra.integrations.http_api import TIME_LIMIT, HttpApi
from job_orchestra.integrations.paging import NumberedPage, all_branches, history
from job_orchestra.integrations.revision_control import RepositoryAccess

_FRESH_FOR = 30.0
_AT_ONCE = 100


class GitLabHead(msgspec.Struct):
    id: str


class GitLabBranch(msgspec.Struct):
    name: str
    commit: GitLabHead
    default: bool = False


class GitLabCommit(msgspec.Struct):
    id: str
    title: str
    author_name: str
    committed_date: str


class GitLabRevisionControl:
    def __init__(self, access: RepositoryAccess, time_limit: float = TIME_LIMIT) -> None:
        self.fresh_for = _FRESH_FOR
        self._branch = access.settings.branch
        self._page = web_url(access.settings.url) or ""
        parts = urlsplit(self._page)
        repository = f"/projects/{quote(parts.path.strip('/'), safe='')}"
        self._path = f"{repository}/repository"
        api = f"{parts.scheme}://{parts.netloc}/api/v4"
        self._api = HttpApi(parts.netloc, api, repository, access.token, "Bearer", {}, time_limit)

    async def branches(self) -> Branches:
        async def ask(number: int) -> tuple[list[Branch], bool]:
            page, has_more = await self._api.get_page(
                f"{self._path}/branches", list[GitLabBranch], per_page=_AT_ONCE, page=number
            )
            return [Branch(one.name, one.commit.id, self._is_default(one)) for one in page], has_more

        return await all_branches(ask, _AT_ONCE)

    async def revisions(self, branch: str, limit: int, position: Position | None = None) -> Revisions:
        async def ask(page: NumberedPage) -> tuple[list[Revision], bool]:
            found, has_more = await self._api.get_page(
                f"{self._path}/commits", list[GitLabCommit], page.missing,
                ref_name=page.start, per_page=page.size, page=page.number,
            )  # fmt: skip
            return [self._revision(one) for one in found], has_more

        return await history(ask, branch, limit, position)

    async def revision(self, identifier: str) -> Revision:
        path = f"{self._path}/commits/{quote(identifier, safe='')}"
        return self._revision(await self._api.get(path, GitLabCommit, NotFound("revision", identifier)))

    async def close(self) -> None:
        await self._api.close()

    def _is_default(self, branch: GitLabBranch) -> bool:
        return branch.default if self._branch is None else branch.name == self._branch

    def _revision(self, found: GitLabCommit) -> Revision:
        url = revision_url(self._page, found.id, RepositoryType.GITLAB)
        date = moment_of(found.committed_date)
        return Revision(found.id, date, plain_line(found.author_name), plain_line(found.title), url)
