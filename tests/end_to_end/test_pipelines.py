"""Pipelines as users see them, on a running installation."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.end_to_end.installation import Installation, wait_until


def statuses(installation: Installation, run: str) -> dict[str, str]:
    items: list[dict[str, Any]] = installation.json("run", "elements", "example", run)["items"]
    return {element["identifier"]: element["status"] for element in items}


def test_a_pipeline_that_fails_and_is_executed_again_from_there(running: Installation, tmp_path: Path) -> None:
    tally, file = tmp_path / "tally", tmp_path / "file"
    done = running.orchestra("trigger", "example", "release", "-p", f"tally={tally}", "-p", f"file={file}", "--follow")
    assert (done.returncode, done.stderr) == (1, "")
    run = done.stdout.split()[0]
    assert sorted(tally.read_text().split()) == ["alarm", "each-a", "each-b", "first"]
    assert tally.read_text().split()[0] == "first"
    assert statuses(running, run) == {
        "first": "succeeded", "each": "succeeded", "check": "failed", "last": "skipped", "alarm": "succeeded"
    }  # fmt: skip
    assert "last: skipped: It needs check to end as succeeded, and that is failed." in done.stdout
    assert running.json("run", "show", "example", run)["reason"]["code"] == "element_failed"

    file.touch()
    again = running.orchestra("run", "retry", "example", run, "--keep-succeeded").stdout.strip()
    done = running.orchestra("run", "log", "example", again, "--follow")
    assert (done.returncode, done.stderr) == (0, "")
    assert sorted(tally.read_text().split()) == ["alarm", "each-a", "each-b", "first", "last"]
    assert statuses(running, again) == {
        "first": "succeeded", "each": "succeeded", "check": "succeeded", "last": "succeeded", "alarm": "skipped"
    }  # fmt: skip
    elements = running.json("run", "elements", "example", again)["items"]
    assert [part["is_kept"] for element in elements for part in element["parts"]] == [True, True, True, False, False]


def test_a_pipeline_inside_of_another(running_on_sqlite: Installation, tmp_path: Path) -> None:
    tally = tmp_path / "tally"
    arguments = ("-p", f"tally={tally}", "-p", "file=/no/such/file", "--follow")
    done = running_on_sqlite.orchestra("trigger", "example", "outer", *arguments)
    assert done.returncode == 1
    assert tally.read_text().split()[-1] == "failed"
    assert statuses(running_on_sqlite, done.stdout.split()[0]) == {"inner": "failed", "behind": "succeeded"}


def test_what_gets_no_run_is_told_after_the_end_too_and_is_nothing_to_build_on(running_on_sqlite: Installation) -> None:
    run = running_on_sqlite.trigger("picky", "-p", 'people=[{"name": "ada"}, {}]')
    assert running_on_sqlite.orchestra("run", "log", "example", run, "--follow").returncode == 3
    each, behind = running_on_sqlite.json("run", "elements", "example", run)["items"]
    assert [(part["label"], part["status"]) for part in each["parts"]] == [
        ("each[0]", "succeeded"),
        ("each[1]", "exception"),
    ]
    assert "has no 'name'" in each["parts"][1]["reason"]
    assert each["numbers"] == {"exception": 1, "succeeded": 1}
    again = running_on_sqlite.orchestra("run", "retry", "example", run, "--keep-succeeded").stdout.strip()
    assert running_on_sqlite.orchestra("run", "log", "example", again, "--follow").returncode == 3
    anew = running_on_sqlite.json("run", "elements", "example", again)["items"]
    assert anew[0]["parts"][0]["run"]["identifier"] == each["parts"][0]["run"]["identifier"]
    assert anew[1]["parts"][0]["run"]["identifier"] != behind["parts"][0]["run"]["identifier"]


def test_an_abort_reaches_every_run_and_waits_for_them(running_on_sqlite: Installation) -> None:
    run = running_on_sqlite.trigger("waits")
    wait_until(lambda: statuses(running_on_sqlite, run)["one"] == "running")
    why = running_on_sqlite.json("run", "why", "example", run)["summary"]
    assert why == "0 of its 2 elements have ended. one is running."
    assert running_on_sqlite.orchestra("run", "abort", "example", run).returncode == 0
    assert running_on_sqlite.orchestra("run", "log", "example", run, "--follow").returncode == 2
    assert statuses(running_on_sqlite, run) == {"one": "aborted", "two": "skipped"}
    elements = running_on_sqlite.json("run", "elements", "example", run)["items"]
    part = elements[0]["parts"][0]["run"]["identifier"]
    ended = running_on_sqlite.json("run", "show", "example", part)
    assert (ended["status"], ended["source"]) == ("aborted", {"kind": "run", "identifier": run})


def test_a_pipeline_of_a_disabled_job_waits(running_on_sqlite: Installation) -> None:
    running_on_sqlite.orchestra("job", "disable", "example", "waits")
    try:
        run = running_on_sqlite.trigger("waits")
        why = running_on_sqlite.json("run", "why", "example", run)["summary"]
        assert why == "Job 'waits' is disabled; the run waits until it is enabled."
        assert running_on_sqlite.orchestra("run", "cancel", "example", run).returncode == 0
        assert running_on_sqlite.orchestra("run", "log", "example", run, "--follow").returncode == 2
    finally:
        running_on_sqlite.orchestra("job", "enable", "example", "waits")


def test_what_is_no_pipeline_has_no_elements(running_on_sqlite: Installation) -> None:
    run = running_on_sqlite.orchestra("trigger", "example", "hello", "--follow").stdout.split()[0]
    done = running_on_sqlite.orchestra("run", "elements", "example", run)
    assert (done.returncode, done.stdout) == (5, "")
    assert done.stderr == f"Error: Run '{run}' has no elements: its job 'hello' is no pipeline.\n"
    done = running_on_sqlite.orchestra("run", "retry", "example", run, "--keep-succeeded")
    assert done.stderr == f"Error: Run '{run}' has nothing that could be kept: its job is no pipeline.\n"
