from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from job_orchestra.domain.json import JsonObject
from job_orchestra.domain.retention import Retention
from job_orchestra.domain.webhooks import WebhookSettings


@dataclass(frozen=True, slots=True)
class ProjectSettings:
    display_name: str = ""
    description: str = ""
    repository: JsonObject | None = None
    """Where the project's sources are; which keys is the business of the revision-control client of its `type`."""
    retention: Retention | None = None
    """None: as the settings say."""
    webhooks: tuple[WebhookSettings, ...] = ()


@dataclass(frozen=True, slots=True)
class Project:
    identifier: str
    settings: ProjectSettings
    is_active: bool
    """Whether the configuration still has it; written by the master."""
    changed_at: datetime
