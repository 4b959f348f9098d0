"""Webhooks: what a project lets a repository's host trigger, and which of it a push triggers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from fnmatch import fnmatchcase
from string import Formatter

from job_orchestra.domain.checking import nearest
from job_orchestra.domain.errors import Invalid, Mistake
from job_orchestra.domain.formatting import FormatError, format_text, split_field
from job_orchestra.domain.json import JsonObject, JsonValue

BRANCH_PREFIX = "refs/heads/"
TAG_PREFIX = "refs/tags/"


class WebhookProvider(StrEnum):
    """Whose form a delivery has: how it is signed, and how it tells what happened."""

    GITHUB = "github"
    GITLAB = "gitlab"
    GITEA = "gitea"
    FORGEJO = "forgejo"


@dataclass(frozen=True, slots=True)
class WebhookTrigger:
    """A job, and the branches and tags whose pushes trigger it, as patterns in which `*` is anything."""

    job: str
    branches: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    parameters: JsonObject = field(default_factory=dict[str, JsonValue])
    """Texts are format strings over `PUSH_FIELDS`."""

    @property
    def constants(self) -> JsonObject:
        """The parameters that are the same for every push."""
        constants: JsonObject = {}
        for name, value in self.parameters.items():
            with suppress(FormatError):
                constants[name] = format_text(value, {}) if isinstance(value, str) else value
        return constants


@dataclass(frozen=True, slots=True)
class WebhookSettings:
    """What the configuration says of a webhook. It names where its secret is, never the secret."""

    identifier: str
    provider: WebhookProvider
    triggers: tuple[WebhookTrigger, ...]
    secret_environment: str | None = None
    """A variable in the environment of the service."""
    secret_file: str | None = None
    """A file on the host of the service."""


@dataclass(frozen=True, slots=True)
class Push:
    """A branch or tag that is now at a revision."""

    ref: str
    revision: str
    before: str = ""
    repository: str = ""
    user: str = ""
    is_deletion: bool = False

    @property
    def branch(self) -> str:
        """Empty for a tag."""
        return self.ref.removeprefix(BRANCH_PREFIX) if self.ref.startswith(BRANCH_PREFIX) else ""

    @property
    def tag(self) -> str:
        """Empty for a branch."""
        return self.ref.removeprefix(TAG_PREFIX) if self.ref.startswith(TAG_PREFIX) else ""


PUSH_FIELDS = ("ref", "branch", "tag", "revision", "before", "repository", "user", "payload")
"""What parameters of a webhook's triggers are made of; `payload` is all that the delivery told."""


def triggered_by(webhook: WebhookSettings, push: Push) -> Sequence[WebhookTrigger]:
    """Those whose patterns the push fits; of several for one job the first."""
    found: dict[str, WebhookTrigger] = {}
    for trigger in webhook.triggers:
        if _fits(push.branch, trigger.branches) or _fits(push.tag, trigger.tags):
            found.setdefault(trigger.job, trigger)
    return list(found.values())


def parameters_of(trigger: WebhookTrigger, push: Push, payload: JsonObject) -> JsonObject:
    """For the job; Invalid where a format string asks for what the payload does not have."""
    values: Mapping[str, JsonValue] = {
        "ref": push.ref,
        "branch": push.branch,
        "tag": push.tag,
        "revision": push.revision,
        "before": push.before,
        "repository": push.repository,
        "user": push.user,
        "payload": payload,
    }
    parameters: JsonObject = {}
    mistakes: list[Mistake] = []
    for name, template in trigger.parameters.items():
        try:
            parameters[name] = format_text(template, values) if isinstance(template, str) else template
        except FormatError as error:
            mistakes.append(Mistake(f"parameters.{name}", str(error)))
    if mistakes:
        raise Invalid(mistakes)
    return parameters


def flaw_of_template(text: str) -> str:
    """What is wrong with a format string over a push; empty if nothing is."""
    try:
        for name, specification in _fields(text):
            first, keys = split_field(name)
            if first not in PUSH_FIELDS:
                hint = nearest(first, PUSH_FIELDS) or f"; known are {', '.join(PUSH_FIELDS)}"
                return f"has an unknown field {{{name}}}{hint}; a literal brace is written twice: {{{{ or }}}}"
            if keys and first != "payload":
                return f"reads {{{name}}}, but {first} is a plain value"
            if "{" in specification:
                return f"has a field in the specification of {{{name}}}, which is unknown here"
    except ValueError as error:
        return f"is no format string ({error}); a literal brace is written twice: {{{{ or }}}}"
    return ""


def _fields(text: str) -> Iterator[tuple[str, str]]:
    for _, name, specification, _ in Formatter().parse(text):
        if name is not None:
            yield name, specification or ""


def _fits(name: str, patterns: Sequence[str]) -> bool:
    return bool(name) and any(fnmatchcase(name, pattern) for pattern in patterns)
