from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given

from job_orchestra import Element, Job, Parameter, Pipeline, Project, Repository, Schedule, Trigger, Webhook
from job_orchestra.domain.configuration import parse_projects
from job_orchestra.domain.definitions import (
    After,
    CommandsDefinition,
    CustomDefinition,
    ElementDefinition,
    PipelineDefinition,
    Workspace,
)
from job_orchestra.domain.errors import Invalid
from job_orchestra.domain.job_data import project_settings_from_data, project_settings_to_data
from job_orchestra.domain.jobs import ParameterDefinition, RunLimits
from job_orchestra.domain.json import JsonValue
from job_orchestra.domain.repositories import RepositorySettings
from job_orchestra.domain.statuses import ElementStatus
from job_orchestra.domain.webhooks import WebhookProvider, WebhookSettings, WebhookTrigger
from tests.domain.strategies import checked, values

TRUE = [["true"]]

DECLARED = [
    Project(
        "example",
        jobs=[
            Job(
                "hello",
                commands=[["python3", "-c", "print('hello', {parameters[name]!r})"]],
                parameters=[Parameter("name", default="world")],
                properties={"operating_system": "linux"},
            ),
            Pipeline(
                "release",
                elements=[
                    Element("build", job="hello"),
                    Element("test", job="hello", after=["build"]),
                    Element(
                        "report",
                        job="hello",
                        after=[{"element": "test", "statuses": ["failed"]}],
                        parameters={"name": 1},
                    ),
                ],
            ),
        ],
        schedules=[Schedule("nightly", job="hello", expression="0 3 * * *", time_zone="Europe/Paris")],
    ),
]

PLAIN = """
[[projects]]
identifier = "example"

[[projects.jobs]]
identifier = "hello"
commands = [["python3", "-c", "print('hello', {parameters[name]!r})"]]
parameters = [{ identifier = "name", default = "world" }]
properties = { operating_system = "linux" }

[[projects.jobs]]
identifier = "release"
elements = [
    { identifier = "build", job = "hello" },
    { identifier = "test", job = "hello", after = ["build"] },
    { identifier = "report", job = "hello", parameters = { name = 1 }, after = [
        { element = "test", statuses = ["failed"] },
    ] },
]

[[projects.schedules]]
identifier = "nightly"
job = "hello"
expression = "0 3 * * *"
time_zone = "Europe/Paris"
"""


def mistakes_of(*projects: object) -> list[str]:
    with pytest.raises(Invalid) as raised:
        parse_projects(list(projects))
    return [str(replace(mistake, origin=None)) for mistake in raised.value.mistakes]


def mistakes_of_job(**fields: object) -> list[str]:
    prefix = "project p, job j"
    found = mistakes_of({"identifier": "p", "jobs": [{"identifier": "j", **fields}]})
    assert all(mistake.startswith(prefix) for mistake in found)
    return [mistake.removeprefix(prefix).removeprefix(", ") for mistake in found]


def test_declarations_are_read() -> None:
    [project] = parse_projects(DECLARED)
    hello, release = project.jobs
    assert hello.settings.definition == CommandsDefinition((("python3", "-c", "print('hello', {parameters[name]!r})"),))
    assert hello.settings.parameters == (ParameterDefinition("name", is_required=False, default="world"),)
    assert hello.settings.limits == RunLimits()
    assert release.settings.definition == PipelineDefinition(
        (
            ElementDefinition("build", "hello"),
            ElementDefinition("test", "hello", after=(After("build"),)),
            ElementDefinition(
                "report", "hello", after=(After("test", (ElementStatus.FAILED,)),), parameters={"name": 1}
            ),
        )
    )
    assert project.schedules[0].settings.time_zone == "Europe/Paris"
    assert not project.schedules[0].settings.is_enabled_at_first


def test_plain_data_means_the_same() -> None:
    assert parse_projects(tomllib.loads(PLAIN)["projects"]) == parse_projects(DECLARED)


def test_every_field_of_a_job() -> None:
    job = Job(
        "all",
        setup=TRUE,
        commands=TRUE,
        teardown=[["rm", "-f", "x"]],
        workspace="run",
        timeout=10,
        teardown_timeout=5,
        grace=0,
        log_limit=None,
        results_limit=1000,
        priority=-3,
        display_name="All",
        description="Everything.",
        parameters=[Parameter("a", default=None), Parameter("b", choices=["x", 1], description="B")],
    )
    [project] = parse_projects([Project("p", jobs=[job], repository={"type": "git", "url": "u"})])
    settings = project.jobs[0].settings
    assert settings.definition == CommandsDefinition((("true",),), (("true",),), (("rm", "-f", "x"),))
    assert settings.limits == RunLimits(10.0, 5.0, 0.0, None, 1000)
    assert settings.workspace is Workspace.RUN
    assert settings.priority == -3
    assert settings.parameters == (
        ParameterDefinition("a", is_required=False, default=None),
        ParameterDefinition("b", choices=("x", 1), description="B"),
    )
    assert project.settings.repository == RepositorySettings("u")


def test_a_definition_may_be_of_any_type() -> None:
    jobs = [
        Job("a", definition={"type": "container", "data": {"image": "x"}}),
        Job("b", definition=CustomDefinition("container", {"image": "x"})),
        Job("c", definition={"type": "commands", "commands": TRUE}),
        {"identifier": "d", "definition": CommandsDefinition((("true",),))},
    ]
    [project] = parse_projects([{"identifier": "p", "jobs": jobs}])
    a, b, c, d = (job.settings.definition for job in project.jobs)
    assert a == b == CustomDefinition("container", {"image": "x"})
    assert c == d == CommandsDefinition((("true",),))


def test_an_element_may_be_a_job_of_another_project() -> None:
    projects = [
        Project("one", jobs=[Pipeline("p", elements=[Element("e", job="j", project="two")])]),
        Project("two", jobs=[Job("j", commands=TRUE)]),
    ]
    assert len(parse_projects(projects)) == 2


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ("{parameters[nam]}", "names the unknown parameter 'nam'; did you mean name?"),
        ("{parameters[other]}", "names the unknown parameter 'other'; the job has name"),
        ("{parameters.name}", "'parameters.name' reads an attribute; write parameters[…] instead"),
        ("{parameters[name].__class__}", "'parameters[name].__class__' is not of the form name[key][key]"),
        ("{environ[HOME]}", "has an unknown field {environ[HOME]}; did you mean environment?"),
        ("${HOME}", "has an unknown field {HOME}; known are"),
        ("{}", "has an unknown field {}; known are"),
        ("{0}", "has an unknown field {0}; known are"),
        ("{run[0]}", "reads {run[0]}, but run is a plain value"),
        ("{", "is no format string"),
        ("}", "is no format string"),
        ("{run!x}", "has an unknown conversion !x"),
        ("{run:{parameters[nam]}}", "names the unknown parameter 'nam'"),
        ("{run:{run:{run}}}", "nests fields too deep"),
    ],
)
def test_format_strings_are_checked_before_there_is_a_run(argument: str, message: str) -> None:
    fields = {"commands": TRUE, "parameters": [{"identifier": "name"}]}
    for phase in ("setup", "commands", "teardown"):
        [found] = mistakes_of_job(**{**fields, phase: [["true"], ["echo", argument]]})
        assert found.startswith(f"{phase}[1][1]: {message}")


@pytest.mark.parametrize(
    "argument", ["{environment[X]}", "{results[a][b][0]}", "{results}", "{{}}", "{attempt:>3}", "{result_file_path}"]
)
def test_what_is_known_at_the_run_only_is_not_refused_before(argument: str) -> None:
    assert parse_projects([Project("p", jobs=[Job("j", commands=[["echo", argument]])])])


MISTAKES: list[tuple[dict[str, object], list[str]]] = [
    ({}, [": needs one of commands, elements and definition, and has none"]),
    ({"commands": []}, ["commands: is empty; a job has at least one command"]),
    ({"commands": [[]]}, ["commands[0]: is empty; a command is a list of a program and its arguments"]),
    ({"commands": "ls"}, ["commands: expected a list of commands, got 'ls'"]),
    (
        {"commands": TRUE, "workspace": "jbo"},
        ["workspace: expected one of job, run, project, got 'jbo'; did you mean job?"],
    ),
    ({"commands": TRUE, "timeout": 0}, ["timeout: 0 is no number from 0.001 to 1e+15"]),
    ({"commands": TRUE, "results_limit": 1 << 30}, ["results_limit: 1073741824 is not from 16 to 4194304"]),
    ({"commands": TRUE, "priority": 1.5}, ["priority: expected an integer from -1000 to 1000, got 1.5"]),
    ({"commands": TRUE, "expiry": 0}, ["expiry: 0 is no number from 1 to 1e+15"]),
    ({"commands": TRUE, "expiry": 1e9}, ["expiry: 1000000000.0 seconds are more than ten years"]),
    ({"commands": TRUE, "lost_after": 1e15}, ["lost_after: 1000000000000000.0 seconds are more than ten years"]),
    ({"commands": TRUE, "timeout": 1e12}, ["timeout: 1000000000000.0 seconds are more than ten years"]),
    ({"commands": TRUE, "time_out": 1}, ["time_out: is unknown; did you mean timeout?"]),
    (
        {"commands": TRUE, "properties": {"a": []}},
        ["properties.a: is an empty list, which no worker could ever match"],
    ),
    (
        {"commands": TRUE, "parameters": [{"identifier": "a"}, {"identifier": "a"}]},
        ["parameters[1]: there is more than one parameter 'a'"],
    ),
    (
        {"commands": TRUE, "parameters": [{"identifier": "a", "default": 1, "choices": [True]}]},
        ["parameters[0].default: expected one of true, got 1"],
    ),
    (
        {"commands": TRUE, "parameters": [{"identifier": "a", "type": "int", "choices": ["x"]}]},
        [
            "parameters[0].type: expected one of text, integer, number, boolean, list, json, got 'int'; "
            "did you mean integer?"
        ],
    ),
    (
        {"commands": TRUE, "parameters": [{"identifier": "a", "type": "integer", "choices": [1, "2"], "default": "1"}]},
        [
            "parameters[0].choices[1]: expected an integer, got '2'",
            "parameters[0].default: expected an integer, got '1'",
        ],
    ),
    (
        {"commands": TRUE, "parameters": [{"identifier": "a", "pattern": "(a", "default": "b"}]},
        ["parameters[0].pattern: '(a' has, at character 3, a ( that is not closed"],
    ),
    (
        {"commands": TRUE, "parameters": [{"identifier": "a", "pattern": "a+", "default": "b"}]},
        ["parameters[0].default: 'b' does not match the pattern a+"],
    ),
    (
        {"commands": TRUE, "parameters": [{"identifier": "a", "pattern": "a+", "type": "list"}]},
        ["parameters[0].pattern: is for parameters of the type text, and this one is of the type list"],
    ),
    (
        {"commands": TRUE, "parameters": [{"identifier": "a", "default": "x" * 70_000}]},
        ["parameters: have 70008 bytes as JSON, and may have 65536 together; large data belongs in a file"],
    ),
    ({"elements": []}, ["elements: is empty; a pipeline has at least one element"]),
    (
        {"elements": [{"identifier": "e", "job": "j"}], "workspace": "run"},
        [
            "workspace: is unknown; known are identifier, elements, parameters, priority, concurrency, expiry, "
            "display_name, description, retention",
            "elements: contain the pipeline itself: p/j → p/j",
        ],
    ),
    (
        {"definition": {"commands": TRUE}},
        ["definition.commands: is unknown; known are type, data", "definition.type: is missing"],
    ),
    ({"definition": 3}, ["definition: expected a table with the type of the definition, got 3"]),
]


@pytest.mark.parametrize(("fields", "expected"), MISTAKES)
def test_mistakes_of_one_job(fields: dict[str, object], expected: list[str]) -> None:
    assert mistakes_of_job(**fields) == expected


WEBHOOK = {"identifier": "w", "provider": "github", "secret_environment": "S"}
TRIGGER = {"job": "j", "branches": ["*"]}
WEBHOOK_MISTAKES: list[tuple[dict[str, object], list[str]]] = [
    ({"triggers": []}, [": has no triggers, so nothing could come of it"]),
    (
        {"triggers": [TRIGGER], "provider": "githup", "secret_environment": None},
        [
            ".provider: expected one of github, gitlab, gitea, forgejo, got 'githup'; did you mean github?",
            ": needs one of secret_environment and secret_file, which name where its secret is",
            ".triggers[0].parameters.needed: is missing; in job j it has no default",
        ],
    ),
    (
        {"triggers": [{"job": "k", "parameters": {"n": "{brunch}"}}], "secret": "clear"},
        [
            ".secret: is unknown; known are identifier, provider, triggers, secret_environment, secret_file",
            ".triggers[0].parameters.n: has an unknown field {brunch}; did you mean branch?; a literal brace is "
            "written twice: {{ or }}",
            ".triggers[0]: names neither branches nor tags; ['*'] is all of them",
            ".triggers[0].job: project p has no job 'k'; its jobs are j",
        ],
    ),
    (
        {"triggers": [{**TRIGGER, "parameters": {"needed": "{ref[a]}", "other": "{"}}]},
        [
            ".triggers[0].parameters.needed: reads {ref[a]}, but ref is a plain value",
            ".triggers[0].parameters.other: is no format string (Single '{' encountered in format string); a literal "
            "brace is written twice: {{ or }}",
            ".triggers[0].parameters.other: is no parameter of job j",
        ],
    ),
    (
        {"triggers": [{**TRIGGER, "branches": [], "parameters": {"needed": "{ref}", "count": "many"}}]},
        [
            ".triggers[0]: names neither branches nor tags; ['*'] is all of them",
            ".triggers[0].parameters.count: expected an integer, got 'many'",
        ],
    ),
]


@pytest.mark.parametrize(("fields", "expected"), WEBHOOK_MISTAKES)
def test_mistakes_of_a_webhook(fields: dict[str, object], expected: list[str]) -> None:
    count = {"identifier": "count", "type": "integer", "default": 1}
    job = {"identifier": "j", "commands": TRUE, "parameters": [{"identifier": "needed"}, count]}
    project = {"identifier": "p", "jobs": [job], "webhooks": [{**WEBHOOK, **fields}]}
    found = mistakes_of(project)
    assert found == [f"project p, webhooks[0]{one}" for one in expected]


def test_webhooks_are_declared_as_they_are_kept() -> None:
    trigger = Trigger("j", branches=["main"], tags=["v*"], parameters={"needed": "{branch} of {payload[a][0]}", "n": 1})
    webhook = Webhook("w", provider="gitea", secret_file="secret", triggers=[trigger])
    job = Job("j", commands=TRUE, parameters=[Parameter("needed"), Parameter("n", default=2)])
    [project] = parse_projects([Project("p", jobs=[job], webhooks=[webhook])])
    assert project.settings.webhooks == (
        WebhookSettings(
            "w",
            WebhookProvider.GITEA,
            (WebhookTrigger("j", ("main",), ("v*",), {"needed": "{branch} of {payload[a][0]}", "n": 1}),),
            secret_file="secret",
        ),
    )
    assert project_settings_from_data(project_settings_to_data(project.settings)) == project.settings


def test_two_kinds_of_definition_are_one_too_many() -> None:
    found = mistakes_of_job(commands=TRUE, elements=[{"identifier": "e", "job": "x"}])
    assert found[0] == ": needs one of commands, elements and definition, and has commands and elements"


def test_mistakes_of_a_pipeline() -> None:
    hello = Job("hello", commands=TRUE, parameters=[Parameter("a"), Parameter("b", default=1)])
    elements = [
        Element("one", job="helo", after=["two"]),
        Element("two", job="hello", after=["one", "thre"]),
        Element("three", job="hello", parameters={"a": 1, "c": 2}),
        Element("three", job="hello", project="nowhere", after=[{"element": "one", "statuses": []}]),
        Element("four", job="hello", parameters={"a": 1}, after=[{"element": "one", "statuses": ["running"]}]),
    ]
    assert mistakes_of(Project("p", jobs=[hello, Pipeline("x", elements=elements)])) == [
        "project p, job x, elements[3].after[0]: names no status, so it would wait for ever",
        "project p, job x, elements[4].after[0].statuses[0]: running is no status that an element ends "
        "with; those are succeeded, failed, aborted, exception, cancelled, skipped",
        "project p, job x, elements[3]: there is more than one element 'three'",
        "project p, job x, element one, job: project p has no job 'helo'; did you mean hello?",
        "project p, job x, element two, parameters.a: is missing; in job hello it has no default",
        "project p, job x, element two, after[1]: there is no element 'thre'; did you mean three?",
        "project p, job x, element three, parameters.c: is no parameter of job hello",
        "project p, job x, element three, job: there is no project 'nowhere' that has jobs",
        "project p, job x, elements: wait for each other and could never start: one → two → one",
    ]


def test_pipelines_that_contain_each_other() -> None:
    found = mistakes_of(
        Project("p", jobs=[Pipeline("a", elements=[Element("e", job="b")])]),
        Project("q", jobs=[Job("b", commands=TRUE)]),
        Project("r", jobs=[Pipeline("x", elements=[Element("e", job="y")])]),
    )
    assert found == [
        "project p, job a, element e, job: project p has no job 'b'; its jobs are a",
        "project r, job x, element e, job: project r has no job 'y'; its jobs are x",
    ]
    [cycle] = mistakes_of(
        Project("p", jobs=[Pipeline("a", elements=[Element("e", job="b", project="q")])]),
        Project("q", jobs=[Pipeline("b", elements=[Element("e", job="a", project="p")])]),
    )
    assert "contain the pipeline itself: p/a → q/b → p/a" in cycle or "q/b → p/a → q/b" in cycle


def test_mistakes_of_schedules() -> None:
    schedules = [
        Schedule("a", job="hello", expression="* * *"),
        Schedule("b", job="helo", expression="@dayly", time_zone="Europe/Pari"),
        Schedule("b", job="hello", expression="", parameters={"nme": 1}),
        {"identifier": "c", "job": "hello"},
    ]
    hello = {"identifier": "hello", "commands": TRUE, "parameters": [{"identifier": "name"}]}
    found = mistakes_of({"identifier": "p", "jobs": [hello], "schedules": schedules})
    missing = "parameters.name: is missing; it has no default"
    assert found == [
        "project p, schedule b, expression: is empty",
        "project p, schedule c, expression: is missing",
        "project p, schedule b: there is more than one schedule 'b'",
        f"project p, schedule a, {missing}",
        "project p, schedule a, expression: '* * *' has 3 fields; a cron expression has five: "
        "minute, hour, day of month, month, day of week",
        "project p, schedule b, job: project p has no job 'helo'; did you mean hello?",
        "project p, schedule b, expression: '@dayly' is no known word; did you mean @daily?",
        "project p, schedule b, time_zone: 'Europe/Pari' is no time zone; "
        "names are those of the IANA database, such as Europe/Paris or UTC",
        "project p, schedule b, parameters.nme: is no parameter of the job; did you mean name?",
        f"project p, schedule b, {missing}",
        f"project p, schedule c, {missing}",
    ]


def test_the_meaning_of_an_expression_is_looked_at_by_whom_the_caller_names() -> None:
    seen: list[str] = []

    def refuse(expression: str) -> None:
        seen.append(expression)
        raise ValueError("has no such hour")

    job = Job("j", commands=TRUE)
    projects = [Project("p", jobs=[job], schedules=[Schedule("s", job="j", expression="@daily")])]
    with pytest.raises(Invalid, match=r"schedule s, expression: '@daily' has no such hour"):
        parse_projects(projects, refuse)
    assert seen == ["0 0 * * *"]


def test_mistakes_of_projects() -> None:
    projects = [Project("p"), Project("p"), {"identifier": "-"}, 3, {"identifer": "x"}, Job("j", commands=TRUE)]
    assert mistakes_of(*projects) == [
        "projects[2].identifier: '-' is no identifier: 1 to 64 letters, digits, '_', '-' or '.', "
        "first and last a letter or digit",
        "projects[3]: expected a project, got 3",
        "projects[4].identifer: is unknown; did you mean identifier?",
        "projects[4].identifier: is missing",
        "project j, commands: is unknown; known are identifier, jobs, schedules, display_name, description, "
        "repository, retention, concurrency, webhooks, services",
        "project p: there is more than one project 'p'",
    ]


@pytest.mark.parametrize("data", [None, 3, "projects", {"identifier": "p"}, Project("p")])
def test_projects_are_a_list(data: object) -> None:
    with pytest.raises(Invalid, match="projects: expected a list of projects"):
        parse_projects(data)


def test_data_without_end_is_refused() -> None:
    endless: dict[str, object] = {}
    endless["again"] = endless
    assert mistakes_of_job(commands=TRUE, properties=endless)


@checked
@given(values, values)
def test_anything_is_read_or_invalid(one: JsonValue, other: JsonValue) -> None:
    job: JsonValue = {"identifier": "j", "commands": one, "parameters": other}
    for data in ([one], [{"identifier": "p", "jobs": one, "schedules": other}], [{"identifier": "p", "jobs": [job]}]):
        try:
            parse_projects(data)
        except Invalid as error:
            assert error.mistakes


def test_importing_the_package_brings_nothing_heavy() -> None:
    program = "import sys, json, job_orchestra; job_orchestra.Job; print(json.dumps([*sys.modules]))"
    printed = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout
    modules = {name.split(".")[0] for name in json.loads(printed)}
    assert not modules & {"msgspec", "sqlalchemy", "starlette", "websockets", "asyncio", "click", "rich", "jinja2"}


def test_an_unknown_name_of_the_package_is_an_attribute_error() -> None:
    import job_orchestra

    with pytest.raises(AttributeError, match="no attribute 'Jop'"):
        job_orchestra.Jop  # type: ignore[attr-defined]  # noqa: B018  # pyright: ignore


@pytest.mark.parametrize(
    ("repository", "settings"),
    [
        ("https://host.test/ada/engine.git", RepositorySettings("https://host.test/ada/engine.git")),
        ("git@host.test:ada/engine", RepositorySettings("git@host.test:ada/engine")),
        ("../engine", RepositorySettings("../engine")),
        (
            Repository("https://host.test/a/b", type="gitlab", branch="next", token_file="token"),
            RepositorySettings("https://host.test/a/b", "gitlab", "next", token_file="token"),
        ),
        (
            {"type": "github", "url": "https://github.com/ada/engine/", "token_environment": "TOKEN"},
            RepositorySettings("https://github.com/ada/engine/", "github", token_environment="TOKEN"),
        ),
        ({"type": "gitlab", "url": "https://host.test/a/b/c"}, RepositorySettings("https://host.test/a/b/c", "gitlab")),
        (
            {"type": "fossil", "url": "/srv/engine", "user": "ada"},
            RepositorySettings("/srv/engine", "fossil", options={"user": "ada"}),
        ),
        (None, None),
    ],
)
def test_repositories(repository: Any, settings: RepositorySettings | None) -> None:
    [project] = parse_projects([Project("p", repository=repository)])
    assert project.settings.repository == settings
    assert project_settings_from_data(project_settings_to_data(project.settings)) == project.settings


def test_mistakes_of_repositories() -> None:
    def mistakes(repository: Any) -> list[str]:
        return [one.removeprefix("project p, ") for one in mistakes_of(Project("p", repository=repository))]

    assert mistakes(3) == ["repository: expected the URL or path of a repository, or a table with url, got 3"]
    assert mistakes("") == ["repository: is empty"]
    assert mistakes("ext::sh -c 'id'") == [
        """repository: "ext::sh -c 'id'" names a program of git's as its transport"""
    ]
    assert mistakes("--upload-pack=id") == [
        "repository: '--upload-pack=id' begins with a dash, which git takes for an option"
    ]
    assert mistakes("https://ada:s3cret@host.test/ada/engine") == [
        "repository: 'https://…@host.test/ada/engine' has a password in it, which belongs where "
        "token_environment or token_file say"
    ]
    assert mistakes("ftp://host.test/x") == [
        "repository: 'ftp://host.test/x' has the scheme ftp; possible are https, http, ssh, git, file"
    ]
    assert mistakes(
        Repository("ssh://host.test/x", type="githb", branch="-x", token_file="a", token_environment="")
    ) == [
        "repository.type: expected one of git, github, gitlab, forgejo, gitea, got 'githb'; did you mean github?",
        "repository.branch: '-x' begins with a dash, which git takes for an option",
        "repository.token_environment: is empty",
        "repository: has both token_environment and token_file, of which one says where its token is",
        "repository.url: 'ssh://host.test/x' is no address that begins with https:// or http://, which a repository "
        "with a token has",
    ]
    assert mistakes({"type": "github", "url": "https://github.com/ada"}) == [
        "repository.url: 'https://github.com/ada' is not the address of a repository's page, such as "
        "https://host/owner/name"
    ]
    assert mistakes({"type": "gitea", "urls": "x"}) == [
        "repository.urls: is unknown; did you mean url?",
        "repository.url: is missing",
    ]


def test_a_stored_repository_that_nobody_could_use_is_none() -> None:
    data: dict[str, Any] = project_settings_to_data(parse_projects([Project("p")])[0].settings)
    assert project_settings_from_data({**data, "repository": {"type": "git", "place": 3}}).repository is None
