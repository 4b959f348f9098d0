"""What the service tells of runs and elements, made up."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from random import Random

from job_orchestra.domain.definitions import ElementDefinition
from job_orchestra.domain.identifiers import new_run_identifier
from job_orchestra.protocol.resources.runs import ElementAnswer, PartAnswer, RunSummaryAnswer, SourceAnswer
from tests.website.pictures.drawing import NOW

_CHANCE = Random(1)


def run_answer(
    status: str,
    *,
    created: float = 0.0,
    started: float | None = None,
    ended: float | None = None,
    attempt: int = 1,
) -> RunSummaryAnswer:
    """Its moments in seconds after NOW."""
    identifier = new_run_identifier(int((NOW.timestamp() + created) * 1000), _CHANCE.getrandbits(40))
    return RunSummaryAnswer(
        project="example",
        job="work",
        identifier=identifier,
        status=status,
        reason=None,
        attempt=attempt,
        source=SourceAnswer(kind="user", identifier="operator"),
        parameters={},
        worker=None,
        created_at=_moment(created),
        started_at=None if started is None else _moment(started),
        ended_at=None if ended is None else _moment(ended),
        duration=None if started is None or ended is None else ended - started,
    )


def element_answer(element: ElementDefinition, status: str, *parts: str) -> ElementAnswer:
    """Of a list, with the status of each part; otherwise it has a run if its status is one of runs."""
    if not parts and status not in {"waiting", "skipped"}:
        parts = (status,)
    is_list = element.for_each is not None
    return ElementAnswer(
        identifier=element.identifier,
        project="example",
        job=element.job,
        after=[after.element for after in element.after],
        status=status,
        reason="",
        parts=[
            PartAnswer(
                label=f"{element.identifier}[{number}]" if is_list else element.identifier,
                status=part,
                reason="",
                run=run_answer(part, created=number),
            )
            for number, part in enumerate(parts)
        ],
        numbers=dict(Counter(parts)),
    )


def element_with(identifier: str, run: RunSummaryAnswer | None, *, is_kept: bool = False) -> ElementAnswer:
    """Of one part, which has that run."""
    status = "exception" if run is None else run.status
    part = PartAnswer(label=identifier, status=status, reason="", run=run, is_kept=is_kept)
    return ElementAnswer(
        identifier=identifier,
        project="example",
        job="work",
        after=[],
        status=status,
        reason="",
        parts=[part],
        numbers={status: 1},
    )


def _moment(seconds: float) -> str:
    moment: datetime = NOW + timedelta(seconds=seconds)
    return moment.isoformat()
