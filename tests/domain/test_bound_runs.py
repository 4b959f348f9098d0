from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from job_orchestra.domain.bound_runs import bound_to, is_passed_on, runs_to_stop
from job_orchestra.domain.definitions import CommandsDefinition
from job_orchestra.domain.errors import Invalid
from job_orchestra.domain.runs import Run, RunRequest, Source, SourceKind
from job_orchestra.domain.statuses import RunStatus

_REQUEST = RunRequest("p", "j", CommandsDefinition((("true",),)))
_OF_RUN = Source(SourceKind.RUN, "parent")
_RUN = Run("child", _REQUEST, _OF_RUN, datetime(2026, 11, 23, tzinfo=UTC))


def test_only_what_a_run_triggers_is_bound_to_it() -> None:
    assert bound_to(_OF_RUN, _REQUEST) == replace(_REQUEST, abort_with_run=True)
    with pytest.raises(Invalid, match=r"abort_with_run: needs the token of a run, .* not that of user 'ada'"):
        bound_to(Source(SourceKind.USER, "ada"), _REQUEST)


@pytest.mark.parametrize("status", RunStatus)
@pytest.mark.parametrize("should_abort", [False, True])
@pytest.mark.parametrize("token", [False, True])
def test_an_abort_is_passed_on_and_no_other_end(status: RunStatus, should_abort: bool, token: bool) -> None:
    run = replace(_RUN, request=replace(_REQUEST, token=token), status=status, should_abort=should_abort)
    assert is_passed_on(run) is (token and (should_abort or status in ("aborted", "cancelled")))


def test_those_are_stopped_that_are_bound_and_have_neither_ended_nor_been_asked_before() -> None:
    bound = replace(_RUN, request=replace(_REQUEST, abort_with_run=True))
    running = replace(bound, status=RunStatus.RUNNING)
    others = [_RUN, replace(running, should_abort=True), replace(bound, status=RunStatus.CANCELLED)]
    assert runs_to_stop([bound, *others, running]) == [bound, running]
