"""Results as transformers show them: nothing stored changes, and one that fails takes nothing else with it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from job_orchestra.domain.json import JsonObject
from job_orchestra.domain.roles import Role
from job_orchestra.domain.runs import Run
from job_orchestra.service.transformation import Failure, ResultTransformer, Transformation, Transformed
from job_orchestra.service.transformers.artifact_links import ArtifactLinks
from job_orchestra.service.transformers.revision_links import RevisionLinks
from tests.repositories.records import USER, request_of
from tests.service.serving import Served, serving

REVISION = "0123abc"
STORED: JsonObject = {
    "revision_control": {"revision": REVISION},
    "artifacts": [{"path": "dist/a b.tar"}, {"path": "x", "url": "https://elsewhere.example"}, "odd", {"path": 3}],
}


@pytest.fixture
def run() -> Run:
    """Of the job `hello` of the project `example`."""
    request = request_of("example", "hello")
    return Run("01m85kb309z79grqvh", request, USER, datetime(2026, 11, 25, tzinfo=UTC), results=STORED)


class Made:
    """A transformer of a function."""

    def __init__(self, make: Callable[[JsonObject], Any], name: str = "made") -> None:
        self.name = name
        self._make = make

    def transform(self, run: Run, results: JsonObject) -> JsonObject:
        made: JsonObject = self._make(results)
        return made


def transform(run: Run, *transformers: ResultTransformer, time_limit: float = 20.0) -> Transformed:
    return asyncio.run(Transformation(transformers, time_limit).apply(run))


def _add(name: str, value: Any) -> Made:
    return Made(lambda results: {**results, name: value}, f"adds {name}")


def _fail(results: JsonObject) -> JsonObject:
    results.clear()
    raise LookupError("nothing there")


def test_each_gets_what_earlier_ones_made(run: Run) -> None:
    shown = transform(run, _add("a", 1), Made(lambda results: {"sum": results["a"], "b": 2}))
    assert shown == Transformed({"sum": 1, "b": 2})
    assert run.results == STORED


def _exit(_: JsonObject) -> None:
    raise SystemExit


def _fail_with_name_of_file(_: JsonObject) -> None:
    raise FileNotFoundError("caf\udce9")


class _Unspeakable(Exception):
    def __str__(self) -> str:
        raise LookupError


def _fail_without_words(_: JsonObject) -> None:
    raise _Unspeakable


_FAULTS: dict[str, Callable[[JsonObject], Any]] = {
    "LookupError: nothing there": _fail,
    "TypeError: it returned NoneType, not an object of results": lambda results: None,
    "ValueError: Out of range float values are not JSON compliant": lambda results: {"x": float("nan")},
    "TypeError: Object of type object is not JSON serializable": lambda results: {"x": object()},
    "SystemExit": _exit,
    "FileNotFoundError: caf\\udce9": _fail_with_name_of_file,
    r"Invalid: results.x: 'caf\udce9' contains half a surrogate pair": lambda results: {"x": "caf\udce9"},
    "Invalid: results.x: is an integer of more than 64 bits": lambda results: {"x": 2**64},
    "_Unspeakable": _fail_without_words,
    "ValueError: it returned results of more than 4 MiB": lambda results: {"x": "y" * (4 << 20)},
}


@pytest.mark.parametrize("message", _FAULTS)
def test_one_that_fails_is_named_and_changes_nothing(run: Run, message: str) -> None:
    shown = transform(run, _add("before", 1), Made(_FAULTS[message], "weak"), _add("after", 2))
    assert shown.results == {**STORED, "before": 1, "after": 2}
    (failure,) = shown.failures
    assert failure.transformer == "weak"
    assert failure.message.startswith(message)


def test_what_is_too_large_is_not_copied(run: Run) -> None:
    """Copies of this one would need more memory than there is."""
    text = "y" * (4 << 20)
    huge = Made(lambda results: {"x": [text] * 10_000}, "huge")
    shown = transform(run, huge, _add("after", 1))
    assert shown.results == {**STORED, "after": 1}
    assert [failure.transformer for failure in shown.failures] == ["huge"]


def test_the_largest_results_may_be_returned(run: Run) -> None:
    largest: JsonObject = {"é": "é" * ((4 << 20) - len('{"é":""}'))}
    assert transform(replace(run, results=largest), Made(lambda results: results)) == Transformed(largest)


def test_one_without_a_name_has_that_of_its_class(run: Run) -> None:
    class Nameless(Made):
        def __getattribute__(self, name: str) -> Any:
            if name == "name":
                raise LookupError
            return super().__getattribute__(name)

    (failure,) = transform(run, Nameless(_fail)).failures
    assert failure == Failure("Nameless", "LookupError: nothing there")


class Slow(Made):
    """Does not return before its gate is open."""

    def __init__(self) -> None:
        self.gate = threading.Event()
        super().__init__(self._wait, "slow")

    def _wait(self, results: JsonObject) -> JsonObject:
        self.gate.wait(60)
        return results


@pytest.fixture
def slow() -> Iterator[Slow]:
    """Does not return before the test has ended."""
    slow = Slow()
    yield slow
    slow.gate.set()


def test_one_that_does_not_return_is_given_up(run: Run, slow: Slow) -> None:
    shown = transform(run, _add("before", 1), slow, _add("after", 2), time_limit=0.2)
    assert shown.results == {**STORED, "before": 1}
    assert shown.failures == (Failure("slow", "has not returned within 0.2 seconds"),)


def test_behind_one_that_is_given_up_none_is_called(run: Run, slow: Slow) -> None:
    called: list[JsonObject] = []

    def note(results: JsonObject) -> JsonObject:
        called.append(results)
        return results

    late = Made(note, "late")
    transform(run, slow, late, time_limit=0.05)
    working = [thread for thread in threading.enumerate() if thread.name == "transform results"]
    slow.gate.set()
    for thread in working:
        thread.join(60)
    assert not called


def test_those_that_never_return_do_not_pile_up(run: Run, slow: Slow) -> None:
    async def scenario() -> None:
        transformation = Transformation((slow,), time_limit=0.05)
        before = threading.active_count()
        shown = await asyncio.gather(*(transformation.apply(run) for _ in range(30)))
        assert threading.active_count() - before <= 8
        assert {each.failures[0].transformer for each in shown} == {"slow", "all"}
        assert all(each.results == STORED for each in shown)

    asyncio.run(scenario())


def test_links_of_revisions_and_artifacts(run: Run) -> None:
    shown = transform(
        run,
        RevisionLinks("https://git.example/{project}/commit/{revision}"),
        ArtifactLinks("https://files.example/{project}/{job}/{run}/{path}"),
    )
    assert not shown.failures
    assert shown.results == {
        "revision_control": {"revision": REVISION, "url": f"https://git.example/example/commit/{REVISION}"},
        "artifacts": [
            {"path": "dist/a b.tar", "url": f"https://files.example/example/hello/{run.identifier}/dist/a%20b.tar"},
            {"path": "x", "url": "https://elsewhere.example"},
            "odd",
            {"path": 3},
        ],
    }


_OTHERS: list[JsonObject] = [{"a": 1}, {"revision_control": [], "artifacts": {}}, {"artifacts": [[], None]}]


@pytest.mark.parametrize("results", _OTHERS)
def test_links_leave_other_results_alone(run: Run, results: JsonObject) -> None:
    links = (RevisionLinks("https://g.example/{revision}"), ArtifactLinks("https://f.example/{path}"))
    assert transform(replace(run, results=results), *links) == Transformed(results)


@pytest.mark.parametrize(
    "template", ["javascript:{revision}", "{revision}", "https://x/{run.__class__}", "https://x/{"]
)
def test_templates_that_are_no_addresses_are_refused(template: str) -> None:
    with pytest.raises(ValueError, match=r"\{"):
        RevisionLinks(template)


def test_every_answer_tells_and_nothing_stored_changes(sqlite_url: str, tmp_path: Path) -> None:
    async def scenario(served: Served) -> None:
        client = await served.user(Role.OPERATOR)
        started = await served.started()
        after = replace(started, results=STORED)
        assert await served.progress.save(started, after, [])
        path = f"/projects/example/runs/{started.identifier}"
        shown = {**STORED, "a": 1}
        told = [{"transformer": "weak", "message": "LookupError: nothing there"}]
        for answer in (await client.get(path), await client.post(f"{path}/abort")):
            assert answer.status_code == 200
            assert (answer.json()["results"], answer.json()["transformation_failures"]) == (shown, told)
        results = await client.get(f"{path}/results")
        assert (results.json(), results.headers["failed-transformers"]) == (shown, "weak")
        stored = await client.get(f"{path}/results?stored=true")
        assert stored.json() == STORED
        assert "failed-transformers" not in stored.headers
        assert (await served.runs.get("example", started.identifier)).results == STORED

    async def main() -> None:
        async with serving(sqlite_url, tmp_path, transformers=(_add("a", 1), Made(_fail, "weak"))) as served:
            await scenario(served)

    asyncio.run(main())
