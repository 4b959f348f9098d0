from __future__ import annotations

import bisect

from job_orchestra.domain.errors import NotFound
from job_orchestra.domain.projects import Project
from job_orchestra.domain.revisions import Branch, Branches, Revisions
from job_orchestra.protocol.resources.repositories import (
    BranchesAnswer,
    ProjectStatusAnswer,
    RepositoryAnswer,
    RevisionsAnswer,
)
from job_orchestra.service.answers.repositories import (
    branch_answer,
    knowledge_answer,
    repository_answer,
    revision_answer,
    revision_status_answer,
)
from job_orchestra.service.background_answers import Known
from job_orchestra.service.call import Call
from job_orchestra.service.parameters import (
    BEHIND_BRANCH,
    BRANCH,
    BRANCH_CURSOR,
    LIMIT,
    REVISION_CURSOR,
    REVISION_LIMIT,
)
from job_orchestra.service.parts import ServiceParts


async def show(parts: ServiceParts, call: Call) -> RepositoryAnswer:
    project = await parts.projects.get(call.path["project"])
    known = await parts.repository_watch.branches(project, parts.repository_watch.patience())
    settings = project.settings.repository
    assert settings is not None  # else it was NotFound
    return repository_answer(settings, _default_of(project, known), known)


async def branches(parts: ServiceParts, call: Call) -> BranchesAnswer:
    project = await parts.projects.get(call.path["project"])
    known = await parts.repository_watch.branches(project, parts.repository_watch.patience())
    items = sorted(known.value.items, key=_name) if known.value else []
    limit, cursor = call.value(LIMIT), call.value(BRANCH_CURSOR)
    start = 0 if cursor is None else bisect.bisect_right(items, cursor, key=_name)
    page = items[start : start + limit]
    following = BEHIND_BRANCH + page[-1].name if start + limit < len(items) else None
    return BranchesAnswer(
        [branch_answer(branch) for branch in page],
        following,
        is_complete=known.value is None or known.value.is_complete,
        knowledge=knowledge_answer(known),
    )


async def revisions(parts: ServiceParts, call: Call) -> RevisionsAnswer:
    project = await parts.projects.get(call.path["project"])
    branch, known = await _revisions(parts, call, project)
    found = known.value or Revisions(())
    return RevisionsAnswer(
        [revision_answer(revision) for revision in found.items],
        None if found.next is None else str(found.next),
        branch=branch,
        knowledge=knowledge_answer(known),
    )


async def status(parts: ServiceParts, call: Call) -> ProjectStatusAnswer:
    project = await parts.projects.get(call.path["project"])
    branch, known = await _revisions(parts, call, project)
    found = known.value or Revisions(())
    identifiers = [revision.identifier for revision in found.items]
    runs = await parts.revision_runs.find(project.identifier, identifiers)
    items = [revision_status_answer(revision, runs[revision.identifier]) for revision in found.items]
    return ProjectStatusAnswer(
        items,
        None if found.next is None else str(found.next),
        branch=branch,
        jobs=sorted({job for item in items for job in item.jobs}),
        knowledge=knowledge_answer(known),
    )


async def _revisions(parts: ServiceParts, call: Call, project: Project) -> tuple[str | None, Known[Revisions]]:
    """With the branch that they are of; None while it is not known which is the default one."""
    patience = parts.repository_watch.patience()
    branch = call.value(BRANCH)
    settings = project.settings.repository
    if branch is None and settings is not None and settings.branch is not None:
        branch = settings.branch
    else:
        known = await parts.repository_watch.branches(project, patience)
        if branch is None:
            branch = _default_of(project, known)
        elif _is_surely_missing(branch, known):
            raise NotFound("branch", branch, f"The repository of project {project.identifier} has none of this name.")
        if branch is None:
            return None, Known(None, known.fetched_at, known.age, known.is_fetching, known.failure)
    position = call.value(REVISION_CURSOR)
    limit = call.value(REVISION_LIMIT)
    return branch, await parts.repository_watch.revisions(project, patience, branch, limit, position)


def _default_of(project: Project, known: Known[Branches]) -> str | None:
    settings = project.settings.repository
    if settings is not None and settings.branch is not None:
        return settings.branch
    found: Branches | None = known.value
    if found is None or not found.items:
        return None
    return (found.default or found.items[0]).name


def _name(branch: Branch) -> str:
    return branch.name


def _is_surely_missing(branch: str, known: Known[Branches]) -> bool:
    """So that nobody makes the repository's host be asked for whatever comes to mind."""
    found: Branches | None = known.value
    return found is not None and found.is_complete and all(one.name != branch for one in found.items)
