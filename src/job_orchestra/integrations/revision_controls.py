"""What asks a repository, by the type that the project names. Each adapter is imported where the first one is asked."""

from __future__ import annotations

from collections.abc import Mapping

from job_orchestra.domain.repositories import RepositoryType
from job_orchestra.integrations.revision_control import RepositoryAccess, RevisionControl, RevisionControlFactory


def git(access: RepositoryAccess) -> RevisionControl:
    from job_orchestra.integrations.git.revision_control import GitRevisionControl

    return GitRevisionControl(access)


def github(access: RepositoryAccess) -> RevisionControl:
    from job_orchestra.integrations.github.revision_control import GitHubRevisionControl

    return GitHubRevisionControl(access)


def gitlab(access: RepositoryAccess) -> RevisionControl:
    from job_orchestra.integrations.gitlab.revision_control import GitLabRevisionControl

    return GitLabRevisionControl(access)


def forgejo(access: RepositoryAccess) -> RevisionControl:
    from job_orchestra.integrations.forgejo.revision_control import ForgejoRevisionControl

    return ForgejoRevisionControl(access)


REVISION_CONTROLS: Mapping[str, RevisionControlFactory] = {
    RepositoryType.GIT.value: git,
    RepositoryType.GITHUB.value: github,
    RepositoryType.GITLAB.value: gitlab,
    RepositoryType.FORGEJO.value: forgejo,
    RepositoryType.GITEA.value: forgejo,
}
