"""What administrators and auditors look at."""

from __future__ import annotations

from job_orchestra.client.call import Call, query
from job_orchestra.protocol.resources.administration import AdministrationAnswer, AuditEntryAnswer, MeasuresAnswer
from job_orchestra.protocol.resources.answers import Page


def audit(
    *,
    user: str | None = None,
    action: str | None = None,
    project: str | None = None,
    outcome: str | None = None,
    created_after: str | None = None,
    created_before: str | None = None,
    order_by: str | None = None,
    limit: int | None = None,
    cursor: str | None = None,
) -> Call[Page[AuditEntryAnswer]]:
    """Newest first, unless `order_by` is `date`."""
    asked = query(
        user=user,
        action=action,
        project=project,
        outcome=outcome,
        created_after=created_after,
        created_before=created_before,
        order_by=order_by,
        limit=limit,
        cursor=cursor,
    )
    return Call("GET", "/audit", Page[AuditEntryAnswer], query=asked)


def administration() -> Call[AdministrationAnswer]:
    return Call("GET", "/administration", AdministrationAnswer)


def measures(*, hours: int | None = None, step: int | None = None) -> Call[MeasuresAnswer]:
    """`step` in minutes: the highest numbers within."""
    return Call("GET", "/measures", MeasuresAnswer, query=query(hours=hours, step=step))
