from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from job_orchestra.domain.definitions import CommandsDefinition, Workspace
from job_orchestra.domain.json import JsonObject, JsonValue
from job_orchestra.domain.placement import Candidate, WorkerSelector, weight_of
from job_orchestra.domain.runs import Run, RunRequest, Source, SourceKind
from job_orchestra.domain.workers import Refusal
from tests.domain.strategies import checked, objects

LINUX: JsonObject = {"operating_system": "linux"}
selector = WorkerSelector()


def run(properties: JsonObject | None = None, preferences: JsonObject | None = None, identifier: str = "7") -> Run:
    wanted = replace(request(properties or {}), preferences=preferences or {})
    return Run(identifier, wanted, Source(SourceKind.USER, "eve"), datetime(2026, 11, 26, tzinfo=UTC))


def request(properties: JsonObject, workspace: Workspace = Workspace.RUN) -> RunRequest:
    return RunRequest("p", "j", CommandsDefinition(()), properties=properties, workspace=workspace)


def sentences(properties: JsonObject, candidate: Candidate) -> list[str]:
    return [obstacle.sentence for obstacle in selector.obstacles(request(properties), candidate)]


@pytest.mark.parametrize(
    ("workspace", "used", "sentences"),
    [
        (Workspace.JOB, "job p/j", ["run 7 is using the workspace of job p/j"]),
        (Workspace.PROJECT, "project p", ["run 7 is using the workspace of project p"]),
        (Workspace.JOB, "job p/other", []),
        (Workspace.JOB, "project p", []),
        (Workspace.RUN, "job p/j", []),
    ],
)
def test_a_workspace_is_used_by_one_run_at_a_time(workspace: Workspace, used: str, sentences: list[str]) -> None:
    candidate = Candidate("one", {}, 4, 1, workspaces={used: "7"})
    obstacles = selector.obstacles(request({}, workspace), candidate)
    assert [obstacle.sentence for obstacle in obstacles] == sentences
    assert not any(obstacle.is_lasting for obstacle in obstacles)


def test_a_fitting_free_worker_has_no_obstacle() -> None:
    assert sentences(LINUX, Candidate("one", LINUX, executor_limit=1, active=0)) == []


def test_each_obstacle_is_named() -> None:
    candidate = Candidate(
        "one", {"operating_system": "plan9"}, 2, active=2, is_enabled=False, is_connected=False, is_draining=True
    )
    assert sentences({"operating_system": ["linux", "bsd"], "gpu": True}, candidate) == [
        "needs gpu = true, has no gpu",
        "needs operating_system in linux, bsd, has plan9",
        "is disabled",
        "is disconnected",
        "is draining",
        "all 2 executors are busy",
    ]


def test_what_does_not_go_away_by_waiting_is_lasting() -> None:
    busy = selector.obstacles(request(LINUX), Candidate("one", LINUX, 1, active=1))
    impossible = selector.obstacles(request(LINUX), Candidate("one", {}, 1, active=1))
    without_executors = selector.obstacles(request({}), Candidate("one", {}, 0, active=0))
    assert [obstacle.is_lasting for obstacle in busy] == [False]
    assert [obstacle.is_lasting for obstacle in impossible] == [True, False]
    assert [obstacle.is_lasting for obstacle in without_executors] == [True]


def test_the_least_loaded_worker_is_selected() -> None:
    candidates = [Candidate("a", {}, 4, 3), Candidate("b", {}, 2, 1), Candidate("c", {}, 10, 6)]
    assert chosen(run(), candidates) == "b"


def chosen(run: Run, candidates: list[Candidate]) -> str:
    selected = selector.select(run, candidates)
    assert selected is not None
    return selected.identifier


def test_ties_are_spread_and_each_run_has_its_own_order() -> None:
    candidates = [Candidate(name, {}, 4, 0) for name in "abcd"]
    identifiers = [f"0q1w2e{number:012}" for number in range(400)]
    taken = Counter(chosen(run(identifier=one), candidates) for one in identifiers)
    assert min(taken.values()) > 60
    for one in identifiers[:20]:
        again = chosen(run(identifier=one), candidates)
        assert again == chosen(run(identifier=one), candidates[::-1])


def test_what_a_job_prefers_goes_before_load() -> None:
    ssd = Candidate("ssd", {"disk": "ssd", "memory": 8}, 4, 3)
    large = Candidate("large", {"disk": "ssd", "memory": 64}, 4, 3)
    idle = Candidate("idle", {}, 4, 0)
    preferences: JsonObject = {"disk": "ssd", "memory": {"at_least": 32}}
    assert chosen(run(preferences=preferences), [ssd, idle]) == "ssd"
    assert chosen(run(preferences=preferences), [ssd, idle, large]) == "large"
    assert chosen(run(), [ssd, idle, large]) == "idle"
    full = replace(large, active=4)
    assert chosen(run(preferences=preferences), [idle, full]) == "idle"


@pytest.mark.parametrize(("weight", "expected"), [(1, 1.0), (2.5, 2.5), (0, 1.0), (-3, 1.0), ("2", 1.0), (True, 1.0)])
def test_weights(weight: JsonValue, expected: float) -> None:
    assert weight_of({"weight": weight}) == expected
    assert weight_of({}) == 1.0


def test_a_worker_of_twice_the_weight_takes_twice_the_share() -> None:
    strong, plain = Candidate("strong", {"weight": 2}, 6, 0), Candidate("plain", {}, 6, 0)
    assert chosen(run(), [strong, plain]) == "strong"
    assert chosen(run(), [replace(strong, active=2), replace(plain, active=2)]) == "strong"
    assert chosen(run(), [replace(strong, active=5), replace(plain, active=2)]) == "plain"


def test_nobody_is_selected_where_nobody_fits() -> None:
    assert selector.select(run(LINUX), [Candidate("a", {}, 4, 0), Candidate("b", LINUX, 1, 1)]) is None
    assert selector.select(run(), []) is None


candidates = st.builds(
    Candidate,
    identifier=st.text("abc", min_size=1, max_size=3),
    properties=objects,
    executor_limit=st.integers(-1, 3),
    active=st.integers(0, 3),
    is_enabled=st.booleans(),
    is_connected=st.booleans(),
    is_draining=st.booleans(),
    refusal=st.none() | st.just(Refusal("7", "No room.", datetime(2026, 11, 26, tzinfo=UTC))),
)


@checked
@given(objects, st.lists(candidates, max_size=4))
def test_selecting_and_explaining_agree(requirements: JsonObject, workers: list[Candidate]) -> None:
    fitting = [worker for worker in workers if not selector.obstacles(request(requirements), worker)]
    selected = selector.select(run(requirements), workers)
    assert (selected is None) == (fitting == [])
    assert selected is None or selected in fitting
