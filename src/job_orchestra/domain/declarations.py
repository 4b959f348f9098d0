"""What a projects file written in Python is made of.

Nothing is checked here, not even the keywords: `configuration` reads these like plain data. Each declaration stands for
a table of its fields; a field that is left at its default means the same as leaving it out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, MISSING, Field, dataclass, field, fields
from typing import TypeAlias, cast

from job_orchestra.domain.declaring import Unset, given_to, tolerant
from job_orchestra.domain.definition_data import definition_to_data
from job_orchestra.domain.definitions import CommandsDefinition, CustomDefinition, Definition, PipelineDefinition
from job_orchestra.domain.jobs import LossPolicy, RunLimits
from job_orchestra.domain.places import WrittenTable
from job_orchestra.domain.retries import RetryPolicy
from job_orchestra.domain.schedules import CatchUp

_LIMITS = RunLimits()
_LOSS = LossPolicy()
_RETRY = RetryPolicy()
_MOST_DEPTH = 100
"""What is nested deeper is left as it is, for the validator to refuse."""

CommandTexts: TypeAlias = Sequence[Sequence[str]]
"""Commands, each a list of arguments, which are format strings."""


@tolerant
@dataclass(frozen=True)
class Parameter:
    """A parameter of a job. Without a default, a trigger has to give it.

    `type` is `text`, `integer`, `number`, `boolean`, `list` or `json`; a `pattern` is what all of a text has to match.
    """

    identifier: str
    _: KW_ONLY
    default: object = Unset.UNSET
    choices: Sequence[object] = ()
    description: str = ""
    type: str | None = None
    pattern: str | None = None


@tolerant
@dataclass(frozen=True)
class Retention:
    """How long ended runs are kept: one goes when it is older than `days`, or when `count` newer ones have ended.

    Failures (failed, exception) are counted by themselves, and have days of their own if wanted. None is for ever.
    """

    _: KW_ONLY
    days: int | None = None
    count: int | None = None
    failure_days: int | None = None
    failure_count: int | None = None


@tolerant
@dataclass(frozen=True)
class Job:
    """What can be executed: `commands`, or a `definition` of another type as a table with the key `type`.

    Times are in seconds, sizes in bytes; None is unlimited. With `token`, commands may use the API as their run.
    """

    identifier: str
    _: KW_ONLY
    commands: CommandTexts | None = None
    setup: CommandTexts = ()
    teardown: CommandTexts = ()
    definition: Definition | Mapping[str, object] | None = None
    parameters: Sequence[Parameter] = ()
    properties: Mapping[str, object] = field(default_factory=dict[str, object])
    preferences: Mapping[str, object] = field(default_factory=dict[str, object])
    """As `properties`: of the workers that fit, one that meets more of them goes first."""
    workspace: str = "job"
    timeout: float | None = _LIMITS.timeout
    teardown_timeout: float = _LIMITS.teardown_timeout
    grace: float = _LIMITS.grace
    log_limit: int | None = _LIMITS.log_size
    results_limit: int = _LIMITS.results_size
    on_lost: str = _LOSS.on_lost.value
    lost_after: float = _LOSS.after
    retries: int = _RETRY.retries
    """How often another attempt is made, after one that ended with a status or reason in `retry_on`."""
    retry_on: Sequence[str] = tuple(cause.value for cause in _RETRY.on)
    retry_delay: float = _RETRY.delay
    priority: int = 0
    concurrency: str | None = None
    expiry: float | None = None
    retention: Retention | Mapping[str, object] | None = None
    token: bool = False
    display_name: str = ""
    description: str = ""


@tolerant
@dataclass(frozen=True)
class Element:
    """One step of a pipeline: another job, executed when the elements in `after` have ended as they should.

    An item of `after` is an element's identifier (it has to succeed) or a table with `element` and `statuses`, which
    is a list, or `"always"`.
    """

    identifier: str
    _: KW_ONLY
    job: str
    project: str | None = None
    after: Sequence[str | Mapping[str, object]] = ()
    when: str = ""
    """What has to hold as well: `parameters.target = "release" and elements.test.results.failed = 0`."""
    for_each: str | Sequence[object] | None = None
    """A run for each item of this list, or of the one that a field has: `"{elements[plan][results][hosts]}"`."""
    parameters: Mapping[str, object] = field(default_factory=dict[str, object])
    """Format strings, over `parameters`, `elements`, `item`, `index`, `project`, `job` and `run` of the pipeline."""
    retries: int | None = None
    """With `retry_on` and `retry_delay` in place of those of the job; None: as the job says."""
    retry_on: Sequence[str] = tuple(cause.value for cause in _RETRY.on)
    retry_delay: float = _RETRY.delay
    allow_failure: bool = False
    """However it ends, the pipeline and the elements behind it go on as if it had succeeded."""


@tolerant
@dataclass(frozen=True)
class Pipeline:
    """A job made of other jobs."""

    identifier: str
    _: KW_ONLY
    elements: Sequence[Element]
    parameters: Sequence[Parameter] = ()
    priority: int = 0
    concurrency: str | None = None
    expiry: float | None = None
    retention: Retention | Mapping[str, object] | None = None
    display_name: str = ""
    description: str = ""


@tolerant
@dataclass(frozen=True)
class Schedule:
    """A cron expression that triggers a job. The users' switch starts as `is_enabled_at_first` and is then theirs."""

    identifier: str
    _: KW_ONLY
    job: str
    expression: str
    time_zone: str = "UTC"
    missing_time: str | None = None
    """Of a local time that does not exist: `next` for the first moment behind the gap (default), or `skip`."""
    repeated_time: str | None = None
    """Of a local time that exists twice: `once` for the first one (default), or `twice`."""
    catch_up: str = CatchUp.LATEST.value
    """Of ticks that came due while no master was there: `none`, the `latest`, or `all` of them make runs."""
    catch_up_age: float | None = None
    """Seconds behind which such a tick makes no run any more; None: however old it is."""
    parameters: Mapping[str, object] = field(default_factory=dict[str, object])
    description: str = ""
    is_enabled_at_first: bool = False


@tolerant
@dataclass(frozen=True)
class Trigger:
    """A job that a webhook triggers when one of these branches or tags is pushed; `*` in their names is anything.

    Parameters that are text are format strings over what was pushed: `{revision}`, `{branch}`, `{tag}`, ….
    """

    job: str
    _: KW_ONLY
    branches: Sequence[str] = ()
    tags: Sequence[str] = ()
    parameters: Mapping[str, object] = field(default_factory=dict[str, object])


@tolerant
@dataclass(frozen=True)
class Webhook:
    """Lets a host of repositories trigger jobs: `github`, `gitlab`, `gitea` or `forgejo`.

    Its secret is in an environment variable of the service, or in a file on the service's host.
    """

    identifier: str
    _: KW_ONLY
    provider: str
    triggers: Sequence[Trigger]
    secret_environment: str | None = None
    secret_file: str | None = None


@tolerant
@dataclass(frozen=True)
class Repository:
    """Where a project's sources are: an address, or a path on the host of the service.

    `type` is `git`, or how its host is asked: `github`, `gitlab`, `forgejo`, `gitea`. Its token, if it needs one, is in
    an environment variable of the service, or in a file on the service's host.
    """

    url: str
    _: KW_ONLY
    type: str = "git"
    branch: str | None = None
    token_environment: str | None = None
    token_file: str | None = None


@tolerant
@dataclass(frozen=True)
class Project:
    """A space for jobs and schedules."""

    identifier: str
    _: KW_ONLY
    jobs: Sequence[Job | Pipeline] = ()
    schedules: Sequence[Schedule] = ()
    display_name: str = ""
    description: str = ""
    repository: Repository | Mapping[str, object] | str | None = None
    retention: Retention | Mapping[str, object] | None = None
    concurrency: Mapping[str, int] = field(default_factory=dict[str, int])
    webhooks: Sequence[Webhook] = ()
    services: Mapping[str, str] = field(default_factory=dict[str, str])
    """Links on the project's page: `{"Tracker": "https://tracker.example.org"}`."""


def checkout(
    repository: str,
    *,
    revision: str = "",
    branch: str = "",
    directory: str = "",
    depth: int | None = None,
    clean: bool = False,
    token_environment: str = "",
    token_file: str = "",
) -> list[str]:
    """The command that gets a revision of a repository into the workspace; texts are format strings, as in any command.

    What is empty when the run begins means the same as leaving it out: without a revision the newest one of the branch,
    without that the one of the repository's default branch.
    """
    values = {
        "revision": revision,
        "branch": branch,
        "directory": directory,
        "depth": "" if depth is None else str(depth),
        "token-environment": token_environment,
        "token-file": token_file,
    }
    options = [f"--{name}={value}" for name, value in values.items() if value]
    # Without the workspace among the places of modules (-P): what is checked out is not to be imported.
    program = ["{environment[ORCHESTRA_PYTHON]}", "-P", "-m", "job_orchestra.client.checkout"]
    return [*program, *options, *(["--clean"] if clean else []), "--", repository]


Declaration: TypeAlias = (
    Project | Job | Pipeline | Element | Schedule | Parameter | Retention | Webhook | Trigger | Repository
)


def plain_data(value: object, depth: int = _MOST_DEPTH) -> object:
    """The value with tables in place of declarations and definitions, however deep they stand."""
    if isinstance(value, Declaration):
        fields_of_it = cast("dict[str, object]", plain_data(_declared_fields(value), depth))
        return WrittenTable(fields_of_it, given_to(value).origin)
    if isinstance(value, (CommandsDefinition, PipelineDefinition, CustomDefinition)):
        return definition_to_data(value)
    if depth and isinstance(value, Mapping):
        table = cast("Mapping[object, object]", value)
        return {key: plain_data(item, depth - 1) for key, item in table.items()}
    if depth and isinstance(value, (list, tuple)):
        return [plain_data(item, depth - 1) for item in cast("Sequence[object]", value)]
    return value


def _declared_fields(declaration: Declaration) -> dict[str, object]:
    declared = {item.name: getattr(declaration, item.name) for item in fields(declaration)}
    given = {
        item.name: declared[item.name]
        for item in fields(declaration)
        if declared[item.name] is not Unset.UNSET and not _is_default(item, declared[item.name])
    }
    return given | dict(given_to(declaration).unknown or {})


def _is_default(item: Field[object], value: object) -> bool:
    default = item.default if item.default_factory is MISSING else item.default_factory()
    return type(value) is type(default) and value == default
