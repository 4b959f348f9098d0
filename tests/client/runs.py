"""What a service answers about a run, made up."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import msgspec

from job_orchestra.protocol.resources.logs import LogAnswer
from job_orchestra.protocol.resources.runs import PastAttemptAnswer, ReasonAnswer, RunAnswer, SourceAnswer
from tests.client.scripted_service import Scripted


def scripted_run(
    *, ended: bool, size: int, attempt: int = 1, past: Mapping[int, int] = MappingProxyType({})
) -> Scripted:
    """The answer of a service to who asks for such a run."""
    return Scripted(content=msgspec.json.encode(run_answer(ended=ended, size=size, attempt=attempt, past=past)))


def run_answer(
    *,
    ended: bool,
    size: int,
    attempt: int = 1,
    past: Mapping[int, int] = MappingProxyType({}),
    reason: ReasonAnswer | None = None,
) -> RunAnswer:
    """`past`: sizes of the logs of past attempts."""
    return RunAnswer(
        project="example",
        job="hello",
        identifier="r1",
        status="succeeded" if ended else "running",
        reason=reason,
        attempt=attempt,
        source=SourceAnswer("user", "ada"),
        retry_of=None,
        parameters={},
        properties={},
        definition={},
        results={},
        worker="here",
        is_worker_connected=True,
        should_cancel=False,
        should_abort=False,
        wished_by=None,
        created_at="2026-11-23T10:00:00.000Z",
        assigned_at=None,
        started_at=None,
        ended_at="2026-11-23T10:00:01.000Z" if ended else None,
        duration=None,
        log=LogAnswer(size, None),
        past_attempts=[past_attempt(number, its_size) for number, its_size in past.items()],
    )


def past_attempt(attempt: int, size: int) -> PastAttemptAnswer:
    reason = ReasonAnswer("command_failed", "It failed.")
    date = "2026-11-23T10:00:00.500Z"
    return PastAttemptAnswer(attempt, "failed", reason, "here", None, None, date, None, LogAnswer(size, "00"))
