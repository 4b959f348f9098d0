"""Where each thing has its page: the one place that puts identifiers into addresses."""

from __future__ import annotations

from urllib.parse import quote, urlencode


def path(*segments: str) -> str:
    """`/projects/a%2Fb`: each segment quoted whole, so that no identifier leads elsewhere."""
    return "".join("/" + quote(segment, safe="") for segment in segments)


def project_path(project: str) -> str:
    return path("projects", project)


def status_path(project: str) -> str:
    return path("projects", project, "status")


def job_path(project: str, job: str) -> str:
    return path("projects", project, "jobs", job)


def schedule_path(project: str, schedule: str) -> str:
    return path("projects", project, "schedules", schedule)


def run_path(project: str, run: str) -> str:
    return path("projects", project, "runs", run)


def worker_path(worker: str) -> str:
    return path("workers", worker)


def user_path(user: str) -> str:
    return path("users", user)


def with_query(address: str, **values: str | int | None) -> str:
    """The address with those values that are given and not empty."""
    given = {name: value for name, value in values.items() if value not in {None, ""}}
    return f"{address}?{urlencode(given)}" if given else address


def is_local(address: str) -> bool:
    """Whether a browser that is sent there stays on this website: `/…`, and nothing that it takes for a host."""
    return (
        address.startswith("/")
        and not address.startswith(("//", "/\\"))
        and all(" " < character < "\x7f" and character != "\\" for character in address)
    )
