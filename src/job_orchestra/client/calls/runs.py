"""Runs; the bytes of their logs are asked for by the `log`, `late_log` and `follow_log` of the clients."""

from __future__ import annotations

from job_orchestra.client.call import Call, idempotency, path, query
from job_orchestra.domain.json import JsonObject
from job_orchestra.protocol.resources.answers import Page
from job_orchestra.protocol.resources.logs import LogPlacesAnswer, LogSearchAnswer
from job_orchestra.protocol.resources.runs import ElementsAnswer, EventAnswer, RunAnswer, RunPageAnswer, WhyAnswer


def list_all(
    project: str | None,
    *,
    job: str | None = None,
    status: str | None = None,
    worker: str | None = None,
    source: str | None = None,
    source_identifier: str | None = None,
    created_after: str | None = None,
    created_before: str | None = None,
    where: str | None = None,
    count: bool = False,
    limit: int | None = None,
    cursor: str | None = None,
    order_by: str | None = None,
) -> Call[RunPageAnswer]:
    """Of a project, or of all. Newest first, unless `order_by` says otherwise; dates are ISO 8601.

    With `where`, or filters that no index has together, a page may have fewer than `limit` runs though there are more
    behind its `next`. `count`: how many there are on all pages, as far as that is cheap.
    """
    filters = query(
        job=job,
        status=status,
        worker=worker,
        source=source,
        source_identifier=source_identifier,
        created_after=created_after,
        created_before=created_before,
        where=where,
        count="true" if count else None,
        limit=limit,
        cursor=cursor,
        order_by=order_by,
    )
    address = "/runs" if project is None else path("projects", project, "runs")
    return Call("GET", address, RunPageAnswer, query=filters)


def get(project: str, run: str) -> Call[RunAnswer]:
    return Call("GET", _path(project, run), RunAnswer)


def why(project: str, run: str) -> Call[WhyAnswer]:
    return Call("GET", _path(project, run, "why"), WhyAnswer)


def results(project: str, run: str, *, stored: bool = False) -> Call[JsonObject]:
    """`stored`: without what the service's transformers make of them."""
    return Call("GET", _path(project, run, "results"), dict, query=query(stored="true" if stored else None))


def events(project: str, run: str, *, limit: int | None = None, cursor: str | None = None) -> Call[Page[EventAnswer]]:
    return Call("GET", _path(project, run, "events"), Page[EventAnswer], query=query(limit=limit, cursor=cursor))


def late_events(
    project: str, run: str, attempt: int, *, limit: int | None = None, cursor: str | None = None
) -> Call[Page[EventAnswer]]:
    """Of an attempt that was given up, as its worker told afterwards."""
    address = _path(project, run, "late-reports", str(attempt), "events")
    return Call("GET", address, Page[EventAnswer], query=query(limit=limit, cursor=cursor))


def cancel(project: str, run: str) -> Call[RunAnswer]:
    return Call("POST", _path(project, run, "cancel"), RunAnswer)


def abort(project: str, run: str) -> Call[RunAnswer]:
    return Call("POST", _path(project, run, "abort"), RunAnswer)


def pin(project: str, run: str) -> Call[RunAnswer]:
    """Kept for ever."""
    return Call("POST", _path(project, run, "pin"), RunAnswer)


def unpin(project: str, run: str) -> Call[RunAnswer]:
    return Call("POST", _path(project, run, "unpin"), RunAnswer)


def elements(project: str, run: str) -> Call[ElementsAnswer]:
    """Of a pipeline."""
    return Call("GET", _path(project, run, "elements"), ElementsAnswer)


def retry(
    project: str, run: str, *, keep_succeeded: bool = False, idempotency_key: str | None = None
) -> Call[RunAnswer]:
    """A new run with the same parameters, of the job as it is configured now; a key makes it once.

    `keep_succeeded`: of a pipeline, what succeeded is not executed again.
    """
    return Call(
        "POST",
        _path(project, run, "retry"),
        RunAnswer,
        query=query(keep_succeeded="true" if keep_succeeded else None),
        headers=idempotency(idempotency_key),
    )


def log_places(
    project: str,
    run: str,
    *,
    offset: int | None = None,
    line: int | None = None,
    until: int | None = None,
    attempt: int | None = None,
) -> Call[LogPlacesAnswer]:
    """The place of a byte of the log, or of where a line begins, and those recorded behind it `until` a byte."""
    values = query(offset=offset, line=line, until=until, attempt=attempt)
    return Call("GET", _path(project, run, "log", "places"), LogPlacesAnswer, query=values)


def log_search(
    project: str,
    run: str,
    text: str,
    *,
    ignore_case: bool = False,
    offset: int | None = None,
    limit: int | None = None,
    attempt: int | None = None,
) -> Call[LogSearchAnswer]:
    """Lines of the log with the text in them, from the offset on; `next` of the answer goes on."""
    values = query(text=text, ignore_case="true" if ignore_case else None, offset=offset, limit=limit, attempt=attempt)
    return Call("GET", _path(project, run, "log", "search"), LogSearchAnswer, query=values)


def wait(project: str, run: str, status: str, attempt: int) -> Call[RunAnswer]:
    """The run when that is not its status and attempt any more; as it is after 20 seconds."""
    return Call("GET", _path(project, run, "wait"), RunAnswer, query={"while": status, "attempt": str(attempt)})


def log_path(project: str, run: str) -> str:
    return _path(project, run, "log")


def late_log_path(project: str, run: str, attempt: int) -> str:
    return _path(project, run, "late-reports", str(attempt), "log")


def archive_path(project: str, run: str) -> str:
    return _path(project, run, "archive")


def _path(project: str, run: str, *rest: str) -> str:
    return path("projects", project, "runs", run, *rest)
