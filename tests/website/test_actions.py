"""What forms do, and what is shown when they cannot."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from job_orchestra.domain.runs import Run
from job_orchestra.domain.statuses import RunStatus
from job_orchestra.domain.workers import WorkerDescription
from tests.connecting import connect_worker
from tests.repositories.history import past_run, store
from tests.website.examples import WORKER, Examples, RunDriver
from tests.website.installation import Installation
from tests.website.visitor import Visitor, form

Visitors = Callable[[str | None], Visitor]

HELLO = "/projects/example/jobs/hello"


@pytest.fixture
def operator(visitors: Visitors, examples: Examples) -> Visitor:
    return visitors("operator")


def _run(installation: Installation, location: str) -> Run:
    return installation.call(installation.runs.get("example", location.rpartition("/")[2]))


def test_a_job_is_triggered_with_what_was_typed(operator: Visitor, installation: Installation) -> None:
    fields = {"parameter-name": "<ü> & co", "parameter-volume": '"high"', "parameter-times": "3"}
    response = operator.send(HELLO, f"{HELLO}/trigger", **fields)
    assert response.status_code == 303
    run = _run(installation, response.headers["Location"])
    assert run.request.parameters == {"name": "<ü> & co", "volume": "high", "times": 3}
    assert run.source.identifier == "operator"


def test_an_untouched_form_triggers_with_the_defaults(operator: Visitor, installation: Installation) -> None:
    response = operator.send(HELLO, f"{HELLO}/trigger")
    run = _run(installation, response.headers["Location"])
    assert run.request.parameters == {"name": "world", "volume": "low", "times": 1}


def test_the_same_form_sent_twice_means_one_run(operator: Visitor, installation: Installation) -> None:
    fields = form(operator.get(HELLO).text, f"{HELLO}/trigger").fields
    first, second = (operator.post(f"{HELLO}/trigger", fields).headers["Location"] for _ in range(2))
    assert first == second
    assert operator.post(f"{HELLO}/trigger", {**fields, "parameter-name": "x"}).headers["Location"] != first
    # Much later it was not the finger that slipped.
    installation.clock.shift = timedelta(minutes=1)
    try:
        assert operator.post(f"{HELLO}/trigger", fields).headers["Location"] != first
    finally:
        installation.clock.shift = timedelta()


def test_what_was_typed_wrong_is_shown_again_with_the_reason(operator: Visitor) -> None:
    typed = {"parameter-name": "<kept>", "parameter-times": "many"}
    response = operator.send(HELLO, f"{HELLO}/trigger", **typed)
    assert response.status_code == 422
    fields = form(response.text, f"{HELLO}/trigger").fields
    assert {name: fields[name] for name in typed} == typed
    assert 'aria-invalid="true"' in response.text
    assert "must be JSON" in response.text
    bare = "/projects/example/jobs/bare"
    response = operator.send(bare, f"{bare}/trigger")
    assert response.status_code == 422
    assert 'id="field-1-mistake"' in response.text


def test_parameters_that_are_too_large_are_told_on_the_form(operator: Visitor) -> None:
    response = operator.send(HELLO, f"{HELLO}/trigger", **{"parameter-name": "x" * 300_000})
    assert response.status_code == 422
    assert "parameters: have 300036 bytes as JSON, and may have 65536 together" in response.text
    assert form(response.text, f"{HELLO}/trigger").fields["parameter-name"] == "x" * 300_000


def test_jobs_schedules_and_workers_are_switched(operator: Visitor) -> None:
    for page, thing in (
        ("/projects/example/jobs/bare", "/projects/example/jobs/bare"),
        ("/projects/example/schedules/nightly", "/projects/example/schedules/nightly"),
        (f"/workers/{WORKER}", f"/workers/{WORKER}"),
    ):
        if "schedules" in thing:
            assert operator.send(page, f"{thing}/enable").headers["Location"] == page
        assert operator.send(page, f"{thing}/disable").headers["Location"] == page
        assert "disabled" in operator.get(page).text
        assert operator.send(page, f"{thing}/enable").headers["Location"] == page
    assert operator.send(f"/workers/{WORKER}", f"/workers/{WORKER}/drain").status_code == 303
    assert "draining" in operator.get(f"/workers/{WORKER}").text
    assert operator.send(f"/workers/{WORKER}", f"/workers/{WORKER}/enable").status_code == 303


def test_runs_are_cancelled_aborted_and_repeated(
    operator: Visitor, installation: Installation, examples: Examples
) -> None:
    driver = RunDriver(installation)
    waiting = installation.call(driver.trigger("hello"))
    running = installation.call(_started(driver))
    for run, action, words in ((waiting, "cancel", "asked to cancel"), (running, "abort", "asked to abort")):
        page = f"/projects/example/runs/{run.identifier}"
        assert operator.send(page, f"{page}/{action}").headers["Location"] == page
        assert words in operator.get(page).text
    page = f"/projects/example/runs/{examples.failed.identifier}"
    again = _run(installation, operator.send(page, f"{page}/retry").headers["Location"])
    assert again.retry_of == examples.failed.identifier
    assert again.status is RunStatus.PENDING
    assert examples.failed.identifier in operator.get(f"/projects/example/runs/{again.identifier}").text


async def _started(driver: RunDriver) -> Run:
    return await driver.start(await driver.trigger("hello"))


def test_a_run_is_pinned_and_unpinned(visitors: Visitors, operator: Visitor, examples: Examples) -> None:
    page = f"/projects/example/runs/{examples.succeeded.identifier}"
    assert f'action="{page}/pin"' not in visitors("viewer").get(page).text
    assert operator.send(page, f"{page}/pin").headers["Location"] == page
    assert "<small>pinned</small></h1>" in operator.get(page).text
    assert f"{examples.succeeded.identifier}</a> <small>pinned</small>" in operator.get("/runs").text
    assert operator.send(page, f"{page}/unpin").headers["Location"] == page
    assert "pinned" not in operator.get(page).text
    assert "pinned" not in operator.get("/runs").text


def test_a_run_that_is_no_longer_kept_breaks_no_page(operator: Visitor, installation: Installation) -> None:
    now = datetime.now(UTC)
    gone = past_run(now, job="hello", project="example").identifier
    naming = past_run(now, number=1, job="hello", project="example", source_run=gone)
    naming = replace(naming, retry_of=gone)
    installation.call(store(installation.storage, [naming]))
    shown = operator.get(f"/projects/example/runs/{naming.identifier}").text
    assert shown.count(f'<span class="identifier">{gone}</span> <small>no longer kept</small>') == 2
    assert f'href="/projects/example/runs/{gone}' not in shown
    for rest in ("", "/log", "/log/raw", "/results", "/archive"):
        missing = operator.get(f"/projects/example/runs/{gone}{rest}")
        assert missing.status_code == 404
        assert "Runs are removed when their retention is over, unless they are pinned." in missing.text


def test_what_is_not_possible_any_more_says_so(operator: Visitor, examples: Examples) -> None:
    page = f"/projects/example/runs/{examples.succeeded.identifier}"
    token = form(operator.get(page).text, "/logout").fields["form_token"]
    for action in ("cancel", "abort"):
        response = operator.post(f"{page}/{action}", {"form_token": token})
        assert response.status_code == 409
        assert "succeeded" in response.text
        assert f'href="{page}">Back' in response.text


def test_a_worker_is_deleted_when_it_is_disabled_and_idle(visitors: Visitors, installation: Installation) -> None:
    administrator = visitors("administrator")
    page = f"/workers/{WORKER}"
    token = form(administrator.get(page).text, "/logout").fields["form_token"]
    assert f'action="{page}/delete"' not in administrator.get(page).text
    response = administrator.post(f"{page}/delete", {"form_token": token})
    assert response.status_code == 409
    assert administrator.get(page).status_code == 200


def test_a_worker_that_is_gone_is_deleted_with_its_runs(visitors: Visitors, installation: Installation) -> None:
    administrator, operator = visitors("administrator"), visitors("operator")
    workers, driver = installation.workers, RunDriver(installation)
    page = "/workers/gone"
    installation.call(
        connect_worker(workers, "gone", "worker", "2" * 32, WorkerDescription("1"), 0.0, "another master")
    )
    run = installation.call(_started_on(driver, "gone"))
    installation.call(workers.set_enabled("gone", False))
    assert f'action="{page}/delete"' not in administrator.get(page).text
    installation.call(workers.disconnect_all("another master"))
    run_page = administrator.get(f"/projects/example/runs/{run.identifier}").text
    assert "The worker is disconnected since" in run_page
    assert "goes on there, and its data comes when it is connected again. It is waited for without end." in run_page
    assert "running</span> <small>worker disconnected</small>" in administrator.get("/runs?worker=gone").text
    assert f'action="{page}/delete"' not in operator.get(page).text
    assert "Delete, and give up its run</button>" in administrator.get(page).text
    # Without saying so it is refused, though it is the same address.
    token = form(administrator.get(page).text, "/logout").fields["form_token"]
    response = administrator.post(f"{page}/delete", {"form_token": token})
    assert (response.status_code, "--lose-runs" in response.text) == (409, True)
    response = administrator.send(page, f"{page}/delete")
    assert (response.status_code, response.headers["Location"]) == (303, "/workers")
    assert administrator.get(page).status_code == 404
    # No master serves this database: the run is still as it was, and its page says what is to come.
    run_page = administrator.get(f"/projects/example/runs/{run.identifier}").text
    assert "There is no record of worker gone any more: it was deleted. So the run ends as an exception." in run_page


async def _started_on(driver: RunDriver, worker: str) -> Run:
    return await driver.start(await driver.trigger("hello"), worker)


def test_a_run_shows_that_it_is_aborted_with_another(operator: Visitor, installation: Installation) -> None:
    now = datetime.now(UTC)
    parent = past_run(now, job="hello", project="example")
    free = past_run(now, number=1, job="hello", project="example", source_run=parent.identifier)
    child = past_run(now, number=2, job="hello", project="example", source_run=parent.identifier)
    child = replace(child, request=replace(child.request, abort_with_run=True))
    installation.call(store(installation.storage, [parent, free, child]))
    told = [
        "with which it is aborted" in operator.get(f"/projects/example/runs/{run.identifier}").text
        for run in (free, child)
    ]
    assert told == [False, True]
