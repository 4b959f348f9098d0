from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from job_orchestra.domain.repositories import RepositorySettings, web_url
from job_orchestra.domain.revisions import Branch, Revision, bounded_moment
from job_orchestra.domain.runs import Run
from job_orchestra.protocol.resources.repositories import (
    BranchAnswer,
    JobStatusAnswer,
    KnowledgeAnswer,
    RepositoryAnswer,
    RevisionAnswer,
    RevisionStatusAnswer,
)
from job_orchestra.protocol.resources.runs import CountAnswer
from job_orchestra.repositories.revision_runs import RunsOfRevision
from job_orchestra.service.answers.dates import iso, optional_iso
from job_orchestra.service.answers.runs import run_summary_answer
from job_orchestra.service.background_answers import Known


def knowledge_answer(known: Known[Any]) -> KnowledgeAnswer:
    failure = known.failure
    return KnowledgeAnswer(
        fetched_at=optional_iso(known.fetched_at),
        age=known.age,
        is_fetching=known.is_fetching,
        failure=None if failure is None else failure.sentence,
        failed_at=None if failure is None else iso(failure.at),
    )


def repository_answer(settings: RepositorySettings, branch: str | None, known: Known[Any]) -> RepositoryAnswer:
    return RepositoryAnswer(
        type=settings.type,
        url=settings.url,
        page=web_url(settings.url),
        branch=branch,
        knowledge=knowledge_answer(known),
    )


def branch_answer(branch: Branch) -> BranchAnswer:
    return BranchAnswer(branch.name, branch.revision, branch.is_default)


def revision_answer(revision: Revision) -> RevisionAnswer:
    return RevisionAnswer(
        identifier=revision.identifier,
        date=iso(bounded_moment(revision.date)),
        author=revision.author,
        title=revision.title,
        url=revision.url,
    )


def revision_status_answer(revision: Revision, found: RunsOfRevision) -> RevisionStatusAnswer:
    return RevisionStatusAnswer(
        revision=revision_answer(revision),
        jobs=_by_job(found.runs, found.is_complete),
        is_complete=found.is_complete,
    )


def _by_job(runs: Iterable[Run], is_complete: bool) -> dict[str, JobStatusAnswer]:
    """`runs` are newest first."""
    by_job: dict[str, list[Run]] = {}
    for run in runs:
        by_job.setdefault(run.request.job, []).append(run)
    return {
        job: JobStatusAnswer(run_summary_answer(of_job[0]), CountAnswer(len(of_job), is_complete))
        for job, of_job in sorted(by_job.items())
    }
