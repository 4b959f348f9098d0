"""Random domain values for property tests. A failure prints what repeats it (`@reproduce_failure`)."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from job_orchestra.domain.definitions import (
    After,
    CommandsDefinition,
    CustomDefinition,
    Definition,
    ElementDefinition,
    PipelineDefinition,
    Workspace,
)
from job_orchestra.domain.events import CommandEnded, CommandStarted, Ended, Event, Phase, ResultsChanged, Started
from job_orchestra.domain.identifiers import NAME
from job_orchestra.domain.jobs import JobSettings, ParameterDefinition, ParameterType, RunLimits
from job_orchestra.domain.json import JsonObject, JsonValue
from job_orchestra.domain.projects import ProjectSettings
from job_orchestra.domain.reasons import Reason, ReasonCode
from job_orchestra.domain.repositories import RepositorySettings, RepositoryType
from job_orchestra.domain.retries import RetryPolicy
from job_orchestra.domain.retry_data import CAUSES
from job_orchestra.domain.runs import KeptRun, RunRequest
from job_orchestra.domain.schedules import CatchUp, MissingTime, RepeatedTime, ScheduleSettings
from job_orchestra.domain.statuses import TERMINAL

checked = settings(deadline=None, max_examples=80, print_blob=True)

texts = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20)
names = st.from_regex(NAME, fullmatch=True).filter(str.isascii)
scalars: SearchStrategy[JsonValue] = (
    st.none() | st.booleans() | st.integers(-(1 << 63), (1 << 63) - 1) | st.floats(allow_nan=False) | texts
).filter(lambda value: value not in {float("inf"), float("-inf")})
values: SearchStrategy[JsonValue] = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3), max_leaves=8
)
objects: SearchStrategy[JsonObject] = st.dictionaries(texts, values, max_size=4)
moments = st.datetimes(datetime(1971, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001

commands = st.lists(texts, max_size=3).flatmap(
    lambda rest: st.text("abc", min_size=1, max_size=5).map(lambda program: (program, *rest))
)
command_lists = st.lists(commands, max_size=3).map(tuple)
afters = st.builds(
    After, element=names, statuses=st.lists(st.sampled_from(TERMINAL), min_size=1, unique=True).map(tuple)
)
retries = st.builds(
    RetryPolicy,
    retries=st.integers(0, 100),
    on=st.lists(st.sampled_from(CAUSES), min_size=1, max_size=3, unique=True).map(tuple),
    delay=st.floats(0, 3e8),
)
elements = st.builds(
    ElementDefinition,
    identifier=names,
    job=names,
    project=st.none() | names,
    after=st.lists(afters, max_size=2).map(tuple),
    parameters=objects,
    retry=st.none() | retries,
)
definitions: SearchStrategy[Definition] = (
    st.builds(
        CommandsDefinition,
        commands=st.lists(commands, min_size=1, max_size=3).map(tuple),
        setup=command_lists,
        teardown=command_lists,
    )
    | st.builds(
        PipelineDefinition,
        elements=st.lists(elements, max_size=3, unique_by=lambda element: element.identifier).map(tuple),
    )
    | st.builds(CustomDefinition, type=names.filter(lambda name: name not in {"commands", "pipeline"}), data=objects)
)
limits = st.builds(
    RunLimits,
    timeout=st.none() | st.floats(0.001, 3e8),
    teardown_timeout=st.floats(0, 3e8),
    grace=st.floats(0, 3e8),
    log_size=st.none() | st.integers(1, 1 << 50),
    results_size=st.integers(16, 4 << 20),
)
required_parameters = st.builds(
    ParameterDefinition,
    identifier=names,
    is_required=st.just(True),
    default=st.none(),
    choices=st.lists(values, max_size=3).map(tuple),
    description=texts,
)
optional_parameters = st.builds(
    ParameterDefinition,
    identifier=names,
    is_required=st.just(False),
    default=values,
    description=texts,
    type=st.sampled_from([None, ParameterType.JSON]),
)
typed_parameters = st.builds(
    ParameterDefinition,
    identifier=names,
    type=st.sampled_from([one for one in ParameterType if one is not ParameterType.TEXT]),
)
text_parameters = st.builds(
    ParameterDefinition,
    identifier=names,
    type=st.just(ParameterType.TEXT),
    pattern=st.none() | st.sampled_from(["", "a+|b", r"v\d+"]),
)
parameter_lists = st.lists(
    required_parameters | optional_parameters | typed_parameters | text_parameters,
    max_size=3,
    unique_by=lambda parameter: parameter.identifier,
).map(tuple)
priorities = st.integers(-1000, 1000)
workspaces = st.sampled_from(Workspace)
job_settings = st.builds(
    JobSettings,
    definition=definitions,
    display_name=texts,
    description=texts,
    parameters=parameter_lists,
    properties=objects,
    preferences=objects,
    workspace=workspaces,
    limits=limits,
    retry=retries,
    priority=priorities,
    concurrency=st.none() | names,
    expiry=st.none() | st.floats(1, 1e8),
)


def _prefixed(options: JsonObject) -> JsonObject:
    """So that none is called like a field."""
    return {f"x-{name}": value for name, value in options.items()}


repositories = st.builds(
    RepositorySettings,
    url=st.sampled_from(["https://host.test/ada/engine", "https://ada@host.test:8443/tools/engine.git"]),
    type=st.sampled_from([*RepositoryType, "fossil"]).map(str),
    branch=st.none() | st.sampled_from(["main", "release/1.x"]),
    token_environment=st.none() | st.just("TOKEN"),
) | st.builds(
    RepositorySettings, url=st.sampled_from(["", "x"]), type=st.just("fossil"), options=objects.map(_prefixed)
)
project_settings = st.builds(
    ProjectSettings,
    display_name=texts,
    description=texts,
    repository=st.none() | repositories,
    concurrency=st.dictionaries(names, st.integers(1, 1000), max_size=2),
    services=st.dictionaries(names, names.map("https://example.org/{}".format), max_size=2),
)
schedule_settings = st.builds(
    ScheduleSettings,
    job=names,
    expression=st.text("*/0123456789 ", min_size=1),
    time_zone=st.sampled_from(["UTC", "Europe/Paris"]),
    missing_time=st.none() | st.sampled_from(MissingTime),
    repeated_time=st.none() | st.sampled_from(RepeatedTime),
    catch_up=st.sampled_from(CatchUp),
    catch_up_age=st.none() | st.floats(0, 3e8),
    parameters=objects,
    description=texts,
    is_enabled_at_first=st.booleans(),
)
run_requests = st.builds(
    RunRequest,
    project=names,
    job=names,
    definition=definitions,
    parameters=objects,
    properties=objects,
    preferences=objects,
    workspace=workspaces,
    limits=limits,
    retry=retries,
    priority=priorities,
    concurrency=st.none() | names,
    expiry=st.none() | st.floats(1, 1e8),
    part=texts,
    kept=st.lists(st.builds(KeptRun, part=texts, run=texts), max_size=2).map(tuple),
    token=st.booleans(),
    abort_with_run=st.booleans(),
)

counts = st.integers(0, 1 << 50)
sequences = st.integers(1, 1 << 40)
phases = st.sampled_from(Phase)
durations = st.floats(0, 1e9)
events: SearchStrategy[Event] = (
    st.builds(Started, sequence=sequences, date=moments, host=objects, workspace=texts)
    | st.builds(
        CommandStarted,
        sequence=sequences,
        date=moments,
        phase=phases,
        index=counts,
        arguments=st.lists(texts, max_size=3).map(tuple),
        log_offset=counts,
        process=counts,
    )
    | st.builds(
        CommandEnded,
        sequence=sequences,
        date=moments,
        phase=phases,
        index=counts,
        exit_code=st.integers(-64, 255),
        duration=durations,
        log_offset=counts,
    )
    | st.builds(ResultsChanged, sequence=sequences, date=moments, results=objects)
    | st.builds(
        Ended,
        sequence=sequences,
        date=moments,
        status=st.sampled_from(TERMINAL),
        reason=st.builds(Reason, code=st.sampled_from(ReasonCode), sentence=texts),
        duration=durations,
        log_size=counts,
        log_sha256=st.text("0123456789abcdef", min_size=64, max_size=64),
    )
)
