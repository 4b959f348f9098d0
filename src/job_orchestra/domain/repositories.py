"""Where a project's sources are."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from urllib.parse import urlsplit

from job_orchestra.domain.json import JsonObject, JsonValue


class RepositoryType(StrEnum):
    """How a repository is asked: by git itself, or by its host's API."""

    GIT = "git"
    GITHUB = "github"
    GITLAB = "gitlab"
    FORGEJO = "forgejo"
    GITEA = "gitea"


@dataclass(frozen=True, slots=True)
class RepositorySettings:
    """What the configuration says of a repository. It names where its token is, never the token."""

    url: str
    type: str = RepositoryType.GIT.value
    """One of RepositoryType, or one for which a composition has a client of the user's."""
    branch: str | None = None
    """The one that is shown first; None: the repository's own default."""
    token_environment: str | None = None
    """A variable in the environment of the service."""
    token_file: str | None = None
    """A file on the host of the service."""
    options: JsonObject = field(default_factory=dict[str, JsonValue])
    """Whatever else a type of the user's has."""

    @property
    def has_token(self) -> bool:
        return self.token_environment is not None or self.token_file is not None


_KNOWN_HOSTS = {
    "github.com": RepositoryType.GITHUB,
    "gitlab.com": RepositoryType.GITLAB,
    "codeberg.org": RepositoryType.FORGEJO,
}


def web_url(url: str) -> str | None:
    """Of the repository's page, for an address by HTTP."""
    try:
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            return None
    except ValueError:
        return None
    host = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{host}{parts.path.rstrip('/').removesuffix('.git')}"


def revision_url(url: str, revision: str, kind: str | None = None) -> str | None:
    """Of the page of a revision, where the repository's host is of a known kind."""
    page = web_url(url)
    if page is None:
        return None
    if kind is None or kind == RepositoryType.GIT:
        kind = _KNOWN_HOSTS.get(urlsplit(page).hostname or "")
    match kind:
        case RepositoryType.GITHUB | RepositoryType.FORGEJO | RepositoryType.GITEA:
            return f"{page}/commit/{revision}"
        case RepositoryType.GITLAB:
            return f"{page}/-/commit/{revision}"
        case _:
            return None
