from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from job_orchestra.domain.repositories import RepositorySettings
from job_orchestra.domain.retention import Retention
from job_orchestra.domain.webhooks import WebhookSettings


@dataclass(frozen=True, slots=True)
class ProjectSettings:
    display_name: str = ""
    description: str = ""
    repository: RepositorySettings | None = None
    retention: Retention | None = None
    """None: as the settings say."""
    concurrency: Mapping[str, int] = field(default_factory=dict[str, int])
    """How many runs of a concurrency group may be assigned or running at once, where it is not one."""
    webhooks: tuple[WebhookSettings, ...] = ()
    services: Mapping[str, str] = field(default_factory=dict[str, str])
    """Names and addresses of what it needs elsewhere."""


@dataclass(frozen=True, slots=True)
class Project:
    identifier: str
    settings: ProjectSettings
    is_active: bool
    """Whether the configuration still has it; written by the master."""
    changed_at: datetime
